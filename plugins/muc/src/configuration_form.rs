//! The form of a room's options, to be filled in and as it was filled in (XEP-0045 §10.1.3, §16.5.3).

use xylem_sdk::prelude::*;

use crate::Config;
use crate::configuration::{AllowPm, Configuration, Roles};
use crate::form::{Field, Form, choice, field, flag, form};
use crate::ns::ROOM_CONFIG;
use crate::privileges::Role;

const ROLES: [(&str, &str); 3] =
    [("moderator", "Moderators"), ("participant", "Participants"), ("visitor", "Visitors")];
const ALLOW_PM: [(&str, &str); 4] = [
    ("anyone", "Anyone"),
    ("participants", "Anyone with voice"),
    ("moderators", "Moderators only"),
    ("none", "Nobody"),
];
const WHOIS: [(&str, &str); 2] = [("moderators", "Moderators only"), ("anyone", "Anyone")];
const MAX_USERS: [(&str, &str); 8] = [
    ("10", "10"),
    ("20", "20"),
    ("50", "50"),
    ("100", "100"),
    ("500", "500"),
    ("1000", "1000"),
    ("5000", "5000"),
    ("none", "None"),
];

/// The form with the options as they are.
pub(crate) fn write(configuration: &Configuration, admins: &[&str], owners: &[&str]) -> Xml {
    let most = if configuration.max_users == 0 { "none".into() } else { configuration.max_users.to_string() };
    let whois = if configuration.non_anonymous { "anyone" } else { "moderators" };
    form("form", ROOM_CONFIG)
        .leaf("title", "Configuration of the room")
        .child(field("text-single", "muc#roomconfig_roomname", "Name", &[&configuration.name]))
        .child(field("text-single", "muc#roomconfig_roomdesc", "Description", &[&configuration.description]))
        .child(field("text-single", "muc#roomconfig_lang", "Language of the discussions", &[&configuration.language]))
        .child(field("text-single", "muc#roomconfig_pubsub", "Associated pubsub node", &[&configuration.pubsub]))
        .child(flag("muc#roomconfig_publicroom", "Let the room be found", configuration.public))
        .child(flag("muc#roomconfig_persistentroom", "Keep the room when it is empty", configuration.persistent))
        .child(flag("muc#roomconfig_moderatedroom", "Only those with voice may speak", configuration.moderated))
        .child(flag("muc#roomconfig_membersonly", "Only members may enter", configuration.members_only))
        .child(flag("muc#roomconfig_allowinvites", "Members may invite others", configuration.allow_invites))
        .child(flag("muc#roomconfig_changesubject", "Occupants may change the subject", configuration.change_subject))
        .child(flag("muc#roomconfig_enablelogging", "The discussions are logged publicly", configuration.logging))
        .child(flag(
            "muc#roomconfig_passwordprotectedroom",
            "A password is needed to enter",
            configuration.password_protected,
        ))
        .child(field("text-private", "muc#roomconfig_roomsecret", "Password", &[&configuration.secret]))
        .child(choice("list-single", "muc#roomconfig_whois", "Who may see real addresses", &[whois], &WHOIS))
        .child(choice(
            "list-single",
            "muc#roomconfig_allowpm",
            "Who may send private messages",
            &[configuration.allow_pm.name()],
            &ALLOW_PM,
        ))
        .child(choice("list-single", "muc#roomconfig_maxusers", "Most occupants", &[&most], &MAX_USERS))
        .child(choice(
            "list-multi",
            "muc#roomconfig_presencebroadcast",
            "Whose presence is shown",
            &names(configuration.broadcast),
            &ROLES,
        ))
        .child(choice(
            "list-multi",
            "muc#roomconfig_getmemberlist",
            "Who may read the list of members",
            &names(configuration.member_list),
            &ROLES,
        ))
        .child(field(
            "text-single",
            "muc#maxhistoryfetch",
            "Most messages of history for those who enter",
            &[&configuration.history.to_string()],
        ))
        .child(field("jid-multi", "muc#roomconfig_roomadmins", "Administrators", admins))
        .child(field("jid-multi", "muc#roomconfig_roomowners", "Owners", owners))
}

fn names(roles: Roles) -> Vec<&'static str> {
    Role::ALL.into_iter().filter(|role| *role != Role::None && roles.has(*role)).map(Role::name).collect()
}

/// What somebody filled in.
pub(crate) struct Submitted {
    pub(crate) configuration: Configuration,
    /// All administrators from now on, where the form says so.
    pub(crate) admins: Option<Vec<String>>,
    pub(crate) owners: Option<Vec<String>>,
}

/// Reads a form; fields that are not in it stay as they are. `not-acceptable` for what cannot be (§10.1.3).
pub(crate) fn read(before: &Configuration, form: Form<'_>, config: &Config) -> Result<Submitted, Failure> {
    let mut submitted = Submitted { configuration: before.clone(), admins: None, owners: None };
    for (var, field) in form.fields() {
        let Some(name) = var.strip_prefix("muc#") else { continue };
        match name.strip_prefix("roomconfig_") {
            Some("roomadmins") => submitted.admins = Some(accounts(field)?),
            Some("roomowners") => submitted.owners = Some(accounts(field)?),
            Some(option) => set(&mut submitted.configuration, option, field)?,
            None if name == "maxhistoryfetch" => {
                let most = config.max_history.unsigned_abs();
                submitted.configuration.history =
                    field.value().parse::<u64>().map_err(|_| wrong("maxhistoryfetch"))?.min(most);
            }
            None => {}
        }
    }
    let configuration = &submitted.configuration;
    if configuration.password_protected && configuration.secret.is_empty() {
        return Err(wrong("a password-protected room needs a password"));
    }
    Ok(submitted)
}

fn set(configuration: &mut Configuration, option: &str, field: Field<'_>) -> Result<(), Failure> {
    if set_text(configuration, option, field)? {
        return Ok(());
    }
    match option {
        "whois" => {
            configuration.non_anonymous = match field.value() {
                "anyone" => true,
                "moderators" => false,
                _ => return Err(wrong(option)),
            };
        }
        "allowpm" => {
            let known = AllowPm::ALL.into_iter().find(|allowed| allowed.name() == field.value());
            configuration.allow_pm = known.ok_or_else(|| wrong(option))?;
        }
        "maxusers" => {
            configuration.max_users = match field.value() {
                "" | "none" => 0,
                number => number.parse().map_err(|_| wrong(option))?,
            };
        }
        "presencebroadcast" => configuration.broadcast = roles(field, option)?,
        "getmemberlist" => configuration.member_list = roles(field, option)?,
        _ => {
            if let Some(flag) = flag_named(configuration, option) {
                *flag = field.flag().ok_or_else(|| wrong(option))?;
            }
        }
    }
    Ok(())
}

fn flag_named<'a>(configuration: &'a mut Configuration, option: &str) -> Option<&'a mut bool> {
    Some(match option {
        "publicroom" => &mut configuration.public,
        "persistentroom" => &mut configuration.persistent,
        "moderatedroom" => &mut configuration.moderated,
        "membersonly" => &mut configuration.members_only,
        "allowinvites" => &mut configuration.allow_invites,
        "changesubject" => &mut configuration.change_subject,
        "enablelogging" => &mut configuration.logging,
        "passwordprotectedroom" => &mut configuration.password_protected,
        _ => return None,
    })
}

/// True when it was one of these.
fn set_text(configuration: &mut Configuration, option: &str, field: Field<'_>) -> Result<bool, Failure> {
    let place = match option {
        "roomname" => &mut configuration.name,
        "roomdesc" => &mut configuration.description,
        "lang" => &mut configuration.language,
        "pubsub" => &mut configuration.pubsub,
        "roomsecret" => &mut configuration.secret,
        _ => return Ok(false),
    };
    if field.value().len() > TEXT {
        return Err(wrong(option));
    }
    field.value().clone_into(place);
    Ok(true)
}

/// Most bytes of one text.
const TEXT: usize = 2048;

fn roles(field: Field<'_>, option: &str) -> Result<Roles, Failure> {
    let mut roles = Roles(0);
    for name in field.values().filter(|name| !name.is_empty()) {
        let role = Role::parse(name).filter(|role| *role != Role::None);
        roles = roles.with(role.ok_or_else(|| wrong(option))?);
    }
    Ok(roles)
}

fn accounts(field: Field<'_>) -> Result<Vec<String>, Failure> {
    let mut accounts = Vec::new();
    for jid in field.values().filter(|jid| !jid.is_empty()) {
        let jid = Jid::normalise(jid).ok_or_else(|| wrong("an address is none"))?;
        let bare = Jid::new(&jid).bare().to_owned();
        if Jid::new(&bare).local().is_none() {
            return Err(wrong("an address has no user"));
        }
        if !accounts.contains(&bare) {
            accounts.push(bare);
        }
    }
    Ok(accounts)
}

fn wrong(what: &str) -> Failure {
    Failure::new(Condition::NotAcceptable).text(what)
}
