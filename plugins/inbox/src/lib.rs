//! XEP-0430: the conversations of an account, with what is new in them. All of it is in the archive,
//! which this plugin may read, so that a message costs nothing here; what is kept is
//! what the account has seen without saying anything.

mod conversation;
mod list;

use conversation::peer;
use list::inbox;
use stores::SEEN;
use views::MAM_MESSAGES;
use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;

xylem_sdk::plugin!();

const MARKERS: &str = "urn:xmpp:chat-markers:0";

/// A marker of the account itself (XEP-0333 §3): this message was seen, and all before it.
fn seen(_cx: &Cx, message: &Stanza) -> Result<Verdict, Failure> {
    let marker = ["displayed", "acknowledged"].iter().find_map(|name| message.child(MARKERS, name));
    let (Some(id), Some(to)) = (marker.and_then(|marker| marker.attr("id")), message.to()) else {
        return Ok(Verdict::Pass);
    };
    let to = peer(message, to);
    // Names of messages grow with time, and a marker only moves forward.
    let Some(row) = MAM_MESSAGES.find(to, id, &[])? else { return Ok(Verdict::Pass) };
    if SEEN.text(to)?.is_none_or(|known| known < row.id) {
        match SEEN.put(to, row.id.as_bytes(), &[]) {
            // So many people: those who answer have read what came before all the same.
            Ok(()) | Err(Fault::Quota) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(Verdict::Pass)
}
