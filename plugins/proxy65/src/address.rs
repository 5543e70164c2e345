//! Where clients connect to.

use xylem_sdk::prelude::*;

use crate::{Config, NS, access, listeners};

/// The network address (XEP-0065 §4): one `<streamhost/>` for each configured host.
pub(crate) fn address(cx: &Cx, iq: &Stanza) -> Result<Xml, Failure> {
    let config = Config::load();
    access::check(cx, &config, iq.from().unwrap_or_default())?;
    let jid = iq.to().ok_or(Condition::ItemNotFound)?;
    if Jid::new(jid).local().is_some() {
        return Err(Condition::ItemNotFound.into());
    }
    let ports = listeners::BYTESTREAMS.ports()?;
    // Unable to act as a StreamHost: §4 wants `not-allowed`.
    let listened = ports.first().copied().ok_or(Condition::NotAllowed)?;
    let port = u16::try_from(config.port).ok().filter(|port| *port != 0).unwrap_or(listened).to_string();
    let domain = cx.domain();
    let host = |host: &String| {
        Xml::new("streamhost")
            .attr("host", &host.replace("{domain}", &domain))
            .attr("jid", Jid::new(jid).bare())
            .attr("port", &port)
    };
    Ok(Xml::with_ns("query", NS).children(config.hosts.iter().map(host)))
}
