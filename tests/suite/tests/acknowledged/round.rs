//! One life of the server, and what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use xylem_suite::server::{Server, Target};
use xylem_suite::session::Session;

use crate::client::{self, SM, connect, enable, next, read};

const SENDERS: [&str; 2] = ["ada", "ben"];
/// Nobody of that name is ever connected while the others talk.
const AWAY: &str = "away";
/// Connected, more or less.
const HERE: &str = "here";
pub(crate) const MARK: &str = "mark";
/// Messages of one sender to one recipient: fewer than an account may have waiting, for both senders together.
const MESSAGES: u64 = 45;

#[derive(Default)]
pub(crate) struct Tally {
    acknowledged: usize,
    more: usize,
    live: usize,
    resumed: usize,
    archived: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} messages to somebody away acknowledged and kept ({} more kept), {} received live over {} resumptions \
             ({} more in the archive alone)",
            self.acknowledged, self.more, self.live, self.resumed, self.archived
        )
    }
}

/// What one sender did: the numbers in order, and how many of them were acknowledged.
struct Sent {
    to_away: Vec<u64>,
    to_here: Vec<u64>,
    away_acknowledged: usize,
    here_acknowledged: usize,
}

/// By sender, what came in order.
pub(crate) type Came = BTreeMap<String, Vec<u64>>;

pub(crate) struct World {
    data: PathBuf,
    number: u64,
    /// The last that was found in the archive.
    last: Option<String>,
    pub(crate) tally: Tally,
}

impl World {
    pub(crate) fn create(data: &Path) -> Result<Self> {
        let world = Self { data: data.to_owned(), number: 0, last: None, tally: Tally::default() };
        let server = world.start()?;
        for name in SENDERS.into_iter().chain([AWAY, HERE, MARK]) {
            client::register(&server.target, name)?;
        }
        server.stop()?;
        Ok(world)
    }

    fn start(&self) -> Result<Server> {
        let data = self.data.to_str().context("a path that is no text")?;
        Server::start(&["--data", data, "--backend", "fjall"])
    }

    pub(crate) fn round(&mut self, round: u64) -> Result<()> {
        let server = self.start()?;
        let target = Arc::clone(&server.target);
        let receiver = {
            let (target, session) = (Arc::clone(&target), come_online(&target, HERE)?);
            thread::spawn(move || receive(&target, session))
        };
        let first = self.number;
        self.number += MESSAGES * 2;
        let senders: Vec<_> = SENDERS
            .into_iter()
            .map(|name| {
                let target = Arc::clone(&target);
                thread::spawn(move || send(&target, name, first))
            })
            .collect();
        // Often in the midst of things, seldom after all of them.
        thread::sleep(Duration::from_millis(30 + (round * 97) % 700));
        drop(server);
        let joined = |sent: thread::JoinHandle<Result<Sent>>| sent.join().map_err(|_| anyhow!("a client panicked"))?;
        let sent: Vec<Sent> = senders.into_iter().map(joined).collect::<Result<_>>()?;
        let (live, resumed) = receiver.join().map_err(|_| anyhow!("the receiver panicked"))??;
        self.tally.resumed += resumed;
        self.compare(&sent, live)
    }

    fn compare(&mut self, sent: &[Sent], live: Came) -> Result<()> {
        let server = self.start()?;
        let away = fetch(&server.target, AWAY).context("what waits for the one who was away")?;
        let rest = fetch(&server.target, HERE).context("what waits for the one who was there")?;
        let mut session = connect(&server.target, HERE)?;
        let (archived, last) = client::archive(&mut session, self.last.take()).context("the archive")?;
        self.last = last;
        for (name, sent) in SENDERS.into_iter().zip(sent) {
            let none = Vec::new();
            let came = away.get(name).unwrap_or(&none);
            ensure!(
                sent.to_away.starts_with(came) && came.len() >= sent.away_acknowledged,
                "{name} sent {:?}, of which {} were acknowledged; {came:?} came",
                sent.to_away,
                sent.away_acknowledged
            );
            self.tally.acknowledged += sent.away_acknowledged;
            self.tally.more += came.len() - sent.away_acknowledged;
            let live = live.get(name).unwrap_or(&none);
            let later = rest.get(name).unwrap_or(&none);
            ensure!(sent.to_here.starts_with(live), "{name} sent {:?}; {live:?} came, before the crash", sent.to_here);
            let again = later.iter().find(|number| live.contains(number));
            ensure!(again.is_none(), "{again:?} of {name} came before the crash and comes again");
            ensure!(later.is_sorted() && later.iter().all(|number| sent.to_here.contains(number)), "{later:?}");
            self.tally.live += live.len();
            let kept: Vec<u64> = archived.iter().filter(|(from, _)| from == name).map(|(_, number)| *number).collect();
            ensure!(
                sent.to_here.starts_with(&kept) && kept.len() >= sent.here_acknowledged,
                "{name} sent {:?}, of which {} were acknowledged; {live:?} came; {kept:?} are in the archive",
                sent.to_here,
                sent.here_acknowledged
            );
            self.tally.archived += kept.len().saturating_sub(live.len());
        }
        server.stop()
    }
}

fn come_online(target: &Arc<Target>, name: &str) -> Result<(Session, String)> {
    let mut session = connect(target, name)?;
    let id = enable(&mut session)?;
    session.send("<presence/>")?;
    Ok((session, id))
}

/// Sends until the connection is over, and asks what was handled.
fn send(target: &Arc<Target>, name: &str, first: u64) -> Result<Sent> {
    let mut sent = Sent { to_away: Vec::new(), to_here: Vec::new(), away_acknowledged: 0, here_acknowledged: 0 };
    // The server may be gone before this one begins.
    let Ok((mut session, _)) = connect(target, name).and_then(|mut session| {
        let id = enable(&mut session)?;
        Ok((session, id))
    }) else {
        return Ok(sent);
    };
    for number in first..first + MESSAGES * 2 {
        let to = if number.is_multiple_of(2) { AWAY } else { HERE };
        let list = if number.is_multiple_of(2) { &mut sent.to_away } else { &mut sent.to_here };
        list.push(number);
        let mut text = format!("<message type='chat' to='{to}@{}'><body>{number}</body></message>", target.domain);
        if number.is_multiple_of(3) {
            text.push_str(&format!("<r xmlns='{SM}'/>"));
        }
        if session.send(&text).is_err() {
            break;
        }
        // Now and then all answers are waited for, so that both come: many under way, and few.
        if number % 12 == 9 && !hear(&mut session, &mut sent)? {
            return Ok(sent);
        }
    }
    while hear(&mut session, &mut sent)? {}
    Ok(sent)
}

/// Takes one acknowledgement; false when the connection is over.
fn hear(session: &mut Session, sent: &mut Sent) -> Result<bool> {
    loop {
        let Some(tree) = next(session)? else { return Ok(false) };
        if tree.ns == SM && tree.name == "a" {
            let handled: usize = tree.attribute("h").context("no number")?.parse()?;
            let (away, here) = (handled.div_ceil(2), handled / 2);
            ensure!(away <= sent.to_away.len() && here <= sent.to_here.len(), "{handled} handled, more than was sent");
            (sent.away_acknowledged, sent.here_acknowledged) = (away, here);
            return Ok(true);
        }
        ensure!(!client::is_stanza(&tree), "a sender hears only numbers: {tree}");
    }
}

/// Receives until the server is gone; cuts its own connection at times and resumes.
fn receive(target: &Arc<Target>, (mut session, id): (Session, String)) -> Result<(Came, usize)> {
    let (mut came, mut handled, mut resumed) = (Came::new(), 0_u32, 0);
    loop {
        while let Some(tree) = next(&mut session)? {
            if tree.ns == SM && tree.name == "r" && session.send(&acknowledge(handled)).is_err() {
                break;
            }
            if client::is_stanza(&tree) {
                handled += 1;
                if let Some((from, number)) = read(&tree) {
                    came.entry(from).or_default().push(number);
                }
                if handled.is_multiple_of(17) {
                    break;
                }
            }
        }
        if session.ended {
            return Ok((came, resumed));
        }
        session.cut();
        let Ok(again) = client::log_in(target, HERE) else { return Ok((came, resumed)) };
        session = again;
        if session.send(&format!("<resume xmlns='{SM}' previd='{id}' h='{handled}'/>")).is_err() {
            return Ok((came, resumed));
        }
        match next(&mut session)? {
            Some(tree) => ensure!(tree.name == "resumed", "{tree}"),
            None => return Ok((came, resumed)),
        }
        resumed += 1;
    }
}

pub(crate) fn acknowledge(handled: u32) -> String {
    format!("<a xmlns='{SM}' h='{handled}'/>")
}

/// Everything that waits, and acknowledges it. The mark comes last.
pub(crate) fn fetch(target: &Arc<Target>, name: &str) -> Result<Came> {
    let mut marker = connect(target, MARK)?;
    marker.send(&format!("<message type='chat' to='{name}@{}'><body>0</body></message>", target.domain))?;
    marker
        .query("p", "<iq type='set' id='p'><query xmlns='jabber:iq:private'><n xmlns='urn:example:n'/></query></iq>")?;
    let (mut session, _) = come_online(target, name)?;
    let (mut came, mut handled) = (Came::new(), 0_u32);
    loop {
        let tree = next(&mut session)?.context("the connection is over before the mark came")?;
        handled += u32::from(client::is_stanza(&tree));
        match read(&tree) {
            Some((from, _)) if from == MARK => break,
            Some((from, number)) => came.entry(from).or_default().push(number),
            None => {}
        }
    }
    session.send(&format!("{}</stream:stream>", acknowledge(handled)))?;
    while next(&mut session)?.is_some() {}
    Ok(came)
}
