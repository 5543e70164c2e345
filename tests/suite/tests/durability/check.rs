//! What an account holds after a crash, and how much of what was asked for that is.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};
use xylem_suite::session::Session;
use xylem_suite::xml::Tree;

use crate::client::ask;
use crate::load::{Told, number_of};
use crate::model::{Account, Contact, Op, SLOTS, read_text};

/// Everything that the account keeps for its owner.
pub(crate) fn fetch(session: &mut Session) -> Result<Account> {
    let mut account = Account::default();
    let roster = ask(session, "roster", "get", "<query xmlns='jabber:iq:roster' ver=''/>")?.context("no roster")?;
    account.version = roster.attribute("ver").and_then(number_of).context("a roster without version")?;
    for item in roster.children() {
        let (jid, contact) = contact(item)?;
        ensure!(account.contacts.insert(jid, contact).is_none(), "an item that is there twice: {item}");
    }
    for slot in 0..SLOTS {
        let query = format!("<query xmlns='jabber:iq:private'><keep xmlns='urn:example:slot:{slot}'/></query>");
        let found = ask(session, "private", "get", &query)?.context("no private storage")?;
        if let Some(value) = value(&found)? {
            account.private.insert(slot, value);
        }
    }
    let card = session.query("card", "<iq type='get' id='card'><vCard xmlns='vcard-temp'/></iq>")?;
    let refused = card.children().any(|child| child.name == "error");
    account.card = if refused { None } else { card.children().next().map(value).transpose()?.flatten() };
    let blocked = ask(session, "blocked", "get", "<blocklist xmlns='urn:xmpp:blocking'/>")?.context("no block list")?;
    account.blocked = blocked.children().filter_map(|item| item.attribute("jid")).map(str::to_owned).collect();
    session.log.clear();
    Ok(account)
}

fn contact(item: &Tree) -> Result<(String, Contact)> {
    ensure!(item.attribute("subscription") == Some("none"), "nobody ever agreed: {item}");
    let contact = Contact {
        name: item.attribute("name").unwrap_or_default().to_owned(),
        groups: item.children().map(Tree::text).collect::<BTreeSet<_>>(),
        ask: item.attribute("ask").is_some(),
    };
    Ok((item.attribute("jid").context("a contact without address")?.to_owned(), contact))
}

/// The text in the one element inside `around`.
fn value(around: &Tree) -> Result<Option<(u64, u64)>> {
    let text = around.children().next().map(Tree::text).unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    let read = read_text(&text).with_context(|| {
        let begin: String = text.chars().take(60).collect();
        format!("a damaged value of {} bytes: {begin}", text.len())
    })?;
    Ok(Some(read))
}

/// How many requests were kept: at least `least`, at most `most`; all between them leave no trace in the account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) least: usize,
    pub(crate) most: usize,
}

/// Finds how many of the requests make `before` what was `found`.
pub(crate) fn how_many(before: &Account, told: &Told, found: &Account, domain: &str) -> Result<Kept> {
    ensure!(
        found.version >= told.version,
        "a push said version {}; it is {} after the crash",
        told.version,
        found.version
    );
    let mut account = before.clone();
    let mut kept: Option<Kept> = None;
    let mut nearest = before.clone();
    for count in 0..=told.ops.len() {
        if count == told.kept {
            nearest = account.clone();
        }
        if count >= told.kept && account == *found {
            kept = Some(Kept { least: kept.map_or(count, |kept| kept.least), most: count });
        }
        if let Some((number, op)) = told.ops.get(count) {
            account.apply(*number, op, domain);
        }
    }
    match kept {
        Some(kept) => Ok(kept),
        None => bail!(
            "no beginning of what was asked for, of {} requests at least {}, makes what is there:\n{found:?}\n\
             with what was answered it is\n{nearest:?}\nand then was asked for\n{:?}",
            told.ops.len(),
            told.kept,
            told.ops.get(told.kept..).unwrap_or_default()
        ),
    }
}

/// Whether a request for a subscription waits at the hub.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Pending {
    pub(crate) waits: bool,
    /// The crash may have come between the asker's account and the hub's.
    pub(crate) unsure: bool,
}

impl Pending {
    pub(crate) fn after(self, told: &Told, kept: Kept) -> Self {
        let asked = |(_, op): &(u64, Op)| match op {
            Op::Ask => Some(true),
            Op::Withdraw => Some(false),
            _ => None,
        };
        let ops = told.ops.get(..kept.least).unwrap_or_default();
        let last = ops.iter().rposition(|op| asked(op).is_some());
        let waits = last.and_then(|place| ops.get(place)).and_then(asked).unwrap_or(self.waits);
        Self { waits, unsure: last.is_some_and(|place| place + 1 == kept.least) }
    }
}
