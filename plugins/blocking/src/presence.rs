//! Whom a change of the list concerns: contacts that get the user's presence (§3.3, §3.4).

use xylem_sdk::kv::{Row, Rows};
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
    let there = |row: &Row| Jid::new(&row.key).domain() == blocked.domain() && sees_us(&row.value);
    Ok(ROSTER_CONTACTS.all()?.into_iter().filter(there).map(|row| row.key).collect())
}

fn subscribed(contact: &str) -> Result<bool, Fault> {
    Ok(ROSTER_CONTACTS.get(contact)?.is_some_and(|row| sees_us(&row)))
}

/// Bit 2 of the first byte of a roster row.
fn sees_us(row: &[u8]) -> bool {
    row.first().is_some_and(|flags| flags & 2 != 0)
}
