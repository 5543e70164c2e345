//! How long, and how many (XEP-0313 §3.2): always the oldest go.

use std::cell::RefCell;

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox;
use xylem_sdk::prelude::*;

use crate::Config;
use crate::stores::{MESSAGES, PREFERENCES};

const TIMER: &str = "retention";
/// The row with the account's own limits: milliseconds and a number, `-` for what the domain says.
const KEEP: &str = "keep";
pub(crate) const DAY: u64 = 86_400_000;
/// How long what the configuration said is believed, in milliseconds.
const FRESH: u64 = 10_000;

/// As `record` in the manifest says.
const EVERY: u64 = 256;

/// After something was archived that had so many rows before it. The archive is looked through once
/// a day, and once in 256 messages, in case too many accounts have timers.
pub(crate) fn after(cx: &Cx, before: u64) -> Result<(), Fault> {
    if before == 0 {
        wake_tomorrow(cx);
    }
    if before.is_multiple_of(EVERY) { purge(cx) } else { Ok(()) }
}

pub(crate) fn retain(cx: &Cx, _wake: &xylem_sdk::Wake) -> Result<(), Failure> {
    if MESSAGES.count()? > 0 {
        purge(cx)?;
        wake_tomorrow(cx);
    }
    Ok(())
}

fn purge(cx: &Cx) -> Result<(), Fault> {
    let limits = Limits::of_account()?;
    if limits.age > 0 {
        MESSAGES.purge_before(cx.now().saturating_sub(limits.age))?;
    }
    if MESSAGES.count()? > limits.messages { MESSAGES.purge(limits.messages) } else { Ok(()) }
}

/// What an account may keep.
pub(crate) struct Limits {
    /// Milliseconds; 0 means for ever.
    pub(crate) age: u64,
    pub(crate) messages: u64,
}

impl Limits {
    /// Those of the account if it has its own, else its domain's.
    pub(crate) fn of_account() -> Result<Self, Fault> {
        let own = PREFERENCES.text(KEEP)?.unwrap_or_default();
        let (age, messages) = own.split_once(' ').unwrap_or_default();
        let config = Config::load();
        Ok(Self {
            age: age.parse().unwrap_or(config.max_age),
            messages: messages.parse().unwrap_or(config.max_messages.unsigned_abs()).max(1),
        })
    }

    /// Gives the account limits of its own; what is none is the domain's.
    pub(crate) fn set(cx: &Cx, age: Option<u64>, messages: Option<u64>) -> Result<(), Fault> {
        let written = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        PREFERENCES.put(KEEP, [&written(age), " ", &written(messages)].concat().as_bytes(), &[])?;
        purge(cx)
    }
}

fn wake_tomorrow(cx: &Cx) {
    // Without a timer the archive is looked through when messages come.
    let _ = outbox::wake(TIMER, cx.now() + DAY, "");
}

/// The policy of a domain for accounts that have not chosen.
pub(crate) fn default_policy(cx: &Cx) -> String {
    thread_local! {
        static KNOWN: RefCell<Vec<(String, u64, String)>> = const { RefCell::new(Vec::new()) };
    }
    let (domain, now) = (cx.domain(), cx.now());
    KNOWN.with_borrow_mut(|known| {
        known.retain(|(_, at, _)| now.abs_diff(*at) < FRESH);
        if let Some((_, _, policy)) = known.iter().find(|(of, _, _)| *of == domain) {
            return policy.clone();
        }
        let policy = Config::load().default;
        known.push((domain, now, policy.clone()));
        policy
    })
}
