//! XEP-0424 §4: what was retracted leaves a tombstone.

use xylem_sdk::prelude::*;
use xylem_sdk::time::utc;

use crate::stores::MESSAGES;

const RETRACT: &str = "urn:xmpp:message-retract:1";
const ORIGIN: &str = "{urn:xmpp:sid:0}origin-id";

/// Replaces the message that `message` retracts, if the same person wrote both (§5).
pub(crate) fn apply(cx: &Cx, message: &Stanza, peer: &str, sender: &str) -> Result<(), Fault> {
    let retract = message.child(RETRACT, "retract");
    let (Some(wanted), Some(own)) = (retract.and_then(|retract| retract.attr("id")), message.id()) else {
        return Ok(());
    };
    let Some(row) = MESSAGES.find(Jid::new(peer).bare(), wanted, &[ORIGIN])? else { return Ok(()) };
    let Some(head) = head(&row.stanza) else { return Ok(()) };
    if from(head).is_none_or(|author| Jid::new(&author).bare() != sender) {
        return Ok(());
    }
    let retracted = Xml::with_ns("retracted", RETRACT).attr("id", own).attr("stamp", &utc(cx.now()));
    let tombstone = ["<", head, ">", &retracted.build(), "</message>"].concat();
    MESSAGES.replace(&row.id, Xml::from_text(tombstone))
}

/// Name and attributes of a stored stanza.
fn head(stanza: &str) -> Option<&str> {
    let mut quote = None;
    for (at, byte) in stanza.bytes().enumerate() {
        match (byte, quote) {
            (b'\'' | b'"', None) => quote = Some(byte),
            (b'>', None) => return stanza.get(1..at).map(|head| head.trim_end_matches('/')),
            (byte, Some(open)) if byte == open => quote = None,
            _ => {}
        }
    }
    None
}

/// The server writes `from` into every stanza, before all that clients wrote.
fn from(head: &str) -> Option<String> {
    let (_, rest) = head.split_once(" from=")?;
    let quote = rest.chars().next()?;
    let value = rest.get(1..)?.split(quote).next()?;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&apos;", "'"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    Some(entities.iter().fold(value.to_owned(), |value, (entity, text)| value.replace(entity, text)))
}

#[cfg(test)]
mod tests {
    use super::{from, head};

    #[test]
    fn heads_are_found() {
        let stanza = "<message xmlns='jabber:client' from=\"o'neil&amp;co@x/a>b\" id='1'><body>hi</body></message>";
        let found = head(stanza).unwrap_or_default();
        assert!(found.ends_with("id='1'"), "{found}");
        assert_eq!(from(found).as_deref(), Some("o'neil&co@x/a>b"));
        assert_eq!(head("<message from='a'/>"), Some("message from='a'"));
        assert_eq!(head("<message from='a"), None);
    }
}
