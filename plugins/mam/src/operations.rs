//! What administrators ask about the archive of an account.

use xylem_sdk::prelude::*;

use crate::preferences;
use crate::retention::{DAY, Limits};
use crate::stores::MESSAGES;

pub(crate) fn archive_show(cx: &Cx, _call: &Operation) -> Result<Json, Refusal> {
    let ends = MESSAGES.ends()?;
    let seconds = |milliseconds: u64| milliseconds / 1000;
    Ok(Json::object()
        .with("messages", MESSAGES.count()?)
        .with("oldest", ends.as_ref().map(|(first, _)| seconds(first.at)))
        .with("newest", ends.as_ref().map(|(_, last)| seconds(last.at)))
        .with("policy", preferences::policy(cx)?))
}

pub(crate) fn archive_purge(_cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let all = MESSAGES.count()?;
    let removed = match call.number("before") {
        Some(seconds) => {
            MESSAGES.purge_before(seconds.saturating_mul(1000))?;
            None
        }
        None => {
            MESSAGES.purge(0)?;
            Some(all)
        }
    };
    Ok(Json::object().with("removed", removed))
}

/// Limits of the account's own (XEP-0313 §3.2).
pub(crate) fn archive_keep(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let age = call.number("days").map(|days| days.saturating_mul(DAY));
    Limits::set(cx, age, call.number("messages"))?;
    let limits = Limits::of_account()?;
    Ok(Json::object().with("days", limits.age / DAY).with("messages", limits.messages))
}
