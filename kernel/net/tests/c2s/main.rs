//! Connections as clients see them, over real sockets on loopback.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod client;
mod resumption;
mod server;

use std::time::{Duration, Instant};

use client::{Client, HEADER, log_in, tls_config};
use rustls::HandshakeKind;
use server::{Options, start};
use tokio::io::AsyncWriteExt;
use xylem_net::admission::AdmissionLimits;
use xylem_net::tls::{self, TlsSettings};
use xylem_net::{C2sConfig, Listener, ListenerConfig, Rate, Security, Timeouts};
use xylem_session::{Barrier, Delivery, Limits, QueueLimits};
use xylem_stanza::{FullJid, Outgoing};

fn quick(change: impl FnOnce(&mut Timeouts)) -> Options {
    let mut config = C2sConfig::default();
    change(&mut config.timeouts);
    Options { config, ..Options::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_pass_both_ways_by_starttls_and_direct_tls() {
    let running = start(Options::default());
    let mut romeo = log_in(&running, "romeo", "a").await;
    let juliet = Client::connect(running.direct()).await;
    let mut juliet = juliet.direct(tls_config(&[running.certificate()])).await;
    assert_eq!(juliet.stream.get_ref().1.alpn_protocol(), Some(&b"xmpp-client"[..]));
    juliet.authenticate("juliet", "secret").await;
    assert_eq!(juliet.bind("b").await, "juliet@example.org/b");
    romeo.send("<message to='juliet@example.org/b'><body>1</body></message><message to='juliet@example.org/b'><body>2</body></message>").await;
    let got = juliet.until("<body>2</body></message>").await;
    assert!(got.contains("from='romeo@example.org/a'") && got.contains("<body>1</body>"), "{got}");
    juliet.send("<message to='romeo@example.org/a'><body>3</body></message>").await;
    romeo.until("<body>3</body></message>").await;
    romeo.send("</stream:stream>").await;
    assert_eq!(romeo.rest().await, "</stream:stream>");
    assert_eq!(running.told("ended romeo").await, "ended romeo@example.org/a Closed");
    assert_eq!(running.sessions().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_and_nobody_fail_alike() {
    let running = start(Options::default());
    for (user, password) in [("romeo", "wrong"), ("nobody", "secret")] {
        let client = Client::connect(running.direct()).await;
        let mut client = client.direct(tls_config(&[running.certificate()])).await;
        client.authenticate(user, password).await;
        let answer = client.until("</failure>").await;
        assert!(answer.contains("<not-authorized"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_before_tls_is_forgotten() {
    let running = start(Options::default());
    let mut client = Client::connect(running.starttls()).await;
    client.send(HEADER).await;
    client.until("</stream:features>").await;
    client.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await;
    client.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await;
    client.send("<injected/>").await;
    // Not TLS: the connection ends, and nothing is said in the clear.
    let rest = client.rest().await;
    assert!(!rest.contains('<'), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn order_is_kept_while_one_stanza_takes_time() {
    let running = start(Options::default());
    let mut romeo = log_in(&running, "romeo", "a").await;
    romeo.send("<message id='1'/><message id='slow'/><message id='2'/>").await;
    let got = romeo.until("<echo id='2'/>").await;
    assert_eq!(got, "<echo id='1'/><slow/><echo id='2'/>");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_before_hanging_up_counts() {
    let running = start(Options::default());
    let mut romeo = log_in(&running, "romeo", "a").await;
    let mut juliet = log_in(&running, "juliet", "b").await;
    let mut text = String::from("<message id='slow'/>");
    for n in 0..200 {
        text.push_str(&format!("<message to='juliet@example.org/b' id='{n}'/>"));
    }
    romeo.send(&text).await;
    romeo.stream.shutdown().await.unwrap();
    juliet.until("id='199'").await;
    assert_eq!(running.told("ended romeo").await, "ended romeo@example.org/a Lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_replaced() {
    let running = start(Options::default());
    let mut old = log_in(&running, "romeo", "a").await;
    let mut new = log_in(&running, "romeo", "a").await;
    let rest = old.until("</stream:stream>").await;
    assert!(rest.contains("<conflict"), "{rest}");
    new.send("<message id='1'/>").await;
    new.until("<echo id='1'/>").await;
    let told = running.relay.told.lock().unwrap().clone();
    assert!(told[1].starts_with("ended romeo@example.org/a") && told[2] == "bound romeo@example.org/a", "{told:?}");
    drop(old);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(running.relay.told.lock().unwrap().len(), 3);
    assert_eq!(running.sessions().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_ended_and_costs_nobody_else_anything() {
    let queue = QueueLimits { stanzas: 100, bytes: 1 << 20 };
    let options =
        Options { limits: Limits { queue, ..Limits::default() }, ..quick(|it| it.close = Duration::from_millis(300)) };
    let running = start(options);
    let _slow = log_in(&running, "slow", "a").await;
    let mut quick = log_in(&running, "quick", "a").await;
    let slow = running.sessions().find(&FullJid::parse("slow@example.org/a").unwrap()).unwrap();
    let body = "x".repeat(60_000);
    let mut sent = 0;
    while slow.queue().push(Outgoing::raw(body.clone())).is_ok() {
        sent += 1;
        assert!(sent < 10_000, "never full");
        tokio::time::sleep(Duration::from_micros(100)).await;
    }
    quick.send("<message id='1'/>").await;
    quick.until("<echo id='1'/>").await;
    let told = running.told("undelivered slow").await;
    let count: usize = told.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((10..=sent).contains(&count), "{told} of {sent}");
    assert!(running.told("ended slow").await.contains("ResourceConstraint"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_is_given_up() {
    let running = start(quick(|it| it.stalled = Duration::from_millis(300)));
    let _slow = log_in(&running, "slow", "a").await;
    let slow = running.sessions().find(&FullJid::parse("slow@example.org/a").unwrap()).unwrap();
    for _ in 0..15 {
        // More than the sockets' buffers hold, less than the queue does at a time.
        let _ = slow.queue().push(Outgoing::raw("x".repeat(1_000_000)));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(running.told("ended slow").await.starts_with("ended slow"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_barrier_fires_when_what_is_before_it_was_written() {
    let running = start(Options::default());
    let mut romeo = log_in(&running, "romeo", "a").await;
    let session = running.sessions().find(&FullJid::parse("romeo@example.org/a").unwrap()).unwrap();
    let (fired, fires) = tokio::sync::oneshot::channel();
    session.queue().push(Outgoing::raw("<one/>")).unwrap();
    session.queue().barrier(Barrier::new(|delivery| fired.send(delivery).unwrap())).unwrap();
    assert_eq!(fires.await, Ok(Delivery::Written));
    romeo.until("<one/>").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phases_have_an_end() {
    let short = Duration::from_millis(200);
    let running = start(quick(|it| (it.handshake, it.login, it.close) = (short, 2 * short, short)));
    let start = Instant::now();
    let mut silent = Client::connect(running.direct()).await;
    assert_eq!(silent.rest().await, "");
    assert!((short..8 * short).contains(&start.elapsed()), "{:?}", start.elapsed());
    let mut slow = Client::connect(running.starttls()).await;
    slow.send(HEADER).await;
    let rest = slow.rest().await;
    assert!(rest.contains("<connection-timeout") && rest.ends_with("</stream:stream>"), "{rest}");
    drop((silent, slow));
    running.server.context().admission.all_gone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_client_is_pinged_with_a_space() {
    let running = start(quick(|it| it.idle = Duration::from_millis(100)));
    let mut romeo = log_in(&running, "romeo", "a").await;
    assert_eq!(romeo.until("  ").await, "  ");
    romeo.send(" ").await;
    romeo.send("<message id='1'/>").await;
    romeo.until("<echo id='1'/>").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_xml_ends_the_stream() {
    let running = start(Options::default());
    let mut romeo = log_in(&running, "romeo", "a").await;
    romeo.send("<message><a></message>").await;
    let rest = romeo.rest().await;
    assert!(rest.contains("<not-well-formed") && rest.ends_with("</stream:stream>"), "{rest}");
    running.told("ended romeo").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_one_session_only() {
    let running = start(Options::default());
    let mut romeo = log_in(&running, "romeo", "a").await;
    let mut juliet = log_in(&running, "juliet", "b").await;
    romeo.send("<message id='panic'/>").await;
    romeo.rest().await;
    running.told("ended romeo").await;
    juliet.send("<message id='1'/>").await;
    juliet.until("<echo id='1'/>").await;
    assert_eq!(running.sessions().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_keeps_sessions_and_shows_the_new_certificate() {
    let running = start(Options::default());
    let mut romeo = log_in(&running, "romeo", "a").await;
    let mut files = running.files.clone();
    files.chain = running.folder.path().join("new.crt");
    files.key = running.folder.path().join("new.key");
    tls::generate(server::DOMAIN, 2026).unwrap().write(&files.chain, &files.key).unwrap();
    let settings = TlsSettings { domains: vec![files.clone()], client_authorities: None, early_data: false };
    running.server.context().tls.reload(&settings).unwrap();
    let new = rustls::pki_types::pem::PemObject::from_pem_file(&files.chain).unwrap();
    Client::connect(running.starttls()).await.starttls(tls_config(&[new])).await;
    romeo.send("<message id='1'/>").await;
    romeo.until("<echo id='1'/>").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_sessions_resume() {
    let running = start(Options::default());
    let config = tls_config(&[running.certificate()]);
    for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let mut client = Client::connect(running.starttls()).await.starttls(config.clone()).await;
        client.authenticate("romeo", "secret").await;
        assert_eq!(client.stream.get_ref().1.handshake_kind(), Some(expected));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_says_whom_it_speaks_for() {
    let running = start(Options { proxied: true, ..Options::default() });
    let mut client = Client::connect(running.direct()).await;
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    header.extend([192, 0, 2, 9, 127, 0, 0, 1, 0x13, 0x88, 0x14, 0x66]);
    client.stream.write_all(&header).await.unwrap();
    let mut client = client.direct(tls_config(&[running.certificate()])).await;
    client.authenticate("romeo", "secret").await;
    client.bind("a").await;
    let session = &running.sessions().of("romeo@example.org")[0];
    assert_eq!(session.endpoint().peer, "192.0.2.9:5000".parse().unwrap());
    assert_eq!(session.endpoint().tls.unwrap().protocol, "TLSv1.3");

    let mut bare = Client::connect(running.starttls()).await;
    bare.send(HEADER).await;
    assert_eq!(bare.rest().await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_connections_are_turned_away() {
    let admission = AdmissionLimits { total: 1, ..AdmissionLimits::default() };
    let running = start(Options { admission, ..Options::default() });
    let mut first = log_in(&running, "romeo", "a").await;
    let mut second = Client::connect(running.starttls()).await;
    assert_eq!(second.rest().await, "");
    first.send("</stream:stream>").await;
    first.rest().await;
    drop(first);
    running.server.context().admission.all_gone().await;
    log_in(&running, "romeo", "a").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_connections() {
    let running = start(Options::default());
    let config = tls_config(&[running.certificate()]);
    let address = running.direct();
    let mut tasks = Vec::new();
    for n in 0..100 {
        let config = config.clone();
        tasks.push(tokio::spawn(async move {
            let mut client = Client::connect(address).await.direct(config).await;
            client.anonymous().await;
            let jid = client.bind("a").await;
            client.send(&format!("<message to='{jid}' id='{n}'/>")).await;
            client.until(&format!("id='{n}'")).await;
            client
        }));
    }
    let mut clients = Vec::new();
    for task in tasks {
        clients.push(task.await.unwrap());
    }
    assert_eq!(running.sessions().count(), 100);
    drop(clients);
    running.server.context().admission.all_gone().await;
    assert_eq!(running.sessions().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fast_client_is_slowed_down_and_loses_nothing() {
    let mut options = Options::default();
    options.config.rate = Some(Rate { per_second: 200_000.0, burst: 20_000.0 });
    let running = start(options);
    let mut romeo = log_in(&running, "romeo", "a").await;
    let start = Instant::now();
    for n in 0..10 {
        romeo.send(&format!("<message id='{n}'><body>{}</body></message>", "x".repeat(10_000))).await;
    }
    romeo.until("<echo id='9'/>").await;
    // 80,000 bytes beyond the burst, of which the last read may run into debt.
    assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_socket_serves_both_families() {
    let config =
        ListenerConfig { address: "[::]:0".parse().unwrap(), security: Security::StartTls, proxies: Vec::new() };
    let Ok(listener) = Listener::bind(config.clone()) else { return };
    let port = listener.local_address().unwrap().port();
    let taken = ListenerConfig { address: std::net::SocketAddr::new(config.address.ip(), port), ..config };
    assert!(Listener::bind(taken).unwrap_err().to_string().contains("cannot listen on"));
    for address in ["127.0.0.1", "::1"] {
        let address: std::net::IpAddr = address.parse().unwrap();
        let (client, (_, peer)) = tokio::join!(tokio::net::TcpStream::connect((address, port)), listener.accept());
        client.unwrap();
        assert_eq!(peer.ip(), address);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_says_so_and_waits() {
    let running = start(Options::default());
    let mut romeo = log_in(&running, "romeo", "a").await;
    let mut guest = Client::connect(running.starttls()).await;
    guest.send(HEADER).await;
    guest.until("</stream:features>").await;
    let address = running.starttls();
    let clients = tokio::spawn(async move {
        for text in [romeo.until("</stream:stream>").await, guest.until("</stream:stream>").await] {
            assert!(text.contains("<system-shutdown"), "{text}");
        }
        romeo.send("</stream:stream>").await;
        guest.send("</stream:stream>").await;
    });
    let start = Instant::now();
    assert_eq!(running.server.shut_down(Duration::from_secs(10)).await, 0);
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    clients.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    assert!(running.told("ended romeo").await.contains("SystemShutdown"));
}
