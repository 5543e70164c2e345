//! The proxy for bytestreams over its sockets (XEP-0065 §6): both parties, those who are
//! none, and what the metrics say afterwards.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha1::{Digest as _, Sha1};
use xylem_suite::server::{Server, Target};
use xylem_suite::session::{Login, Session, Via};
use xylem_suite::xml::Tree;

const NS: &str = "http://jabber.org/protocol/bytestreams";
const PROXY: &str = "proxy.localhost";
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn what_one_sends_the_other_gets_in_both_directions() {
    let stage = Stage::new(&[]);
    let (mut juliet, romeo) = (stage.log_in("juliet"), stage.log_in("romeo"));
    let mut paris = stage.log_in("paris");
    let port = stage.port(&mut juliet);
    let (jid, target) = (juliet.full.clone().unwrap(), romeo.full.clone().unwrap());
    let hash = hash(&["s1", &jid, &target]);

    assert_eq!(condition(&activate(&mut juliet, "s1", &target)), "item-not-found");
    let mut his = wire(port, &hash);
    assert_eq!(condition(&activate(&mut juliet, "s1", &target)), "not-allowed");
    let mut hers = wire(port, &hash);
    assert_eq!(refused(port, &request(&hash)), [5, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0], "a third");

    // Whoever is not the requester, and whatever is not this stream.
    assert_eq!(condition(&activate(&mut paris, "s1", &target)), "item-not-found");
    assert_eq!(condition(&activate(&mut juliet, "s2", &target)), "item-not-found");
    assert_eq!(condition(&activate(&mut juliet, "s1", paris.full.as_ref().unwrap())), "item-not-found");
    assert_eq!(stage.open(), [0, 2, 0]);

    // What is said before the activation is ignored (§10.1).
    his.write_all(b"ready").unwrap();
    hers.write_all(&[b'x'; 100_000]).unwrap();
    let answer = activate(&mut juliet, "s1", &target);
    assert_eq!(answer.attribute("type"), Some("result"), "{answer}");
    assert_eq!(condition(&activate(&mut juliet, "s1", &target)), "item-not-found", "twice");

    let (down, up) = (pattern(3 << 20), pattern((1 << 20) + 7));
    let sending = {
        let (mut hers, down) = (hers.try_clone().unwrap(), down.clone());
        std::thread::spawn(move || {
            hers.write_all(&down).unwrap();
            hers.shutdown(Shutdown::Write).unwrap();
        })
    };
    let mut got = Vec::new();
    his.read_to_end(&mut got).unwrap();
    assert!(got == down, "{} bytes", got.len());
    // The other direction is open until its own end.
    his.write_all(&up).unwrap();
    his.shutdown(Shutdown::Write).unwrap();
    let mut got = Vec::new();
    hers.read_to_end(&mut got).unwrap();
    assert!(got == up, "{} bytes", got.len());
    sending.join().unwrap();

    stage.until_empty();
    assert_eq!(stage.metric("xylem_wire_relays_total"), 1);
    assert_eq!(stage.metric("xylem_wire_bytes_total"), (down.len() + up.len()) as u64);
    stage.server.stop().unwrap();
}

#[test]
fn abuse_leaves_nothing_behind() {
    let stage = Stage::new(&[]);
    let mut juliet = stage.log_in("juliet");
    let port = stage.port(&mut juliet);
    let hash = hash(&["s", "a@b", "c@d"]);
    let wrong_command = [&[5, 1, 0, 5, 3, 0, 3, 40], hash.as_bytes(), &[0, 0]].concat();
    for (bytes, why) in [
        (b"GET / HTTP/1.1\r\nHost: proxy\r\n\r\n".to_vec(), "garbage"),
        (vec![0; 4096], "garbage"),
        (vec![5, 3, 1, 2, 3], "method"),
        (wrong_command, "request"),
        (request(&hash[1..]), "request"),
        (request(&"f".repeat(255)), "request"),
        (request(&hash.replace(|letter: char| letter.is_ascii_digit(), "x")), "request"),
    ] {
        let name = format!("xylem_wires_refused_total{{why=\"{why}\"}}");
        let before = stage.metric(&name);
        refused(port, &bytes);
        stage.until_empty();
        assert_eq!(stage.metric(&name), before + 1, "{why}: {bytes:?}");
    }
    // Broken off at every point of the handshake, and after it.
    for length in [0, 1, 2, 3, 7, 8, 30, 49] {
        connect(port).write_all(&request(&hash)[..length]).unwrap();
    }
    stage.until("all were seen", || stage.metric("xylem_wires_refused_total{why=\"aborted\"}") == 8);
    drop((wire(port, &hash), wire(port, &hash)));
    stage.until("both are gone", || stage.metric("xylem_wires_refused_total{why=\"gone\"}") == 2);
    assert_eq!(condition(&activate_with(&mut juliet, "<activate>c@d</activate>", "s")), "item-not-found");

    // One byte now and then does not hold it for longer than the handshake may take.
    let mut slow = connect(port);
    slow.write_all(&[5, 255]).unwrap();
    let begun = Instant::now();
    while slow.write_all(&[0]).is_ok() && still_open(&mut slow) {
        assert!(begun.elapsed() < PATIENCE, "it is never cut off");
        std::thread::sleep(Duration::from_millis(200));
    }
    stage.until_empty();
    assert_eq!(stage.metric("xylem_wires_refused_total{why=\"slow\"}"), 1);
    assert_eq!(stage.metric("xylem_wire_relays_total"), 0);
    stage.server.stop().unwrap();
}

#[test]
fn bounds_hold() {
    let table = "{ listen = [\"127.0.0.1:0\"], hosts = [\"192.0.2.7\"], port = 7625, streams_per_user = 1, \
                 max_size = 1000, idle = \"1s\" }";
    let stage = Stage::new(&[("XYLEM__PLUGINS__xylem.proxy65", table)]);
    let (mut juliet, mut romeo) = (stage.log_in("juliet"), stage.log_in("romeo"));
    let answer = ask(&mut juliet, &format!("<iq type='get' to='{PROXY}' id='q'><query xmlns='{NS}'/></iq>"));
    let host = answer.child(NS, "query").unwrap().child(NS, "streamhost").unwrap();
    assert_eq!((host.attribute("host"), host.attribute("port")), (Some("192.0.2.7"), Some("7625")));
    let port = stage.listening();
    let (jid, target) = (juliet.full.clone().unwrap(), romeo.full.clone().unwrap());
    let pair =
        |sid: &str, from: &str, to: &str| (wire(port, &hash(&[sid, from, to])), wire(port, &hash(&[sid, from, to])));

    let (mut his, mut hers) = pair("one", &jid, &target);
    assert_eq!(activate(&mut juliet, "one", &target).attribute("type"), Some("result"));
    let second = pair("two", &jid, &target);
    let answer = activate(&mut juliet, "two", &target);
    assert_eq!(condition(&answer), "resource-constraint");
    let other = pair("three", &target, &jid);
    assert_eq!(activate(&mut romeo, "three", &jid).attribute("type"), Some("result"), "another user");

    // More than allowed is broken off, and what nobody uses is ended.
    hers.write_all(&pattern(1001)).unwrap();
    let mut got = Vec::new();
    let end = his.read_to_end(&mut got);
    assert!(end.is_err() && got.len() <= 1000, "{end:?} after {}", got.len());
    drop((his, hers));
    stage.until("the idle one is ended", || stage.metric("xylem_wires{state=\"relayed\"}") == 0);
    assert_eq!(activate(&mut juliet, "two", &target).attribute("type"), Some("result"), "there is room again");
    drop((second, other));
    stage.until_empty();
    stage.server.stop().unwrap();
}

/// One place to listen at, and for each domain its own words for how to get there.
#[test]
fn each_domain_names_its_own_way_to_the_one_proxy() {
    let stage = Stage::new(&[
        ("XYLEM__DOMAINS__localhost__SETTINGS__XYLEM.PROXY65__HOSTS", "[\"192.0.2.7\", \"files.{domain}\"]"),
        ("XYLEM__DOMAINS__localhost__SETTINGS__XYLEM.PROXY65__PORT", "7777"),
    ]);
    let (mut juliet, romeo) = (stage.log_in("juliet"), stage.log_in("romeo"));
    let hosts = stage.hosts(&mut juliet, PROXY);
    assert_eq!(hosts, [("192.0.2.7".to_owned(), 7777), ("files.localhost".to_owned(), 7777)]);

    let mut guest = stage.guest();
    let other = format!("proxy.{}", stage.target.anonymous);
    let hosts = stage.hosts(&mut guest, &other);
    let (host, port) = hosts[0].clone();
    assert_eq!((hosts.len(), host.as_str(), port), (1, "127.0.0.1", stage.listening()));

    // Behind both names is the same proxy; who may activate is asked of each domain's own.
    let (jid, target) = (juliet.full.clone().unwrap(), romeo.full.clone().unwrap());
    let _wires = [wire(port, &hash(&["s1", &jid, &target])), wire(port, &hash(&["s1", &jid, &target]))];
    assert_eq!(activate(&mut juliet, "s1", &target).attribute("type"), Some("result"));
    let foreign = ask(&mut guest, &format!("<iq type='get' to='{PROXY}' id='q'><query xmlns='{NS}'/></iq>"));
    assert_eq!(condition(&foreign), "forbidden", "the other domain's proxy");
}

struct Stage {
    server: Server,
    target: Arc<Target>,
}

impl Stage {
    fn new(settings: &[(&str, &str)]) -> Self {
        let settings: Vec<_> = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let server = Server::start_with(&["--backend", "memory"], &settings).unwrap();
        let target = Arc::clone(&server.target);
        Self { server, target }
    }

    fn log_in(&self, name: &str) -> Session {
        let login = Login {
            domain: self.target.domain.clone(),
            local: Some(name.to_owned()),
            password: "secret".to_owned(),
            resource: Some("a".to_owned()),
            mechanism: None,
            sasl2: false,
            via: Via::StartTls,
        };
        let mut session = Session::open(&self.target, Via::StartTls, &login.domain).unwrap();
        session.register(&login.domain, name, "secret").unwrap();
        let mut session = Session::open(&self.target, Via::StartTls, &login.domain).unwrap();
        session.login(&login).unwrap();
        session
    }

    /// Somebody of the other domain.
    fn guest(&self) -> Session {
        let login = Login {
            domain: self.target.anonymous.clone(),
            local: None,
            password: String::new(),
            resource: None,
            mechanism: Some("ANONYMOUS".to_owned()),
            sasl2: false,
            via: Via::StartTls,
        };
        let mut session = Session::open(&self.target, Via::StartTls, &login.domain).unwrap();
        session.login(&login).unwrap();
        session
    }

    /// Hosts and ports where a proxy says that it is.
    fn hosts(&self, session: &mut Session, proxy: &str) -> Vec<(String, u16)> {
        let answer = ask(session, &format!("<iq type='get' to='{proxy}' id='q'><query xmlns='{NS}'/></iq>"));
        let query = answer.child(NS, "query").unwrap_or_else(|| panic!("{answer}"));
        let hosts = query.children().filter(|host| host.name == "streamhost" && host.attribute("jid") == Some(proxy));
        let way = |host: &Tree| {
            (host.attribute("host").unwrap().to_owned(), host.attribute("port").unwrap().parse().unwrap())
        };
        hosts.map(way).collect()
    }

    /// Where the proxy says that it is.
    fn port(&self, session: &mut Session) -> u16 {
        let answer = ask(session, &format!("<iq type='get' to='{PROXY}' id='q'><query xmlns='{NS}'/></iq>"));
        let host = answer.child(NS, "query").and_then(|query| query.child(NS, "streamhost")).unwrap();
        assert_eq!((host.attribute("host"), host.attribute("jid")), (Some("127.0.0.1"), Some(PROXY)), "{answer}");
        host.attribute("port").unwrap().parse().unwrap()
    }

    /// The port that the server listens on and tells nobody.
    fn listening(&self) -> u16 {
        let known = [Some(self.target.c2s), self.target.c2s_tls, self.target.http];
        let known: Vec<u16> = known.iter().flatten().map(SocketAddr::port).collect();
        let console = self.target.console.as_deref().and_then(|url| url.rsplit(':').next()?.parse().ok());
        let pid = self.server.pid().unwrap();
        let inodes: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.trim_end_matches(']').to_owned()))
            .collect();
        let table = std::fs::read_to_string(format!("/proc/{pid}/net/tcp")).unwrap();
        let ports = table.lines().skip(1).filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
            let ours = *state == "0A" && inodes.iter().any(|known| known == inode);
            ours.then(|| u16::from_str_radix(local.rsplit(':').next()?, 16).ok())?
        });
        let mut ports = ports.filter(|port| !known.contains(port) && console != Some(*port));
        ports.next().unwrap()
    }

    fn metric(&self, name: &str) -> u64 {
        let mut http = TcpStream::connect(self.target.http.unwrap()).unwrap();
        http.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        http.read_to_string(&mut page).unwrap();
        let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {page}")).trim().parse().unwrap()
    }

    /// Connections that shake hands, wait, are relayed.
    fn open(&self) -> [u64; 3] {
        ["handshake", "waiting", "relayed"].map(|state| self.metric(&format!("xylem_wires{{state=\"{state}\"}}")))
    }

    fn until_empty(&self) {
        self.until("nothing is open", || self.open() == [0; 3]);
    }

    fn until(&self, what: &str, done: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !done() {
            assert!(Instant::now() < until, "in vain waited until {what}: {:?}", self.open());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn ask(session: &mut Session, xml: &str) -> Tree {
    session.query("q", xml).unwrap()
}

fn activate(session: &mut Session, sid: &str, target: &str) -> Tree {
    activate_with(session, &format!("<activate>{target}</activate>"), sid)
}

fn activate_with(session: &mut Session, activate: &str, sid: &str) -> Tree {
    ask(session, &format!("<iq type='set' to='{PROXY}' id='q'><query xmlns='{NS}' sid='{sid}'>{activate}</query></iq>"))
}

/// The condition of an error; empty for a result.
fn condition(answer: &Tree) -> String {
    let error = answer.children().find(|child| child.name == "error");
    let condition = error.and_then(|error| error.children().find(|child| child.name != "text"));
    condition.map_or_else(String::new, |condition| condition.name.clone())
}

fn hash(parts: &[&str]) -> String {
    Sha1::digest(parts.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|n| (n * 31 % 251) as u8).collect()
}

/// Greeting and request in one.
fn request(label: &str) -> Vec<u8> {
    [&[5, 1, 0, 5, 1, 0, 3, u8::try_from(label.len()).unwrap()], label.as_bytes(), &[0, 0]].concat()
}

fn connect(port: u16) -> TcpStream {
    let tcp = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    tcp
}

/// A connection that waits, with everything as XEP-0065 §6.3.2 has it.
fn wire(port: u16, hash: &str) -> TcpStream {
    let mut tcp = connect(port);
    tcp.write_all(&[5, 2, 0, 2]).unwrap();
    let mut method = [0; 2];
    tcp.read_exact(&mut method).unwrap();
    assert_eq!(method, [5, 0]);
    tcp.write_all(&request(hash)[3..]).unwrap();
    let mut answer = [0; 47];
    tcp.read_exact(&mut answer).unwrap();
    assert_eq!(answer.as_slice(), [&[5, 0, 0, 3, 40], hash.as_bytes(), &[0, 0]].concat());
    tcp
}

/// What is answered before the connection is closed.
fn refused(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut tcp = connect(port);
    // It may be over before all is written.
    let _ = tcp.write_all(bytes);
    let mut answer = Vec::new();
    match tcp.read_to_end(&mut answer) {
        Ok(_) => answer,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => answer,
        Err(error) => panic!("{error} after {answer:?}"),
    }
}

fn still_open(tcp: &mut TcpStream) -> bool {
    tcp.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    match tcp.read(&mut [0; 16]) {
        Ok(read) => read > 0,
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}
