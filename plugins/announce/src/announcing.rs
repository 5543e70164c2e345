//! Announcements: to who is there, to all, to some.

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox;
use xylem_sdk::prelude::*;

use crate::Config;
use crate::standing::{NOTICE, Standing};
use crate::stores::STANDING;

pub(crate) fn send(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let told = |told: u64, id: Option<&str>| Json::object().with("told", told).with("id", id);
    let to = call.text("to").unwrap_or("online");
    let accounts = named(call, to)?;
    let until = cx.now().saturating_add(Config::load().stands);
    let notice = Standing::of(call, cx.now(), until);
    match accounts {
        Some(accounts) => Ok(told(to_some(cx, &notice, &accounts)?, None)),
        None if to == "all" => {
            forget_old(cx)?;
            let id = cx.now().to_string();
            let name = [NOTICE, &id].concat();
            if STANDING.get(&name)?.is_some() {
                return Err(Refusal::Conflict("one announcement at a time; try again".into()));
            }
            notice.save(&name)?;
            let count = outbox::to_everybody(notice.message(cx, "normal"))?;
            Ok(told(count.into(), Some(&id)))
        }
        None => Ok(told(outbox::to_everybody(notice.message(cx, "headline"))?.into(), None)),
    }
}

/// Whom it is for by name: those that are given, or the server put in place of a role.
fn named<'a>(call: &'a Operation, to: &str) -> Result<Option<Vec<&'a str>>, Refusal> {
    let mut named = None;
    for argument in ["accounts", "role"] {
        let given = call.list(argument);
        if given.is_some() != (to == argument) {
            return Err(Refusal::Invalid(["`", argument, "` goes with `to` = ", argument].concat()));
        }
        named = named.or(given);
    }
    Ok(named)
}

/// What stands no longer goes when something new comes.
fn forget_old(cx: &Cx) -> Result<(), Fault> {
    for row in STANDING.scan(NOTICE, None, 1000)? {
        let notice = std::str::from_utf8(&row.value).ok().and_then(Standing::parse);
        if notice.is_none_or(|notice| notice.until <= cx.now()) {
            STANDING.delete(&row.key)?;
        }
    }
    Ok(())
}

/// A message to each; who is away finds it later.
fn to_some(cx: &Cx, notice: &Standing, accounts: &[&str]) -> Result<u64, Refusal> {
    let domain = cx.domain();
    let mut addresses = Vec::with_capacity(accounts.len());
    for account in accounts {
        let jid = Jid::normalise(account).filter(|jid| Jid::new(jid).is_bare() && Jid::new(jid).domain() == domain);
        addresses.push(jid.ok_or_else(|| Refusal::Invalid([account, " is no account of ", &domain].concat()))?);
    }
    addresses.sort_unstable();
    addresses.dedup();
    for to in &addresses {
        outbox::send(notice.message(cx, "normal").attr("to", to))?;
    }
    Ok(addresses.len() as u64)
}

pub(crate) fn list(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let page = call.page();
    let mut entries = Vec::new();
    for row in STANDING.scan(NOTICE, None, 1000)? {
        let Some(notice) = std::str::from_utf8(&row.value).ok().and_then(Standing::parse) else { continue };
        if notice.until > cx.now() && page.finds(&[&notice.subject, &notice.text]) {
            let id = row.key.strip_prefix(NOTICE).unwrap_or_default();
            let shown = notice.shown().with("id", id).with("until", notice.until / 1000);
            entries.push((id.to_owned(), shown));
        }
    }
    Ok(page.of(entries))
}

pub(crate) fn withdraw(_cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let id = call.required("id");
    if !STANDING.delete(&[NOTICE, id].concat())? {
        return Err(Refusal::Missing(["there is no announcement ", id].concat()));
    }
    Ok(Json::object().with("id", id))
}
