//! Commands to a room (XEP-0050): its administrators look after the hats (XEP-0317 §4.3 to §4.8).

use xylem_sdk::prelude::*;
use xylem_sdk::runtime;

use crate::form::{self, Form, choice, field, form};
use crate::hats::{self, Hat};
use crate::ns::{COMMANDS, FORM};
use crate::privileges::Affiliation;
use crate::room::Room;
use crate::{affiliations, configuring};

const FORM_TYPE: &str = "urn:xmpp:hats:commands";
/// The commands and what they are called.
pub(crate) const LIST: [(&str, &str); 6] = [
    ("urn:xmpp:hats:commands:create", "Create a hat"),
    ("urn:xmpp:hats:commands:destroy", "Destroy a hat"),
    ("urn:xmpp:hats:commands:list", "List the hats"),
    ("urn:xmpp:hats:commands:assign", "Give somebody a hat"),
    ("urn:xmpp:hats:commands:unassign", "Take a hat from somebody"),
    ("urn:xmpp:hats:commands:list-assigned", "List who wears what"),
];

/// Most bytes of a title or an address of a hat.
const TEXT: usize = 512;

/// A step of a command. None needs to be remembered between two steps.
pub(crate) fn command(cx: &Cx, iq: &Stanza<'_>) -> Result<Reply, Failure> {
    let key = cx.key();
    if Jid::new(&key).local().is_none() {
        return Err(Condition::ItemNotFound.into());
    }
    let room = Room::existing(&key)?;
    let account = Jid::new(iq.from().unwrap_or_default()).bare();
    if affiliations::of(&room, account)? < Affiliation::Admin {
        return Err(Condition::Forbidden.into());
    }
    let command = iq.payload().ok_or(Condition::BadRequest)?;
    let node = command.attr("node").unwrap_or_default();
    let step = Step { node, session: command.attr("sessionid") };
    if command.attr("action") == Some("cancel") {
        return Ok(Reply::with(step.answer("canceled")));
    }
    let filled = form::within(command).filter(|form| form.is("submit"));
    let name = node.strip_prefix(FORM_TYPE).and_then(|name| name.strip_prefix(':')).ok_or(Condition::ItemNotFound)?;
    match (name, filled) {
        ("list", _) => Ok(Reply::with(step.answer("completed").child(hats_there_are(&room)?))),
        ("list-assigned", _) => Ok(Reply::with(step.answer("completed").child(hats_worn(&room)?))),
        ("create" | "destroy" | "assign" | "unassign", None) => {
            Ok(Reply::with(step.answer("executing").child(asked(&room, name)?)))
        }
        ("create", Some(form)) => {
            hats::create(&room, &hat(form)?)?;
            configuring::notify(&room, &["104"])?;
            Ok(Reply::with(step.answer("completed")))
        }
        ("destroy", Some(form)) => {
            hats::destroy(&room, uri(form)?)?;
            configuring::notify(&room, &["104"])?;
            Ok(Reply::with(step.answer("completed")))
        }
        ("assign" | "unassign", Some(form)) => {
            let jid = form.value("hats#jid").and_then(Jid::normalise).ok_or(Condition::BadRequest)?;
            hats::wear(&room, Jid::new(&jid).bare(), uri(form)?, name == "assign")?;
            Ok(Reply::with(step.answer("completed")))
        }
        _ => Err(Condition::ItemNotFound.into()),
    }
}

struct Step<'a> {
    node: &'a str,
    session: Option<&'a str>,
}

impl Step<'_> {
    fn answer(&self, status: &str) -> Xml {
        let session = self.session.map_or_else(runtime::random_id, str::to_owned);
        Xml::with_ns("command", COMMANDS).attr("node", self.node).attr("sessionid", &session).attr("status", status)
    }
}

fn uri(form: Form<'_>) -> Result<&str, Failure> {
    let uri = form.value("hats#uri").or_else(|| form.value("hat")).unwrap_or_default();
    if uri.is_empty() || uri.len() > TEXT { Err(Condition::BadRequest.into()) } else { Ok(uri) }
}

fn hat(form: Form<'_>) -> Result<Hat, Failure> {
    let title = form.value("hats#title").unwrap_or_default();
    let hue = form.value("hats#hue").unwrap_or_default();
    let angle = hue.is_empty() || hue.parse::<f32>().is_ok_and(|hue| (0.0..=360.0).contains(&hue));
    if title.is_empty() || title.len() > TEXT || !angle {
        return Err(Condition::BadRequest.into());
    }
    Ok(Hat { uri: uri(form)?.into(), title: title.into(), hue: hue.into() })
}

/// The form that a command asks to be filled in.
fn asked(room: &Room, name: &str) -> Result<Xml, Fault> {
    let required = |kind, var, label| field(kind, var, label, &[]).child(Xml::new("required"));
    let form = form("form", FORM_TYPE);
    if name == "create" {
        return Ok(form
            .child(required("text-single", "hats#title", "Title"))
            .child(required("text-single", "hats#uri", "Address (URI)"))
            .child(field("text-single", "hats#hue", "Hue", &[])));
    }
    let there = hats::all(room)?;
    let options: Vec<(&str, &str)> = there.iter().map(|hat| (hat.uri.as_str(), hat.title.as_str())).collect();
    let form = if name == "destroy" { form } else { form.child(required("jid-single", "hats#jid", "User address")) };
    Ok(form.child(choice("list-single", "hats#uri", "Hat", &[], &options)))
}

fn hats_there_are(room: &Room) -> Result<Xml, Fault> {
    let items = hats::all(room)?.into_iter().map(|hat| vec![hat.title, hat.uri, hat.hue]).collect();
    Ok(table(&["hats#title", "hats#uri", "hats#hue"], items))
}

fn hats_worn(room: &Room) -> Result<Xml, Fault> {
    let there = hats::all(room)?;
    let mut items = Vec::new();
    for (account, uris) in hats::wearers(room)? {
        for hat in uris.iter().filter_map(|uri| there.iter().find(|hat| hat.uri == *uri)) {
            items.push(vec![account.clone(), hat.uri.clone(), hat.title.clone(), hat.hue.clone()]);
        }
    }
    Ok(table(&["hats#jid", "hats#uri", "hats#title", "hats#hue"], items))
}

/// XEP-0004 §3.4.
fn table(columns: &[&str], rows: Vec<Vec<String>>) -> Xml {
    let column = |var: &&str| Xml::new("field").attr("var", var);
    let item = |row: Vec<String>| {
        let cells = columns.iter().zip(&row).map(|(var, value)| column(var).leaf("value", value));
        Xml::new("item").children(cells.collect::<Vec<_>>())
    };
    let reported = Xml::new("reported").children(columns.iter().map(column));
    Xml::with_ns("x", FORM).attr("type", "result").child(reported).children(rows.into_iter().map(item))
}
