//! Sessions of the harness with an account of the test.

use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, ensure};
use xylem_suite::server::Target;
use xylem_suite::session::{Login, LoginError, Session, Via};
use xylem_suite::xml::{Event, Tree};

/// Everybody's password.
const PASSWORD: &str = "secret";

pub(crate) fn register(target: &Arc<Target>, local: &str) -> Result<()> {
    Session::open(target, Via::StartTls, &target.domain)?.register(&target.domain, local, PASSWORD)
}

/// A session of an account that has to be there.
pub(crate) fn login(target: &Arc<Target>, local: &str) -> Result<Session> {
    match try_login(target, local)? {
        Ok(session) => Ok(session),
        Err(condition) => Err(anyhow!("{local} was registered and cannot log in: {condition}")),
    }
}

/// The inner error is the condition with which the login was refused.
pub(crate) fn try_login(target: &Arc<Target>, local: &str) -> Result<Result<Session, String>> {
    let mut session = Session::open(target, Via::StartTls, &target.domain)?;
    let login = Login {
        domain: target.domain.clone(),
        local: Some(local.to_owned()),
        password: PASSWORD.to_owned(),
        resource: None,
        mechanism: None,
        sasl2: false,
        via: Via::StartTls,
    };
    match session.login(&login) {
        Ok(()) => Ok(Ok(session)),
        Err(LoginError::Refused(condition)) => Ok(Err(condition)),
        Err(LoginError::Broken(error)) => Err(error.context(format!("login of {local}"))),
    }
}

/// Asks for something that must be given; the answer's payload, if there is one.
pub(crate) fn ask(session: &mut Session, id: &str, kind: &str, payload: &str) -> Result<Option<Tree>> {
    let answer = session.query(id, &format!("<iq type='{kind}' id='{id}'>{payload}</iq>"))?;
    ensure!(answer.attribute("type") == Some("result"), "{id}: {answer}");
    session.log.clear();
    Ok(answer.children().next().cloned())
}

/// The next stanza, however long it takes; nothing when the connection is over.
pub(crate) fn next(session: &mut Session) -> Result<Option<Tree>> {
    loop {
        session.log.clear();
        match session.receive()? {
            Some(Event::Element(tree)) if tree.name == "error" => return Ok(None),
            Some(Event::Element(tree)) => return Ok(Some(tree)),
            Some(_) => {}
            None if session.ended => return Ok(None),
            None => {}
        }
    }
}

/// Ends the session as a client should. What is sent to its account from now on finds nobody there.
pub(crate) fn close(mut session: Session) -> Result<()> {
    session.send("</stream:stream>")?;
    while !session.ended {
        let event = session.receive()?;
        ensure!(event.is_some() || session.ended, "the server does not close the stream");
    }
    Ok(())
}

/// The part of an address before the `@`.
pub(crate) fn local(stanza: &Tree) -> Result<&str> {
    let from = stanza.attribute("from").with_context(|| format!("from nobody: {stanza}"))?;
    Ok(from.split('@').next().unwrap_or_default())
}
