//! §6.1, as far as the manifest cannot say it: messages of rooms.

use xylem_sdk::prelude::*;

const MUC: &str = "http://jabber.org/protocol/muc#user";

/// What the user says to an occupant is copied like anything else.
pub(crate) fn sent(message: &Stanza) -> bool {
    !is_bare_room_matter(message)
}

/// What an occupant says to the user came to all of the user's devices in the room already;
/// an invitation by the room did not.
pub(crate) fn received(message: &Stanza) -> bool {
    let Some(x) = message.child(MUC, "x") else { return true };
    let from_occupant = message.from().map(Jid::new).is_some_and(|from| !from.is_bare());
    x.child(MUC, "invite").is_some() || (!from_occupant && !is_bare_room_matter(message))
}

/// A normal message that is here for its `<x/>` alone, without an invitation in it.
fn is_bare_room_matter(message: &Stanza) -> bool {
    let speaks = |child: xylem_sdk::Element| !child.is(MUC, "x");
    let invites = |x: xylem_sdk::Element| x.child(MUC, "invite").is_some();
    message.type_().is_none()
        && message.child(MUC, "x").is_some_and(|x| !invites(x))
        && !message.root().children().any(speaks)
}
