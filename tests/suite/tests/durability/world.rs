//! Everybody in the test, through all crashes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use xylem_suite::server::{self, Server, Target};
use xylem_suite::session::Session;
use xylem_suite::xml::Event;

use crate::check::{Kept, Pending, fetch, how_many};
use crate::client::{self, ask, login, register};
use crate::load::{Newcomers, Told, Writer, collect, make_accounts};
use crate::model::{Account, Dice, HUB, Op, text};
use crate::queue::{Expected, Message, Queue};

const WRITERS: [&str; 3] = ["ada", "ben", "cleo"];
/// Half of them are away while messages for them are sent, the other half takes what came in the round before.
const RECIPIENTS: usize = 4;
/// Sends the last message of a queue.
const MARK: &str = "mark";

pub(crate) fn recipient(place: usize) -> String {
    format!("recipient{place}")
}

/// Counts for the report.
#[derive(Default)]
pub(crate) struct Tally {
    requests: usize,
    /// Kept although they had no answer.
    unanswered: usize,
    starts: u64,
    messages: u64,
    repeated: u64,
    lost_after_ping: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} more during the start, {} requests kept ({} of them unanswered), {} messages to people away \
             ({} repeated, {} gone after a later ping)",
            self.starts, self.requests, self.unanswered, self.messages, self.repeated, self.lost_after_ping
        )
    }
}

/// What the test knows about one of the writers.
#[derive(Default)]
struct Known {
    account: Account,
    number: u64,
    pending: Pending,
    told: Told,
}

pub(crate) struct World {
    backend: String,
    data: PathBuf,
    dice: Dice,
    rounds: u64,
    writers: BTreeMap<&'static str, Known>,
    queues: Vec<Queue>,
    newcomers: Newcomers,
    marks: u64,
    pub(crate) tally: Tally,
}

impl World {
    /// Makes the accounts.
    pub(crate) fn create(backend: &str, data: &Path, seed: u64) -> Result<Self> {
        let world = Self {
            backend: backend.to_owned(),
            data: data.to_owned(),
            dice: Dice::new(seed),
            rounds: 0,
            writers: WRITERS.iter().map(|name| (*name, Known::default())).collect(),
            queues: (0..RECIPIENTS).map(|_| Queue::default()).collect(),
            newcomers: Newcomers::default(),
            marks: 0,
            tally: Tally::default(),
        };
        let server = world.start()?;
        for name in WRITERS.iter().copied().chain([HUB, MARK]) {
            register(&server.target, name)?;
        }
        for place in 0..RECIPIENTS {
            register(&server.target, &recipient(place))?;
        }
        Ok(world)
    }

    fn start(&self) -> Result<Server> {
        let data = self.data.to_str().context("a path that is no text")?;
        Server::start(&["--data", data, "--backend", &self.backend])
    }

    /// Starts, compares, works and kills.
    pub(crate) fn round(&mut self) -> Result<()> {
        if self.dice.below(4) == 0 {
            self.kill_start()?;
        }
        self.rounds += 1;
        let server = self.start()?;
        let all = self.dice.below(2) == 0;
        let sessions = self.compare(&server.target, all)?;
        self.work(server, sessions)
    }

    /// Compares all there is, for the last time.
    pub(crate) fn check(&mut self) -> Result<()> {
        let server = self.start()?;
        drop(self.compare(&server.target, true)?);
        server.stop()
    }

    fn kill_start(&mut self) -> Result<()> {
        let mut command = Command::new(server::program()?);
        command.args(["dev", "--backend", &self.backend, "--data"]).arg(&self.data);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        std::thread::sleep(Duration::from_millis(self.dice.below(1500)));
        child.kill()?;
        child.wait()?;
        self.tally.starts += 1;
        Ok(())
    }

    /// Whether messages are sent to this recipient in this round, or taken.
    fn is_away(&self, place: usize) -> bool {
        (place as u64 + self.rounds).is_multiple_of(2)
    }

    fn work(&mut self, server: Server, sessions: Vec<(&'static str, Session)>) -> Result<()> {
        let (away, back): (Vec<usize>, Vec<usize>) = (0..RECIPIENTS).partition(|place| self.is_away(*place));
        let time = 100 + self.dice.below(900);
        let target = Arc::clone(&server.target);
        let prefix = format!("newcomer{}", self.rounds);
        std::thread::scope(|scope| {
            let mut writers = Vec::new();
            for (name, session) in sessions {
                let known = self.writers.get(name).context(name)?;
                let dice = Dice::new(self.dice.below(u64::MAX));
                let domain = target.domain.clone();
                let writer = Writer { session, account: known.account.clone(), number: known.number, dice, domain };
                let away = away.clone();
                writers.push((name, scope.spawn(move || writer.run(away))));
            }
            let mut collectors = Vec::new();
            for place in back {
                let after = Duration::from_millis(self.dice.below(time));
                let target = &target;
                collectors.push((place, scope.spawn(move || collect(target, &recipient(place), after))));
            }
            let makers = scope.spawn(|| make_accounts(&target, &prefix));
            std::thread::sleep(Duration::from_millis(time));
            // SIGKILL to the process started above, and to no other.
            drop(server);
            for (name, writer) in writers {
                let told = writer.join().map_err(|_| anyhow!("panicked"))?.context(name)?;
                let known = self.writers.get_mut(name).context(name)?;
                known.number += told.ops.len() as u64;
                known.told = told;
            }
            for (place, collector) in collectors {
                let seen = collector.join().map_err(|_| anyhow!("panicked"))??;
                self.queues.get_mut(place).context("no such recipient")?.seen = seen;
            }
            self.newcomers = makers.join().map_err(|_| anyhow!("panicked"))?;
            Ok(())
        })
    }

    /// Compares what is there with what was promised; `all` takes also the messages that the next round is to take.
    fn compare(&mut self, target: &Arc<Target>, all: bool) -> Result<Vec<(&'static str, Session)>> {
        self.compare_newcomers(target)?;
        let mut sessions = Vec::new();
        for name in WRITERS {
            let mut session = login(target, name)?;
            let found = fetch(&mut session).with_context(|| format!("what {name} keeps"))?;
            self.settle(name, found, &target.domain).with_context(|| format!("what {name} keeps"))?;
            sessions.push((name, session));
        }
        self.compare_requests(target).context("requests for a subscription")?;
        // Those who were away before the crash stay so for another round, unless all are asked for.
        let taken = (0..RECIPIENTS).filter(|place| all || self.is_away(*place)).collect::<Vec<_>>();
        self.compare_messages(target, &taken)?;
        Ok(sessions)
    }

    fn compare_newcomers(&mut self, target: &Arc<Target>) -> Result<()> {
        let made = std::mem::take(&mut self.newcomers);
        if let Some(name) = made.registered.last() {
            drop(login(target, name)?);
        }
        if let Some(name) = made.unanswered {
            match client::try_login(target, &name)? {
                Ok(session) => drop(session),
                Err(_) => register(target, &name).context("an account that cannot log in cannot be made either")?,
            }
        }
        Ok(())
    }

    fn settle(&mut self, name: &str, found: Account, domain: &str) -> Result<()> {
        let known = self.writers.get_mut(name).context("nobody")?;
        let told = std::mem::take(&mut known.told);
        let kept = how_many(&known.account, &told, &found, domain)?;
        self.tally.requests += kept.least;
        self.tally.unanswered += kept.least - told.kept;
        known.pending = known.pending.after(&told, kept);
        known.account = found;
        for (place, (number, op)) in told.ops.iter().enumerate().take(kept.most) {
            if let Op::Say { to, .. } = op {
                let queue = self.queues.get_mut(*to).context("no such recipient")?;
                let expected = expected(*number, place, &told, kept);
                queue.expected.entry(name.to_owned()).or_default().push(expected);
            }
        }
        Ok(())
    }

    /// The hub is reminded of all who wait for its answer, by the index.
    fn compare_requests(&mut self, target: &Arc<Target>) -> Result<()> {
        let mut hub = login(target, HUB)?;
        hub.send("<presence/>")?;
        ask(&mut hub, "roster", "get", "<query xmlns='jabber:iq:roster'/>")?;
        let mut waiting = BTreeSet::new();
        for event in &hub.inbox {
            let Event::Element(stanza) = event else { continue };
            if stanza.attribute("type") == Some("subscribe") {
                waiting.insert(client::local(stanza)?.to_owned());
            }
        }
        for (name, known) in &mut self.writers {
            let waits = waiting.remove(*name);
            let Pending { waits: due, unsure } = known.pending;
            ensure!(unsure || waits == due, "the request of {name} waits: {waits}; should: {due}");
            known.pending = Pending { waits, unsure: false };
        }
        ensure!(waiting.is_empty(), "nobody asked: {waiting:?}");
        client::close(hub)
    }

    fn compare_messages(&mut self, target: &Arc<Target>, places: &[usize]) -> Result<()> {
        let mut sender = login(target, MARK)?;
        for place in places {
            self.marks += 1;
            let (number, name) = (self.marks, recipient(*place));
            let mark = Op::Say { to: *place, size: 0 };
            sender.send(&mark.xml(number, &target.domain, recipient))?;
            // Its answer means that the mark is kept as well.
            let note =
                format!("<query xmlns='jabber:iq:private'><n xmlns='urn:example:n'>{}</n></query>", text(number, 0));
            ask(&mut sender, "note", "set", &note)?;
            let mark = Message { from: MARK.to_owned(), number };
            let there = take_all(target, &name, &mark).with_context(|| format!("taking what waits for {name}"))?;
            let queue = self.queues.get_mut(*place).context("no such recipient")?;
            let found = queue.judge(there, &mark).with_context(|| format!("what waits for {name}"))?;
            self.tally.messages += found.messages;
            self.tally.repeated += found.repeated;
            self.tally.lost_after_ping += found.lost_after_ping;
        }
        Ok(())
    }
}

fn expected(number: u64, place: usize, told: &Told, kept: Kept) -> Expected {
    Expected { number, certain: place < kept.least, pinged: place < told.pinged }
}

fn take_all(target: &Arc<Target>, name: &str, mark: &Message) -> Result<Vec<Message>> {
    let mut session = login(target, name)?;
    session.send("<presence/>")?;
    let mut there = Vec::new();
    while there.last() != Some(mark) {
        match session.receive()? {
            Some(Event::Element(stanza)) => there.extend(Message::read(&stanza)?),
            other => anyhow::bail!("the mark does not come, but {other:?}, after {there:?}"),
        }
    }
    client::close(session)?;
    Ok(there)
}
