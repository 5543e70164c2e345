//! Logging in with the first packet of a handshake (RFC 8446 §2.3, XEP-0484 §3.4), packet by packet.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use sha2::Sha256;
use xylem_suite::server::{Server, Target};
use xylem_suite::session::{Session, Via};

const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough for an answer that must not come.
const SILENCE: Duration = Duration::from_millis(500);
const AGENT: &str = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>";
const HEADER: &str = "<stream:stream from='romeo@localhost' to='localhost' version='1.0' xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams'>";
const PING: &str = "<iq type='get' id='ping' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>";

/// A device that keeps TLS sessions and tries early data.
struct Device {
    target: Arc<Target>,
    config: Arc<ClientConfig>,
}

/// One connection of it.
struct Connection {
    tcp: TcpStream,
    tls: ClientConnection,
    /// What the server said and nobody has waited for yet.
    heard: String,
}

impl Device {
    fn new(server: &Server) -> Self {
        let target = Arc::clone(&server.target);
        let mut config = (*target.tls_direct).clone();
        config.enable_early_data = true;
        Self { target, config: Arc::new(config) }
    }

    fn connect(&self) -> Connection {
        let tcp = TcpStream::connect(self.target.c2s_tls.unwrap()).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let tls = ClientConnection::new(Arc::clone(&self.config), name).unwrap();
        Connection { tcp, tls, heard: String::new() }
    }

    /// Logs in with the password, and leaves with a token and a TLS session.
    fn get_token(&self) -> String {
        let mut connection = self.connect();
        connection.say(HEADER);
        connection.hear("</stream:features>");
        let password = BASE64.encode("\0romeo\0secret");
        connection.say(&format!(
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>{password}</initial-response>\
             {AGENT}<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/></authenticate>"
        ));
        let success = connection.hear("</stream:features>");
        let (_, rest) = success.split_once(" token='").or_else(|| success.split_once(" token=\"")).unwrap();
        rest.split(['\'', '"']).next().unwrap().to_owned()
    }

    /// Connects with early data; the rest of the handshake is yet to be sent. Gives the first packet as well.
    fn come_early(&self, text: &str) -> (Connection, Vec<u8>) {
        let mut connection = self.connect();
        connection.tls.early_data().unwrap().write_all(text.as_bytes()).unwrap();
        let mut packet = Vec::new();
        while connection.tls.wants_write() {
            connection.tls.write_tls(&mut packet).unwrap();
        }
        connection.tcp.write_all(&packet).unwrap();
        (connection, packet)
    }
}

impl Connection {
    fn say(&mut self, text: &str) {
        self.tls.writer().write_all(text.as_bytes()).unwrap();
        self.finish();
    }

    /// Sends whatever TLS has to send.
    fn finish(&mut self) {
        self.tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        while self.tls.is_handshaking() || self.tls.wants_write() {
            self.tls.complete_io(&mut self.tcp).unwrap();
        }
    }

    /// Reads on, sending nothing, until `end` came; gives what came up to there.
    fn hear(&mut self, end: &str) -> String {
        self.hear_within(end, PATIENCE).unwrap_or_else(|| panic!("no {end} in {}", self.heard))
    }

    fn hear_within(&mut self, end: &str, patience: Duration) -> Option<String> {
        let until = Instant::now() + patience;
        loop {
            if let Some(at) = self.heard.find(end) {
                let rest = self.heard.split_off(at + end.len());
                return Some(std::mem::replace(&mut self.heard, rest));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.tcp.set_read_timeout(Some(left)).unwrap();
            match self.tls.read_tls(&mut self.tcp) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return None,
                Err(error) => panic!("{error}"),
            }
            self.tls.process_new_packets().unwrap();
            let mut plaintext = Vec::new();
            match self.tls.reader().read_to_end(&mut plaintext) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => panic!("{error}"),
                _ => self.heard.push_str(std::str::from_utf8(&plaintext).unwrap()),
            }
        }
    }
}

/// The server, with romeo.
fn start(early_data: bool) -> Server {
    let settings = [("XYLEM__SASL__EARLY_DATA".to_owned(), early_data.to_string())];
    let server = Server::start_with(&["--backend", "memory"], &settings).unwrap();
    let target = &server.target;
    Session::open(target, Via::StartTls, &target.domain).unwrap().register(&target.domain, "romeo", "secret").unwrap();
    server
}

fn login(token: &str, fast: &str) -> String {
    let proof = Hmac::<Sha256>::new_from_slice(token.as_bytes()).unwrap();
    let proof = proof.chain_update(b"Initiator").finalize().into_bytes();
    let message = BASE64.encode([b"romeo\0".as_slice(), &proof].concat());
    format!(
        "{HEADER}<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-NONE'>\
         <initial-response>{message}</initial-response>{AGENT}{fast}\
         <bind xmlns='urn:xmpp:bind:0'><tag>Awesome</tag></bind></authenticate>"
    )
}

fn counted(count: u32) -> String {
    format!("<fast xmlns='urn:xmpp:fast:0' count='{count}'/>")
}

#[test]
fn a_device_that_returns_is_online_before_the_handshake_ends() {
    let server = start(true);
    let device = Device::new(&server);
    let token = device.get_token();
    let (mut connection, packet) = device.come_early(&format!("{}{PING}", login(&token, &counted(1))));
    let features = connection.hear("</stream:features>");
    assert!(features.contains("tls-0rtt="), "{features}");
    assert!(!features.contains("HT-SHA-256-EXPR"), "the exporter is not there yet: {features}");
    let success = connection.hear("</success>");
    assert!(success.contains("<bound"), "{success}");
    // Anybody could have played the ping back: it waits.
    assert_eq!(connection.hear_within("id='ping'", SILENCE), None, "{}", connection.heard);
    connection.finish();
    assert!(connection.tls.is_early_data_accepted());
    connection.hear("ping");

    // The same packet once more: no second login, and who is online stays so.
    let mut thief = TcpStream::connect(server.target.c2s_tls.unwrap()).unwrap();
    thief.write_all(&packet).unwrap();
    std::thread::sleep(SILENCE);
    connection.say(&PING.replace("'ping'", "'again'"));
    connection.hear("again");
    server.stop().unwrap();
}

#[test]
fn early_data_is_a_login_by_a_token_that_counts_or_nothing() {
    let server = start(true);
    let device = Device::new(&server);
    let token = device.get_token();
    let refusal = |text: &str| {
        let (mut connection, _) = device.come_early(text);
        let refusal = connection.hear("</failure>");
        // The next one needs a TLS session of its own, which comes with the handshake's end.
        connection.finish();
        assert!(connection.tls.is_early_data_accepted());
        connection.say(PING);
        connection.hear("</stream:stream>");
        refusal
    };
    let plain = format!(
        "{HEADER}<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>{}</initial-response>\
         </authenticate>",
        BASE64.encode("\0romeo\0secret")
    );
    assert!(refusal(&plain).contains("<mechanism-too-weak"));
    assert!(refusal(&login(&token, "<fast xmlns='urn:xmpp:fast:0'/>")).contains("<malformed-request"));
    let (mut connection, _) = device.come_early(&login(&token, &counted(2)));
    connection.hear("</success>");
    connection.finish();
    connection.say(PING);
    connection.hear("ping");
    for count in [1, 2] {
        assert!(refusal(&login(&token, &counted(count))).contains("<not-authorized"), "{count}");
    }
    let (mut connection, _) = device.come_early(&format!("{HEADER}{PING}"));
    connection.hear("<policy-violation");
    server.stop().unwrap();
}

#[test]
fn where_it_is_off_the_client_says_it_again() {
    let server = start(false);
    let device = Device::new(&server);
    let token = device.get_token();
    let mut connection = device.connect();
    assert!(connection.tls.early_data().is_none(), "no session says that early data is welcome");
    connection.say(&login(&token, &counted(1)));
    let features = connection.hear("</stream:features>");
    assert!(!features.contains("tls-0rtt") && features.contains("HT-SHA-256-NONE"), "{features}");
    connection.hear("</success>");
    server.stop().unwrap();
}
