//! What registered users do with their account (§3.2, §3.3).

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;
use xylem_sdk::{Element, accounts, runtime};

use crate::Config;
use crate::form::field;
use crate::views::ROSTER_CONTACTS;

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
        Err(fault) => Err(fault.into()),
    }
}

/// Removes the account with everything it has; the server ends its sessions afterwards.
pub(crate) fn remove(actor: &str) -> Result<Reply, Failure> {
    let account = Jid::new(actor).bare();
    if !Config::load().removal {
        return Err(Condition::NotAllowed.into());
    }
    cancel_subscriptions()?;
    accounts::delete(account)?;
    runtime::info("a user removed the account");
    Ok(Reply::empty())
}

/// Contacts learn that it is over (§3.2).
fn cancel_subscriptions() -> Result<(), Fault> {
    for (index, kind) in [("to", "unsubscribe"), ("from", "unsubscribed")] {
        for row in ROSTER_CONTACTS.by_index(index, "1")? {
            send(Xml::presence(Some(kind)).attr("to", &row.key))?;
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
