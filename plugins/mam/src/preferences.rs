//! XEP-0441: who wants what to be archived.
//!
//! A row of text: a letter for the default, then the addresses, each behind `\n+` (always)
//! or `\n-` (never).

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;

use crate::stores::PREFERENCES;
use crate::views::ROSTER_CONTACTS;
use crate::{NS, retention};

const ROW: &str = "chosen";
/// Most addresses in both lists together.
const MOST: usize = 1000;
/// Of a roster row's flags: in the list that clients see.
const LISTED: u8 = 32;

/// Whether messages from or to this address are archived (§2.2).
pub(crate) fn want(cx: &Cx, peer: &str) -> Result<bool, Fault> {
    let chosen = PREFERENCES.text(ROW)?;
    let policy = match &chosen {
        Some(chosen) => {
            if let Some(listed) = listed(chosen, peer) {
                return Ok(listed);
            }
            policy_of(chosen).to_owned()
        }
        None => retention::default_policy(cx),
    };
    match policy.as_str() {
        "never" => Ok(false),
        "roster" => {
            let row = ROSTER_CONTACTS.get(Jid::new(peer).bare())?;
            Ok(row.and_then(|row| row.first().copied()).is_some_and(|flags| flags & LISTED != 0))
        }
        _ => Ok(true),
    }
}

/// What the account has chosen, or its domain for those that have not.
pub(crate) fn policy(cx: &Cx) -> Result<String, Fault> {
    let chosen = PREFERENCES.text(ROW)?;
    Ok(chosen.map_or_else(|| retention::default_policy(cx), |chosen| policy_of(&chosen).to_owned()))
}

/// What the lists say: an address with a resource counts for itself, one without for all of
/// them; who is in both is never archived.
fn listed(chosen: &str, peer: &str) -> Option<bool> {
    let (full, bare) = (peer, Jid::new(peer).bare());
    let holds = |sign: char| {
        let listed = chosen.lines().skip(1).filter_map(|line| line.strip_prefix(sign));
        listed.into_iter().any(|jid| jid == full || jid == bare)
    };
    if holds('-') {
        return Some(false);
    }
    holds('+').then_some(true)
}

fn policy_of(chosen: &str) -> &str {
    chosen.lines().next().unwrap_or("always")
}

pub(crate) fn preferences(cx: &Cx, _iq: &Stanza) -> Result<Xml, Failure> {
    let chosen = match PREFERENCES.text(ROW)? {
        Some(chosen) => chosen,
        None => retention::default_policy(cx),
    };
    Ok(shown(&chosen))
}

pub(crate) fn set_preferences(_cx: &Cx, iq: &Stanza) -> Result<Xml, Failure> {
    let prefs = iq.payload().ok_or(Condition::BadRequest)?;
    let default = prefs.attr("default").unwrap_or_default();
    if !matches!(default, "always" | "never" | "roster") {
        return Err(Failure::new(Condition::BadRequest).text("default is always, never or roster"));
    }
    let mut chosen = default.to_owned();
    let mut count = 0;
    for (list, sign) in [("always", "\n+"), ("never", "\n-")] {
        let listed = prefs.children().filter(|child| child.is(NS, list));
        for jid in listed.flat_map(|list| list.children()).filter(|child| child.is(NS, "jid")) {
            let jid = Jid::normalise(jid.text().trim()).ok_or(Condition::JidMalformed)?;
            chosen.push_str(sign);
            chosen.push_str(&jid);
            count += 1;
        }
    }
    if count > MOST {
        return Err(Failure::new(Condition::NotAcceptable).text("too many addresses"));
    }
    PREFERENCES.put(ROW, chosen.as_bytes(), &[])?;
    Ok(shown(&chosen))
}

fn shown(chosen: &str) -> Xml {
    let list = |name: &str, sign: char| {
        let listed = chosen.lines().skip(1).filter_map(|line| line.strip_prefix(sign));
        Xml::new(name).children(listed.map(|jid| Xml::new("jid").text(jid)))
    };
    Xml::with_ns("prefs", NS).attr("default", policy_of(chosen)).child(list("always", '+')).child(list("never", '-'))
}

#[cfg(test)]
mod tests {
    use super::{listed, policy_of};

    #[test]
    fn addresses_match_as_the_rules_say() {
        let chosen = "roster\n+a@b/x\n+c@d\n-e@f\n-c@d/y";
        assert_eq!(policy_of(chosen), "roster");
        for (peer, said) in [
            ("a@b/x", Some(true)),
            ("a@b", None),
            ("a@b/z", None),
            ("c@d/x", Some(true)),
            ("c@d/y", Some(false)),
            ("c@d", Some(true)),
            ("e@f/z", Some(false)),
            ("g@h", None),
        ] {
            assert_eq!(listed(chosen, peer), said, "{peer}");
        }
    }
}
