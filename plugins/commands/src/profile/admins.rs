//! Who administers the domain (XEP-0133 §4.29).

use xylem_sdk::prelude::*;

use super::{Ask, Call, MOST, Prepare, Profile, Show, Work};
use crate::form::Filled;
use crate::paging::PAGE;

pub(super) const EDIT: Profile = Profile {
    node: "edit-admin",
    title: "Change who administers the domain",
    needs: &["user.list", "user.role"],
    fields: &[Ask("jid-multi", "adminjids", "The administrators")],
    prepares: Some(Prepare {
        operation: "user.list",
        of: |domain| domain.with("role", "administrator").with("limit", PAGE),
        fill: admins,
    }),
    work: Work::Differences(change),
    show: Show::Done,
};

/// Those who administer the domain and no others; owners are not on this list.
fn admins(cx: &Cx, answer: &Json) -> Vec<String> {
    let domain = cx.domain();
    let users = answer.get("items").map(Json::items).unwrap_or_default();
    let administers = |user: &&Json| {
        let Some(role) = user.get("role") else { return false };
        let domains: Vec<&str> =
            role.get("domains").map(Json::items).unwrap_or_default().iter().filter_map(Json::as_text).collect();
        role.get("role").and_then(Json::as_text) == Some("administrator") && domains == [domain.as_str()]
    };
    let account = |user: &Json| user.get("account").and_then(Json::as_text).map(str::to_owned);
    users.iter().filter(administers).filter_map(account).collect()
}

/// Who is new becomes an administrator of the domain, and who is gone a user.
fn change(cx: &Cx, form: Filled<'_>, before: &[String]) -> Result<Vec<Call>, String> {
    let mut wanted = Vec::new();
    for jid in form.values("adminjids") {
        wanted.push(Jid::normalise(jid.trim()).ok_or_else(|| [jid, " is no address"].concat())?);
    }
    let call = |account: &String, arguments: Json| Call::new(account, "user.role", arguments.with("account", account));
    let domains = || Json::List(vec![Json::from(cx.domain())]);
    let come = wanted.iter().filter(|jid| !before.contains(jid));
    let come = come.map(|jid| call(jid, Json::object().with("role", "administrator").with("domains", domains())));
    let gone = before.iter().filter(|jid| !wanted.contains(jid));
    let gone = gone.map(|jid| call(jid, Json::object().with("role", "user")));
    let calls: Vec<Call> = come.chain(gone).collect();
    if calls.len() > MOST { Err("too many changes at once".into()) } else { Ok(calls) }
}
