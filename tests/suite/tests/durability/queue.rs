//! What waits for somebody who is away, as far as the test can know it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};
use xylem_suite::xml::{CLIENT, Tree};

use crate::client;
use crate::model::read_text;

/// Who said it, and its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Message {
    pub(crate) from: String,
    pub(crate) number: u64,
}

impl Message {
    /// A message that arrived; nothing for other stanzas.
    pub(crate) fn read(stanza: &Tree) -> Result<Option<Self>> {
        if stanza.name != "message" {
            return Ok(None);
        }
        let body = stanza.child(CLIENT, "body").map(Tree::text).unwrap_or_default();
        let (number, _) = read_text(&body).with_context(|| format!("a damaged message: {stanza}"))?;
        let id = stanza.attribute("id");
        ensure!(id == Some(&format!("o{number}")), "body {number} in the message {id:?}");
        let delays = stanza.children().filter(|child| child.ns == "urn:xmpp:delay").count();
        ensure!(delays == 1, "{delays} delays in a message that waited");
        Ok(Some(Self { from: client::local(stanza)?.to_owned(), number }))
    }
}

/// A message that was sent and may wait.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) number: u64,
    /// Something that was sent later was kept or answered.
    pub(crate) certain: bool,
    /// A ping that was sent later was answered.
    pub(crate) pinged: bool,
}

/// One recipient's messages.
#[derive(Default)]
pub(crate) struct Queue {
    /// By sender, in order; those that are certain come first.
    pub(crate) expected: BTreeMap<String, Vec<Expected>>,
    /// What was handed over before the crash by a session that ended with it.
    pub(crate) seen: Vec<Message>,
    /// What was handed over when all was well: it may come again, as a whole.
    before: Vec<Message>,
}

/// What a comparison counts.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) messages: u64,
    pub(crate) repeated: u64,
    pub(crate) lost_after_ping: u64,
}

impl Queue {
    /// Compares what was there in the end, whose last is a mark that came after everything else. Then all
    /// begins anew.
    pub(crate) fn judge(&mut self, mut there: Vec<Message>, mark: &Message) -> Result<Found> {
        let whole = there.clone();
        ensure!(there.pop().as_ref() == Some(mark), "the mark is not the last");
        let mut found = Found::default();
        // Fewer than a page wait: it is removed as a whole or not at all.
        let mut all = if there.is_empty() { std::mem::take(&mut self.seen) } else { there };
        if !self.seen.is_empty() {
            ensure!(all.starts_with(&self.seen), "{:?} was handed over, then came {all:?}", self.seen);
            found.repeated += self.seen.len() as u64;
            self.seen.clear();
        }
        if !self.before.is_empty() && all.starts_with(&self.before) {
            found.repeated += self.before.len() as u64;
            all.drain(..self.before.len());
        }
        self.before = whole;
        let unique: BTreeSet<&Message> = all.iter().collect();
        ensure!(unique.len() == all.len(), "doubled: {all:?}");
        for (sender, expected) in std::mem::take(&mut self.expected) {
            let came: Vec<u64> = all.iter().filter(|message| message.from == sender).map(|m| m.number).collect();
            found.messages += came.len() as u64;
            found.lost_after_ping += compare(&expected, &came).with_context(|| format!("messages of {sender}"))?;
            all.retain(|message| message.from != sender);
        }
        ensure!(all.is_empty(), "nobody sent {all:?}");
        Ok(found)
    }
}

/// How many are gone although a ping after them was answered.
fn compare(expected: &[Expected], came: &[u64]) -> Result<u64> {
    for (place, number) in came.iter().enumerate() {
        match expected.get(place) {
            Some(due) if due.number == *number => {}
            due => bail!("{due:?} was due, {number} came; sent {expected:?}, came {came:?}"),
        }
    }
    let gone = expected.get(came.len()..).unwrap_or_default();
    if let Some(lost) = gone.iter().find(|message| message.certain) {
        bail!("{} is lost; sent {expected:?}, came {came:?}", lost.number);
    }
    Ok(gone.iter().filter(|message| message.pinged).count() as u64)
}
