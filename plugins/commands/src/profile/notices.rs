//! What everybody is told (XEP-0133 §4.23 to §4.28), and the end of the service (§4.30, §4.31).

use xylem_sdk::prelude::*;

use super::{Ask, Call, Prepare, Profile, Show, Work};
use crate::form::Filled;

pub(super) const ANNOUNCE: Profile = Profile {
    node: "announce",
    title: "Tell those who are online something",
    needs: &["announce.send"],
    fields: &[Ask("text-multi", "announcement", "What is told")],
    prepares: None,
    work: Work::Calls(announce),
    show: Show::Done,
};

pub(super) const SET_MOTD: Profile = Profile {
    node: "set-motd",
    title: "Set the message of the day",
    needs: &["motd.set"],
    fields: &[MOTD],
    prepares: None,
    work: Work::Calls(set_motd),
    show: Show::Done,
};

pub(super) const EDIT_MOTD: Profile = Profile {
    node: "edit-motd",
    title: "Correct the message of the day",
    needs: &["motd.show", "motd.update"],
    fields: &[MOTD],
    prepares: Some(Prepare { operation: "motd.show", of: |domain| domain, fill: lines }),
    work: Work::Calls(edit_motd),
    show: Show::Done,
};

pub(super) const DELETE_MOTD: Profile =
    plain("delete-motd", "Take the message of the day away", &["motd.delete"], delete_motd);

pub(super) const SET_WELCOME: Profile = Profile {
    node: "set-welcome",
    title: "Set what new users are told",
    needs: &["welcome.show", "welcome.set"],
    fields: &[Ask("text-multi", "welcome", "What new users are told")],
    prepares: Some(Prepare { operation: "welcome.show", of: |domain| domain, fill: lines }),
    work: Work::Calls(set_welcome),
    show: Show::Done,
};

pub(super) const DELETE_WELCOME: Profile =
    plain("delete-welcome", "New users are told nothing", &["welcome.delete"], delete_welcome);

pub(super) const RESTART: Profile = ending("restart", "Restart the server", &["server.restart"], restart);
pub(super) const SHUT_DOWN: Profile = ending("shutdown", "Stop the server", &["server.stop"], shut_down);

const MOTD: Ask = Ask("text-multi", "motd", "The message of the day");

const fn plain(
    node: &'static str,
    title: &'static str,
    needs: &'static [&'static str],
    calls: fn(&Cx, Filled<'_>) -> Result<Vec<Call>, String>,
) -> Profile {
    Profile { node, title, needs, fields: &[], prepares: None, work: Work::Calls(calls), show: Show::Done }
}

const fn ending(
    node: &'static str,
    title: &'static str,
    needs: &'static [&'static str],
    calls: fn(&Cx, Filled<'_>) -> Result<Vec<Call>, String>,
) -> Profile {
    Profile {
        node,
        title,
        needs,
        fields: &[Ask("list-single", "delay", "Seconds to wait"), Ask("text-multi", "announcement", "What is told")],
        prepares: None,
        work: Work::Calls(calls),
        show: Show::Done,
    }
}

/// The text as it is.
fn lines(_cx: &Cx, answer: &Json) -> Vec<String> {
    let text = answer.get("text").and_then(Json::as_text).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn announce(cx: &Cx, form: Filled<'_>) -> Result<Vec<Call>, String> {
    said(cx, form, "announce.send", "announcement")
}

fn set_motd(cx: &Cx, form: Filled<'_>) -> Result<Vec<Call>, String> {
    said(cx, form, "motd.set", "motd")
}

fn edit_motd(cx: &Cx, form: Filled<'_>) -> Result<Vec<Call>, String> {
    said(cx, form, "motd.update", "motd")
}

fn set_welcome(cx: &Cx, form: Filled<'_>) -> Result<Vec<Call>, String> {
    said(cx, form, "welcome.set", "welcome")
}

fn said(cx: &Cx, form: Filled<'_>, operation: &'static str, var: &str) -> Result<Vec<Call>, String> {
    let arguments = of_domain(cx).with("text", form.values(var).join("\n"));
    Ok(vec![Call::new(cx.domain(), operation, arguments)])
}

fn delete_motd(cx: &Cx, _form: Filled<'_>) -> Result<Vec<Call>, String> {
    Ok(vec![Call::new(cx.domain(), "motd.delete", of_domain(cx))])
}

fn delete_welcome(cx: &Cx, _form: Filled<'_>) -> Result<Vec<Call>, String> {
    Ok(vec![Call::new(cx.domain(), "welcome.delete", of_domain(cx))])
}

fn restart(cx: &Cx, form: Filled<'_>) -> Result<Vec<Call>, String> {
    ended(cx, form, "server.restart")
}

fn shut_down(cx: &Cx, form: Filled<'_>) -> Result<Vec<Call>, String> {
    ended(cx, form, "server.stop")
}

/// Those who are online are told first, if there is something to tell.
fn ended(cx: &Cx, form: Filled<'_>, operation: &'static str) -> Result<Vec<Call>, String> {
    let delay = form.value("delay").unwrap_or("0");
    let delay: u64 = delay.parse().map_err(|_| "delay is a number of seconds".to_owned())?;
    let announcement = form.values("announcement").join("\n");
    let mut end = Json::object().with("delay", delay);
    let mut calls = Vec::new();
    if !announcement.is_empty() {
        let told: String = announcement.chars().take(REASON).collect();
        end = end.with("reason", told);
        let arguments = of_domain(cx).with("text", announcement);
        calls.push(Call::new(cx.domain(), "announce.send", arguments));
    }
    calls.push(Call::new("the server", operation, end));
    Ok(calls)
}

/// Characters of a reason: of whatever kind, they are no more than its 1024 bytes.
const REASON: usize = 256;

fn of_domain(cx: &Cx) -> Json {
    Json::object().with("domain", cx.domain())
}
