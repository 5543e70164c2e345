//! XEP-0202: the server's time.

use xylem_sdk::{prelude::*, time::utc};

xylem_sdk::plugin!();

/// A server has no time zone of its own, so it answers in UTC (§3).
fn time(cx: &Cx, _iq: &Stanza) -> Xml {
    Xml::with_ns("time", "urn:xmpp:time").leaf("tzo", "+00:00").leaf("utc", &utc(cx.now()))
}
