//! A room's options as operations name them.

use xylem_sdk::prelude::*;

use crate::Config;
use crate::configuration::{AllowPm, Configuration};

/// The options as they are.
pub(super) fn shown(answer: Json, configuration: &Configuration) -> Json {
    let text = |text: &str| Some(text).filter(|text| !text.is_empty()).map(Json::from);
    answer
        .with("description", text(&configuration.description))
        .with("language", text(&configuration.language))
        .with("public", configuration.public)
        .with("persistent", configuration.persistent)
        .with("moderated", configuration.moderated)
        .with("members_only", configuration.members_only)
        .with("password_protected", configuration.password_protected)
        .with("non_anonymous", configuration.non_anonymous)
        .with("change_subject", configuration.change_subject)
        .with("allow_invites", configuration.allow_invites)
        .with("private_messages", configuration.allow_pm.name())
        .with("max_occupants", configuration.max_users)
        .with("history", configuration.history)
}

/// The options as they are wanted; what is not given stays.
pub(super) fn wanted(before: &Configuration, call: &Operation, config: &Config) -> Result<Configuration, Refusal> {
    let mut wanted = before.clone();
    for (name, place) in
        [("name", &mut wanted.name), ("description", &mut wanted.description), ("language", &mut wanted.language)]
    {
        if let Some(text) = call.text(name) {
            text.clone_into(place);
        }
    }
    for (name, place) in [
        ("public", &mut wanted.public),
        ("persistent", &mut wanted.persistent),
        ("moderated", &mut wanted.moderated),
        ("members_only", &mut wanted.members_only),
        ("non_anonymous", &mut wanted.non_anonymous),
        ("change_subject", &mut wanted.change_subject),
        ("allow_invites", &mut wanted.allow_invites),
    ] {
        if let Some(flag) = call.flag(name) {
            *place = flag;
        }
    }
    if let Some(name) = call.text("private_messages") {
        let known = AllowPm::ALL.into_iter().find(|allowed| allowed.name() == name);
        wanted.allow_pm = known.ok_or_else(|| Refusal::Invalid("private_messages".into()))?;
    }
    if let Some(most) = call.number("max_occupants") {
        wanted.max_users = most;
    }
    if let Some(most) = call.number("history") {
        wanted.history = most.min(config.max_history.unsigned_abs());
    }
    match (call.text("password"), call.flag("open")) {
        (Some(_), Some(true)) => return Err(Refusal::Invalid("a password, or none? `open` takes it away".into())),
        (Some(password), _) => {
            password.clone_into(&mut wanted.secret);
            wanted.password_protected = true;
        }
        (None, Some(true)) => {
            wanted.secret.clear();
            wanted.password_protected = false;
        }
        (None, _) => {}
    }
    Ok(wanted)
}
