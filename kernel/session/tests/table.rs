//! Binding, conflicts, limits and look-ups.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use xylem_session::{
    BindError, Binding, Bound, Conflict, Endpoint, Limits, Presence, Resource, Session, SessionTable, Taken,
};
use xylem_stanza::{BareJid, FullJid, Stanza, StreamCondition};

fn endpoint() -> Endpoint {
    Endpoint { peer: "192.0.2.1:5000".parse().unwrap(), tls: None, mechanism: "PLAIN", anonymous: false }
}

fn bind(table: &SessionTable, account: &str, resource: Resource<'_>, conflict: Conflict) -> Result<Bound, BindError> {
    let account = BareJid::parse(account).unwrap();
    table.bind(Binding { account: &account, resource, conflict, endpoint: endpoint() })
}

fn bound(table: &SessionTable, jid: &str) -> Arc<Session> {
    let jid = FullJid::parse(jid).unwrap();
    bind(table, jid.bare_str(), Resource::Wanted(jid.resource()), Conflict::Refuse).unwrap().session
}

fn table(sessions_per_account: usize) -> SessionTable {
    SessionTable::new(Limits { sessions_per_account, ..Limits::default() })
}

#[test]
fn found_by_account_and_by_resource() {
    let table = table(10);
    let one = bound(&table, "romeo@example.org/one");
    let two = bound(&table, "romeo@example.org/two");
    let juliet = bound(&table, "juliet@example.org/one");
    assert_eq!(ids(&table.of("romeo@example.org")), [one.id(), two.id()]);
    assert_eq!(table.find(two.jid()).unwrap().id(), two.id());
    assert!(table.find(&FullJid::parse("romeo@example.org/three").unwrap()).is_none());
    assert!(table.of("nobody@example.org").is_empty());
    assert_eq!((table.count(), table.accounts()), (3, 2));
    assert!(table.unbind(&one) && !table.unbind(&one));
    assert_eq!(ids(&table.of("romeo@example.org")), [two.id()]);
    assert!(table.unbind(&two) && !table.is_bound("romeo@example.org"));
    assert_eq!((table.count(), table.accounts()), (1, 1));
    assert_eq!(ids(&table.all(0, 10)), [juliet.id()]);
}

fn ids(sessions: &[Arc<Session>]) -> Vec<u64> {
    sessions.iter().map(|session| session.id()).collect()
}

#[test]
fn conflicts() {
    let table = table(10);
    let old = bound(&table, "romeo@example.org/one");
    let again = |conflict| bind(&table, "romeo@example.org", Resource::Wanted("one"), conflict);
    assert_eq!(again(Conflict::Refuse).unwrap_err(), BindError::Conflict);

    let renamed = again(Conflict::Rename).unwrap();
    assert!(renamed.replaced.is_none());
    assert_ne!(renamed.session.jid().resource(), "one");
    assert_eq!(table.count(), 2);

    let Bound { session, replaced } = again(Conflict::Replace).unwrap();
    assert_eq!(replaced.unwrap().id(), old.id());
    assert_eq!(table.find(session.jid()).unwrap().id(), session.id());
    assert_eq!(table.count(), 2);
    let end = old.queue().poll_take(std::task::Waker::noop(), 1, &mut Default::default());
    assert!(matches!(end, Taken::End(end) if end.condition == StreamCondition::Conflict));
    assert!(!table.unbind(&old), "the successor stays");
    assert!(table.find(session.jid()).is_some());
    assert!(old.retire() && !old.retire());
}

#[test]
fn an_account_has_so_many_sessions_and_may_still_replace() {
    let table = table(2);
    bound(&table, "romeo@example.org/one");
    bound(&table, "romeo@example.org/two");
    let more = bind(&table, "romeo@example.org", Resource::Generate, Conflict::Replace);
    assert_eq!(more.unwrap_err(), BindError::TooMany(2));
    let same = bind(&table, "romeo@example.org", Resource::Wanted("one"), Conflict::Replace);
    assert!(same.is_ok());
    let none = SessionTable::new(Limits { sessions_per_account: 0, ..Limits::default() });
    assert!(bind(&none, "romeo@example.org", Resource::Generate, Conflict::Replace).is_err());
    assert_eq!(none.accounts(), 0);
}

#[test]
fn resources_are_prepared_or_made() {
    let table = table(10);
    let account = "romeo@example.org";
    let bad = bind(&table, account, Resource::Wanted("a\u{0}b"), Conflict::Replace);
    assert_eq!(bad.unwrap_err(), BindError::BadResource);
    let one = bind(&table, account, Resource::Generate, Conflict::Replace).unwrap().session;
    let two = bind(&table, account, Resource::Generate, Conflict::Replace).unwrap().session;
    assert_ne!(one.jid(), two.jid());
    assert_eq!(one.jid().resource().len(), 16);
}

#[test]
fn pages_by_rising_id() {
    let table = table(10);
    for n in 0..10 {
        bound(&table, &format!("user{n}@example.org/one"));
    }
    let first = ids(&table.all(0, 4));
    let second = ids(&table.all(first[3], 100));
    assert_eq!([first, second].concat(), (1..=10).collect::<Vec<u64>>());
}

#[test]
fn presence_and_marks() {
    let table = table(10);
    let session = bound(&table, "romeo@example.org/one");
    assert_eq!(session.presence(), Presence::default());
    assert!(table.available("romeo@example.org").is_empty());
    let stanza = Stanza::parse("<presence xmlns='jabber:client'/>").unwrap();
    assert!(!session.set_available(stanza, -5).available);
    assert_eq!(session.presence(), Presence { available: true, priority: -5 });
    assert!(session.last_presence().is_some());
    assert_eq!(table.available("romeo@example.org").len(), 1);
    assert_eq!(session.set_unavailable().priority, -5);
    assert!(session.last_presence().is_none() && !session.is_available());

    let tag = table.tags().intern("example/mark").unwrap();
    assert!(!session.has(tag) && session.mark(tag, true) && !session.mark(tag, true));
    assert!(session.has(tag) && session.mark(tag, false) && !session.has(tag));
}

#[test]
fn shutdown_reaches_everybody() {
    let table = table(10);
    let sessions = [bound(&table, "a@example.org/1"), bound(&table, "b@example.org/1")];
    table.end_all(StreamCondition::SystemShutdown, None);
    assert!(sessions.iter().all(|session| !session.queue().is_open()));
}

/// Run with `--ignored --nocapture` and in release for a figure.
#[test]
#[ignore = "a measurement"]
fn looking_up_takes() {
    let table = table(10);
    let jids: Vec<FullJid> =
        (0..10_000).map(|n| FullJid::parse(&format!("user{n}@example.org/one")).unwrap()).collect();
    for jid in &jids {
        bound(&table, jid.as_str());
    }
    let per = |what: &str, mut look: Box<dyn FnMut(&FullJid) + '_>| {
        let start = std::time::Instant::now();
        for _ in 0..100 {
            jids.iter().for_each(&mut look);
        }
        println!("{what}: {:?}", start.elapsed() / 1_000_000);
    };
    per("of", Box::new(|jid| assert_eq!(table.of(jid.bare_str()).len(), 1)));
    per("find", Box::new(|jid| assert!(table.find(jid).is_some())));
}

#[test]
fn who_waits_for_its_client_gives_way() {
    let table = table(10);
    for conflict in [Conflict::Refuse, Conflict::Rename] {
        let old = bound(&table, "romeo@example.org/one");
        old.manage("id".to_owned(), Some(std::time::Duration::from_secs(9)));
        assert!(!old.is_hibernated());
        old.management().unwrap().hibernate(0);
        let Bound { session, replaced } = bind(&table, "romeo@example.org", Resource::Wanted("one"), conflict).unwrap();
        assert_eq!(replaced.unwrap().id(), old.id());
        assert!(table.unbind(&session));
    }
}
