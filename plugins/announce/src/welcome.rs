//! What a new account is told when it first logs in (XEP-0133 §4.27, §4.28).

use xylem_sdk::prelude::*;

use crate::standing::{Standing, WELCOME, shown};
use crate::stores::STANDING;

pub(crate) fn welcome_show(_cx: &Cx, _call: &Operation) -> Result<Json, Refusal> {
    Ok(shown(Standing::read(WELCOME)?.as_ref()))
}

pub(crate) fn welcome_set(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let welcome = Standing::of(call, cx.now(), 0);
    welcome.save(WELCOME)?;
    Ok(Json::object().with("text", welcome.text))
}

pub(crate) fn welcome_delete(_cx: &Cx, _call: &Operation) -> Result<Json, Refusal> {
    Ok(Json::object().with("removed", STANDING.delete(WELCOME)?))
}
