//! Whom a change of the list concerns: contacts that get the user's presence (§3.3, §3.4).

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox::{presence_to, send};
use xylem_sdk::prelude::*;
use xylem_sdk::sessions;

use crate::stores::LIST;
use crate::views::ROSTER_CONTACTS;

/// They see every available resource go.
pub(crate) fn hide(own: &str, jid: &str) -> Result<(), Fault> {
    let contacts = subscribers(jid)?;
    if contacts.is_empty() {
        return Ok(());
    }
    for session in sessions::all()?.into_iter().filter(|session| session.available) {
        let mut from = String::from(own);
        from.push('/');
        from.push_str(&session.resource);
        for contact in &contacts {
            send(Xml::presence(Some("unavailable")).attr("from", &from).attr("to", contact))?;
        }
    }
    Ok(())
}

/// They see them again, unless another row still covers them.
pub(crate) fn show(jid: &str) -> Result<(), Fault> {
    for contact in subscribers(jid)? {
        let still = LIST.get(Jid::new(&contact).bare())?.is_some() || LIST.get(Jid::new(&contact).domain())?.is_some();
        if !still {
            presence_to(&contact)?;
        }
    }
    Ok(())
}

/// The addresses to tell: the blocked one itself, or all contacts of a blocked domain.
fn subscribers(jid: &str) -> Result<Vec<String>, Fault> {
    let blocked = Jid::new(jid);
    if blocked.local().is_some() {
        return Ok(if subscribed(blocked.bare())? { vec![jid.to_owned()] } else { Vec::new() });
    }
    let contacts = ROSTER_CONTACTS.by_index("from", "1")?;
    Ok(contacts.into_iter().map(|row| row.key).filter(|key| Jid::new(key).domain() == blocked.domain()).collect())
}

/// Bit 2 of the row's first byte.
fn subscribed(contact: &str) -> Result<bool, Fault> {
    let row = ROSTER_CONTACTS.get(contact)?;
    Ok(row.and_then(|row| row.first().copied()).is_some_and(|flags| flags & 2 != 0))
}
