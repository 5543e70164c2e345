//! How presence is refused: the server answers presence with nothing, so the room does it.

use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;

use crate::ns::{MUC, STANZAS};

/// Answers a presence with an error from where it was sent to (XEP-0045 §7.2, §7.6).
pub(crate) fn refuse(stanza: &Stanza<'_>, failure: &Failure) -> Result<(), Fault> {
    let (Some(from), Some(to)) = (stanza.from(), stanza.to()) else { return Ok(()) };
    let condition = failure.condition();
    let text = failure.given_text().map(|text| Xml::with_ns("text", STANZAS).attr("xml:lang", "en").text(text));
    let error = Xml::new("error")
        .attr("type", failure.given_kind().unwrap_or(kind(condition)))
        .attr("by", Jid::new(to).bare())
        .child(Xml::with_ns(condition.name(), STANZAS))
        .child_opt(text);
    send(
        Xml::presence(Some("error"))
            .attr("from", to)
            .attr("to", from)
            .attr_opt("id", stanza.id())
            .child(Xml::with_ns("x", MUC))
            .child(error),
    )
}

/// The error type that XEP-0045 gives each condition in its examples.
fn kind(condition: Condition) -> &'static str {
    match condition {
        Condition::NotAuthorized | Condition::Forbidden | Condition::RegistrationRequired => "auth",
        Condition::JidMalformed | Condition::NotAcceptable | Condition::BadRequest | Condition::PolicyViolation => {
            "modify"
        }
        Condition::ServiceUnavailable | Condition::ResourceConstraint | Condition::InternalServerError => "wait",
        _ => "cancel",
    }
}
