//! Stream management over real sockets (XEP-0198).

use std::sync::Arc;
use std::time::Duration;

use xylem_net::{C2sConfig, ManagementConfig, Timeouts};
use xylem_session::{Barrier, Delivery, QueueLimits, Session};
use xylem_stanza::{FullJid, Outgoing};

use crate::client::{Client, HEADER, Secure, log_in, tls_config};
use crate::server::{Options, Running, start};

const ASK: &str = "<r xmlns='urn:xmpp:sm:3'/>";

/// Never asked unless a test wants it.
fn options() -> Options {
    let management = ManagementConfig { ask_after: 1000, ask_idle: Duration::from_secs(600), ..Default::default() };
    Options { config: C2sConfig { management, ..C2sConfig::default() }, ..Options::default() }
}

fn with(change: impl FnOnce(&mut ManagementConfig, &mut Timeouts)) -> Options {
    let mut options = options();
    change(&mut options.config.management, &mut options.config.timeouts);
    options
}

/// A client that can resume, and its id.
async fn managed(running: &Running, user: &str) -> (Secure, String) {
    let mut client = log_in(running, user, "a").await;
    let id = enable(&mut client, "resume='true'").await;
    (client, id)
}

async fn enable(client: &mut Secure, with: &str) -> String {
    client.send(&format!("<enable xmlns='urn:xmpp:sm:3' {with}/>")).await;
    let enabled = client.until("/>").await;
    assert!(enabled.starts_with("<enabled "), "{enabled}");
    enabled.split_once(" id='").unwrap().1.split('\'').next().unwrap().to_owned()
}

/// A new connection that has logged in and may bind or resume.
async fn come_back(running: &Running, user: &str) -> Secure {
    let client = Client::connect(running.direct()).await;
    let mut client = client.direct(tls_config(&[running.certificate()])).await;
    let answer = client.authenticate(user, "secret").await;
    assert!(answer.contains("<success"), "{answer}");
    client.send(HEADER).await;
    client.until("</stream:features>").await;
    client
}

async fn resume(client: &mut Secure, id: &str, h: u32) -> String {
    client.send(&format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='{h}'/>")).await;
    client.until(">").await
}

fn session(running: &Running, user: &str) -> Arc<Session> {
    running.sessions().find(&FullJid::parse(&format!("{user}@example.org/a")).unwrap()).unwrap()
}

fn push(session: &Session, numbers: std::ops::RangeInclusive<u32>) {
    for number in numbers {
        session.queue().push(Outgoing::raw(format!("<n{number}/>"))).unwrap();
    }
}

async fn until_hibernated(session: &Session) {
    for _ in 0..1000 {
        if session.is_hibernated() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("still connected");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_on_disk_is_not_acknowledged() {
    let running = start(options());
    let (mut romeo, id) = managed(&running, "romeo").await;
    romeo.send(&format!("<message id='1'/>{ASK}")).await;
    assert_eq!(romeo.until("<a xmlns='urn:xmpp:sm:3' h='1'/>").await.matches("<a ").count(), 1, "nobody waits");
    let (disk, told) = tokio::sync::watch::channel(None);
    *running.relay.disk.lock().unwrap() = Some(told);
    romeo.send(&format!("<message id='2'/>{ASK}")).await;
    romeo.until("<echo id='2'/>").await;
    let early = tokio::time::timeout(Duration::from_millis(100), romeo.until("<a ")).await;
    assert!(early.is_err(), "{early:?}");
    disk.send(Some(true)).unwrap();
    romeo.until("h='2'/>").await;
    disk.send(Some(false)).unwrap();
    romeo.send(&format!("<message id='3'/>{ASK}<message id='4'/>")).await;
    let heard = romeo.until("<echo id='4'/>").await;
    assert!(!heard.contains("<a "), "{heard}");
    // Nor is it by resuming, and nothing is lost of what waits.
    let session = session(&running, "romeo");
    drop(romeo);
    until_hibernated(&session).await;
    let mut romeo = come_back(&running, "romeo").await;
    let refused = resume(&mut romeo, &id, 4).await;
    assert!(refused.starts_with("<failed ") && !refused.contains(" h="), "{refused}");
    *running.relay.disk.lock().unwrap() = None;
    let mut romeo = come_back(&running, "romeo").await;
    let resumed = resume(&mut romeo, &id, 4).await;
    assert!(resumed.contains("<resumed ") && resumed.contains(" h='4'"), "{resumed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_acknowledged_comes_again_and_the_rest_follows() {
    let running = start(options());
    let (mut romeo, id) = managed(&running, "romeo").await;
    romeo.send("<message id='1'/><iq type='result' id='2'/>").await;
    romeo.until("<echo id='2'/>").await;
    let session = session(&running, "romeo");
    push(&session, 1..=3);
    romeo.until("<n3/>").await;
    romeo.send("<a xmlns='urn:xmpp:sm:3' h='3'/><r xmlns='urn:xmpp:sm:3'/>").await;
    assert_eq!(romeo.until("/>").await, "<a xmlns='urn:xmpp:sm:3' h='2'/>");
    drop(romeo);
    until_hibernated(&session).await;
    assert_eq!(running.server.context().hibernation.waiting(), 1);
    assert_eq!(session.management().unwrap().unacknowledged(), 2);
    push(&session, 4..=5);
    let mut romeo = come_back(&running, "romeo").await;
    let resumed = resume(&mut romeo, &id, 4).await;
    assert_eq!(resumed, format!("<resumed xmlns='urn:xmpp:sm:3' h='2' previd='{id}'/>"));
    assert_eq!(romeo.until("<n5/>").await, format!("<n3/>{ASK}<n4/><n5/>"));
    assert!(!session.is_hibernated());
    // It goes on as ever, numbers included.
    romeo.send("<a xmlns='urn:xmpp:sm:3' h='7'/><message id='3'/><r xmlns='urn:xmpp:sm:3'/>").await;
    let got = romeo.until("h='3'/>").await;
    assert!(got.contains("<a xmlns='urn:xmpp:sm:3' h='3'/>"), "{got}");
    romeo.send("</stream:stream>").await;
    assert_eq!(running.told("ended romeo").await, "ended romeo@example.org/a Closed");
    assert_eq!(running.server.context().hibernation.resumptions(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_connection_gives_way() {
    let running = start(options());
    let (mut old, id) = managed(&running, "romeo").await;
    old.send("<message id='slow'/><message id='late'/>").await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    let mut new = come_back(&running, "romeo").await;
    let resumed = resume(&mut new, &id, 0).await;
    // What was being worked off is; what came behind it is the client's to send again.
    assert!(resumed.contains("h='1'") || resumed.contains("h='2'"), "{resumed}");
    new.until("<slow/>").await;
    let rest = old.rest().await;
    assert!(rest.contains("<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"), "{rest}");
    assert!(running.relay.told.lock().unwrap().iter().all(|told| !told.starts_with("ended")));
    assert_eq!(running.sessions().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_gets_it() {
    let running = start(options());
    let (romeo, id) = managed(&running, "romeo").await;
    drop(romeo);
    until_hibernated(&session(&running, "romeo")).await;
    let not_found = "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>";
    let mut juliet = come_back(&running, "juliet").await;
    assert_eq!(resume(&mut juliet, &id, 0).await, "<failed xmlns='urn:xmpp:sm:3'>");
    assert_eq!(juliet.until("</failed>").await, not_found);
    let mut romeo = come_back(&running, "romeo").await;
    assert_eq!(resume(&mut romeo, "guess", 0).await, "<failed xmlns='urn:xmpp:sm:3'>");
    // Nor does a wrong number cost anybody the session.
    let error = resume(&mut romeo, &id, 1).await + &romeo.rest().await;
    assert!(error.contains("<handled-count-too-high xmlns='urn:xmpp:sm:3' h='1' send-count='0'/>"), "{error}");
    let mut romeo = come_back(&running, "romeo").await;
    assert!(resume(&mut romeo, &id, 0).await.starts_with("<resumed "));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_come_back_is_gone() {
    let running = start(options());
    let mut romeo = log_in(&running, "romeo", "a").await;
    let id = enable(&mut romeo, "resume='1' max='1'").await;
    let session = session(&running, "romeo");
    push(&session, 1..=2);
    romeo.until("<n2/>").await;
    romeo.send("<message id='x'/><a xmlns='urn:xmpp:sm:3' h='1'/><r xmlns='urn:xmpp:sm:3'/>").await;
    romeo.until("h='1'/>").await;
    drop(romeo);
    until_hibernated(&session).await;
    push(&session, 3..=3);
    let (fired, fires) = tokio::sync::oneshot::channel();
    session.queue().barrier(Barrier::new(|delivery| fired.send(delivery).unwrap())).unwrap();
    assert_eq!(running.told("ended romeo").await, "ended romeo@example.org/a Lost");
    // The second, the echo and the third.
    assert_eq!(running.told("undelivered").await, "undelivered romeo@example.org/a 3");
    assert_eq!(fires.await, Ok(Delivery::Lost));
    let mut romeo = come_back(&running, "romeo").await;
    assert_eq!(resume(&mut romeo, &id, 1).await, "<failed xmlns='urn:xmpp:sm:3' h='1'>");
    romeo.until("</failed>").await;
    assert_eq!(running.server.context().hibernation.waiting(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_barrier_waits_for_the_client_s_word() {
    let running = start(options());
    let (mut romeo, id) = managed(&running, "romeo").await;
    let session = session(&running, "romeo");
    let (fired, mut fires) = tokio::sync::oneshot::channel();
    push(&session, 1..=1);
    session.queue().barrier(Barrier::new(|delivery| fired.send(delivery).unwrap())).unwrap();
    // It is asked at once, because somebody waits.
    romeo.until(&format!("<n1/>{ASK}")).await;
    drop(romeo);
    until_hibernated(&session).await;
    let mut romeo = come_back(&running, "romeo").await;
    assert!(resume(&mut romeo, &id, 0).await.starts_with("<resumed "));
    romeo.until(&format!("<n1/>{ASK}")).await;
    assert!(fires.try_recv().is_err());
    romeo.send("<a xmlns='urn:xmpp:sm:3' h='1'/>").await;
    assert_eq!(fires.await, Ok(Delivery::Written));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_is_asked_after_so_many_or_so_long() {
    let running = start(with(|it, _| (it.ask_after, it.ask_idle) = (3, Duration::from_millis(100))));
    let (mut romeo, _) = managed(&running, "romeo").await;
    let session = session(&running, "romeo");
    push(&session, 1..=3);
    romeo.until(ASK).await;
    romeo.send("<a xmlns='urn:xmpp:sm:3' h='3'/>").await;
    push(&session, 4..=4);
    assert_eq!(romeo.until(ASK).await, format!("<n4/>{ASK}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_acknowledges_nothing_loses_the_session() {
    let limits = QueueLimits { stanzas: 4, bytes: 1 << 20 };
    let running = start(with(|it, times| {
        it.unacknowledged = limits;
        times.stalled = Duration::from_millis(400);
    }));
    let (mut romeo, _) = managed(&running, "romeo").await;
    let session = session(&running, "romeo");
    push(&session, 1..=4);
    romeo.until(&format!("<n4/>{ASK}")).await;
    push(&session, 5..=5);
    romeo.send("<a xmlns='urn:xmpp:sm:3' h='2'/>").await;
    romeo.until("<n5/>").await;
    push(&session, 6..=9);
    romeo.until(ASK).await;
    // Nothing more is sent now, however long the client reads.
    push(&session, 10..=10);
    let rest = romeo.rest().await;
    assert!(!rest.contains("<n10/>") && rest.contains("<resource-constraint"), "{rest}");
    running.told("ended romeo").await;
    assert!(running.told("undelivered").await.starts_with("undelivered romeo@example.org/a "));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_few_sessions_waiting_and_the_server_s_end_ends_them() {
    let running = start(with(|it, _| it.hibernated_per_account = 2));
    for resource in ["a", "b", "c"] {
        let mut client = log_in(&running, "romeo", resource).await;
        enable(&mut client, "resume='true'").await;
        drop(client);
        let jid = FullJid::parse(&format!("romeo@example.org/{resource}")).unwrap();
        until_hibernated(&running.sessions().find(&jid).unwrap()).await;
    }
    assert!(running.told("ended romeo@example.org/a").await.contains("ResourceConstraint"));
    assert_eq!(running.server.shut_down(Duration::from_secs(5)).await, 0);
    running.told("ended romeo@example.org/c").await;
    assert_eq!(running.sessions().count(), 0);
}
