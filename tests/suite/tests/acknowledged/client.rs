//! Clients with stream management.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use xylem_suite::server::Target;
use xylem_suite::session::{Login, LoginError, Session, Via};
use xylem_suite::xml::{CLIENT, Event, Tree};

pub(crate) const SM: &str = "urn:xmpp:sm:3";

/// Everybody's password.
const PASSWORD: &str = "secret";

fn login(target: &Target, local: &str, resource: &str) -> Login {
    Login {
        domain: target.domain.clone(),
        local: Some(local.to_owned()),
        password: PASSWORD.to_owned(),
        resource: Some(resource.to_owned()),
        mechanism: None,
        sasl2: false,
        via: Via::StartTls,
    }
}

pub(crate) fn register(target: &Arc<Target>, local: &str) -> Result<()> {
    Session::open(target, Via::StartTls, &target.domain)?.register(&target.domain, local, PASSWORD)
}

pub(crate) fn connect(target: &Arc<Target>, local: &str) -> Result<Session> {
    connect_as(target, local, "r")
}

/// With another device.
pub(crate) fn connect_as(target: &Arc<Target>, local: &str, resource: &str) -> Result<Session> {
    let mut session = Session::open(target, Via::StartTls, &target.domain)?;
    session.login(&login(target, local, resource)).map_err(broken)?;
    Ok(session)
}

/// Up to where resumption is possible.
pub(crate) fn log_in(target: &Arc<Target>, local: &str) -> Result<Session> {
    let mut session = Session::open(target, Via::StartTls, &target.domain)?;
    session.log_in(&login(target, local, "r")).map_err(broken)?;
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

/// Senders and numbers, and the id of the last.
pub(crate) type Archived = (Vec<(String, u64)>, Option<String>);

/// What an archive holds behind this id, and the id of the last.
pub(crate) fn archive(session: &mut Session, after: Option<String>) -> Result<Archived> {
    let (mut found, mut last) = (Vec::new(), after);
    loop {
        let after = last.as_ref().map(|id| format!("<after>{id}</after>")).unwrap_or_default();
        session.send(&format!(
            "<iq type='set' id='mam'><query xmlns='urn:xmpp:mam:2'><set xmlns='{RSM}'><max>50</max>{after}</set></query></iq>"
        ))?;
        loop {
            let tree = next(session)?.context("the connection is over before the archive")?;
            if tree.attribute("id") == Some("mam") {
                let fin = tree.child("urn:xmpp:mam:2", "fin").with_context(|| format!("no archive: {tree}"))?;
                if fin.attribute("complete") == Some("true") {
                    return Ok((found, last));
                }
                break;
            }
            let Some(result) = tree.child("urn:xmpp:mam:2", "result") else { continue };
            last = result.attribute("id").map(str::to_owned);
            let message = result.child("urn:xmpp:forward:0", "forwarded").and_then(|it| it.child(CLIENT, "message"));
            found.extend(message.and_then(read));
        }
    }
}

const RSM: &str = "http://jabber.org/protocol/rsm";

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
