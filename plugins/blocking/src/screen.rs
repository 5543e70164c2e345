//! What happens to stanzas between the user and a blocked address (§3.3). Only those get here.

use xylem_sdk::prelude::*;

/// To the blocked address the user is not there. Groupchat and results are dropped, and
/// errors are never answered.
pub(crate) fn refuse(_cx: &Cx, stanza: &Stanza) -> Verdict {
    match (stanza.kind(), stanza.type_()) {
        (_, Some("error" | "groupchat" | "headline" | "result")) => Verdict::Stop,
        _ => Verdict::Reject(Condition::ServiceUnavailable.into()),
    }
}

/// Presence, requests and probes are not answered at all.
pub(crate) fn ignore(_cx: &Cx, _stanza: &Stanza) -> Verdict {
    Verdict::Stop
}

/// The user is told why the stanza did not go out. Going offline for someone stays possible.
pub(crate) fn not_acceptable(_cx: &Cx, stanza: &Stanza) -> Verdict {
    match (stanza.kind(), stanza.type_()) {
        (Kind::Presence, Some("unavailable")) => Verdict::Pass,
        (_, Some("error" | "result")) => Verdict::Stop,
        _ => {
            let blocked = Xml::with_ns("blocked", "urn:xmpp:blocking:errors");
            Verdict::Reject(Failure::new(Condition::NotAcceptable).kind("cancel").app(blocked))
        }
    }
}
