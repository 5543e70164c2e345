//! The server's own answers.

use xylem_sdk::contributions;
use xylem_sdk::prelude::*;

use crate::info::{ITEMS, Identity, Info};
use crate::{Config, caps, contact};

/// The slot of stream features for those who have logged in.
const FEATURES: &str = "stream.after-auth";

/// `disco#info` to the domain (XEP-0030 §3.1), also for the node of its capabilities (XEP-0115 §6.2).
pub(crate) fn server_info(cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let config = Config::load();
    let info = info(cx, &config)?;
    // Other plugins come and go; whoever asks first puts the announcement right.
    let ver = caps::verification(&info);
    publish(&config, &ver)?;
    let node = node(iq);
    if node.is_some_and(|node| node.split_once('#') != Some((config.node.as_str(), ver.as_str()))) {
        return Err(Condition::ItemNotFound.into());
    }
    Ok(Reply::with(info.to_xml(node)))
}

/// `disco#items` to the domain (XEP-0030 §4.1): the services beside it, contributed as addresses.
pub(crate) fn server_items(_cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    if node(iq).is_some() {
        return Err(Condition::ItemNotFound.into());
    }
    let items = contributions::all("disco.items.server")?;
    let items = items.iter().map(|jid| Xml::new("item").attr("jid", jid));
    Ok(Reply::with(Xml::with_ns("query", ITEMS).children(items)))
}

/// Puts `<c/>` among the stream features (XEP-0115 §6.3).
pub(crate) fn announce(cx: &Cx, _event: &Event) -> Result<(), Failure> {
    let config = Config::load();
    let ver = caps::verification(&info(cx, &config)?);
    Ok(publish(&config, &ver)?)
}

/// The requested node; an empty one counts as none.
pub(crate) fn node<'a>(iq: &Stanza<'a>) -> Option<&'a str> {
    iq.payload().and_then(|query| query.attr("node")).filter(|node| !node.is_empty())
}

fn info(cx: &Cx, config: &Config) -> Result<Info, Fault> {
    let mut info = Info::collect(Identity::new("server", "im", &config.name), "disco.identity.server", "disco.server")?;
    info.forms.extend(contact::form(config, &cx.domain()));
    Ok(info)
}

fn publish(config: &Config, ver: &str) -> Result<(), Fault> {
    let caps = Xml::with_ns("c", "http://jabber.org/protocol/caps")
        .attr("hash", "sha-1")
        .attr("node", &config.node)
        .attr("ver", ver);
    let caps = caps.build();
    if contributions::all(FEATURES)?.contains(&caps) {
        return Ok(());
    }
    contributions::publish(FEATURES, &[&caps])
}
