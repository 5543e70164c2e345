//! The card of a room, which has its picture (XEP-0054, XEP-0486).

use sha1::{Digest as _, Sha1};
use xylem_sdk::Element;
use xylem_sdk::kv::Rows as _;
use xylem_sdk::prelude::*;

use crate::ns::VCARD;
use crate::privileges::Affiliation;
use crate::room::Room;
use crate::{affiliations, configuring, identifier};

const ROW: &str = "card";
/// Most bytes of a card.
const MOST: usize = 256 << 10;

/// Everybody who can see the room may read it; owners change it (XEP-0486 §3.2).
pub(crate) fn card(cx: &Cx, iq: &Stanza<'_>) -> Result<Reply, Failure> {
    let key = cx.key();
    if Jid::new(&key).local().is_none() {
        return Err(Condition::ServiceUnavailable.into());
    }
    let mut room = Room::existing(&key)?;
    if iq.is("get") {
        let card = room.shelf.text(ROW)?;
        return Ok(Reply::with(card.map_or_else(|| Xml::with_ns("vCard", VCARD), Xml::from_text)));
    }
    let account = Jid::new(iq.from().unwrap_or_default()).bare();
    if affiliations::of(&room, account)? != Affiliation::Owner {
        return Err(Condition::Forbidden.into());
    }
    let card = iq.payload().ok_or(Condition::BadRequest)?;
    let xml = card.xml().ok_or(Condition::BadRequest)?;
    if xml.len() > MOST {
        return Err(Failure::new(Condition::PolicyViolation).text("the card is too big"));
    }
    let before = std::mem::replace(&mut room.avatar, digests(card)?);
    room.shelf.put(ROW, xml.as_bytes(), &[])?;
    if before != room.avatar {
        room.save()?;
        configuring::notify(&room, &["104"])?;
    }
    Ok(Reply::empty())
}

/// The digests of all pictures (XEP-0153 §3.1), with spaces between them.
fn digests(card: Element<'_>) -> Result<String, Failure> {
    let mut digests = Vec::new();
    for photo in card.children().filter(|child| child.is(VCARD, "PHOTO")) {
        let Some(value) = photo.child(VCARD, "BINVAL") else { continue };
        let image = base64(value.text()).ok_or(Condition::NotAcceptable)?;
        digests.push(identifier::hex(&Sha1::digest(&image)));
    }
    Ok(digests.join(" "))
}

/// RFC 4648 §4, white space left out; none for anything else.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xFF) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::base64;

    /// RFC 4648 §10.
    #[test]
    fn known_texts() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm9v", "foo"), ("Zm9v\nYmE=", "fooba")] {
            assert_eq!(base64(text).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(base64("Zm9v!"), None);
    }
}
