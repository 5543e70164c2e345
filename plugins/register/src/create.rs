//! Making an account (§3.1).

use xylem_sdk::prelude::*;
use xylem_sdk::{Element, accounts, runtime};

use crate::form::field;
use crate::{Config, limits};

pub(crate) fn account(cx: &Cx, query: Element) -> Result<Reply, Failure> {
    let config = Config::load();
    if !config.open {
        return Err(Condition::NotAllowed.into());
    }
    let (Some(username), Some(password)) = (field(query, "username"), field(query, "password")) else {
        return Err(Failure::new(Condition::NotAcceptable).text("username and password are both needed"));
    };
    let peer = cx.peer().unwrap_or_default();
    if config.limited && !limits::REGISTER.take(&peer) {
        runtime::warn("an address makes too many accounts");
        return Err(Failure::new(Condition::ResourceConstraint)
            .kind("wait")
            .text("too many accounts; try again later"));
    }
    match accounts::create(username, password) {
        Ok(()) => Ok(Reply::empty()),
        Err(Fault::Conflict) => Err(Failure::new(Condition::Conflict).text("this username is taken")),
        Err(Fault::Denied) => Err(Condition::NotAllowed.into()),
        Err(Fault::Invalid(why)) => Err(Failure::new(Condition::NotAcceptable).text(why)),
        Err(fault) => Err(fault.into()),
    }
}
