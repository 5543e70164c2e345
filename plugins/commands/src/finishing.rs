//! What came of the operations of a command.

use xylem_sdk::operations::Answer;
use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;

use crate::command::{Wrong, command, note};
use crate::paging;
use crate::profile;
use crate::running::asking;
use crate::session::Session;
use crate::showing;

/// One of them has answered; with the last one the command is done.
pub(crate) fn done(cx: &Cx, answer: &Answer<'_>) -> Result<(), Failure> {
    let Some((id, at)) = answer.token.split_once('\n') else { return Ok(()) };
    // Without its row nobody waits any more.
    let (Some(mut session), Ok(at)) = (Session::find(id)?, at.parse::<usize>()) else { return Ok(()) };
    let outcome = match answer.result.clone() {
        Ok(page) => match paging::taken(&mut session, at, page)? {
            Some(whole) => Ok(whole),
            None => return Ok(session.save()?),
        },
        Err(refusal) => Err(refusal),
    };
    session.outcomes.push((at, outcome));
    if session.outcomes.len() < session.calls.len() {
        return Ok(session.save()?);
    }
    let reply = match only_refusal(&session).cloned() {
        Some(refusal) => {
            let failure = failed(&refusal);
            if matches!(refusal, Refusal::Invalid(_)) && !session.prepares {
                // The form may be filled in better.
                session.calls.clear();
                session.save()?;
            } else {
                session.end()?;
            }
            error(cx, &session, failure)
        }
        None if session.prepares => prepared(cx, &mut session)?,
        None => {
            session.end()?;
            result(cx, &session, completed(&session))
        }
    };
    Ok(send(reply)?)
}

/// The form can be shown now.
fn prepared(cx: &Cx, session: &mut Session) -> Result<Xml, Fault> {
    let answer = session.outcomes.first().and_then(|(_, outcome)| outcome.as_ref().ok());
    let profile = profile::find(&session.node);
    let before = profile.zip(answer).map(|(profile, answer)| profile.filling(cx, answer)).unwrap_or_default();
    let form = profile.map_or_else(|| Xml::new("x"), |profile| profile.form(&before));
    session.before = before;
    session.prepares = false;
    session.calls.clear();
    session.listings.clear();
    session.outcomes.clear();
    session.save()?;
    Ok(result(cx, session, asking(session, form)))
}

/// A command of one operation fails with it.
fn only_refusal(session: &Session) -> Option<&Refusal> {
    match session.outcomes.as_slice() {
        [(_, Err(refusal))] => Some(refusal),
        _ => None,
    }
}

fn completed(session: &Session) -> Xml {
    let mut done = command(&session.node, &session.id, "completed");
    for (at, outcome) in &session.outcomes {
        let about = session.calls.get(*at).map_or("", String::as_str);
        if let Err(refusal) = outcome {
            done = done.child(note("error", &[about, ": ", refusal.as_str()].concat()));
        }
    }
    if session.listings.iter().flatten().any(|listing| listing.cut) {
        done = done.child(note("warn", "There are too many to be seen here: this is about the first of them only."));
    }
    match profile::find(&session.node) {
        Some(profile) => match profile.shown(session) {
            Some(form) => done.child(form),
            None if session.outcomes.iter().any(|(_, outcome)| outcome.is_err()) => {
                done.child(note("info", "The others are done."))
            }
            None => done.child(note("info", "Done.")),
        },
        None => {
            let title = session.calls.first().map_or("", String::as_str);
            let answer = session.outcomes.first().and_then(|(_, outcome)| outcome.as_ref().ok());
            match answer {
                Some(answer) => showing::add(done, title, answer),
                None => done,
            }
        }
    }
}

fn result(cx: &Cx, session: &Session, payload: Xml) -> Xml {
    Xml::iq("result", &session.iq).attr("from", &cx.domain()).attr("to", &session.jid).child(payload)
}

/// XEP-0133 §5.
fn failed(refusal: &Refusal) -> (&'static str, &'static str, Option<&'static str>, &str) {
    let (kind, condition, specific) = match refusal {
        Refusal::Unknown | Refusal::Missing(_) => ("cancel", Condition::ItemNotFound, None),
        Refusal::Invalid(_) => ("modify", Condition::BadRequest, Some(Wrong::BadPayload)),
        Refusal::Denied(_) => ("auth", Condition::Forbidden, None),
        Refusal::Conflict(_) => ("cancel", Condition::Conflict, None),
        Refusal::Unavailable(_) => ("wait", Condition::ResourceConstraint, None),
        _ => ("wait", Condition::InternalServerError, None),
    };
    (kind, condition.name(), specific.map(|_| "bad-payload"), refusal.as_str())
}

fn error(cx: &Cx, session: &Session, (kind, condition, specific, text): (&str, &str, Option<&str>, &str)) -> Xml {
    const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
    let error = Xml::new("error")
        .attr("type", kind)
        .child(Xml::with_ns(condition, STANZAS))
        .child(Xml::with_ns("text", STANZAS).attr("xml:lang", "en").text(text))
        .child_opt(specific.map(|specific| Xml::with_ns(specific, crate::ns::COMMANDS)));
    Xml::iq("error", &session.iq).attr("from", &cx.domain()).attr("to", &session.jid).child(error)
}
