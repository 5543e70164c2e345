//! What administrators ask about the messages that wait.

use xylem_sdk::prelude::*;

use crate::stores::MESSAGES;

pub(crate) fn show(_cx: &Cx, _call: &Operation) -> Result<Json, Refusal> {
    let ends = MESSAGES.ends()?;
    let seconds = |milliseconds: u64| milliseconds / 1000;
    Ok(Json::object()
        .with("messages", MESSAGES.count()?)
        .with("oldest", ends.as_ref().map(|(first, _)| seconds(first.at)))
        .with("newest", ends.as_ref().map(|(_, last)| seconds(last.at))))
}

pub(crate) fn purge(_cx: &Cx, _call: &Operation) -> Result<Json, Refusal> {
    let removed = MESSAGES.count()?;
    MESSAGES.purge(0)?;
    Ok(Json::object().with("removed", removed))
}
