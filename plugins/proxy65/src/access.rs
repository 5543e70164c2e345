//! Who may use the proxy.

use xylem_sdk::prelude::*;

use crate::Config;

/// Refuses with `forbidden` (XEP-0065 §4).
pub(crate) fn check(cx: &Cx, config: &Config, sender: &str) -> Result<(), Failure> {
    let actor = cx.actor();
    let own = match (config.access.as_str(), &actor) {
        ("anyone", _) | ("server", Some(_)) => true,
        ("domain", Some(actor)) => Jid::new(actor).domain() == cx.domain(),
        _ => false,
    };
    let allowed = !named(&config.deny, sender) && (own || named(&config.allow, sender));
    if allowed { Ok(()) } else { Err(Condition::Forbidden.into()) }
}

/// Whether the list names the address, its account or its domain.
fn named(list: &[String], address: &str) -> bool {
    let jid = Jid::new(address);
    list.iter().any(|entry| [address, jid.bare(), jid.domain()].contains(&entry.as_str()))
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_list_names_addresses_accounts_and_domains() {
        let list = |entry: &str| vec!["x.example".to_owned(), entry.to_owned()];
        for entry in ["a@b.example/c", "a@b.example", "b.example"] {
            assert!(named(&list(entry), "a@b.example/c"), "{entry}");
        }
        for entry in ["a@b.example/d", "b@b.example", "example", ""] {
            assert!(!named(&list(entry), "a@b.example/c"), "{entry}");
        }
    }
}
