//! XEP-0494: what has access to an account.
//!
//! A client that may log in with a token is known by the id that the server gave it, whether it is
//! connected or not. A session of another client has logged in with the password and is known by its resource.

use xylem_sdk::accounts::{self, Device};
use xylem_sdk::prelude::*;
use xylem_sdk::sessions::{self, Session};
use xylem_sdk::time::utc;

xylem_sdk::plugin!();

const NS: &str = "urn:xmpp:cam:0";
/// Stands before a resource; ids of devices are letters and digits.
const SESSION: &str = "session:";

fn list(cx: &Cx, _iq: &Stanza) -> Result<Xml, Failure> {
    let (devices, sessions) = (accounts::devices()?, sessions::all()?);
    let known = devices.iter().map(|device| of_device(device, sessions_of(device, &sessions).next().is_some()));
    let others = sessions.iter().filter(|session| !devices.iter().any(|device| is_of(session, &device.id)));
    let others = others.map(|session| of_session(session, cx.now()));
    Ok(Xml::with_ns("clients", NS).children(known.chain(others)))
}

/// Ends the tokens of a client and its sessions (§3.2). Who has logged in with the password can come
/// back as long as that is the same.
fn revoke(_cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let id = iq.payload().and_then(|revoke| revoke.attr("id")).ok_or(Condition::BadRequest)?;
    let sessions = sessions::all()?;
    if let Some(resource) = id.strip_prefix(SESSION) {
        let found = sessions.iter().any(|session| session.resource == resource);
        return Err(if found { password_reset() } else { Condition::ItemNotFound.into() });
    }
    match accounts::revoke_device(id) {
        Ok(()) => {}
        Err(Fault::Missing) => return Err(Condition::ItemNotFound.into()),
        Err(fault) => return Err(fault.into()),
    }
    for session in sessions.iter().filter(|session| is_of(session, id)) {
        sessions::end(Some(&session.resource), "not-authorized")?;
    }
    Ok(Reply::empty())
}

fn password_reset() -> Failure {
    Failure::new(Condition::ServiceUnavailable).app(Xml::with_ns("password-reset-required", NS))
}

/// Resources of a client end with its id (XEP-0386 §3.2.1).
fn is_of(session: &Session, id: &str) -> bool {
    session.resource.rsplit('/').next() == Some(id)
}

fn sessions_of<'a>(device: &'a Device, sessions: &'a [Session]) -> impl Iterator<Item = &'a Session> {
    sessions.iter().filter(|session| is_of(session, &device.id))
}

fn of_device(device: &Device, connected: bool) -> Xml {
    let agent = Xml::new("user-agent")
        .child_opt(device.software.as_deref().map(|software| Xml::new("software").text(software)))
        .child_opt(device.device.as_deref().map(|device| Xml::new("device").text(device)));
    client(&device.id, connected)
        .leaf("first-seen", &utc(device.since))
        .leaf("last-seen", &utc(device.seen))
        .child(Xml::new("auth").child(Xml::new("fast")))
        .child(permission())
        .child(agent)
}

fn of_session(session: &Session, now: u64) -> Xml {
    client(&[SESSION, &session.resource].concat(), true)
        .leaf("last-seen", &utc(now))
        .child(Xml::new("auth").child(Xml::new("password")))
        .child(permission())
}

fn client(id: &str, connected: bool) -> Xml {
    let connected = if connected { "true" } else { "false" };
    Xml::new("client").attr("connected", connected).attr("id", id).attr("type", "session")
}

/// Nobody is restricted here.
fn permission() -> Xml {
    Xml::new("permission").attr("status", "unrestricted")
}
