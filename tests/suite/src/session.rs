//! A client of the harness: stream, STARTTLS, SASL, binding, and an inbox.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::scram::Scram;
use crate::server::Target;
use crate::wire::{Arrival, Wire};
use crate::xml::{Event, Reader, STREAMS, Tree};

const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const MANAGEMENT: &str = "urn:xmpp:sm:3";
const SASL2: &str = "urn:xmpp:sasl:2";
const CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";
const BIND2: &str = "urn:xmpp:bind:0";
const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";

/// How a client reaches the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Via {
    #[default]
    StartTls,
    DirectTls,
}

/// Who logs in, and how.
#[derive(Debug, Clone)]
pub struct Login {
    pub domain: String,
    pub local: Option<String>,
    pub password: String,
    pub resource: Option<String>,
    pub mechanism: Option<String>,
    /// By XEP-0388, and binding with it (XEP-0386).
    pub sasl2: bool,
    pub via: Via,
}

/// Why a login did not succeed: the server's condition, or something worse.
#[derive(Debug)]
pub enum LoginError {
    /// The name of the SASL failure condition (RFC 6120 §6.5).
    Refused(String),
    Broken(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for LoginError {
    fn from(e: E) -> Self {
        Self::Broken(e.into())
    }
}

/// One stream to the server.
pub struct Session {
    target: Arc<Target>,
    wire: Wire,
    reader: Reader,
    timeout: Duration,
    /// Stanzas that came while something else was waited for.
    pub inbox: VecDeque<Event>,
    /// What was sent and received, for the report of a failure.
    pub log: Vec<String>,
    /// The address that the server bound.
    pub full: Option<String>,
    /// The address of an earlier connection; this one's once it is resumed.
    pub former: Option<String>,
    /// Whether the server closed the connection.
    pub ended: bool,
}

impl Session {
    /// Connects over TCP, and completes the handshake where TLS comes first.
    ///
    /// # Errors
    /// When the server is not there or its certificate is not the one expected.
    pub fn open(target: &Arc<Target>, via: Via, domain: &str) -> Result<Self> {
        let address = match via {
            Via::StartTls => target.c2s,
            Via::DirectTls => target.c2s_tls.context("the server has no port for direct TLS")?,
        };
        let mut wire = Wire::connect(address, target.timeout)?;
        if via == Via::DirectTls {
            wire.start_tls(&target.tls_direct, domain, target.timeout)?;
        }
        Ok(Self {
            target: Arc::clone(target),
            wire,
            reader: Reader::default(),
            timeout: target.timeout,
            inbox: VecDeque::new(),
            log: Vec::new(),
            full: None,
            former: None,
            ended: false,
        })
    }

    /// Sends text; an opening tag makes the harness expect a new stream.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send(&mut self, text: &str) -> Result<()> {
        self.send_bytes(text.as_bytes())
    }

    /// As [`Self::send`], for bytes that need not be text.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.expect_stream_if_opened(bytes);
        self.wire.send(bytes)
    }

    /// Sends every byte by itself.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send_byte_by_byte(&mut self, bytes: &[u8]) -> Result<()> {
        self.expect_stream_if_opened(bytes);
        for byte in bytes {
            self.wire.send(std::slice::from_ref(byte))?;
        }
        Ok(())
    }

    fn expect_stream_if_opened(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        if text.contains("<stream:stream") {
            self.restart();
        }
        let shown: String = text.chars().take(500).collect();
        self.log.push(format!("sent:     {shown}"));
    }

    fn restart(&mut self) {
        let mut reader = Reader::default();
        reader.feed(&self.reader.take_pending());
        self.reader = reader;
    }

    /// Starts TLS after the server said `proceed`.
    ///
    /// # Errors
    /// When the handshake fails.
    pub fn start_tls(&mut self, domain: &str) -> Result<()> {
        self.wire.start_tls(&self.target.tls, domain, self.timeout)?;
        self.log.push("TLS is up".to_owned());
        self.restart();
        Ok(())
    }

    /// The next thing in the inbox or from the wire; nothing when the deadline passes or
    /// the server closed the connection (then [`Self::ended`] is set).
    ///
    /// # Errors
    /// When the server sent bad XML.
    pub fn receive(&mut self) -> Result<Option<Event>> {
        match self.inbox.pop_front() {
            Some(event) => Ok(Some(event)),
            None => self.receive_new(),
        }
    }

    fn receive_new(&mut self) -> Result<Option<Event>> {
        let deadline = Instant::now() + self.timeout;
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some(event) = self.reader.next_event()? {
                self.log.push(format!("received: {event}"));
                if let Event::Element(tree) = &event {
                    let resumed = (tree.ns == MANAGEMENT && tree.name == "resumed").then(|| self.former.take());
                    self.full = bound_address(tree).or(resumed.flatten()).or(self.full.take());
                }
                return Ok(Some(event));
            }
            match self.wire.read(&mut buffer, deadline)? {
                Arrival::Bytes(n) => self.reader.feed(buffer.get(..n).unwrap_or_default()),
                Arrival::Nothing => return Ok(None),
                Arrival::End => {
                    self.ended = true;
                    return Ok(None);
                }
            }
        }
    }

    /// Reads raw bytes until `enough` says so or the deadline passes; gives what came.
    ///
    /// # Errors
    /// When TLS breaks.
    pub fn receive_bytes(&mut self, enough: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        let deadline = Instant::now() + self.timeout;
        let mut got = self.reader.take_pending();
        let mut buffer = [0; 16 * 1024];
        while !enough(&got) {
            match self.wire.read(&mut buffer, deadline)? {
                Arrival::Bytes(n) => got.extend_from_slice(buffer.get(..n).unwrap_or_default()),
                Arrival::Nothing => break,
                Arrival::End => {
                    self.ended = true;
                    break;
                }
            }
        }
        self.log.push(format!("received: {}", String::from_utf8_lossy(&got)));
        Ok(got)
    }

    /// What binds to this TLS connection, as hexadecimal digits: `tls-exporter` and
    /// `tls-server-end-point`; nothing outside TLS.
    #[must_use]
    pub fn bindings(&self) -> Option<(String, String)> {
        let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Some((hex(self.wire.tls_exporter().ok()?), hex(self.wire.tls_server_end_point().ok()?)))
    }

    /// Cuts the connection.
    pub fn cut(&mut self) {
        self.wire.cut();
    }

    /// Sends an IQ and waits for its answer; what else comes goes to the inbox.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn query(&mut self, id: &str, xml: &str) -> Result<Tree> {
        self.send(xml)?;
        loop {
            match self.receive_new()? {
                Some(Event::Element(t)) if t.name == "iq" && t.attribute("id") == Some(id) => return Ok(t),
                Some(event) => self.inbox.push_back(event),
                None if self.ended => bail!("the server closed the connection; {id:?} has no answer"),
                None => bail!("no answer to {id:?} in {:?}", self.timeout),
            }
        }
    }

    fn element(&mut self) -> Result<Tree> {
        match self.receive()? {
            Some(Event::Element(tree)) => Ok(tree),
            Some(other) => bail!("an element was due, this came: {other}"),
            None if self.ended => bail!("the server closed the connection"),
            None => bail!("nothing came in {:?}", self.timeout),
        }
    }

    /// Opens a stream and gives its features.
    ///
    /// # Errors
    /// When something else comes.
    pub fn stream(&mut self, domain: &str) -> Result<Tree> {
        self.send(&format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='{STREAMS}' to='{domain}' version='1.0'>"
        ))?;
        match self.receive()? {
            Some(Event::Open(_)) => {}
            other => bail!("a stream header was due, this came: {other:?}"),
        }
        let features = self.element()?;
        ensure!(features.ns == STREAMS && features.name == "features", "features were due: {features}");
        Ok(features)
    }

    /// Opens a stream inside TLS, by STARTTLS where it is not inside yet, and gives its features.
    ///
    /// # Errors
    /// When the server does not do as RFC 6120 §5 says.
    pub fn secure_stream(&mut self, domain: &str) -> Result<Tree> {
        let features = self.stream(domain)?;
        if self.wire.is_tls() {
            return Ok(features);
        }
        ensure!(features.child(TLS, "starttls").is_some(), "no STARTTLS among {features}");
        self.send(&format!("<starttls xmlns='{TLS}'/>"))?;
        let proceed = self.element()?;
        ensure!(proceed.ns == TLS && proceed.name == "proceed", "proceed was due: {proceed}");
        self.start_tls(domain)?;
        self.stream(domain)
    }

    /// Makes an account by XEP-0077 before logging in.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn register(&mut self, domain: &str, local: &str, password: &str) -> Result<()> {
        self.secure_stream(domain)?;
        let answer = self.query(
            "register",
            &format!(
                "<iq type='set' id='register'><query xmlns='jabber:iq:register'><username>{local}</username><password>{password}</password></query></iq>"
            ),
        )?;
        ensure!(answer.attribute("type") == Some("result"), "registration of {local} refused: {answer}");
        Ok(())
    }

    /// Logs in and binds a resource.
    ///
    /// # Errors
    /// With the condition when SASL refuses; otherwise with what went wrong.
    pub fn login(&mut self, login: &Login) -> Result<(), LoginError> {
        self.log_in(login)?;
        if !login.sasl2 {
            self.bind(login.resource.as_deref())?;
        }
        self.log.clear();
        Ok(())
    }

    /// Logs in; the next step is the caller's.
    ///
    /// # Errors
    /// As [`Self::login`].
    pub fn log_in(&mut self, login: &Login) -> Result<(), LoginError> {
        let features = self.secure_stream(&login.domain)?;
        let offered: Vec<String> = features
            .child(SASL, "mechanisms")
            .context("no SASL mechanisms offered")?
            .children()
            .map(Tree::text)
            .collect();
        let mechanism = match (&login.mechanism, &login.local) {
            (Some(asked), _) => asked.as_str(),
            (None, None) => "ANONYMOUS",
            (None, Some(_)) if offered.iter().any(|m| m == "SCRAM-SHA-1") => "SCRAM-SHA-1",
            (None, Some(_)) => "PLAIN",
        };
        if !offered.iter().any(|m| m == mechanism) {
            return Err(anyhow::anyhow!("{mechanism} is not among {offered:?}").into());
        }
        if login.sasl2 {
            self.authenticate(SASL2, mechanism, login, &features)?;
            self.element()?;
            return self.full.as_ref().map(drop).context("nothing was bound").map_err(LoginError::Broken);
        }
        self.authenticate(SASL, mechanism, login, &features)?;
        let features = self.stream(&login.domain)?;
        features.child(BIND, "bind").context("binding is not offered")?;
        Ok(())
    }

    fn authenticate(
        &mut self,
        profile: &str,
        mechanism: &str,
        login: &Login,
        features: &Tree,
    ) -> Result<(), LoginError> {
        let user = login.local.as_deref().unwrap_or_default();
        let mut scram = None;
        let first = match mechanism {
            // With the only address in the certificate (XEP-0178 §2).
            "ANONYMOUS" | "EXTERNAL" => String::new(),
            "PLAIN" => format!("\0{user}\0{}", login.password),
            other => {
                let binding =
                    if other.ends_with("-PLUS") { Some(("tls-exporter", self.wire.tls_exporter()?)) } else { None };
                let scram = scram.insert(Scram::new(other, user, binding)?);
                let (mechanisms, bindings) = announced(profile, features);
                scram.saw(&mechanisms, &bindings);
                scram.first()
            }
        };
        let encoded = if first.is_empty() { "=".to_owned() } else { BASE64.encode(first) };
        if profile == SASL2 {
            self.send(&format!(
                "<authenticate xmlns='{SASL2}' mechanism='{mechanism}'><initial-response>{encoded}</initial-response><bind xmlns='{BIND2}'/></authenticate>"
            ))?;
        } else {
            self.send(&format!("<auth xmlns='{SASL}' mechanism='{mechanism}'>{encoded}</auth>"))?;
        }
        let mut answer = self.element()?;
        if let (Some(scram), "challenge") = (&mut scram, answer.name.as_str()) {
            let response = scram.respond(&decode(&answer)?, &login.password)?;
            self.send(&format!("<response xmlns='{profile}'>{}</response>", BASE64.encode(response)))?;
            answer = self.element()?;
        }
        match answer.name.as_str() {
            "success" => match scram {
                Some(scram) => {
                    let data = answer.child(SASL2, "additional-data").unwrap_or(&answer);
                    Ok(scram.verify(&decode(data)?)?)
                }
                None => Ok(()),
            },
            "failure" => {
                let condition = answer.children().next().map(|c| c.name.clone());
                Err(LoginError::Refused(condition.unwrap_or_default()))
            }
            _ => Err(anyhow::anyhow!("unexpected in SASL: {answer}").into()),
        }
    }

    fn bind(&mut self, resource: Option<&str>) -> Result<()> {
        let wish = resource.map(|r| format!("<resource>{r}</resource>")).unwrap_or_default();
        let answer =
            self.query("bind", &format!("<iq type='set' id='bind'><bind xmlns='{BIND}'>{wish}</bind></iq>"))?;
        ensure!(self.full.is_some(), "binding refused: {answer}");
        Ok(())
    }
}

/// Mechanisms of one way to log in, and types of channel binding.
fn announced(profile: &str, features: &Tree) -> (Vec<String>, Vec<String>) {
    let list = if profile == SASL2 { "authentication" } else { "mechanisms" };
    let mechanisms = features.child(profile, list).into_iter().flat_map(Tree::children);
    let mechanisms = mechanisms.filter(|child| child.name == "mechanism").map(Tree::text).collect();
    let types = features.child(CHANNEL_BINDING, "sasl-channel-binding").into_iter().flat_map(Tree::children);
    (mechanisms, types.filter_map(|child| child.attribute("type").map(str::to_owned)).collect())
}

/// The address that an answer to a binding request gives.
fn bound_address(tree: &Tree) -> Option<String> {
    if tree.ns == SASL2 && tree.name == "success" {
        let full = tree.child(SASL2, "authorization-identifier").map(Tree::text);
        return full.filter(|full| full.contains('/'));
    }
    tree.child(BIND, "bind")?.child(BIND, "jid").map(Tree::text)
}

fn decode(tree: &Tree) -> Result<String> {
    let bytes = BASE64.decode(tree.text()).with_context(|| format!("not base64: {tree}"))?;
    Ok(String::from_utf8(bytes)?)
}
