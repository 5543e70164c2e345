//! How many users there are, and who (XEP-0133 §4.13 to §4.22).

use xylem_sdk::prelude::*;

use super::{Call, MOST_ITEMS, Profile, Show, Work, shown};
use crate::form::Filled;
use crate::paging::PAGE;

pub(super) const REGISTERED: Profile =
    count("get-registered-users-num", "Count the users", &["user.list"], users_counted, shown::registered_count);
pub(super) const DISABLED: Profile =
    count("get-disabled-users-num", "Count disabled users", &["user.list"], disabled, shown::disabled_count);
pub(super) const ONLINE: Profile =
    count("get-online-users-num", "Count users who are online", &["session.list"], sessions, shown::online_count);
pub(super) const ACTIVE: Profile =
    count("get-active-users-num", "Count users who are active", &["session.list"], sessions, shown::active_count);
pub(super) const IDLE: Profile =
    count("get-idle-users-num", "Count users who are idle", &["session.list"], sessions, shown::idle_count);

pub(super) const REGISTERED_LIST: Profile =
    list("get-registered-users-list", "List the users", &["user.list"], users, shown::registered);
pub(super) const DISABLED_LIST: Profile =
    list("get-disabled-users-list", "List disabled users", &["user.list"], disabled_listed, shown::disabled);
pub(super) const ONLINE_LIST: Profile =
    list("get-online-users-list", "List users who are online", &["session.list"], sessions, shown::online);
pub(super) const ACTIVE_LIST: Profile =
    list("get-active-users", "List users who are active", &["session.list"], sessions, shown::active);
pub(super) const IDLE_LIST: Profile =
    list("get-idle-users", "List users who are idle", &["session.list"], sessions, shown::idle);

type Calls = fn(&Cx, Filled<'_>) -> Result<Vec<Call>, String>;
type Shown = fn(&crate::session::Session, Xml) -> Xml;

const fn count(
    node: &'static str,
    title: &'static str,
    needs: &'static [&'static str],
    calls: Calls,
    show: Shown,
) -> Profile {
    Profile { node, title, needs, fields: &[], prepares: None, work: Work::Calls(calls), show: Show::Form(show) }
}

const fn list(
    node: &'static str,
    title: &'static str,
    needs: &'static [&'static str],
    calls: Calls,
    show: Shown,
) -> Profile {
    Profile { fields: &[MOST_ITEMS], ..count(node, title, needs, calls, show) }
}

/// The table knows how many there are.
fn users_counted(cx: &Cx, _form: Filled<'_>) -> Result<Vec<Call>, String> {
    let arguments = Json::object().with("domain", cx.domain()).with("limit", 1_u32);
    Ok(vec![Call::new("", "user.list", arguments)])
}

fn disabled(cx: &Cx, _form: Filled<'_>) -> Result<Vec<Call>, String> {
    let arguments = Json::object().with("domain", cx.domain()).with("disabled", true).with("limit", 1_u32);
    Ok(vec![Call::new("", "user.list", arguments)])
}

fn users(cx: &Cx, form: Filled<'_>) -> Result<Vec<Call>, String> {
    let most = most(form)?;
    Ok(vec![Call { enough: most, ..listed(cx, most, "user.list", Json::object()) }])
}

fn disabled_listed(cx: &Cx, form: Filled<'_>) -> Result<Vec<Call>, String> {
    let most = most(form)?;
    Ok(vec![Call { enough: most, ..listed(cx, most, "user.list", Json::object().with("disabled", true)) }])
}

/// Of sessions all are needed: several may be of one account.
fn sessions(cx: &Cx, form: Filled<'_>) -> Result<Vec<Call>, String> {
    Ok(vec![listed(cx, most(form)?, "session.list", Json::object())])
}

/// How many are to be shown; none: all.
fn most(form: Filled<'_>) -> Result<Option<usize>, String> {
    match form.value(MOST_ITEMS.1).unwrap_or("none") {
        "none" => Ok(None),
        most => most.parse().map(Some).map_err(|_| "max_items is a number, or none".into()),
    }
}

/// What is to be shown of it is in `about`.
fn listed(cx: &Cx, most: Option<usize>, operation: &'static str, arguments: Json) -> Call {
    let about = most.map_or_else(|| "none".to_owned(), |most| most.to_string());
    Call::new(about, operation, arguments.with("domain", cx.domain()).with("limit", PAGE))
}
