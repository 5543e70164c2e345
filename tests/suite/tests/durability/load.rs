//! What clients do until the server is killed.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use xylem_suite::server::Target;
use xylem_suite::session::Session;
use xylem_suite::xml::Tree;

use crate::client;
use crate::model::{Account, Dice, Op};
use crate::queue::Message;
use crate::world::recipient;

/// Messages of one client to one recipient between two kills. Fewer than the page of 100, and than the 100
/// that an account may have waiting, for all writers together.
const MESSAGES: usize = 20;

/// What a client asked for and what it heard.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) ops: Vec<(u64, Op)>,
    /// So many at the beginning are kept, by what was answered.
    pub(crate) kept: usize,
    /// So many were sent before a ping that was answered.
    pub(crate) pinged: usize,
    /// The newest version in a roster push.
    pub(crate) version: u64,
}

/// A request without answer.
struct Waiting {
    number: u64,
    /// What changes nothing is answered at once, whether or not what came before it is kept by then.
    proves: bool,
}

/// Sends requests, several at a time, until the connection is over.
pub(crate) struct Writer {
    pub(crate) session: Session,
    pub(crate) account: Account,
    pub(crate) number: u64,
    pub(crate) dice: Dice,
    pub(crate) domain: String,
}

impl Writer {
    pub(crate) fn run(mut self, mut recipients: Vec<usize>) -> Result<Told> {
        let mut told = Told::default();
        let mut sent = HashMap::new();
        let mut waiting = VecDeque::new();
        loop {
            for _ in 0..=self.dice.below(6) {
                let op = Op::choose(&mut self.dice, &self.account, &recipients);
                if let Op::Say { to, .. } = op {
                    let count = sent.entry(to).or_insert(0);
                    *count += 1;
                    recipients.retain(|other| *other != to || *count < MESSAGES);
                }
                self.number += 1;
                let xml = op.xml(self.number, &self.domain, recipient);
                let before = self.account.clone();
                self.account.apply(self.number, &op, &self.domain);
                if op.is_answered() {
                    let proves = before != self.account;
                    waiting.push_back(Waiting { number: self.number, proves });
                }
                told.ops.push((self.number, op));
                if self.session.send(&xml).is_err() {
                    while self.hear(&mut told, &mut waiting)? {}
                    return Ok(told);
                }
            }
            let most = usize::try_from(self.dice.below(5)).unwrap_or(0);
            while waiting.len() > most {
                if !self.hear(&mut told, &mut waiting)? {
                    return Ok(told);
                }
            }
        }
    }

    /// Takes what comes next; false when nothing more will.
    fn hear(&mut self, told: &mut Told, waiting: &mut VecDeque<Waiting>) -> Result<bool> {
        // A connection that breaks off inside a record or a stanza is one that is over.
        let Ok(Some(stanza)) = client::next(&mut self.session) else { return Ok(false) };
        if stanza.name == "iq" && stanza.attribute("type") == Some("set") {
            told.version = told.version.max(pushed_version(&stanza).unwrap_or(0));
            return Ok(true);
        }
        if stanza.name == "presence" {
            return Ok(true);
        }
        ensure!(stanza.attribute("type") == Some("result"), "a request was refused: {stanza}");
        let number = stanza.attribute("id").and_then(|id| id.strip_prefix('o')).and_then(|id| id.parse::<u64>().ok());
        let answered = waiting.iter().position(|other| Some(other.number) == number);
        let Some(answered) = answered.and_then(|place| waiting.remove(place)) else {
            bail!("an answer to nothing: {stanza}")
        };
        let place = told.ops.iter().position(|(number, _)| *number == answered.number).unwrap_or_default();
        match told.ops.get(place) {
            Some((_, Op::Ping)) => told.pinged = told.pinged.max(place),
            _ if answered.proves => told.kept = told.kept.max(place + 1),
            _ => {}
        }
        Ok(true)
    }
}

/// Versions of a list count its changes, behind a word that is the list's own.
pub(crate) fn number_of(version: &str) -> Option<u64> {
    version.rsplit('.').next()?.parse().ok()
}

fn pushed_version(push: &Tree) -> Option<u64> {
    number_of(push.child("jabber:iq:roster", "query")?.attribute("ver")?)
}

/// Comes online after a while and takes what waited, until the connection is over.
pub(crate) fn collect(target: &Arc<Target>, name: &str, after: Duration) -> Result<Vec<Message>> {
    std::thread::sleep(after);
    let mut seen = Vec::new();
    let Ok(mut session) = client::login(target, name) else { return Ok(seen) };
    if session.send("<presence/>").is_err() {
        return Ok(seen);
    }
    while let Ok(Some(stanza)) = client::next(&mut session) {
        seen.extend(Message::read(&stanza)?);
    }
    Ok(seen)
}

/// New accounts.
#[derive(Default)]
pub(crate) struct Newcomers {
    pub(crate) registered: Vec<String>,
    /// The one that had no answer.
    pub(crate) unanswered: Option<String>,
}

/// Makes accounts until it cannot.
pub(crate) fn make_accounts(target: &Arc<Target>, prefix: &str) -> Newcomers {
    let mut made = Newcomers::default();
    loop {
        let name = format!("{prefix}-{}", made.registered.len());
        if client::register(target, &name).is_err() {
            made.unanswered = Some(name);
            return made;
        }
        made.registered.push(name);
    }
}
