//! What one chat message costs between two connected accounts, with all plugins of this
//! repository in the plan: counted, not timed, so that it is the same on every machine.
//! `../README.md` explains each figure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../../xml/tests/counting/mod.rs"]
mod counting;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Wake, Waker};

use xylem_hooks::call::PluginIndex;
use xylem_hooks::{
    Cause, Done, Effect, HookOutcome, IqOutcome, Manifest, ManifestEntry, Plan, Plugins, Recipient, Recipients,
    Release, Verdict,
};
use xylem_router::{Accounts, Directory, Router};
use xylem_session::{Binding, Conflict, Endpoint, Item, Limits, Resource, Session, SessionTable, Taken, bell};
use xylem_stanza::{BareJid, Jid, Stanza};
use xylem_store::Store;
use xylem_xml::{Frame, Framer};

const STREAM: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'>";
const MESSAGE: &str = "<message to='romeo@example.org/orchard' id='m1' type='chat'><body>Art thou not Romeo, and a Montague?</body><active xmlns='http://jabber.org/protocol/chatstates'/></message>";

/// Counts crossings; everybody else passes.
#[derive(Default)]
struct Crossings(AtomicU64);

impl Plugins for Crossings {
    fn hook(&self, _: PluginIndex, _: u32, _: u64, _: &Cause, _: &Stanza) -> Done<HookOutcome> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Done::Ready(HookOutcome { verdict: Verdict::Pass, edited: None })
    }

    fn iq(&self, _: PluginIndex, _: u32, _: &Cause, _: &Stanza) -> Done<IqOutcome> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Done::Ready(IqOutcome::Unhandled)
    }

    fn event(&self, _: PluginIndex, _: u32, _: &Cause, _: &str, _: &str) {}
    fn event_heard(&self, _: PluginIndex, _: u32, _: &Cause, _: &str, _: &str) -> Done<()> {
        Done::Ready(())
    }

    fn answer(&self, _: &Stanza) -> bool {
        false
    }

    fn page(&self, _: &str, _: &Cause, _: &str, _: Result<xylem_hooks::PageEnd, xylem_hooks::PageError>) -> Done<()> {
        Done::Ready(())
    }
}

struct Everybody(Arc<Plan>);

impl Directory for Everybody {
    fn plan(&self, domain: &str) -> Option<Arc<Plan>> {
        (domain == self.0.domain()).then(|| Arc::clone(&self.0))
    }
}

impl Accounts for Everybody {
    fn exists(&self, _: &BareJid) -> Done<bool> {
        Done::Ready(true)
    }
}

/// What keeps a copy of every message.
const ARCHIVES: [&str; 2] = ["xylem.inbox", "xylem.mam"];

/// All plugins of the repository but these.
fn plan(without: &[&str]) -> Arc<Plan> {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    let manifests = std::fs::read_dir(plugins).unwrap().filter_map(|plugin| {
        let text = std::fs::read_to_string(plugin.unwrap().path().join("plugin.toml")).ok()?;
        Some(Arc::new(Manifest::parse(&text).unwrap()))
    });
    let entries: Vec<_> = (0..)
        .zip(manifests.filter(|manifest: &Arc<Manifest>| !without.contains(&manifest.id())))
        .map(|(n, manifest)| ManifestEntry::new(PluginIndex(n), manifest))
        .collect();
    assert!(entries.len() >= 12, "all plugins take part");
    Arc::new(Plan::compile(&entries, "example.org").unwrap())
}

fn connect(sessions: &SessionTable, account: &str, resource: &str) -> Arc<Session> {
    let endpoint =
        Endpoint { peer: "127.0.0.1:5222".parse().unwrap(), tls: None, mechanism: "PLAIN", anonymous: false };
    let account = BareJid::parse(account).unwrap();
    let resource = Resource::Wanted(resource);
    let session =
        sessions.bind(Binding { account: &account, resource, conflict: Conflict::Replace, endpoint }).unwrap().session;
    session.set_available(Stanza::parse("<presence/>").unwrap(), 0);
    session
}

struct Stage {
    router: Router,
    store: Store,
    sessions: Arc<SessionTable>,
    crossings: Arc<Crossings>,
    framer: Framer,
    juliet: Arc<Session>,
    romeo: Arc<Session>,
    items: VecDeque<Item>,
    out: Vec<u8>,
}

impl Stage {
    async fn set() -> Self {
        Self::without(&ARCHIVES).await
    }

    async fn without(plugins: &[&str]) -> Self {
        let store = Store::memory().unwrap();
        let sessions = Arc::new(SessionTable::new(Limits::default()));
        let everybody = Arc::new(Everybody(plan(plugins)));
        let router = Router::new(Arc::clone(&sessions), store.clone(), everybody.clone(), everybody);
        let crossings = Arc::new(Crossings::default());
        router.attach(crossings.clone());
        let juliet = connect(&sessions, "juliet@example.org", "balcony");
        let romeo = connect(&sessions, "romeo@example.org", "orchard");
        let mut framer = Framer::new(xylem_xml::Limits::default());
        framer.feed(STREAM.as_bytes());
        assert!(matches!(framer.next_frame(), Ok(Some(Frame::Open(_)))));
        let (items, out) = (VecDeque::new(), Vec::with_capacity(4096));
        Self { router, store, sessions, crossings, framer, juliet, romeo, items, out }
    }

    fn read(&mut self) -> Stanza {
        self.framer.feed(MESSAGE.as_bytes());
        let Ok(Some(Frame::Element(element))) = self.framer.next_frame() else { panic!("no element") };
        let stanza = Stanza::from_element(element).unwrap();
        stanza.stamped(Jid::from(self.juliet.jid()), None)
    }

    fn fan_out(&self, to: Recipients) -> Done<()> {
        let cause = Cause {
            domain: "example.org".into(),
            key: "verona@conference.example.org".into(),
            actor: None,
            peer: None,
            hops: 1,
            note: None,
        };
        self.router.release(cause, vec![Effect::ToAddresses { stanza: Stanza::parse(REFLECTED).unwrap(), to }])
    }

    fn write(&mut self) {
        self.romeo.queue().poll_take(Waker::noop(), 1 << 16, &mut self.items);
        while let Some(item) = self.items.pop_front() {
            let Item::Stanza(stanza) = item else { continue };
            stanza.write_to(&mut self.out);
        }
    }

    async fn pass(&mut self) {
        let stanza = self.read();
        if let Some(work) = self.router.from_session(&self.juliet.clone(), stanza) {
            work.await;
        }
        self.out.clear();
        self.write();
        assert!(self.out.ends_with(b"</message>"), "Romeo got it");
    }
}

/// What was counted.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    allocations: u64,
    /// In the session table and the queues.
    session_locks: u64,
    /// In the rows of accounts.
    store_locks: u64,
}

/// Runs `step`, gives back what it cost.
fn counted<T>(step: impl FnOnce() -> T) -> (Cost, T) {
    let now = || Cost {
        allocations: counting::allocations(),
        session_locks: xylem_session::locks_taken(),
        store_locks: xylem_store::locks_taken(),
    };
    let before = now();
    let done = step();
    let after = now();
    let cost = Cost {
        allocations: after.allocations - before.allocations,
        session_locks: after.session_locks - before.session_locks,
        store_locks: after.store_locks - before.store_locks,
    };
    (cost, done)
}

/// Locks are counted in debug builds only.
fn expected(allocations: u64, session_locks: u64, store_locks: u64) -> Cost {
    let locks = |count| if cfg!(debug_assertions) { count } else { 0 };
    Cost { allocations, session_locks: locks(session_locks), store_locks: locks(store_locks) }
}

#[tokio::test]
async fn a_chat_message_crosses_into_no_plugin_and_costs_so_much() {
    let mut stage = Stage::set().await;
    // The block lists of both are read once.
    for _ in 0..3 {
        stage.pass().await;
    }
    let juliet = stage.juliet.clone();
    let (reading, stanza) = counted(|| stage.read());
    let (routing, work) = counted(|| stage.router.from_session(&juliet, stanza));
    assert!(work.is_none(), "nothing has to be waited for");
    stage.out.clear();
    let (writing, ()) = counted(|| stage.write());
    println!("reading {reading:?}\nrouting {routing:?}\nwriting {writing:?}");
    assert_eq!(stage.crossings.0.load(Ordering::Relaxed), 0, "no plugin asked for it");
    // The bytes, the index of elements, the address it goes to.
    assert_eq!(reading, expected(3, 0, 0));
    // The future, the bytes' count of owners, the new opening tag and its count of owners,
    // room in the queue. The table of sessions is asked whether there is such an account and for
    // its resources, then the queue is locked; on either side the names of tags are, because of
    // carbons. For each of the two block lists, and for the devices that push notifications go
    // to, its shard of the cache and the list itself.
    assert_eq!(routing, expected(5, 5, 6));
    // Into a buffer that is there already; the queue is locked once for all that waits.
    assert_eq!(writing, expected(0, 1, 0));
}

/// Each side's archive is asked for every message that has a body.
#[tokio::test]
async fn archives_make_two_crossings_of_a_chat_message() {
    let mut stage = Stage::without(&[]).await;
    stage.pass().await;
    let before = stage.crossings.0.load(Ordering::Relaxed);
    stage.pass().await;
    assert_eq!(stage.crossings.0.load(Ordering::Relaxed) - before, 2);
}

#[derive(Default)]
struct Wakes(AtomicU64);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_recipient_is_woken_once_however_many_messages_come_before_it_runs() {
    let mut stage = Stage::set().await;
    let juliet = stage.juliet.clone();
    stage.pass().await;
    let wakes = Arc::new(Wakes::default());
    let woken = || wakes.0.swap(0, Ordering::Relaxed);
    let waker = Waker::from(wakes.clone());
    let waits = |stage: &mut Stage| {
        stage.items.clear();
        while stage.romeo.queue().poll_take(&waker, 1 << 16, &mut stage.items) == Taken::Items {}
    };
    let send = |stage: &mut Stage| {
        let stanza = stage.read();
        assert!(stage.router.from_session(&juliet, stanza).is_none());
    };
    waits(&mut stage);
    send(&mut stage);
    assert_eq!(woken(), 1, "he waits");
    send(&mut stage);
    send(&mut stage);
    assert_eq!(woken(), 0, "he was told");

    waits(&mut stage);
    // What the connection does with all that one read brought.
    bell::hold(|| {
        send(&mut stage);
        send(&mut stage);
        assert_eq!(woken(), 0, "not before the turn ends");
    });
    assert_eq!(woken(), 1);
}

const REFLECTED: &str = "<message from='verona@conference.example.org/juliet' id='m1' type='groupchat'><body>Art thou not Romeo, and a Montague?</body><stanza-id xmlns='urn:xmpp:sid:0' by='verona@conference.example.org' id='1'/></message>";

#[tokio::test]
async fn a_broadcast_crosses_into_no_plugin_and_allocates_so_often_for_each_recipient() {
    const MANY: u32 = 200;
    // Archives as well, which have no say in what rooms send.
    let stage = Stage::without(&[]).await;
    let sessions = &stage.sessions;
    let room: Vec<_> = (0..MANY).map(|n| connect(sessions, &format!("u{n}@example.org"), "r")).collect();
    let recipients = |extra: &[&str]| {
        let extra = extra.iter().map(|jid| Jid::parse(jid).unwrap());
        let mut all: Vec<Jid> = room.iter().map(|session| Jid::from(session.jid())).chain(extra).collect();
        all.sort();
        Recipients::new(Arc::new(all.into_iter().map(Recipient::from).collect()), vec!["u7@example.org/r".to_owned()])
    };
    let to = recipients(&["romeo@example.org/gone"]);
    let release = || stage.fan_out(to.clone());
    // As a connection does it.
    let taken = |session: &Arc<Session>| {
        let mut items = VecDeque::new();
        session.queue().poll_take(Waker::noop(), 1 << 16, &mut items);
        let stanza = |item: &Item| if let Item::Stanza(stanza) = item { stanza.to_vec() } else { Vec::new() };
        let stanzas: Vec<_> = items.iter().map(stanza).collect();
        xylem_session::give_back(items);
        stanzas
    };
    // The block lists are read once.
    for _ in 0..2 {
        release().get().await;
        let copies = room.iter().map(|session| taken(session).len()).sum::<usize>();
        assert_eq!(copies, MANY as usize - 1, "one each, but for the one left out");
    }
    let to = recipients(&[]);
    stage.fan_out(to.clone()).get().await;
    room.iter().for_each(|session| drop(taken(session)));
    let (cost, done) = counted(|| stage.fan_out(to.clone()));
    assert!(matches!(done, Done::Ready(())), "nothing has to be waited for");
    let first = taken(room.first().unwrap());
    let out = first.first().unwrap();
    let expected =
        "<message from='verona@conference.example.org/juliet' to='u0@example.org/r' id='m1' type='groupchat'>";
    assert!(out.starts_with(expected.as_bytes()), "{out:?}");
    println!("{cost:?} for {} recipients", MANY - 1);
    assert_eq!(stage.crossings.0.load(Ordering::Relaxed), 0, "no plugin asked for it");
    // Everything is made once.
    assert!(cost.allocations < 40, "{cost:?}");
    // The queue.
    assert_eq!((cost.session_locks, cost.store_locks), (expected_locks(u64::from(MANY - 1)), 0));

    // Somebody changes a block list: all are looked at once more, and then not again.
    let blocked = stage.store.kv(BLOCKED).put("u3@example.org", b"verona@conference.example.org", "", &[]).unwrap();
    drop(blocked);
    room.iter().for_each(|session| drop(taken(session)));
    let (cost, _) = counted(|| stage.fan_out(to.clone()));
    println!("{cost:?} after a write");
    assert!(cost.store_locks >= expected_locks(2 * u64::from(MANY - 1)), "{cost:?}");
    assert_eq!(stage.crossings.0.swap(0, Ordering::Relaxed), 1, "the one who blocks the room");
    room.iter().for_each(|session| drop(taken(session)));
    let (cost, _) = counted(|| stage.fan_out(to));
    assert_eq!(stage.crossings.0.swap(0, Ordering::Relaxed), 1);
    if cfg!(debug_assertions) {
        assert!(cost.store_locks < 20, "{cost:?}");
    }
}

/// Of the blocking plugin.
const BLOCKED: &str = "xylem.blocking/list";

fn expected_locks(count: u64) -> u64 {
    expected(0, count, 0).session_locks
}
