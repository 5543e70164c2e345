//! XEP-0199: answers `<ping/>`.

use xylem_sdk::prelude::*;

xylem_sdk::plugin!();

/// An empty result says that we are there (§4.1 and §4.2).
fn pong(_cx: &Cx, _iq: &Stanza) -> Reply {
    Reply::empty()
}
