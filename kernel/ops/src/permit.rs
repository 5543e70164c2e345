//! The one place that says who may.

use serde_json::{Map, Value};

use crate::access::About;
use crate::caller::{Caller, Rank, Role};
use crate::error::OpError;
use crate::operation::Spec;

/// Whether the caller might call it at all, with some arguments or others.
#[must_use]
pub fn might(caller: &Caller, spec: &Spec) -> bool {
    in_scope(caller, spec) && caller.roles().all(|role| spec.roles.has(role.rank) || own_is_possible(caller, spec))
}

/// Fills in what follows from the caller, the own account or the only domain, and refuses what is
/// not his. `served` are the server's domains, for telling a service's domain from one of those.
///
/// # Errors
/// [`OpError::Denied`] with what is needed; [`OpError::Invalid`] if a domain has to be named.
pub fn narrow(caller: &Caller, spec: &Spec, given: &mut Map<String, Value>, served: &[String]) -> Result<(), OpError> {
    if !in_scope(caller, spec) {
        return Err(OpError::Denied(format!("the token is not good for {}", spec.name)));
    }
    for role in caller.roles() {
        if is_own(caller, spec, given) && spec.roles.has(Rank::User) {
            continue;
        }
        if spec.roles.has(role.rank) && role.rank != Rank::User {
            within(role, spec, given, served)?;
        } else if own_is_possible(caller, spec) {
            only_own(caller, spec, given)?;
        } else {
            let needed: Vec<_> = spec.roles.iter().map(Rank::word).collect();
            return Err(OpError::Denied(format!("{} is for: {}", spec.name, needed.join(", "))));
        }
    }
    Ok(())
}

fn in_scope(caller: &Caller, spec: &Spec) -> bool {
    caller.narrowed.as_ref().is_none_or(|narrowed| narrowed.scopes.has(&spec.name))
}

fn own_is_possible(caller: &Caller, spec: &Spec) -> bool {
    spec.roles.has(Rank::User)
        && (spec.about == About::Common || caller.account.is_some() && spec.about.account_argument().is_some())
}

fn is_own(caller: &Caller, spec: &Spec, given: &Map<String, Value>) -> bool {
    let argument = spec.about.account_argument().and_then(|name| given.get(name)).and_then(Value::as_str);
    argument.is_some_and(|account| caller.account.as_deref() == Some(account))
}

/// The own account, which is taken for given.
fn only_own(caller: &Caller, spec: &Spec, given: &mut Map<String, Value>) -> Result<(), OpError> {
    let (Some(name), Some(own)) = (spec.about.account_argument(), &caller.account) else { return Ok(()) };
    match given.get(name).and_then(Value::as_str) {
        None => drop(given.insert(name.to_owned(), own.as_str().into())),
        Some(account) if account == own => {}
        Some(_) => return Err(OpError::Denied(format!("you may call {} for your own account only, {own}", spec.name))),
    }
    Ok(())
}

/// Within the domains that the role holds in.
fn within(role: &Role, spec: &Spec, given: &mut Map<String, Value>, served: &[String]) -> Result<(), OpError> {
    let Some(domains) = role.domains() else { return Ok(()) };
    let refused = |what: &str| Err(OpError::Denied(format!("{what} is not of {}", domains.join(", "))));
    let text = |given: &Map<String, Value>, name: &str| given.get(name).and_then(Value::as_str).map(str::to_owned);
    match &spec.about {
        About::Common => return Ok(()),
        About::Server => {
            return Err(OpError::Denied(format!("{} concerns the whole server, and not one domain", spec.name)));
        }
        About::Address(name) => {
            return match text(given, name) {
                Some(address) if domains.iter().any(|own| *own == kept_by(&address, served)) => Ok(()),
                Some(address) => refused(&address),
                None => Err(OpError::Invalid(format!("{name} is missing: it has to be within {}", domains.join(", ")))),
            };
        }
        About::Account(_) | About::Domain(_) | About::AccountOrDomain => {}
    }
    let account = spec.about.account_argument().and_then(|name| text(given, name));
    let named = spec.about.domain_argument().and_then(|name| text(given, name));
    if let Some(account) = account.as_deref().filter(|account| !role.holds_in(domain_of(account))) {
        return refused(account);
    }
    if let Some(domain) = named.as_deref().filter(|domain| !role.holds_in(domain)) {
        return refused(domain);
    }
    if account.is_some() || named.is_some() {
        return Ok(());
    }
    match (spec.about.domain_argument(), domains) {
        (Some(name), [only]) => drop(given.insert(name.to_owned(), only.as_str().into())),
        (Some(name), _) => {
            return Err(OpError::Invalid(format!("{name} is missing: it has to be one of {}", domains.join(", "))));
        }
        (None, _) => {
            let name = spec.about.account_argument().unwrap_or_default();
            return Err(OpError::Invalid(format!("{name} is missing: it has to be one within {}", domains.join(", "))));
        }
    }
    Ok(())
}

/// The served domain that an address is of: its own, or the nearest above it.
fn kept_by(address: &str, served: &[String]) -> String {
    let domain = domain_of(address);
    let mut rest = domain;
    loop {
        if served.iter().any(|served| served == rest) {
            return rest.to_owned();
        }
        match rest.split_once('.') {
            Some((_, above)) => rest = above,
            None => return domain.to_owned(),
        }
    }
}

/// The domain of an address in canonical form (RFC 7622 §3.1).
fn domain_of(address: &str) -> &str {
    let bare = address.split_once('/').map_or(address, |(bare, _)| bare);
    bare.split_once('@').map_or(bare, |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_service_belongs_to_the_domain_above_it_unless_it_is_served_itself() {
        let served = ["example.org".to_owned(), "sub.example.org".to_owned()];
        assert_eq!(kept_by("room@rooms.example.org/nick@x", &served), "example.org");
        assert_eq!(kept_by("rooms.sub.example.org", &served), "sub.example.org");
        assert_eq!(kept_by("a@elsewhere.example", &served), "elsewhere.example");
        assert_eq!(kept_by("a@notexample.org", &served), "notexample.org");
    }
}
