//! Accounts (XEP-0133 §4.1 to §4.10).

use xylem_sdk::prelude::*;

use super::{ACCOUNT, ACCOUNTS, Ask, Call, MOST, Profile, Show, Work, shown};
use crate::form::Filled;
use crate::paging::PAGE;

pub(super) const ADD: Profile = Profile {
    node: "add-user",
    title: "Add a user",
    needs: &["user.add"],
    fields: &[
        ACCOUNT,
        Ask("text-private", "password", "The password"),
        Ask("text-private", "password-verify", "The password once more"),
    ],
    prepares: None,
    work: Work::Calls(add),
    show: Show::Done,
};

pub(super) const DELETE: Profile = each("delete-user", "Delete users", &["user.delete"], "user.delete");
pub(super) const DISABLE: Profile = each("disable-user", "Disable users", &["user.disable"], "user.disable");
pub(super) const ENABLE: Profile = each("reenable-user", "Enable users again", &["user.enable"], "user.enable");

pub(super) const END_SESSION: Profile = Profile {
    work: Work::Calls(end_sessions),
    ..each("end-user-session", "End sessions of users", &["session.end"], "session.end")
};

pub(super) const PASSWORD: Profile = Profile {
    node: "change-user-password",
    title: "Change a user's password",
    needs: &["user.password"],
    fields: &[ACCOUNT, Ask("text-private", "password", "The new password")],
    prepares: None,
    work: Work::Calls(password),
    show: Show::Done,
};

pub(super) const ROSTER: Profile = Profile {
    work: Work::Calls(rosters),
    show: Show::Form(shown::rosters),
    ..each("get-user-roster", "Show contact lists of users", &["roster.show"], "roster.show")
};

pub(super) const LAST_LOGIN: Profile = Profile {
    show: Show::Form(shown::last_login),
    ..each("get-user-lastlogin", "Show when users were last here", &["last.show"], "last.show")
};

pub(super) const STATISTICS: Profile = Profile {
    node: "user-stats",
    title: "Show what a user does",
    needs: &["session.list", "roster.show"],
    fields: &[ACCOUNT],
    prepares: None,
    work: Work::Calls(statistics),
    show: Show::Form(shown::statistics),
};

const fn each(
    node: &'static str,
    title: &'static str,
    needs: &'static [&'static str],
    operation: &'static str,
) -> Profile {
    Profile { node, title, needs, fields: &[ACCOUNTS], prepares: None, work: Work::Each(operation), show: Show::Done }
}

/// The accounts of the form, in canonical form.
pub(super) fn named(form: Filled<'_>) -> Result<Vec<String>, String> {
    let mut named = Vec::new();
    for account in form.values("accountjids") {
        named.push(address(account)?);
    }
    if named.len() > MOST {
        return Err(["at most ", &MOST.to_string(), " accounts at once"].concat());
    }
    Ok(named)
}

fn address(text: &str) -> Result<String, String> {
    Jid::normalise(text.trim()).ok_or_else(|| [text, " is no address"].concat())
}

fn one(form: Filled<'_>) -> Result<String, String> {
    address(form.value("accountjid").unwrap_or_default())
}

fn add(_cx: &Cx, form: Filled<'_>) -> Result<Vec<Call>, String> {
    if form.value("password") != form.value("password-verify") {
        return Err("the passwords differ".into());
    }
    with_password("user.add", form)
}

fn password(_cx: &Cx, form: Filled<'_>) -> Result<Vec<Call>, String> {
    with_password("user.password", form)
}

fn with_password(operation: &'static str, form: Filled<'_>) -> Result<Vec<Call>, String> {
    let account = one(form)?;
    let password = form.value("password").unwrap_or_default();
    let arguments = Json::object().with("account", &account).with("password", password);
    Ok(vec![Call::new(account, operation, arguments)])
}

/// One session for a full address, all for a bare one.
fn end_sessions(_cx: &Cx, form: Filled<'_>) -> Result<Vec<Call>, String> {
    let call = |jid: String| {
        let parts = Jid::new(&jid);
        let arguments = Json::object().with("account", parts.bare()).with("resource", parts.resource());
        Call::new(jid, "session.end", arguments)
    };
    Ok(named(form)?.into_iter().map(call).collect())
}

fn rosters(_cx: &Cx, form: Filled<'_>) -> Result<Vec<Call>, String> {
    let call = |account: String| {
        let arguments = Json::object().with("account", &account).with("limit", PAGE);
        Call::new(account, "roster.show", arguments)
    };
    Ok(named(form)?.into_iter().map(call).collect())
}

fn statistics(_cx: &Cx, form: Filled<'_>) -> Result<Vec<Call>, String> {
    let account = one(form)?;
    let call = |operation, limit: u32| {
        Call::new(account.clone(), operation, Json::object().with("account", &account).with("limit", limit))
    };
    Ok(vec![call("session.list", PAGE), call("roster.show", 1)])
}
