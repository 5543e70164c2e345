//! The message of the day: told once to everybody until it is deleted (XEP-0133 §4.24 to §4.26).

use xylem_sdk::outbox;
use xylem_sdk::prelude::*;

use crate::standing::{MOTD, Standing, shown};
use crate::stores::STANDING;

pub(crate) fn motd_show(_cx: &Cx, _call: &Operation) -> Result<Json, Refusal> {
    Ok(shown(Standing::read(MOTD)?.as_ref()))
}

pub(crate) fn motd_set(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let motd = Standing::of(call, cx.now(), 0);
    motd.save(MOTD)?;
    let told = outbox::to_everybody(motd.message(cx, "headline"))?;
    Ok(Json::object().with("told", told))
}

pub(crate) fn motd_update(_cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let before = Standing::read(MOTD)?;
    let before = before.ok_or_else(|| Refusal::Missing("there is no message of the day to correct".into()))?;
    let motd = Standing::of(call, before.time, 0);
    motd.save(MOTD)?;
    Ok(Json::object().with("text", motd.text))
}

pub(crate) fn motd_delete(_cx: &Cx, _call: &Operation) -> Result<Json, Refusal> {
    Ok(Json::object().with("removed", STANDING.delete(MOTD)?))
}
