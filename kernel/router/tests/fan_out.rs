//! A broadcast: who gets it, who hears that somebody is gone, and in which order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use xylem_hooks::call::PluginIndex;
use xylem_hooks::{
    Cause, Done, Effect, HookOutcome, IqOutcome, Manifest, ManifestEntry, Plan, Plugins, Recipients, Release, Verdict,
};
use xylem_router::{Accounts, Directory, Router};
use xylem_session::{Binding, Conflict, Endpoint, Item, Limits, QueueLimits, Resource, Session, SessionTable};
use xylem_stanza::{BareJid, Jid, Stanza};
use xylem_store::Store;

/// A screen that is asked only about those on the list, and a room that hears errors.
const MANIFEST: &str = r#"
[plugin]
id = "screen"
version = "1"
api = "xylem:plugin@0.1"
summary = "s"
license = "MIT"
[match]
listed = "peer in list"
[[hook]]
on = "message.in"
phase = "screen"
when = "listed"
handler = "f"
[[hook]]
on = "message.in"
phase = "default"
type = ["error"]
claimed = true
handler = "f"
[[store]]
name = "list"
shape = "kv"
[[domain]]
claim = "rooms.{domain}"
"#;

/// Stops what it is asked about, and notes it.
#[derive(Default)]
struct Screen(Mutex<Vec<String>>);

impl Plugins for Screen {
    fn hook(&self, _: PluginIndex, entry: u32, _: u64, cause: &Cause, stanza: &Stanza) -> Done<HookOutcome> {
        self.0.lock().unwrap().push(format!("{entry} {} {}", cause.key, stanza.to_xml_string()));
        Done::Ready(HookOutcome { verdict: Verdict::Stop, edited: None })
    }

    fn iq(&self, _: PluginIndex, _: u32, _: &Cause, _: &Stanza) -> Done<IqOutcome> {
        Done::Ready(IqOutcome::Unhandled)
    }

    fn event(&self, _: PluginIndex, _: u32, _: &Cause, _: &str, _: &str) {}

    fn event_heard(&self, _: PluginIndex, _: u32, _: &Cause, _: &str, _: &str) -> Done<()> {
        Done::Ready(())
    }

    fn page(&self, _: &str, _: &Cause, _: &str, _: Result<xylem_hooks::PageEnd, xylem_hooks::PageError>) -> Done<()> {
        Done::Ready(())
    }

    fn answer(&self, _: &Stanza) -> bool {
        false
    }
}

struct Town(Arc<Plan>);

impl Directory for Town {
    fn plan(&self, domain: &str) -> Option<Arc<Plan>> {
        ["example.org", "rooms.example.org"].contains(&domain).then(|| Arc::clone(&self.0))
    }
}

impl Accounts for Town {
    fn exists(&self, _: &BareJid) -> Done<bool> {
        Done::Ready(true)
    }
}

struct Stage {
    router: Router,
    store: Store,
    sessions: Arc<SessionTable>,
    screen: Arc<Screen>,
}

impl Stage {
    fn set(queue: QueueLimits) -> Self {
        let manifest = Arc::new(Manifest::parse(MANIFEST).unwrap());
        let plan = Plan::compile(&[ManifestEntry::new(PluginIndex(0), manifest)], "example.org").unwrap();
        let store = Store::memory().unwrap();
        let sessions = Arc::new(SessionTable::new(Limits { queue, ..Limits::default() }));
        let town = Arc::new(Town(Arc::new(plan)));
        let router = Router::new(Arc::clone(&sessions), store.clone(), town.clone(), town);
        let screen = Arc::new(Screen::default());
        router.attach(screen.clone());
        Self { router, store, sessions, screen }
    }

    fn connect(&self, account: &str) -> Arc<Session> {
        let endpoint =
            Endpoint { peer: "127.0.0.1:5222".parse().unwrap(), tls: None, mechanism: "PLAIN", anonymous: false };
        let account = BareJid::parse(account).unwrap();
        let resource = Resource::Wanted("r");
        let binding = Binding { account: &account, resource, conflict: Conflict::Replace, endpoint };
        self.sessions.bind(binding).unwrap().session
    }

    fn broadcast(&self, xml: &str, to: &[&str]) -> Done<()> {
        let mut to: Vec<Jid> = to.iter().map(|jid| Jid::parse(jid).unwrap()).collect();
        to.sort();
        self.broadcast_to(xml, &Recipients::from_iter(to))
    }

    fn broadcast_to(&self, xml: &str, to: &Recipients) -> Done<()> {
        let cause = Cause {
            domain: "example.org".into(),
            key: "a@rooms.example.org".into(),
            actor: None,
            peer: None,
            hops: 1,
            note: None,
        };
        let effect = Effect::ToAddresses { stanza: Stanza::parse(xml).unwrap(), to: to.clone() };
        self.router.release(cause, vec![effect])
    }

    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.screen.0.lock().unwrap())
    }
}

fn message(body: &str) -> String {
    format!("<message from='a@rooms.example.org/nick' type='groupchat' id='1'><body>{body}</body></message>")
}

fn got(session: &Session) -> Vec<String> {
    let mut items = VecDeque::new();
    session.queue().poll_take(Waker::noop(), 1 << 20, &mut items);
    let text = |item| match item {
        Item::Stanza(stanza) => String::from_utf8(stanza.to_vec()).unwrap(),
        _ => String::new(),
    };
    items.into_iter().map(text).collect()
}

#[tokio::test]
async fn who_is_gone_is_told_to_the_room_and_nobody_else_notices() {
    let stage = Stage::set(QueueLimits::default());
    let romeo = stage.connect("romeo@example.org");
    let to = ["gone@example.org/x", "romeo@example.org/other", "romeo@example.org/r"];
    stage.broadcast(&message("hi"), &to).get().await;
    assert_eq!(got(&romeo).len(), 1);
    let heard = stage.heard();
    assert_eq!(heard.len(), 2, "{heard:?}");
    for (heard, who) in heard.iter().zip(["gone@example.org/x", "romeo@example.org/other"]) {
        let is = |part: &str| heard.contains(part);
        assert!(is("1 a@rooms.example.org <message") && is("service-unavailable") && is(&format!("from='{who}'")));
    }
    stage.broadcast("<presence from='a@rooms.example.org/nick'/>", &to).get().await;
    assert_eq!(got(&romeo).len(), 1);
    assert!(stage.heard().is_empty(), "presence is never answered");
}

#[tokio::test]
async fn an_accounts_filter_is_asked_for_it_alone() {
    let stage = Stage::set(QueueLimits::default());
    let (romeo, juliet) = (stage.connect("romeo@example.org"), stage.connect("juliet@example.org"));
    let mut turn = stage.store.turn();
    let table = stage.store.table("screen/list");
    turn.put(table, "juliet@example.org", b"a@rooms.example.org", &b""[..], &[]).unwrap();
    stage.store.submit_turn(turn).wait().await.unwrap();
    for _ in 0..2 {
        stage.broadcast(&message("hi"), &["juliet@example.org/r", "romeo@example.org/r"]).get().await;
        assert_eq!((got(&romeo).len(), got(&juliet).len()), (1, 0));
        let heard = stage.heard();
        assert!(heard.len() == 1 && heard[0].starts_with("0 juliet@example.org "), "{heard:?}");
    }
}

#[tokio::test]
async fn a_reader_that_is_too_slow_costs_itself_alone() {
    let stage = Stage::set(QueueLimits { stanzas: 2, bytes: 1 << 20 });
    let (romeo, juliet) = (stage.connect("romeo@example.org"), stage.connect("juliet@example.org"));
    for n in 0..4 {
        stage.broadcast(&message(&n.to_string()), &["juliet@example.org/r", "romeo@example.org/r"]).get().await;
        assert_eq!(got(&romeo).len(), 1);
    }
    assert!(!juliet.queue().is_open());
    assert!(stage.heard().iter().all(|heard| heard.contains("juliet") && heard.contains("service-unavailable")));
}

#[tokio::test]
async fn a_big_room_is_left_in_pieces_and_in_order() {
    let stage = Stage::set(QueueLimits::default());
    let sessions: Vec<_> = (0..1000).map(|n| stage.connect(&format!("u{n}@example.org"))).collect();
    let to: Vec<String> = sessions.iter().map(|session| session.jid().as_str().to_owned()).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    // Filters' rows are read once.
    stage.broadcast(&message("0"), &to).get().await;
    let work = stage.broadcast(&message("1"), &to);
    assert!(matches!(work, Done::Later(_)), "a thousand at one go");
    work.get().await;
    stage.broadcast(&message("2"), &to).get().await;
    for session in &sessions {
        let got = got(session);
        assert_eq!(got.len(), 3);
        assert!((0..3).all(|n| got[n].contains(&format!("<body>{n}</body>"))), "{got:?}");
    }
}

#[tokio::test]
async fn several_turns_to_the_same_people_arrive_in_order_with_one_wake_up() {
    #[derive(Default)]
    struct Wakes(AtomicUsize);
    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let stage = Stage::set(QueueLimits::default());
    let sessions: Vec<_> = (0..300).map(|n| stage.connect(&format!("u{n}@example.org"))).collect();
    let to = Recipients::from_iter(sessions.iter().map(|session| Jid::from(session.jid())));
    let others = Recipients::from_iter(sessions.iter().take(5).map(|session| Jid::from(session.jid())));
    // Somebody has rows that have to be looked at, and somebody goes the long way.
    sessions[8].queue().set_active(false);
    stage.store.kv("screen/list").put("u7@example.org", b"b@rooms.example.org", "", &[]).unwrap().wait().await.unwrap();
    let turn = |n: usize, to: &Recipients| {
        let cause = Cause {
            domain: "example.org".into(),
            key: "a@rooms.example.org".into(),
            actor: None,
            peer: None,
            hops: 1,
            note: None,
        };
        let stanza = Stanza::parse(&message(&n.to_string())).unwrap();
        (cause, vec![Effect::ToAddresses { stanza, to: to.clone() }])
    };
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    for session in &sessions {
        session.queue().poll_take(&waker, 1 << 20, &mut VecDeque::new());
    }
    let turns = vec![turn(0, &to), turn(1, &to), turn(2, &others), turn(3, &to)];
    stage.router.release_all(turns).get().await;
    for (n, session) in sessions.iter().enumerate() {
        let bodies: Vec<String> =
            got(session).iter().map(|xml| xml.split("body>").nth(1).unwrap().to_owned()).collect();
        let expected: &[&str] = if n < 5 { &["0</", "1</", "2</", "3</"] } else { &["0</", "1</", "3</"] };
        assert_eq!(bodies, expected, "{n}");
    }
    assert_eq!(wakes.0.load(Ordering::Relaxed), 300, "nobody but once, as nobody has looked since");
}

#[tokio::test]
async fn who_comes_back_under_the_same_address_gets_what_is_sent_to_it() {
    let stage = Stage::set(QueueLimits::default());
    let to = Recipients::from_iter([Jid::parse("romeo@example.org/r").unwrap()]);
    let romeo = stage.connect("romeo@example.org");
    stage.broadcast_to(&message("1"), &to).get().await;
    assert_eq!(got(&romeo).len(), 1);
    // Replaced: the list still knows the session before.
    let again = stage.connect("romeo@example.org");
    for _ in 0..2 {
        stage.broadcast_to(&message("2"), &to).get().await;
        assert_eq!((got(&romeo).len(), got(&again).len()), (0, 1));
    }
    // Gone: the room is told.
    stage.sessions.unbind(&again);
    drop(again.queue().close());
    stage.broadcast_to(&message("3"), &to).get().await;
    assert!(stage.heard().iter().any(|heard| heard.contains("service-unavailable")));
    // Freed: the list holds nobody's memory.
    let freed = Arc::downgrade(&again);
    drop((romeo, again));
    assert!(freed.upgrade().is_none());
}

#[tokio::test]
async fn a_block_list_that_begins_is_asked_from_then_on() {
    let stage = Stage::set(QueueLimits::default());
    let to = Recipients::from_iter([Jid::parse("romeo@example.org/r").unwrap()]);
    let romeo = stage.connect("romeo@example.org");
    for _ in 0..3 {
        stage.broadcast_to(&message("1"), &to).get().await;
    }
    assert_eq!((got(&romeo).len(), stage.heard().len()), (3, 0));
    let list = stage.store.kv("screen/list");
    // From here it shows, durable or not.
    let ticket = list.put("romeo@example.org", b"a@rooms.example.org", "", &[]).unwrap();
    stage.broadcast_to(&message("2"), &to).get().await;
    assert_eq!((got(&romeo).len(), stage.heard().len()), (0, 1));
    ticket.wait().await.unwrap();
    drop(list.delete("romeo@example.org", b"a@rooms.example.org"));
    stage.broadcast_to(&message("3"), &to).get().await;
    assert_eq!((got(&romeo).len(), stage.heard().len()), (1, 0));
}
