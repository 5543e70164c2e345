//! What administrators ask about cards.

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;

use crate::ROW;
use crate::stores::CARD;

pub(crate) fn show(_cx: &Cx, _call: &Operation) -> Result<Json, Refusal> {
    let Some(xml) = CARD.text(ROW)? else {
        return Err(Refusal::Missing("there is no card".into()));
    };
    let first = |name: &str| texts(&xml, name).first().map(|text| (*text).to_owned());
    let email: Vec<Json> = texts(&xml, "USERID").into_iter().map(Json::from).collect();
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

#[cfg(test)]
mod tests {
    use super::texts;

    #[test]
    fn texts_of_a_card_are_found() {
        let card = "<vCard xmlns='vcard-temp'><FN>Juliet</FN><EMAIL><USERID>a@b</USERID></EMAIL><URL/></vCard>";
        assert_eq!(texts(card, "FN"), ["Juliet"]);
        assert_eq!(texts(card, "USERID"), ["a@b"]);
        assert_eq!(texts(card, "URL"), Vec::<&str>::new());
    }
}
