//! Clients with stream management.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use xylem_suite::server::Target;
use xylem_suite::session::{Login, LoginError, Session, Via};
use xylem_suite::xml::{CLIENT, Event, Tree};

pub(crate) const SM: &str = "urn:xmpp:sm:3";

/// Everybody's password.
const PASSWORD: &str = "secret";

fn login(target: &Target, local: &str) -> Login {
    Login {
        domain: target.domain.clone(),
        local: Some(local.to_owned()),
        password: PASSWORD.to_owned(),
        resource: Some("r".to_owned()),
        mechanism: None,
        via: Via::StartTls,
    }
}

pub(crate) fn register(target: &Arc<Target>, local: &str) -> Result<()> {
    Session::open(target, Via::StartTls, &target.domain)?.register(&target.domain, local, PASSWORD)
}

pub(crate) fn connect(target: &Arc<Target>, local: &str) -> Result<Session> {
    let mut session = Session::open(target, Via::StartTls, &target.domain)?;
    session.login(&login(target, local)).map_err(broken)?;
    Ok(session)
}

/// Up to where resumption is possible.
pub(crate) fn log_in(target: &Arc<Target>, local: &str) -> Result<Session> {
    let mut session = Session::open(target, Via::StartTls, &target.domain)?;
    session.log_in(&login(target, local)).map_err(broken)?;
    Ok(session)
}

fn broken(error: LoginError) -> anyhow::Error {
    match error {
        LoginError::Refused(condition) => anyhow::anyhow!("login refused: {condition}"),
        LoginError::Broken(error) => error,
    }
}

/// Begins stream management; the stream's id.
pub(crate) fn enable(session: &mut Session) -> Result<String> {
    session.send(&format!("<enable xmlns='{SM}' resume='true'/>"))?;
    let enabled = next(session)?.context("no answer to <enable/>")?;
    ensure!(enabled.name == "enabled", "{enabled}");
    Ok(enabled.attribute("id").context("no id")?.to_owned())
}

/// The next element; nothing when the connection is over.
pub(crate) fn next(session: &mut Session) -> Result<Option<Tree>> {
    loop {
        session.log.clear();
        match session.receive() {
            Ok(Some(Event::Element(tree))) if tree.name == "error" => return Ok(None),
            Ok(Some(Event::Element(tree))) => return Ok(Some(tree)),
            Ok(Some(_)) => {}
            Ok(None) if session.ended => return Ok(None),
            Ok(None) => anyhow::bail!("the server says nothing"),
            // A connection that breaks off inside a record is one that is over.
            Err(_) => return Ok(None),
        }
    }
}

pub(crate) fn is_stanza(tree: &Tree) -> bool {
    matches!(tree.name.as_str(), "message" | "presence" | "iq")
}

/// Sender and number of a message of the test.
pub(crate) fn read(tree: &Tree) -> Option<(String, u64)> {
    let body = tree.child(CLIENT, "body").filter(|_| tree.name == "message")?.text();
    let from = tree.attribute("from")?.split('@').next()?.to_owned();
    Some((from, body.parse().ok()?))
}
