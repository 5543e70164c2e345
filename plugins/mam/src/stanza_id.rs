//! XEP-0359: the name of a message in this archive.

use xylem_sdk::prelude::*;

const SID: &str = "urn:xmpp:sid:0";

/// Names the message for those who may read the archive (XEP-0313 §3.4).
pub(crate) fn add(message: &Stanza, account: &str, id: &str) -> Result<(), Fault> {
    message.insert(Xml::with_ns("stanza-id", SID).attr("by", account).attr("id", id))
}
