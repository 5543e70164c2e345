//! Plays one story: makes its accounts, takes its steps, reports where it went otherwise.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use crate::certificates::Authority;
use crate::matching::{self, Scope};
use crate::names::Names;
use crate::server::Target;
use crate::session::{Login, LoginError, Session, Via};
use crate::story::{Act, Client, Step, Story};
use crate::xml::{Event, Tree, parse_expected};

static STORIES: AtomicU64 = AtomicU64::new(0);

/// Writes in a row that a stanza may cause before all is said.
const ROUNDS: usize = 3;

/// Plays a story from its first step to its last, and checks that nothing is left over.
///
/// # Errors
/// With the line that failed, what was expected, and everything each client sent and received.
pub fn play(story: &Story, target: &Arc<Target>) -> Result<()> {
    let mut stage = Stage::prepare(story, target).context("before the first step")?;
    for step in &story.steps {
        if let Err(e) = stage.take(step) {
            bail!("line {}: {} {:?}\n{e:#}\n\n{}", step.line, step.who, brief(&step.act), stage.report());
        }
    }
    if let Err(e) = stage.end() {
        bail!("after the last step\n{e:#}\n\n{}", stage.report());
    }
    Ok(())
}

fn brief(act: &Act) -> String {
    format!("{act:?}").split('(').next().unwrap_or_default().to_owned()
}

struct Stage<'a> {
    story: &'a Story,
    target: Arc<Target>,
    /// As clients see it that show a certificate or have more patience than others.
    own: HashMap<String, Arc<Target>>,
    names: Names,
    sessions: HashMap<String, Session>,
    markers: u64,
}

impl<'a> Stage<'a> {
    fn prepare(story: &'a Story, target: &Arc<Target>) -> Result<Self> {
        let mut stage = Self {
            story,
            target: Arc::clone(target),
            own: HashMap::new(),
            names: Names::default(),
            sessions: HashMap::new(),
            markers: 0,
        };
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() % 100_000_000;
        let tag = format!("{since:x}-{:x}", STORIES.fetch_add(1, Ordering::Relaxed));
        for client in &story.clients {
            stage.name(client, &tag);
        }
        stage.names.addresses.sort_by_key(|(written, _)| std::cmp::Reverse(written.len()));
        for client in &story.clients {
            stage.equip(client).with_context(|| format!("equipping {}", client.name))?;
        }
        let mut made = HashSet::new();
        for client in story.clients.iter().filter(|c| c.register) {
            let login = stage.login(client);
            let Some(local) = login.local else { continue };
            if made.insert(local.clone()) {
                Session::open(target, Via::StartTls, &login.domain)?.register(
                    &login.domain,
                    &local,
                    &login.password,
                )?;
            }
        }
        for client in &story.clients {
            let account = stage.names.known.get(&format!("{}.bare", client.name));
            if let (Some(role), Some(account)) = (&client.role, account) {
                target.administer(&["user", "role", account, role]).context("giving it its role")?;
            }
        }
        for (a, b) in &story.friends {
            stage.befriend(a, b).with_context(|| format!("making friends of {a} and {b}"))?;
        }
        Ok(stage)
    }

    fn name(&mut self, client: &Client, tag: &str) {
        let domain = self.domain(&client.domain);
        let known = &mut self.names.known;
        if let Some(written) = &client.local {
            let local = format!("{written}.{tag}");
            let bare = format!("{local}@{domain}");
            if let Some(resource) = &client.resource {
                known.insert(client.name.clone(), format!("{bare}/{resource}"));
                known.insert(format!("{}.resource", client.name), resource.clone());
            }
            known.insert(format!("{}.local", client.name), local);
            known.insert(format!("{}.bare", client.name), bare.clone());
            self.names.addresses.push((format!("{written}@{}", client.domain), bare));
        }
        known.insert(format!("{}.password", client.name), password(client));
        for written in ["anon.localhost", "localhost"] {
            let real = self.domain(written);
            if real != written {
                self.names.addresses.push((written.to_owned(), real.clone()));
                self.names.addresses.push((format!("@{written}"), format!("@{real}")));
            }
        }
    }

    fn equip(&mut self, client: &Client) -> Result<()> {
        let mut target = Target::clone(&self.target);
        if let Some(addresses) = &client.certificate {
            let addresses: Vec<String> = addresses.iter().map(|a| self.names.expected(a)).collect::<Result<_>>()?;
            let authority = if client.trusted { Authority::known()? } else { Authority::unknown()? };
            target = target.showing(authority.issue(&addresses)?)?;
        } else if client.patience.is_none() {
            return Ok(());
        }
        target.timeout = client.patience.unwrap_or(target.timeout);
        self.own.insert(client.name.clone(), Arc::new(target));
        Ok(())
    }

    fn domain(&self, written: &str) -> String {
        match written {
            "anon.localhost" => self.target.anonymous.clone(),
            "localhost" => self.target.domain.clone(),
            other => other.to_owned(),
        }
    }

    fn login(&self, client: &Client) -> Login {
        Login {
            domain: self.domain(&client.domain),
            local: self.names.known.get(&format!("{}.local", client.name)).cloned(),
            password: password(client),
            resource: client.resource.clone(),
            mechanism: client.mechanism.clone(),
            sasl2: client.sasl2,
            via: client.via,
        }
    }

    /// Subscribes two accounts to each other; both may stand in any state towards others.
    fn befriend(&mut self, a: &str, b: &str) -> Result<()> {
        let mut pair = Vec::new();
        for name in [a, b] {
            let client = self.story.client(name).context("no such client")?;
            let mut login = self.login(client);
            login.resource = Some("before-the-story".to_owned());
            login.mechanism = None;
            login.sasl2 = false;
            let mut session = Session::open(&self.target, login.via, &login.domain)?;
            session.login(&login).map_err(refused)?;
            let bare = format!("{}@{}", login.local.unwrap_or_default(), login.domain);
            pair.push((session, bare));
        }
        let [(first, first_bare), (second, second_bare)] = pair.as_mut_slice() else {
            bail!("a pair is two");
        };
        first.send(&format!("<presence type='subscribe' to='{second_bare}'/>"))?;
        self.barrier(first)?;
        second.send(&format!("<presence type='subscribed' to='{first_bare}'/>"))?;
        second.send(&format!("<presence type='subscribe' to='{first_bare}'/>"))?;
        self.barrier(second)?;
        first.send(&format!("<presence type='subscribed' to='{second_bare}'/>"))?;
        self.barrier(first)?;
        for (session, other) in [(first, second_bare), (second, first_bare)] {
            self.barrier(session)?;
            let roster = session.query("look", "<iq type='get' id='look'><query xmlns='jabber:iq:roster'/></iq>")?;
            let both = roster
                .child("jabber:iq:roster", "query")
                .into_iter()
                .flat_map(Tree::children)
                .any(|i| i.attribute("jid") == Some(other) && i.attribute("subscription") == Some("both"));
            ensure!(both, "they are not subscribed to each other: {roster}");
            session.send("</stream:stream>")?;
        }
        Ok(())
    }

    fn take(&mut self, step: &Step) -> Result<()> {
        let who = step.who.as_str();
        match &step.act {
            Act::Opens => self.open(who).map(drop),
            Act::LogsIn => self.log_in(who),
            Act::Connects => self.connect(who),
            Act::ComesOnline => self.come_online(who),
            Act::CannotConnect(condition) => self.cannot_connect(who, condition),
            Act::StartsTls => {
                let domain = self.domain(&self.client(who)?.domain);
                self.session(who)?.start_tls(&domain)
            }
            Act::Sends(text) => {
                self.note_bindings(who);
                let bytes = self.names.sent(text)?;
                self.session(who)?.send_bytes(&bytes)
            }
            Act::SendsByteByByte(text) => {
                let bytes = self.names.sent(text)?;
                self.session(who)?.send_byte_by_byte(&bytes)
            }
            Act::Receives(text) => self.receives(who, text),
            Act::ReceivesInAnyOrder(text) => self.receives_in_any_order(who, text),
            Act::ReceivesOneOf(text) => self.receives_one_of(who, text),
            Act::ReceivesNothing => self.receives_nothing(who),
            Act::ReceivesBytes(text) => self.receives_bytes(who, text),
            Act::ReceivesASpace => {
                let got = self.session(who)?.receive_bytes(|got| !got.is_empty())?;
                ensure!(got == b" ", "a space was due, this came: {:?}", String::from_utf8_lossy(&got));
                Ok(())
            }
            Act::CatchesUp => self.settle(who).map(|session| session.inbox.clear()),
            Act::Disconnects => self.disconnect(who),
            Act::Drops => {
                self.session(who)?.cut();
                self.sessions.remove(who);
                Ok(())
            }
            Act::IsDisconnected => self.is_disconnected(who),
            Act::IsAdministered(words) => {
                let words = self.names.expected(words)?;
                self.target.administer(&words.split_whitespace().collect::<Vec<_>>()).map(drop)
            }
            Act::IsRemoved => {
                let account = self.names.known.get(&format!("{who}.bare")).context("no account")?;
                self.target.administer(&["user", "delete", "--yes", account]).map(drop)
            }
        }
    }

    /// So that proofs can be bound to the connection.
    fn note_bindings(&mut self, who: &str) {
        if let Some((exporter, end_point)) = self.sessions.get(who).and_then(Session::bindings) {
            self.names.known.insert(format!("{who}.exporter"), exporter);
            self.names.known.insert(format!("{who}.end-point"), end_point);
        }
    }

    fn client(&self, who: &str) -> Result<&'a Client> {
        self.story.client(who).with_context(|| format!("nobody is called {who}"))
    }

    fn session(&mut self, who: &str) -> Result<&mut Session> {
        self.sessions.get_mut(who).with_context(|| format!("{who} is not connected"))
    }

    fn open(&mut self, who: &str) -> Result<&mut Session> {
        let client = self.client(who)?;
        let target = self.own.get(who).unwrap_or(&self.target);
        let session = Session::open(target, client.via, &self.domain(&client.domain))?;
        self.sessions.remove(who);
        Ok(self.sessions.entry(who.to_owned()).or_insert(session))
    }

    /// As far as a client gets that has yet to bind or resume.
    fn log_in(&mut self, who: &str) -> Result<()> {
        let login = self.login(self.client(who)?);
        let former = self.names.known.get(who).cloned();
        let session = self.open(who)?;
        session.former = former;
        session.log_in(&login).map_err(refused)?;
        Ok(())
    }

    fn connect(&mut self, who: &str) -> Result<()> {
        let client = self.client(who)?;
        let login = self.login(client);
        let session = self.open(who)?;
        session.login(&login).map_err(refused)?;
        let full = session.full.clone().unwrap_or_default();
        let known = &mut self.names.known;
        if let Some(wished) = known.get(who).filter(|_| client.resource.is_some()) {
            ensure!(*wished == full, "{who} wished to be {wished} and was bound as {full}");
        }
        let (bare, resource) = full.split_once('/').context("a bound address has a resource")?;
        known.insert(format!("{who}.bare"), bare.to_owned());
        known.insert(format!("{who}.resource"), resource.to_owned());
        known.insert(who.to_owned(), full);
        Ok(())
    }

    fn come_online(&mut self, who: &str) -> Result<()> {
        self.connect(who)?;
        let session = self.session(who)?;
        let full = session.full.clone();
        session.send("<presence/>")?;
        let mut others = Vec::new();
        loop {
            match session.receive()? {
                Some(Event::Element(t)) if t.name == "presence" && t.attribute("from") == full.as_deref() => {
                    ensure!(t.attribute("type").is_none(), "presence came back changed: {t}");
                    session.inbox.extend(others);
                    return Ok(());
                }
                Some(other) => others.push(other),
                None => bail!("initial presence did not come back"),
            }
        }
    }

    fn cannot_connect(&mut self, who: &str, condition: &str) -> Result<()> {
        let login = self.login(self.client(who)?);
        match self.open(who)?.login(&login) {
            Err(LoginError::Refused(got)) if got == condition => {}
            Err(LoginError::Refused(got)) => bail!("{condition} expected, {got} received"),
            Err(LoginError::Broken(e)) => return Err(e),
            Ok(()) => bail!("the login succeeded"),
        }
        self.sessions.remove(who);
        Ok(())
    }

    fn expected(&self, text: &str) -> Result<Vec<Event>> {
        parse_expected(&self.names.expected(text)?)
    }

    fn scope(&self, who: &str) -> Scope {
        let full = self.sessions.get(who).and_then(|s| s.full.clone());
        Scope { full, caught: self.names.caught.clone() }
    }

    fn next(&mut self, who: &str) -> Result<Event> {
        let session = self.session(who)?;
        match session.receive()? {
            Some(event) => Ok(event),
            None if session.ended => bail!("the server closed the connection"),
            None => bail!("nothing came"),
        }
    }

    fn receives(&mut self, who: &str, text: &str) -> Result<()> {
        for expected in self.expected(text)? {
            let got = self.next(who).with_context(|| format!("waiting for\n{expected}"))?;
            let mut scope = self.scope(who);
            matching::matches(&expected, &got, &mut scope)
                .map_err(|why| anyhow!("{why}\n\nexpected:\n{expected}\n\nreceived:\n{got}"))?;
            self.names.caught = scope.caught;
        }
        Ok(())
    }

    fn receives_in_any_order(&mut self, who: &str, text: &str) -> Result<()> {
        let mut expected = self.expected(text)?;
        while !expected.is_empty() {
            let left: Vec<String> = expected.iter().map(ToString::to_string).collect();
            let got = self.next(who).with_context(|| format!("waiting for\n{}", left.join("\n")))?;
            let mut scope = self.scope(who);
            let mut reasons = Vec::new();
            let found = expected.iter().position(|e| match matching::matches(e, &got, &mut scope) {
                Ok(()) => true,
                Err(why) => {
                    reasons.push(why);
                    false
                }
            });
            let at = found.with_context(|| {
                format!("received:\n{got}\n\nwhich is none of\n{}\n\n{}", left.join("\n"), reasons.join("\n"))
            })?;
            expected.remove(at);
            self.names.caught = scope.caught;
        }
        Ok(())
    }

    fn receives_one_of(&mut self, who: &str, text: &str) -> Result<()> {
        let expected = self.expected(text)?;
        let got = self.next(who)?;
        let mut scope = self.scope(who);
        if expected.iter().any(|e| matching::matches(e, &got, &mut scope).is_ok()) {
            self.names.caught = scope.caught;
            return Ok(());
        }
        bail!("received what is none of the alternatives:\n{got}")
    }

    fn receives_bytes(&mut self, who: &str, text: &str) -> Result<()> {
        let pattern = self.names.expected(text)?;
        let scope = self.scope(who);
        let fits = |got: &[u8]| matching::text(&pattern, String::from_utf8_lossy(got).trim(), &mut scope.clone());
        let got = self.session(who)?.receive_bytes(fits)?;
        ensure!(fits(&got), "bytes expected:\n{pattern}\nreceived:\n{}", String::from_utf8_lossy(&got));
        Ok(())
    }

    /// A round trip to the server that also writes: what was sent before it is done with.
    fn barrier(&mut self, session: &mut Session) -> Result<()> {
        self.markers += 1;
        let id = format!("barrier-{}", self.markers);
        let xml = format!(
            "<iq type='set' id='{id}'><query xmlns='jabber:iq:private'><barrier xmlns='xylem:suite'/></query></iq>"
        );
        session.query(&id, &xml).map(drop)
    }

    /// Lets everybody's stanzas arrive, this client's last, and what follows from them: a stanza may pass
    /// several plugins, each of which writes before anything goes on, and a round trip is a write as well.
    fn settle(&mut self, who: &str) -> Result<&mut Session> {
        for _ in 0..ROUNDS {
            self.round(who)?;
        }
        self.session(who)
    }

    fn round(&mut self, who: &str) -> Result<()> {
        let mut names: Vec<String> = self.sessions.keys().filter(|n| *n != who).cloned().collect();
        names.push(who.to_owned());
        for name in names {
            let Some(mut session) = self.sessions.remove(&name) else { bail!("{name} is not connected") };
            let bound = session.full.is_some() && !session.ended;
            let done = if bound { self.barrier(&mut session) } else { Ok(()) };
            self.sessions.insert(name.clone(), session);
            if name == who {
                done.with_context(|| format!("{who}'s own round trip"))?;
            }
        }
        Ok(())
    }

    fn receives_nothing(&mut self, who: &str) -> Result<()> {
        let session = self.settle(who)?;
        ensure!(session.full.is_some(), "only a client that is logged in can prove that it receives nothing");
        match session.inbox.front() {
            None => Ok(()),
            Some(event) => bail!("nothing was to be received, this was:\n{event}"),
        }
    }

    fn disconnect(&mut self, who: &str) -> Result<()> {
        let session = self.session(who)?;
        session.send("</stream:stream>")?;
        match session.receive()? {
            Some(Event::Close) => {}
            Some(event) => bail!("the end of the stream was due, this came:\n{event}"),
            None if session.ended => bail!("the server closed the connection, but not the stream"),
            None => bail!("the server does not close the stream"),
        }
        self.sessions.remove(who);
        Ok(())
    }

    fn is_disconnected(&mut self, who: &str) -> Result<()> {
        let session = self.session(who)?;
        match session.receive()? {
            Some(event) => bail!("the end of the connection was due, this came:\n{event}"),
            None if session.ended => {}
            None => bail!("the server does not close the connection"),
        }
        self.sessions.remove(who);
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        let names: Vec<String> = self.sessions.keys().cloned().collect();
        for name in names {
            let session = self.settle(&name)?;
            if let Some(event) = session.inbox.front() {
                bail!("{name} received what no step expects:\n{event}");
            }
        }
        for session in self.sessions.values_mut() {
            drop(session.send("</stream:stream>"));
        }
        Ok(())
    }

    fn report(&self) -> String {
        let mut out = String::new();
        for (name, session) in &self.sessions {
            let _ = writeln!(out, "--- {name}, {} ---", session.full.as_deref().unwrap_or("not bound"));
            for line in session.log.iter().rev().take(40).rev() {
                let _ = writeln!(out, "{line}");
            }
        }
        out
    }
}

fn refused(e: LoginError) -> anyhow::Error {
    match e {
        LoginError::Refused(condition) => anyhow!("login refused: {condition}"),
        LoginError::Broken(e) => e,
    }
}

fn password(client: &Client) -> String {
    client.password.clone().unwrap_or_else(|| "secret".to_owned())
}
