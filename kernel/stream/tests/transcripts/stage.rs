//! Plays transcripts. Lines mean:
//!
//! ```text
//! C: <…>    the client sends this
//! S: <…>    the server sends this, in one piece; `*` stands for anything
//! E: …      something happens: see `event`
//! A: …      the driver is asked to do something: see `describe`
//! ```
//! Lines may go on in indented lines. The server's lines must be exactly these
//! and in this order. Every transcript is played twice, the second time with the
//! client's bytes arriving one by one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use xylem_sasl::{ChannelBindings, DecoyKey, Failure, Lookup, Mechanism, SaslCondition, Secrets, Standing};
use xylem_stanza::{BareJid, Domain, FullJid, StreamCondition};
use xylem_stream::{
    Action, BindRefusal, Ending, Environment, Event, HostConfig, HostLookup, ResumeRefusal, Resumed, StartTls, Stream,
    StreamError, Tls, Token, TokenClaim, TokenLogin,
};
use xylem_xml::{Framer, Limits};

/// What comes before every stream of the tests, up to the features inside TLS.
pub(crate) const TLS: &str = "
    C: <?xml version='1.0'?><stream:stream to='verona.example' version='1.0' xmlns='jabber:client'
       xmlns:stream='http://etherx.jabber.org/streams'>
    S: <?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'
       id='token1' from='verona.example' version='1.0' xml:lang='en'>
    S: <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>
    C: <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
    S: <proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
    A: start TLS
    E: tls
    C: <stream:stream to='verona.example' version='1.0' xmlns='jabber:client'
       xmlns:stream='http://etherx.jabber.org/streams'>
    S: <?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'
       id='token2' from='verona.example' version='1.0' xml:lang='en'>
    S: <stream:features>*</stream:features>
";

/// Follows [`TLS`]: `\0juliet\0pencil` by PLAIN, up to the features of binding.
pub(crate) const AUTH: &str = "
    C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGp1bGlldABwZW5jaWw=</auth>
    A: look up juliet@verona.example, costly
    E: secrets
    S: <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
    A: logged in juliet@verona.example by PLAIN
    A: restart
    A: limits 262144
    C: <stream:stream to='verona.example' version='1.0' xmlns='jabber:client'
       xmlns:stream='http://etherx.jabber.org/streams'>
    S: <?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'
       id='token3' from='verona.example' version='1.0' xml:lang='en'>
    S: <stream:features>*</stream:features>
";

/// Follows [`AUTH`].
pub(crate) const BIND: &str = "
    C: <iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>balcony</resource></bind></iq>
    A: bind juliet@verona.example/balcony
    E: bound juliet@verona.example/balcony
    S: <iq type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>juliet@verona.example/balcony</jid></bind></iq>
    A: established juliet@verona.example/balcony
";

/// Two hosts, one that moved away, tokens that count.
pub(crate) struct Verona {
    host: Arc<HostConfig>,
    tokens: AtomicU32,
}

impl Environment for Verona {
    fn host(&self, domain: &Domain) -> HostLookup {
        match domain.as_str() {
            "verona.example" => HostLookup::Found(Arc::clone(&self.host)),
            "mantua.example" => {
                let domain = Domain::parse("mantua.example").unwrap();
                HostLookup::Found(Arc::new(HostConfig { domain, ..(*self.host).clone() }))
            }
            "padua.example" => HostLookup::Gone,
            _ => HostLookup::Unknown,
        }
    }

    fn default_host(&self) -> Arc<HostConfig> {
        Arc::clone(&self.host)
    }

    fn token(&self) -> String {
        format!("token{}", self.tokens.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

pub(crate) fn host() -> HostConfig {
    let domain = Domain::parse("verona.example").unwrap();
    HostConfig { idle_seconds: Some(600), ..HostConfig::new(domain, DecoyKey::new([4; 32])) }
}

/// A host that speaks without TLS as well.
pub(crate) fn lenient() -> HostConfig {
    HostConfig { starttls: StartTls::Optional, ..host() }
}

pub(crate) fn verona(host: HostConfig) -> Arc<Verona> {
    Arc::new(Verona { host: Arc::new(host), tokens: AtomicU32::new(0) })
}

pub(crate) fn tls() -> Tls {
    Tls {
        bindings: ChannelBindings { tls_exporter: Some([0xe7; 32]), tls_server_end_point: Some(vec![0x5e; 32]) },
        sni: Some("verona.example".into()),
        alpn: None,
        certificate: vec![],
        early: false,
    }
}

pub(crate) fn pencil() -> Lookup {
    static PENCIL: OnceLock<Secrets> = OnceLock::new();
    let secrets = PENCIL.get_or_init(|| Secrets::derive("pencil", 4096, |salt| salt.fill(7)).unwrap());
    Lookup::Found { secrets: secrets.clone(), standing: Standing::Active }
}

/// Plays a transcript that begins without TLS.
#[track_caller]
pub(crate) fn play(host: HostConfig, acts: &[&str]) {
    perform(&host, None, acts);
}

/// Plays a transcript on a connection that began with TLS.
#[track_caller]
pub(crate) fn play_in(tls: Tls, host: HostConfig, acts: &[&str]) {
    perform(&host, Some(&tls), acts);
}

#[track_caller]
fn perform(host: &HostConfig, tls: Option<&Tls>, acts: &[&str]) {
    let lines = lines(&acts.concat());
    for pieces in [usize::MAX, 1] {
        let mut stage = Stage::new(verona(host.clone()), tls.cloned(), pieces);
        for line in &lines {
            stage.play(line);
        }
        stage.nothing_more();
    }
}

/// Joins continued lines; what stands before `C:`, `S:`, `E:`, `A:` is blank.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let begins = ["C: ", "S: ", "E: ", "A: "].iter().any(|kind| line.starts_with(kind));
        match lines.last_mut() {
            Some(last) if !begins => *last = format!("{last} {line}"),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

pub(crate) struct Stage {
    pub framer: Framer,
    pub stream: Stream,
    /// What the server said and asked for that no line has claimed.
    pub said: std::collections::VecDeque<String>,
    past: Vec<String>,
    pieces: usize,
}

impl Stage {
    pub(crate) fn new(env: Arc<dyn Environment>, tls: Option<Tls>, pieces: usize) -> Self {
        Self {
            framer: Framer::new(Limits::before_auth()),
            stream: Stream::new(env, tls),
            said: std::collections::VecDeque::new(),
            past: vec![],
            pieces,
        }
    }

    #[track_caller]
    fn play(&mut self, line: &str) {
        let (kind, text) = line.split_at(3);
        match kind {
            "C: " => {
                self.nothing_more();
                self.client(unescape(text).as_slice());
            }
            "E: " => {
                self.nothing_more();
                self.happen(event(text));
            }
            _ => match self.said.pop_front() {
                Some(said) if matches(line, &said) => {}
                said => panic!("after\n{}\nexpected\n  {line}\ngot\n  {said:?}", self.past.join("\n")),
            },
        }
        self.past.push(line.to_owned());
    }

    #[track_caller]
    fn nothing_more(&self) {
        assert!(self.said.is_empty(), "after\n{}\nunexpected\n  {:?}", self.past.join("\n"), self.said);
    }

    /// Feeds bytes and takes frames as a driver would.
    pub(crate) fn client(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(self.pieces.min(bytes.len().max(1))) {
            self.framer.feed(piece);
            self.frames();
        }
    }

    pub(crate) fn frames(&mut self) {
        while self.stream.wants_frames() {
            match self.framer.next_frame() {
                Ok(Some(frame)) => self.handle(Event::Frame(frame)),
                Ok(None) => break,
                Err(error) => self.handle(Event::XmlError(error)),
            }
        }
    }

    pub(crate) fn happen(&mut self, event: Event) {
        self.handle(event);
        self.frames();
    }

    fn handle(&mut self, event: Event) {
        let mut actions = vec![];
        self.stream.handle(event, &mut actions);
        for action in actions {
            match &action {
                Action::StartTls => {
                    self.framer.discard();
                    self.framer.restart();
                }
                Action::Restart => self.framer.restart(),
                Action::SetLimits(limits) => self.framer.set_limits(*limits),
                _ => {}
            }
            if !matches!(action, Action::Settle) {
                self.said.push_back(describe(&action));
            }
        }
    }
}

/// `\xNN` and `\n` in a client's line.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = vec![];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.extend_from_slice(before.as_bytes());
        rest = if let Some(after) = after.strip_prefix('n') {
            out.push(b'\n');
            after
        } else {
            out.push(u8::from_str_radix(&after[1..3], 16).unwrap());
            &after[3..]
        };
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

fn event(text: &str) -> Event {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "tls" => Event::TlsEstablished(tls()),
        "secrets" => Event::Secrets(pencil()),
        "unknown" => Event::Secrets(Lookup::Unknown),
        "unavailable" => Event::Secrets(Lookup::Unavailable),
        "bound" => Event::Bound(Ok(FullJid::parse(rest).unwrap())),
        "kept" => Event::Upgraded(true),
        "not-kept" => Event::Upgraded(false),
        "issued" => Event::TokenIssued(Some(token())),
        "inlined" => Event::Inlined(vec![rest.to_owned()]),
        "token" => Event::TokenChecked(match rest {
            "right" => Ok(TokenLogin { answer: vec![1, 1], renewed: None }),
            "renewed" => Ok(TokenLogin { answer: vec![1, 1], renewed: Some(token()) }),
            other => {
                let condition = SaslCondition::ALL.into_iter().find(|c| c.as_str() == other).unwrap();
                Err(Failure { condition, reason: "a test" })
            }
        }),
        "refused" => Event::Bound(Err(match rest {
            "conflict" => BindRefusal::Conflict,
            "resource-constraint" => BindRefusal::ResourceConstraint,
            "not-allowed" => BindRefusal::NotAllowed,
            "bad-request" => BindRefusal::BadRequest,
            _ => BindRefusal::InternalServerError,
        })),
        "resumed" => {
            let (jid, handled) = rest.split_once(' ').unwrap();
            Event::Resumed(Ok(Resumed { jid: FullJid::parse(jid).unwrap(), handled: handled.parse().unwrap() }))
        }
        "not-found" => Event::Resumed(Err(ResumeRefusal::NotFound(rest.parse().ok()))),
        "too-many" => {
            let (h, sent) = rest.split_once(' ').unwrap();
            let (h, sent) = (h.parse().unwrap(), sent.parse().unwrap());
            if sent == 0 {
                Event::AcknowledgedTooMany { h, sent }
            } else {
                Event::Resumed(Err(ResumeRefusal::HandledTooMany { h, sent }))
            }
        }
        "timeout" => Event::TimedOut,
        "end" => Event::End(StreamError::new(StreamCondition::parse(rest).unwrap())),
        "disconnected" => Event::Disconnected,
        other => panic!("no such event: {other}"),
    }
}

fn token() -> Token {
    Token { secret: "secret".into(), expiry: "2026-01-01T00:00:00Z".into() }
}

fn describe_claim(claim: &TokenClaim) -> String {
    let count = claim.count.map(|count| format!(", count {count}")).unwrap_or_default();
    let back = if claim.invalidate { ", invalidate" } else { "" };
    let (account, name, binding) = (&claim.account, claim.mechanism.name(), claim.binding.len());
    format!("A: check {account}, {name}, {binding} bytes of binding{count}{back}")
}

pub(crate) fn describe(action: &Action) -> String {
    match action {
        Action::Write(bytes) | Action::Reply(bytes) => format!("S: {}", std::str::from_utf8(bytes).unwrap()),
        Action::Upgrade { account, was, now } => {
            let changed = now.iter().filter(|(hash, keys)| was.get(*hash).as_ref() != Some(keys));
            let changed: Vec<_> = changed.map(|(hash, keys)| format!("{hash:?} {}", keys.iterations)).collect();
            let fits = if now.verify_plain("pencil") { ", still pencil" } else { "" };
            format!("A: upgrade {account}, {}{fits}", changed.join(", "))
        }
        Action::StartTls => "A: start TLS".into(),
        Action::Restart => "A: restart".into(),
        Action::SetLimits(limits) => format!("A: limits {}", limits.stanza_bytes),
        Action::LookUp { account, costly } => {
            format!("A: look up {account}{}", if *costly { ", costly" } else { "" })
        }
        Action::LoggedIn { account, mechanism, anonymous } => {
            format!("A: logged in {account} by {mechanism}{}", if *anonymous { ", anonymous" } else { "" })
        }
        Action::LoginFailed { account, failure } => {
            let account = account.as_ref().map_or("nobody", BareJid::as_str);
            format!("A: login failed for {account}: {}", failure.condition)
        }
        Action::PreAuthIq { stanza, host } => format!("A: pre-auth at {}: {}", host.domain, stanza.to_xml_string()),
        Action::Bind { account, requested } => match requested {
            Some(jid) => format!("A: bind {jid}"),
            None => format!("A: bind {account} anywhere"),
        },
        Action::BindClient { requested, name, .. } => {
            format!("A: bind client {requested}, ending {}", if name.is_some() { "others" } else { "none" })
        }
        Action::CheckToken(claim) => describe_claim(claim),
        Action::IssueToken { account, mechanism, .. } => {
            format!("A: issue a token to {account} for {}", mechanism.name())
        }
        Action::Inline { jid, requests } => {
            let requests: String = requests.iter().map(|request| format!(" {}", request.as_str())).collect();
            format!("A: inline {jid}{requests}")
        }
        Action::Established { jid, .. } => format!("A: established {jid}"),
        Action::Stanza(stanza) => format!("A: stanza {}", stanza.to_xml_string()),
        Action::Manage(terms) => format!("A: manage {} for {:?}", terms.id, terms.resume),
        Action::Acknowledged(h) => format!("A: acknowledged {h}"),
        Action::Resume { account, request } => format!("A: resume {} of {account} from {}", request.previd, request.h),
        Action::Reestablished(jid) => format!("A: reestablished {jid}"),
        Action::ClientState { active } => format!("A: active {active}"),
        Action::Close(ending) => match ending {
            Ending::Closed => "A: close".into(),
            Ending::Lost => "A: close, lost".into(),
            Ending::Reported(condition) => format!("A: close, reported {condition}"),
            Ending::Failed(error) => format!("A: close, failed {}", error.condition),
            _ => panic!("unknown ending"),
        },
        _ => panic!("unknown action"),
    }
}

/// Whether a line fits, `*` standing for anything.
fn matches(expected: &str, said: &str) -> bool {
    let mut parts = expected.split('*');
    let mut rest = match said.strip_prefix(parts.next().unwrap_or("")) {
        Some(rest) => rest,
        None => return false,
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// Mechanisms with ANONYMOUS among them.
pub(crate) fn all_mechanisms() -> Arc<[Mechanism]> {
    Arc::new(Mechanism::ALL)
}
