//! As little of a room as can be asked for: says back what is said, under a nickname
//! that the resource of the addressee names.

use xylem_sdk::muc_ext::{self, Field, Occupant};
use xylem_sdk::prelude::*;
use xylem_sdk::{Element, outbox};

xylem_sdk::plugin!();

fn said(cx: &Cx, stanza: &Stanza) -> Result<Verdict, Failure> {
    let jid = cx.actor().ok_or(Condition::NotAuthorized)?;
    let nick = Jid::new(stanza.to().unwrap_or_default()).resource().unwrap_or("nobody").to_owned();
    let who = Occupant { jid: jid.clone(), nick, role: "participant".into(), affiliation: "none".into() };
    muc_ext::ask_join(&cx.key(), &who)?;
    let xml = stanza.root().xml().unwrap_or_default();
    let xml = muc_ext::ask_message(&cx.key(), &who, &xml)?.unwrap_or(xml);
    let (from, to) = (format!("{}/{}", cx.key(), who.nick), jid);
    outbox::send(Xml::message("headline").attr("from", &from).attr("to", &to).raw(&xml))?;
    Ok(Verdict::Stop)
}

fn form(cx: &Cx, iq: &Stanza) -> Result<Xml, Failure> {
    let form = Xml::with_ns("form", "urn:test:rooms");
    if iq.is("get") {
        return Ok(muc_ext::fields(&cx.key()).iter().fold(form, |form, field| form.raw(field)));
    }
    let field = |field: Element| Field {
        name: field.attr("var").unwrap_or_default().to_owned(),
        values: field.children().map(|value| value.text().to_owned()).collect(),
    };
    let fields: Vec<Field> = iq.payload().into_iter().flat_map(|form| form.children()).map(field).collect();
    muc_ext::configure(&cx.key(), &fields)?;
    Ok(form)
}
