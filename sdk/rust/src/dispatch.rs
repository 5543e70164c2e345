//! What [`crate::plugin!`] generates calls to.

use crate::archive::Page;
use crate::operations::{self, IntoAnswer, Operation};
use crate::wit::exports::xylem::plugin::iq::Outcome;
use crate::wit::exports::xylem::plugin::wire_events;
use crate::wit::xylem::stanza::types as wit;
use crate::{Answer, Cx, Event, IntoOutcome, IntoReply, IntoVerdict, Json, Reply, Stanza, Verdict, Wake, wires};

pub fn hook<R: IntoVerdict>(handler: fn(&Cx, &Stanza<'_>) -> R, cx: &Cx, stanza: &Stanza<'_>) -> Verdict {
    handler(cx, stanza).into_verdict()
}

pub fn iq<R: IntoReply>(handler: fn(&Cx, &Stanza<'_>) -> R, cx: &Cx, stanza: &Stanza<'_>) -> Reply {
    handler(cx, stanza).into_reply()
}

pub fn event<R: IntoOutcome>(handler: fn(&Cx, &Event<'_>) -> R, cx: &Cx, event: &Event<'_>) {
    handler(cx, event).finish();
}

pub fn answer<R: IntoOutcome>(
    handler: fn(&Cx, &Answer<'_>) -> R,
    token: &str,
    stanza: Result<(String, Vec<u32>), wit::Fault>,
) {
    let packed = stanza.map_err(Into::into);
    let stanza = packed.as_ref().map(|(text, index)| Stanza::new(text, index)).map_err(Clone::clone);
    handler(&Cx::new(0), &Answer { token, stanza }).finish();
}

pub fn wake<R: IntoOutcome>(handler: fn(&Cx, &Wake<'_>) -> R, name: &str, token: &str) {
    handler(&Cx::new(0), &Wake { name, token }).finish();
}

pub fn page<R: IntoOutcome>(
    handler: fn(&Cx, &Page<'_>) -> R,
    token: &str,
    sent: Result<crate::wit::exports::xylem::plugin::replies::Page, wit::Fault>,
) {
    let sent = sent.map(Into::into).map_err(Into::into);
    handler(&Cx::new(0), &Page { token, sent }).finish();
}

pub fn ended<R: IntoOutcome>(handler: fn(&Cx, &wires::Ended<'_>) -> R, token: &str, ended: wire_events::Ended) {
    handler(&Cx::new(0), &wires::Ended::new(token, ended)).finish();
}

pub fn operation<R: IntoAnswer>(
    handler: fn(&Cx, &Operation) -> R,
    call: &Operation,
) -> Result<String, crate::wit::xylem::admin::types::Refusal> {
    match handler(&Cx::new(0), call).into_answer() {
        Ok(answer) => Ok(answer.build()),
        Err(refusal) => Err(refusal.into()),
    }
}

pub fn operated<R: IntoOutcome>(
    handler: fn(&Cx, &operations::Answer<'_>) -> R,
    token: &str,
    answer: Result<String, crate::wit::xylem::admin::types::Refusal>,
) {
    let result = match answer {
        Ok(json) => Ok(Json::parse(&json).unwrap_or(Json::Null)),
        Err(refusal) => Err(refusal.into()),
    };
    handler(&Cx::new(0), &operations::Answer { token, result }).finish();
}

pub fn start(handler: fn() -> Result<(), String>) -> Result<(), String> {
    handler()
}

#[must_use]
pub fn verdict(verdict: Verdict) -> wit::Verdict {
    verdict.into_wit()
}

#[must_use]
pub fn outcome(reply: Reply) -> Outcome {
    reply.into_wit()
}
