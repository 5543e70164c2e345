//! What administrators ask about cards.

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;

use crate::ROW;
use crate::stores::CARD;

pub(crate) fn show(_cx: &Cx, _call: &Operation) -> Result<Json, Refusal> {
    let Some(xml) = CARD.text(ROW)? else {
        return Err(Refusal::Missing("there is no card".into()));
    };
    let first = |name: &str| texts(&xml, name).first().map(|text| unescaped(text));
    let email: Vec<Json> = texts(&xml, "USERID").into_iter().map(|text| unescaped(text).into()).collect();
    // Base64: four letters for three bytes.
    let photo = first("BINVAL").map(|text| text.bytes().filter(|byte| !byte.is_ascii_whitespace()).count() / 4 * 3);
    Ok(Json::object()
        .with("name", first("FN"))
        .with("nickname", first("NICKNAME"))
        .with("email", email)
        .with("url", first("URL"))
        .with("photo", photo)
        .with("xml", xml.as_str()))
}

pub(crate) fn clear(_cx: &Cx, _call: &Operation) -> Result<Json, Refusal> {
    Ok(Json::object().with("removed", CARD.delete(ROW)?))
}

/// Texts of the elements of this name, as they stand in a card that was well-formed when it was kept.
fn texts<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (["<", name, ">"].concat(), ["</", name, ">"].concat());
    let parts = xml.split(open.as_str()).skip(1);
    parts.filter_map(|rest| rest.split(close.as_str()).next()).filter(|text| !text.is_empty()).collect()
}

/// What a text says whose characters are escaped (XML 1.0 §4.1, §4.6); what is no reference stays.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('&');
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(';').and_then(|(name, rest)| Some((character(name)?, rest))) {
            Some((character, rest)) => {
                said.push(character);
                said.push_str(rest);
            }
            None => {
                said.push('&');
                said.push_str(part);
            }
        }
    }
    said
}

fn character(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        name => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{texts, unescaped};

    #[test]
    fn what_is_escaped_is_read_as_it_was_meant() {
        assert_eq!(unescaped("Tom &amp; Jerry &lt;3 &#39;&#x4F60;"), "Tom & Jerry <3 '你");
        for plain in ["", "&", "&;", "a & b; c", "&nosuch;", "&#x110000;", "&#;"] {
            assert_eq!(unescaped(plain), plain);
        }
    }

    #[test]
    fn texts_of_a_card_are_found() {
        let card = "<vCard xmlns='vcard-temp'><FN>Juliet</FN><EMAIL><USERID>a@b</USERID></EMAIL><URL/></vCard>";
        assert_eq!(texts(card, "FN"), ["Juliet"]);
        assert_eq!(texts(card, "USERID"), ["a@b"]);
        assert_eq!(texts(card, "URL"), Vec::<&str>::new());
    }
}
