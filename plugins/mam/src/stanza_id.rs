//! XEP-0359: the name of a message in this archive.

use xylem_sdk::prelude::*;

const SID: &str = "urn:xmpp:sid:0";

/// Takes away ids in the name of this account, which only its archive gives (§4 rule 2). Those of
/// others, such as rooms, stay.
pub(crate) fn strip(cx: &Cx, message: &Stanza) -> Result<Verdict, Failure> {
    let account = cx.key();
    let ids = || message.root().children().filter(|child| child.is(SID, "stanza-id"));
    let own = |by: Option<&str>| by.and_then(Jid::normalise).is_some_and(|by| by == account);
    if !ids().any(|id| own(id.attr("by"))) {
        return Ok(Verdict::Pass);
    }
    // Before something is removed, as elements are read from the stanza as it came.
    let others: Vec<String> = ids().filter(|id| !own(id.attr("by"))).filter_map(|id| id.xml()).collect();
    message.remove(SID, "stanza-id")?;
    for other in others {
        message.insert(Xml::from_text(other))?;
    }
    Ok(Verdict::Pass)
}

/// Names the message for those who may read the archive (XEP-0313 §3.4).
pub(crate) fn add(message: &Stanza, account: &str, id: &str) -> Result<(), Fault> {
    message.insert(Xml::with_ns("stanza-id", SID).attr("by", account).attr("id", id))
}
