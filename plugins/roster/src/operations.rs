//! What administrators ask about contact lists. Clients of the account see each change as a push.

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;

use crate::change::{self, Request};
use crate::contact::Contact;
use crate::outbound::say;
use crate::state::{self, Change, Flags};
use crate::stores::CONTACTS;

pub(crate) fn show(_cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let page = call.page();
    let contacts = CONTACTS.all()?;
    let contacts = contacts.iter().filter_map(|row| {
        let contact = Contact::parse(&row.key, std::str::from_utf8(&row.value).ok()?)?;
        let groups = contact.groups.iter().map(String::as_str);
        let texts: Vec<&str> = groups.chain([contact.jid.as_str(), contact.name.as_str()]).collect();
        page.finds(&texts).then(|| (contact.jid.clone(), shown(&contact)))
    });
    let contacts = contacts.collect();
    Ok(page.of(contacts))
}

fn shown(contact: &Contact) -> Json {
    let groups: Vec<Json> = contact.groups.iter().map(Json::from).collect();
    Json::object()
        .with("jid", contact.jid.as_str())
        .with("name", Some(contact.name.as_str()).filter(|name| !name.is_empty()).map(Json::from))
        .with("groups", groups)
        .with("subscription", contact.flags.subscription())
        .with("ask", contact.flags.has(Flags::ASK))
        .with("asked", contact.flags.has(Flags::PENDING))
        .with("listed", contact.flags.has(Flags::LISTED))
}

pub(crate) fn add(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let jid = contact_of(cx, call)?;
    let mut contact = Contact::load(&jid)?;
    // What is not given stays.
    let name = call.text("name").map_or_else(|| contact.name.clone(), str::to_owned);
    let groups = call.list("groups").map(|groups| groups.into_iter().map(str::to_owned).collect());
    let groups = groups.unwrap_or_else(|| contact.groups.clone());
    let request = Request { jid: jid.clone(), remove: false, name, groups };
    request.check(&crate::Config::load())?;
    if call.flag("subscribe") == Some(true) {
        let step = state::outbound(contact.flags, Change::Subscribe);
        contact.flags = step.flags;
        if step.passes {
            send(say("subscribe", &jid))?;
        }
    }
    change::update(contact, request)?;
    Ok(Json::object().with("jid", jid))
}

pub(crate) fn remove_contact(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let jid = contact_of(cx, call)?;
    let contact = Contact::load(&jid)?;
    if !contact.flags.has(Flags::LISTED) {
        return Err(Refusal::Missing([&jid, " is not in the list"].concat()));
    }
    change::remove(contact)?;
    Ok(Json::object().with("jid", jid))
}

fn contact_of(cx: &Cx, call: &Operation) -> Result<String, Refusal> {
    let jid = call.required("contact");
    let jid = Jid::normalise(jid).ok_or_else(|| Refusal::Invalid("contact is no address".into()))?;
    if jid == cx.key() {
        return Err(Refusal::Invalid("an account needs no contact to see itself".into()));
    }
    Ok(jid)
}
