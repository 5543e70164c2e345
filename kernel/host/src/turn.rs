//! The end of a good call: its writes are committed, then its effects released.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;
use xylem_hooks::call::NOTES;
use xylem_hooks::manifest::Class;
use xylem_hooks::{Cause, Done, Effect, Failure, IqOutcome, Verdict};
use xylem_stanza::{Condition, ErrorType, Kind, Stanza};
use xylem_store::{Op, StoreError};

use crate::capability::FailureRecord;
use crate::guest::{After, Call, Core};
use crate::instance::{OutcomeCase, Output, VerdictCase};
use crate::lanes::{Gate, Job};
use crate::operations::OperationRefusal;
use crate::plugin::Refused;

/// What the router is told.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    pub(crate) outcome: IqOutcome,
    pub(crate) edited: Option<Stanza>,
    /// Of an operation.
    pub(crate) said: Option<Result<String, OperationRefusal>>,
    /// What was written is where it is to be; known of calls that wait for it.
    pub(crate) written: bool,
}

/// A turn whose order is settled.
pub(crate) struct Sealed {
    answer: Answer,
    rest: Rest,
}

/// What is left to do when the key is unlocked.
enum Rest {
    Nothing,
    /// What may go out at once, and what follows it may not.
    Effects(Cause, Vec<Effect>, Gate),
    /// The lane has it, and the caller is to go on behind it.
    Await(oneshot::Receiver<bool>),
}

/// Hands the writes over, while the key is still locked, so that calls follow each
/// other in the store as they did in the plugin. With `queue` the effects go behind
/// everything of the key that is under way.
pub(crate) fn seal(core: &Arc<Core>, output: Output, mut call: Call, queue: bool) -> Sealed {
    let mut answer =
        Answer { verdict: Verdict::Pass, outcome: IqOutcome::Handled, edited: None, said: None, written: true };
    match output {
        Output::Nothing => {}
        Output::Said(said) => answer.said = Some(said.map_err(Into::into)),
        Output::Verdict(verdict) => answer.verdict = judged(core, &call, verdict),
        Output::Outcome(outcome) => answer.outcome = replied(core, &mut call, outcome),
    }
    if answer.verdict == Verdict::Stop
        && let Some(key) = call.cause.note.take()
        && let Err(error) = call.turn.raw(Op { table: NOTES.into(), key: key.to_vec(), value: None })
    {
        tracing::error!(plugin = %core.id, %error, "a note stays behind");
    }
    let failure = undone(&call, &answer);
    answer.edited = call.edited.take().filter(|_| !call.observes);
    let writes = !call.turn.is_empty() || !call.volatile.is_empty();
    if !writes && call.effects.is_empty() && call.after.is_empty() {
        return Sealed { answer, rest: Rest::Nothing };
    }
    core.counters.sends.fetch_add(call.sent, Ordering::Relaxed);
    let written = call.turn.len() + call.volatile.len();
    core.counters.writes.fetch_add(u64::try_from(written).unwrap_or(0), Ordering::Relaxed);
    let services = &core.services;
    // What is refused now is refused whole; the committer says so in its place.
    if services.store.accepts(&call.turn).is_ok() {
        services.show(core, &mut call);
    }
    if !call.turn.is_empty() {
        if call.class == Class::Durable {
            let rest = commit(core, call, failure, answer.said.is_some());
            return Sealed { answer, rest };
        }
        call.turn.set_class(xylem_store::Class::Relaxed);
        let ticket = services.store.submit_turn(std::mem::replace(&mut call.turn, services.store.turn()));
        if let Some(error) = ticket.refused() {
            refused(core, &call.cause, error);
            answer.written = false;
            (call.after, call.effects) = (After::default(), failure.into_iter().map(Effect::Send).collect());
        }
    }
    let Call { cause, effects, after, leads, stanza, .. } = call;
    let queue = queue || effects.iter().any(Effect::holds_back);
    let gate = if queue { None } else { services.lanes.enter(&cause.key) };
    let Some(gate) = gate else {
        // A session sends no faster than what it causes gets out; behind a commit it is
        // the store that holds writers back.
        let sent = stanza.is_some() && cause.hops == 0;
        let waits = leads || sent && !services.lanes.awaits_commit(&cause.key);
        let (released, rest) = followed(waits);
        let written = answer.written;
        let job = Job { core: Arc::clone(core), cause: passed_on(cause), after, effects, released, written, at: 0 };
        services.lanes.enqueue(&services.store, job);
        return Sealed { answer, rest };
    };
    services.settle(core, &cause, after);
    Sealed { answer, rest: Rest::Effects(passed_on(cause), effects, gate) }
}

/// Lets out what may go at once, when no lock is held any more.
pub(crate) fn open(core: &Core, sealed: Sealed) -> Done<Result<Answer, Refused>> {
    let Sealed { mut answer, rest } = sealed;
    let released = match rest {
        Rest::Nothing => return Done::Ready(Ok(answer)),
        Rest::Effects(cause, effects, gate) => match core.services.release(cause, effects) {
            Done::Ready(()) => Done::Ready(true),
            Done::Later(released) => Done::Later(Box::pin(async move {
                released.await;
                drop(gate);
                true
            })),
        },
        Rest::Await(told) => Done::Later(Box::pin(async move {
            // Nobody left to tell means that it will not happen any more.
            told.await.unwrap_or(false)
        })),
    };
    match released {
        Done::Ready(_) => Done::Ready(Ok(answer)),
        Done::Later(released) => Done::Later(Box::pin(async move {
            answer.written &= released.await;
            Ok(answer)
        })),
    }
}

/// A session's next stanza is not looked at before what this one caused is out.
fn followed(leads: bool) -> (Option<oneshot::Sender<bool>>, Rest) {
    if !leads {
        return (None, Rest::Nothing);
    }
    let (released, told) = oneshot::channel();
    (Some(released), Rest::Await(told))
}

/// With `asked` somebody waits for the answer to an operation, which is to be true.
fn commit(core: &Arc<Core>, call: Call, failure: Option<Stanza>, asked: bool) -> Rest {
    let Call { cause, turn, effects, after, leads, .. } = call;
    // Where nobody is told anything nobody has to wait either.
    let silent = !asked && effects.is_empty() && after.is_empty() && failure.is_none();
    let (released, rest) = followed(leads && !silent);
    let place = core.services.lanes.announce(&cause.key);
    let job_core = Arc::clone(core);
    core.services.store.submit_turn_then(turn, move |done| {
        let core = job_core;
        let written = done.is_ok();
        let (after, effects) = match done {
            // What comes behind it in the lane may go.
            Ok(()) if silent => return drop(place),
            Ok(()) => (after, effects),
            Err(error) => {
                refused(&core, &cause, &error);
                (After::default(), failure.into_iter().map(Effect::Send).collect())
            }
        };
        place.go(Job { core, cause: passed_on(cause), after, effects, released, written, at: 0 });
    });
    rest
}

fn refused(core: &Core, cause: &Cause, error: &StoreError) {
    tracing::error!(plugin = %core.id, domain = %cause.domain, key = %cause.key, %error, "a turn was not written; nothing of it is sent");
}

fn passed_on(mut cause: Cause) -> Cause {
    cause.hops = cause.hops.saturating_add(1);
    cause.note = None;
    cause
}

/// What the sender is told if the turn turns out not to be written: somebody who
/// waits for an answer, or whose message the plugin took, must hear of it.
fn undone(call: &Call, answer: &Answer) -> Option<Stanza> {
    if call.turn.is_empty() {
        return None;
    }
    let stanza = call.stanza.as_ref()?;
    let taken = stanza.kind() == Kind::Message && answer.verdict == Verdict::Stop;
    let asked = stanza.kind() == Kind::Iq && stanza.type_().is_request();
    if !taken && !asked {
        return None;
    }
    stanza.error(Condition::InternalServerError).type_(ErrorType::Wait).build()
}

fn judged(core: &Core, call: &Call, verdict: VerdictCase) -> Verdict {
    if call.observes {
        return Verdict::Pass;
    }
    match verdict {
        VerdictCase::Pass => Verdict::Pass,
        VerdictCase::Stop => Verdict::Stop,
        VerdictCase::Reject(record) => Verdict::Reject(failure(core, record)),
        VerdictCase::Other(what) => {
            tracing::warn!(plugin = %core.id, what, "a verdict this server does not know; the stanza passes");
            Verdict::Pass
        }
    }
}

fn replied(core: &Core, call: &mut Call, outcome: OutcomeCase) -> IqOutcome {
    let Some(request) = call.stanza.clone() else { return IqOutcome::Unhandled };
    let reply = match outcome {
        OutcomeCase::Later => return IqOutcome::Handled,
        OutcomeCase::Unhandled => return IqOutcome::Unhandled,
        OutcomeCase::Reply(payload) => request.result(payload.as_deref()),
        OutcomeCase::Fail(record) => error(&request, failure(core, record)),
    };
    let reply = reply.or_else(|| {
        tracing::error!(plugin = %core.id, "its answer is not one well-formed element");
        request.error_reply(Condition::InternalServerError, None)
    });
    // The answer goes first: what follows from a request comes after its result.
    call.effects.splice(0..0, reply.map(Effect::Send));
    IqOutcome::Handled
}

fn error(request: &Stanza, failure: Failure) -> Option<Stanza> {
    let mut reply = request.error(failure.condition);
    if let Some(kind) = failure.kind {
        reply = reply.type_(kind);
    }
    if let Some(text) = &failure.text {
        reply = reply.text(text);
    }
    if let Some(app) = &failure.app {
        reply = reply.application(app);
    }
    reply.build()
}

fn failure(core: &Core, record: FailureRecord) -> Failure {
    let condition = Condition::parse(&record.condition).unwrap_or_else(|| {
        tracing::warn!(plugin = %core.id, condition = record.condition, "no such stanza error condition");
        Condition::InternalServerError
    });
    let app = record.app.filter(|app| {
        let formed = xylem_xml::Element::parse(app).is_ok();
        if !formed {
            tracing::warn!(plugin = %core.id, "the application condition of an error is not one well-formed element");
        }
        formed
    });
    let kind = record.kind.as_deref().and_then(ErrorType::parse);
    Failure { condition, kind, text: record.text, app }
}
