//! What [`crate::plugin!`] generates calls to.

use crate::archive::Page;
use crate::wit::exports::xylem::plugin::iq::Outcome;
use crate::wit::exports::xylem::plugin::wire_events;
use crate::wit::xylem::stanza::types as wit;
use crate::{Answer, Cx, Event, IntoOutcome, IntoReply, IntoVerdict, Reply, Stanza, Verdict, Wake, wires};

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
