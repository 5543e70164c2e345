//! Clients and services say where notifications go (§5, §6, §8).

use xylem_sdk::Element;
use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;

use crate::device::{self, Device};
use crate::stores::DEVICES;
use crate::waiting::Waiting;
use crate::{Config, FORM, PUBSUB};

/// Longest node and longest form, in bytes.
const NODE: usize = 1024;
const OPTIONS: usize = 8192;
const PUBLISH_OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";

/// A node that is enabled again has the new options, belongs to this session and has failed never.
pub(crate) fn enable(_cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let request = iq.payload().ok_or(Condition::BadRequest)?;
    let (jid, node) = place(request)?;
    let node = node.unwrap_or_default();
    if node.len() > NODE {
        return Err(Failure::new(Condition::NotAcceptable).text("the node's name is too long"));
    }
    let options = request.child(FORM, "x").map(options).transpose()?;
    let resource = iq.from().and_then(|from| Jid::new(from).resource()).ok_or(Condition::BadRequest)?;
    let device = Device::new(&jid, node, resource, options);
    make_room(&device.key)?;
    device.save()?;
    Waiting::forget(&device.key)?;
    Ok(Reply::empty())
}

/// Without node: all nodes of the service. What is not there is disabled already.
pub(crate) fn disable(_cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let request = iq.payload().ok_or(Condition::BadRequest)?;
    let (jid, node) = place(request)?;
    match node {
        Some(node) => drop(remove(&device::key(&jid, node))?),
        None => {
            for row in DEVICES.scan(&device::key(&jid, ""), None, 1000)? {
                remove(&row.key)?;
            }
        }
    }
    Ok(Reply::empty())
}

/// A service takes away the right to publish to one of its nodes. Nobody else has to see that.
pub(crate) fn revoked(cx: &Cx, message: &Stanza) -> Result<Verdict, Failure> {
    let (Some(from), Some(event)) = (message.from(), message.child(PUBSUB, "pubsub")) else {
        return Ok(Verdict::Pass);
    };
    let account = cx.key();
    let taken = |child: Element| {
        let whose = child.attr("jid").and_then(Jid::normalise);
        let publishes = matches!(child.attr("affiliation"), Some("owner" | "publisher" | "publish-only"));
        child.is(PUBSUB, "affiliation") && !publishes && whose.is_some_and(|jid| Jid::new(&jid).bare() == account)
    };
    let node = event.attr("node").unwrap_or_default();
    if event.children().any(taken) && remove(&device::key(from, node))? {
        return Ok(Verdict::Stop);
    }
    Ok(Verdict::Pass)
}

fn place<'a>(request: Element<'a>) -> Result<(String, Option<&'a str>), Failure> {
    let jid = request.attr("jid").ok_or_else(|| Failure::new(Condition::BadRequest).text("jid is missing"))?;
    let jid = Jid::normalise(jid).ok_or(Condition::JidMalformed)?;
    Ok((jid, request.attr("node")))
}

fn options(form: Element) -> Result<String, Failure> {
    let bad = |text: &str| Failure::new(Condition::BadRequest).text(text);
    if form.attr("type").is_some_and(|kind| kind != "submit") {
        return Err(bad("the form is not of type submit"));
    }
    let mut fields = form.children().filter(|child| child.is(FORM, "field"));
    let named = fields.find(|field| field.attr("var") == Some("FORM_TYPE"));
    let named = named.and_then(|field| field.child(FORM, "value")).map(|value| value.text().trim());
    if named != Some(PUBLISH_OPTIONS) {
        return Err(bad("FORM_TYPE is not that of publish-options"));
    }
    let form = form.xml().ok_or(Condition::InternalServerError)?;
    if form.len() > OPTIONS {
        return Err(Failure::new(Condition::NotAcceptable).text("the form is too long"));
    }
    Ok(form)
}

/// Of a full list, a node that counts as gone makes way.
fn make_room(key: &str) -> Result<(), Failure> {
    let most = usize::try_from(Config::load().max_devices).unwrap_or(1);
    let devices = Device::all()?;
    if devices.len() < most || devices.iter().any(|device| device.key == key) {
        return Ok(());
    }
    let gone = devices.iter().filter(|device| device.gone != 0).min_by_key(|device| device.gone);
    let gone = gone.ok_or_else(|| Failure::new(Condition::ResourceConstraint).text("too many are enabled"))?;
    remove(&gone.key)?;
    Ok(())
}

/// True when there was such a node.
pub(crate) fn remove(key: &str) -> Result<bool, Fault> {
    Waiting::forget(key)?;
    DEVICES.delete(key)
}
