//! Timers, questions and faults, for the tests of the testing kit.

use xylem_sdk::outbox::{self, Pick, to_sessions};
use xylem_sdk::prelude::*;
use xylem_sdk::{Answer, Wake};

xylem_sdk::plugin!();

fn remind(cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let seconds = iq.payload().and_then(|e| e.attr("after")?.parse::<u64>().ok()).ok_or(Condition::BadRequest)?;
    let name = iq.id().unwrap_or_default();
    outbox::wake(name, cx.now() + seconds * 1000, name)?;
    Ok(Reply::empty())
}

fn ask(_cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let to = iq.payload().and_then(|e| e.attr("to")).ok_or(Condition::BadRequest)?;
    let request = Xml::iq("get", "q").attr("to", to).child(Xml::with_ns("time", "urn:xmpp:time"));
    outbox::ask(request, 60_000, "time")?;
    Ok(Reply::empty())
}

fn crash(_cx: &Cx, _iq: &Stanza) -> Result<Reply, Failure> {
    to_sessions(Some(note("never sent")), Pick::default())?;
    panic!("as the test wanted");
}

fn answered(_cx: &Cx, answer: &Answer) -> Result<(), Failure> {
    let text = match &answer.stanza {
        Ok(stanza) if stanza.is("error") => "refused",
        Ok(_) => "answered",
        Err(_) => "no answer",
    };
    Ok(to_sessions(Some(note(text)), Pick::default())?)
}

fn woken(cx: &Cx, wake: &Wake) -> Result<(), Failure> {
    let text = [wake.token, " at ", &xylem_sdk::time::utc(cx.now())].concat();
    Ok(to_sessions(Some(note(&text)), Pick::default())?)
}

fn note(text: &str) -> Xml {
    Xml::message("headline").leaf("body", text)
}
