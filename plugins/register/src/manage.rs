//! What registered users do with their account (§3.2, §3.3).

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;
use xylem_sdk::{Element, accounts, sessions};

use crate::Config;
use crate::form::field;
use crate::views::ROSTER_CONTACTS;

/// Bits of the first byte of a roster row.
const TO: u8 = 1;
const FROM: u8 = 2;
const ASKED: u8 = 4;
const PENDING: u8 = 8;

/// Sets a new password. Registering somebody else is not possible from here.
pub(crate) fn password(actor: &str, query: Element) -> Result<Reply, Failure> {
    let account = Jid::new(actor);
    if !Config::load().password_change {
        return Err(Condition::NotAllowed.into());
    }
    let (Some(username), Some(password)) = (field(query, "username"), field(query, "password")) else {
        return Err(Condition::BadRequest.into());
    };
    if !names(username, account) {
        return Err(Failure::new(Condition::Forbidden).text("this is not your username"));
    }
    match accounts::set_password(account.bare(), password) {
        Ok(()) => Ok(Reply::empty()),
        Err(Fault::Invalid(why)) => Err(Failure::new(Condition::NotAcceptable).text(why)),
        // The accounts of this domain are not the server's to change.
        Err(Fault::Denied) => Err(Condition::NotAllowed.into()),
        Err(fault) => Err(fault.into()),
    }
}

/// Removes the account with everything it has; the server ends its sessions afterwards.
pub(crate) fn remove(actor: &str) -> Result<Reply, Failure> {
    let account = Jid::new(actor).bare();
    if !Config::load().removal {
        return Err(Condition::NotAllowed.into());
    }
    cancel_subscriptions(account)?;
    match accounts::delete(account) {
        Ok(()) => Ok(Reply::empty()),
        Err(Fault::Missing) => Err(Condition::RegistrationRequired.into()),
        Err(Fault::Denied) => Err(Condition::NotAllowed.into()),
        Err(fault) => Err(fault.into()),
    }
}

/// Contacts see the account's resources go, and learn that it is over (§3.2). Once the roster
/// is gone nobody could tell them.
fn cancel_subscriptions(account: &str) -> Result<(), Fault> {
    let online: Vec<String> =
        sessions::all()?.into_iter().filter(|session| session.available).map(|session| session.resource).collect();
    for row in ROSTER_CONTACTS.all()? {
        let flags = row.value.first().copied().unwrap_or(0);
        if flags & FROM != 0 {
            for resource in &online {
                let from = [account, "/", resource].concat();
                send(Xml::presence(Some("unavailable")).attr("from", &from).attr("to", &row.key))?;
            }
        }
        if flags & (FROM | PENDING) != 0 {
            send(Xml::presence(Some("unsubscribed")).attr("to", &row.key))?;
        }
        if flags & (TO | ASKED) != 0 {
            send(Xml::presence(Some("unsubscribe")).attr("to", &row.key))?;
        }
    }
    Ok(())
}

/// Clients write the username as it is typed, or the whole address.
fn names(username: &str, account: Jid) -> bool {
    let mut address = String::from(username);
    if !username.contains('@') {
        address.push('@');
        address.push_str(account.domain());
    }
    Jid::normalise(&address).is_some_and(|address| address == account.bare())
}
