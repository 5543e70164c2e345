//! Answers as XEP-0133 wants them to be shown.

use xylem_sdk::prelude::*;
use xylem_sdk::time;

use crate::ns::ROSTER;
use crate::session::Session;

/// Each answer with what it is about, in the order of the calls.
fn answers(session: &Session) -> impl Iterator<Item = (&str, &Json)> {
    session.calls.iter().enumerate().filter_map(|(at, about)| {
        let (_, outcome) = session.outcomes.iter().find(|(of, _)| *of == at)?;
        Some((about.as_str(), outcome.as_ref().ok()?))
    })
}

fn items(answer: &Json) -> &[Json] {
    answer.get("items").map(Json::items).unwrap_or_default()
}

fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json.get(name).and_then(Json::as_text).unwrap_or_default()
}

fn field(var: &str, values: impl IntoIterator<Item = String>) -> Xml {
    let field = Xml::new("field").attr("var", var);
    values.into_iter().fold(field, |field, value| field.leaf("value", &value))
}

/// §4.8: the accounts, and their contacts as a client of theirs would see them.
pub(super) fn rosters(session: &Session, form: Xml) -> Xml {
    let accounts = answers(session).map(|(account, _)| account.to_owned());
    let mut form = form.child(field("accountjids", accounts));
    for (_, roster) in answers(session) {
        let listed = items(roster).iter().filter(|contact| contact.get("listed").is_some_and(Json::is_true));
        let contact = |contact: &Json| {
            let groups = contact.get("groups").map(Json::items).unwrap_or_default();
            let ask = contact.get("ask").is_some_and(Json::is_true).then_some("subscribe");
            Xml::new("item")
                .attr("jid", text(contact, "jid"))
                .attr_opt("name", contact.get("name").and_then(Json::as_text))
                .attr("subscription", text(contact, "subscription"))
                .attr_opt("ask", ask)
                .children(groups.iter().filter_map(Json::as_text).map(|group| Xml::new("group").text(group)))
        };
        form = form.child(Xml::with_ns("query", ROSTER).children(listed.map(contact)));
    }
    form
}

/// §4.9.
pub(super) fn last_login(session: &Session, form: Xml) -> Xml {
    let accounts = answers(session).map(|(account, _)| account.to_owned());
    let times = answers(session).map(|(_, last)| {
        if last.get("online").is_some_and(Json::is_true) {
            return "online".to_owned();
        }
        let seen = last.get("seen").and_then(Json::as_number).map(|seconds| seconds.unsigned_abs() * 1000);
        seen.map_or_else(|| "never".to_owned(), time::utc)
    });
    let (accounts, times): (Vec<_>, Vec<_>) = (accounts.collect(), times.collect());
    form.child(field("accountjids", accounts)).child(field("lastlogin", times))
}

/// §4.10.
pub(super) fn statistics(session: &Session, form: Xml) -> Xml {
    let mut both = answers(session).map(|(_, answer)| answer);
    let (Some(sessions), Some(roster)) = (both.next(), both.next()) else { return form };
    let mut addresses: Vec<String> = items(sessions).iter().map(|one| host(text(one, "peer")).to_owned()).collect();
    addresses.retain(|address| !address.is_empty());
    addresses.sort_unstable();
    addresses.dedup();
    let resource = |one: &Json| Jid::new(text(one, "jid")).resource().map(str::to_owned);
    let resources: Vec<String> = items(sessions).iter().filter_map(resource).collect();
    let size = roster.get("total").and_then(Json::as_number).map(|total| total.to_string());
    form.child(field("ipaddresses", addresses))
        .child(field("rostersize", size))
        .child(field("onlineresources", resources))
}

/// A network address without its port.
fn host(peer: &str) -> &str {
    match peer.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => peer.split_once(':').filter(|(_, port)| !port.contains(':')).map_or(peer, |(host, _)| host),
    }
}

/// Accounts of an answer of `user.list`.
fn users(session: &Session) -> Vec<String> {
    let all = answers(session).flat_map(|(_, answer)| items(answer));
    all.map(|user| text(user, "account").to_owned()).collect()
}

/// What an account's sessions say about it.
#[derive(Clone, Copy)]
enum Presence {
    Online,
    /// Somebody looks at one of its clients (XEP-0352).
    Active,
    /// Nobody looks at any.
    Idle,
}

/// Accounts of an answer of `session.list`.
fn present(session: &Session, wanted: Presence) -> Vec<String> {
    let mut accounts: Vec<(String, bool)> = Vec::new();
    for one in answers(session).flat_map(|(_, answer)| items(answer)) {
        let account = Jid::new(text(one, "jid")).bare();
        let active = !one.get("inactive").is_some_and(Json::is_true);
        match accounts.iter_mut().find(|(known, _)| known == account) {
            Some((_, known)) => *known |= active,
            None => accounts.push((account.to_owned(), active)),
        }
    }
    let fits = |active: bool| match wanted {
        Presence::Online => true,
        Presence::Active => active,
        Presence::Idle => !active,
    };
    accounts.into_iter().filter(|(_, active)| fits(*active)).map(|(account, _)| account).collect()
}

fn counted(form: Xml, var: &str, count: usize) -> Xml {
    form.child(field(var, [count.to_string()]))
}

/// As many as were asked for.
fn listed(session: &Session, form: Xml, var: &str, mut accounts: Vec<String>) -> Xml {
    if let Some(most) = session.calls.first().and_then(|most| most.parse().ok()) {
        accounts.truncate(most);
    }
    form.child(field(var, accounts))
}

/// §4.13.
pub(super) fn registered_count(session: &Session, form: Xml) -> Xml {
    counted(form, "registeredusersnum", total(session))
}

/// §4.14.
pub(super) fn disabled_count(session: &Session, form: Xml) -> Xml {
    counted(form, "disabledusersnum", total(session))
}

/// How many there are, however many of them the answer has.
fn total(session: &Session) -> usize {
    let total = answers(session).find_map(|(_, answer)| answer.get("total")?.as_number());
    total.and_then(|total| usize::try_from(total).ok()).unwrap_or_else(|| users(session).len())
}

pub(super) fn online_count(session: &Session, form: Xml) -> Xml {
    counted(form, "onlineusersnum", present(session, Presence::Online).len())
}

pub(super) fn active_count(session: &Session, form: Xml) -> Xml {
    counted(form, "activeusersnum", present(session, Presence::Active).len())
}

pub(super) fn idle_count(session: &Session, form: Xml) -> Xml {
    counted(form, "idleusersnum", present(session, Presence::Idle).len())
}

pub(super) fn registered(session: &Session, form: Xml) -> Xml {
    listed(session, form, "registereduserjids", users(session))
}

pub(super) fn disabled(session: &Session, form: Xml) -> Xml {
    listed(session, form, "disableduserjids", users(session))
}

pub(super) fn online(session: &Session, form: Xml) -> Xml {
    listed(session, form, "onlineuserjids", present(session, Presence::Online))
}

pub(super) fn active(session: &Session, form: Xml) -> Xml {
    listed(session, form, "activeuserjids", present(session, Presence::Active))
}

/// §4.22: the field is that of active users in the examples, too.
pub(super) fn idle(session: &Session, form: Xml) -> Xml {
    listed(session, form, "activeuserjids", present(session, Presence::Idle))
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn addresses_lose_their_port() {
        for (peer, address) in [("192.0.2.1:5222", "192.0.2.1"), ("[2001:db8::1]:5222", "2001:db8::1"), ("::1", "::1")]
        {
            assert_eq!(host(peer), address);
        }
    }
}
