//! What the service and its rooms say of themselves (XEP-0045 §6).

use xylem_sdk::prelude::*;

use crate::form::field;
use crate::ns::{
    COMMANDS, DISCO_INFO, DISCO_ITEMS, FORM, HATS, MAM, MODERATE, MUC, OCCUPANT_ID, PING, REGISTER, RETRACT, ROOM_INFO,
    RSM, SELF_PING, STABLE_ID, STANZA_ID, UNIQUE, VCARD,
};
use crate::occupant::{self, Occupant, Session};
use crate::privileges::Affiliation;
use crate::room::Room;
use crate::{Config, affiliations, commands, extension, listing, subject};

const ROOM_FEATURES: [&str; 16] = [
    MAM,
    MODERATE,
    RETRACT,
    "urn:xmpp:message-retract:1#tombstone",
    COMMANDS,
    HATS,
    MUC,
    STABLE_ID,
    SELF_PING,
    OCCUPANT_ID,
    STANZA_ID,
    REGISTER,
    PING,
    VCARD,
    DISCO_INFO,
    DISCO_ITEMS,
];
const SERVICE_FEATURES: [&str; 9] = [MUC, STABLE_ID, OCCUPANT_ID, UNIQUE, RSM, PING, VCARD, DISCO_INFO, DISCO_ITEMS];

/// `disco#info` to the service (§6.2) or a room (§6.4).
pub(crate) fn info(cx: &Cx, iq: &Stanza<'_>) -> Result<Xml, Failure> {
    let key = cx.key();
    let node = iq.payload().and_then(|query| query.attr("node")).filter(|node| !node.is_empty());
    if Jid::new(&key).local().is_some() {
        return room_info(iq, &Room::existing(&key)?, node);
    }
    if node.is_some() {
        return Err(Condition::ItemNotFound.into());
    }
    let config = Config::load();
    Ok(described(Xml::with_ns("query", DISCO_INFO), &config.name, &SERVICE_FEATURES))
}

fn described(query: Xml, name: &str, features: &[&str]) -> Xml {
    let identity = Xml::new("identity").attr("category", "conference").attr("type", "text").attr("name", name);
    query.child(identity).children(features.iter().map(|var| Xml::new("feature").attr("var", var)))
}

fn room_info(iq: &Stanza<'_>, room: &Room, node: Option<&str>) -> Result<Xml, Failure> {
    let account = Jid::new(iq.from().unwrap_or_default()).bare();
    let query = Xml::with_ns("query", DISCO_INFO).attr_opt("node", node);
    match node {
        None => {}
        Some("x-roomuser-item") => return reserved_nickname(room, account, query),
        // §17.6: nothing is left out.
        Some("http://jabber.org/protocol/muc#traffic") => return Err(Condition::ServiceUnavailable.into()),
        Some(_) => return Err(Condition::ItemNotFound.into()),
    }
    if room.locked && affiliations::of(room, account)? != Affiliation::Owner {
        return Err(Condition::ItemNotFound.into());
    }
    let query = described(query, room.name(), &ROOM_FEATURES).children(kinds(room));
    Ok(query.children(extension::features(room)).child(form(room)?))
}

/// §7.12.
fn reserved_nickname(room: &Room, account: &str, query: Xml) -> Result<Xml, Failure> {
    let nick = affiliations::affiliate(room, account)?.map(|row| row.nick).filter(|nick| !nick.is_empty());
    Ok(query.children(
        nick.map(|nick| Xml::new("identity").attr("category", "conference").attr("type", "text").attr("name", &nick)),
    ))
}

/// The features that say of which kind the room is (§16.3).
fn kinds(room: &Room) -> Vec<Xml> {
    let now = &room.configuration;
    let kinds = [
        (now.public, "muc_public", "muc_hidden"),
        (now.persistent, "muc_persistent", "muc_temporary"),
        (now.members_only, "muc_membersonly", "muc_open"),
        (now.moderated, "muc_moderated", "muc_unmoderated"),
        (now.password_protected, "muc_passwordprotected", "muc_unsecured"),
        (now.non_anonymous, "muc_nonanonymous", "muc_semianonymous"),
    ];
    let feature = |(holds, yes, no)| Xml::new("feature").attr("var", if holds { yes } else { no });
    kinds.into_iter().map(feature).collect()
}

/// More about it, for those who are looking for a room (§6.4). The subject is for those inside.
fn form(room: &Room) -> Result<Xml, Fault> {
    let now = &room.configuration;
    let hidden = Xml::new("field").attr("var", "FORM_TYPE").attr("type", "hidden").leaf("value", ROOM_INFO);
    let flag = |on: bool| if on { "1" } else { "0" };
    let subject = if now.public && !now.members_only && !now.password_protected {
        subject::current(room)?
    } else {
        String::new()
    };
    let texts = [
        ("muc#roominfo_description", "Description", now.description.as_str()),
        ("muc#roominfo_lang", "Language", now.language.as_str()),
        ("muc#roominfo_pubsub", "Associated pubsub node", now.pubsub.as_str()),
        ("muc#roominfo_subject", "Subject", subject.as_str()),
        ("muc#roominfo_avatarhash", "Avatar hash", room.avatar.as_str()),
    ];
    let occupants = occupant::count()?.to_string();
    let history = now.history.to_string();
    Ok(Xml::with_ns("x", FORM)
        .attr("type", "result")
        .child(hidden)
        .children(
            texts
                .into_iter()
                .filter(|(_, _, value)| !value.is_empty())
                .map(|(var, label, value)| field("text-single", var, label, &[value])),
        )
        .child(field("text-single", "muc#roominfo_occupants", "Number of occupants", &[&occupants]))
        .child(field("text-single", "muc#maxhistoryfetch", "Most messages of history", &[&history]))
        .child(field(
            "boolean",
            "muc#roomconfig_changesubject",
            "Occupants may change the subject",
            &[flag(now.change_subject)],
        ))
        .child(field("boolean", "muc#roomconfig_allowinvites", "Members may invite others", &[flag(now.allow_invites)]))
        .child(field("list-single", "muc#roomconfig_allowpm", "Who may send private messages", &[now.allow_pm.name()])))
}

/// `disco#items`: the public rooms (§6.3), or for somebody in a room its occupants (§6.5).
pub(crate) fn items(cx: &Cx, iq: &Stanza<'_>) -> Result<Xml, Failure> {
    let key = cx.key();
    let query = iq.payload().ok_or(Condition::BadRequest)?;
    if Jid::new(&key).local().is_none() {
        return listing::rooms(&key, query);
    }
    let room = Room::existing(&key)?;
    let node = query.attr("node").filter(|node| !node.is_empty());
    let mut answer = Xml::with_ns("query", DISCO_ITEMS).attr_opt("node", node);
    match node {
        None => {}
        // XEP-0050 §2.2.
        Some(COMMANDS) => {
            let item = |(node, name): (&str, &str)| {
                Xml::new("item").attr("jid", &room.jid).attr("node", node).attr("name", name)
            };
            return Ok(answer.children(commands::LIST.into_iter().map(item)));
        }
        Some(_) => return Err(Condition::ItemNotFound.into()),
    }
    if Session::of(iq.from().unwrap_or_default())?.is_some() {
        for occupant in Occupant::all()?.iter().filter(|occupant| room.configuration.broadcast.has(occupant.role)) {
            answer = answer.child(Xml::new("item").attr("jid", &room.occupant(&occupant.nick)));
        }
    }
    Ok(answer)
}
