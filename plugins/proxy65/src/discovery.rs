//! How clients find the proxy (XEP-0065 §4).

use xylem_sdk::contributions;
use xylem_sdk::prelude::*;

use crate::{Config, NS};

const INFO: &str = "http://jabber.org/protocol/disco#info";
const ITEMS: &str = "http://jabber.org/protocol/disco#items";

/// What the proxy is.
pub(crate) fn info(_cx: &Cx, iq: &Stanza) -> Result<Xml, Failure> {
    is_proxy(iq)?;
    let identity =
        Xml::new("identity").attr("category", "proxy").attr("type", "bytestreams").attr("name", &Config::load().name);
    let features = [INFO, ITEMS, NS].into_iter().map(|var| Xml::new("feature").attr("var", var));
    Ok(Xml::with_ns("query", INFO).child(identity).children(features))
}

/// It has nothing below it.
pub(crate) fn items(_cx: &Cx, iq: &Stanza) -> Result<Xml, Failure> {
    is_proxy(iq)?;
    Ok(Xml::with_ns("query", ITEMS))
}

/// Puts it among the server's items.
pub(crate) fn announce(cx: &Cx, _event: &Event) -> Result<(), Failure> {
    Ok(contributions::publish("disco.items.server", &[&["proxy.", &cx.domain()].concat()])?)
}

/// Neither a node nor somebody at its domain.
fn is_proxy(iq: &Stanza) -> Result<(), Failure> {
    let node = iq.payload().and_then(|query| query.attr("node")).is_some_and(|node| !node.is_empty());
    let somebody = Jid::new(iq.to().unwrap_or_default()).local().is_some();
    if node || somebody { Err(Condition::ItemNotFound.into()) } else { Ok(()) }
}
