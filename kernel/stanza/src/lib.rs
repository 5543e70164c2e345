//! What a stanza means: addresses, kinds, conditions, replies, edits.
//!
//! A [`Stanza`] is an [`xylem_xml::Element`] whose head (kind, type, addresses)
//! has been understood once. It leaves the server as the bytes it came in,
//! behind a new opening tag ([`Outgoing`]). Nothing here does I/O.

pub mod condition;
pub mod jid;
pub mod ns;
pub mod packed;
mod stanza;

pub use condition::{Condition, ErrorType, StreamCondition};
pub use jid::{BareJid, Domain, FullJid, Jid, JidError, Part};
pub use packed::Packed;
pub use stanza::{
    Copies, Edit, ErrorReply, FanOut, Kind, Note, Outgoing, Stanza, StanzaError, Type, error_for_element,
};
