//! Whether what arrived is what a story expects, and where it is not.

use std::collections::HashMap;

use crate::xml::{Attribute, Content, Event, STREAMS, Tree};

const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const DELAY: &str = "urn:xmpp:delay";
const SID: &str = "urn:xmpp:sid:0";
const XML_NS: &str = "http://www.w3.org/XML/1998/namespace";

/// Whose stream this is, and what was caught so far.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub full: Option<String>,
    pub caught: HashMap<String, String>,
}

/// Compares; what named wildcards catch goes into the scope if all matches.
///
/// # Errors
/// With the place of the first difference and what differs there.
pub fn matches(expected: &Event, got: &Event, scope: &mut Scope) -> Result<(), String> {
    let mut trial = scope.clone();
    match (expected, got) {
        (Event::Open(e), Event::Open(g)) => attributes(e, g, Place::Stream, &mut trial)?,
        (Event::Element(e), Event::Element(g)) => tree(e, g, Place::Stanza, &mut trial)?,
        (Event::Close, Event::Close) => {}
        _ => return Err("the one is a stream's tag, the other is not".to_owned()),
    }
    *scope = trial;
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Stream,
    Stanza,
    Inside,
}

fn tree(e: &Tree, g: &Tree, place: Place, scope: &mut Scope) -> Result<(), String> {
    if e.name != g.name {
        return Err(format!("<{}> expected, <{}> received", e.name, g.name));
    }
    if e.ns != g.ns {
        return Err(format!("<{}>: namespace {:?} expected, {:?} received", e.name, e.ns, g.ns));
    }
    attributes(e, g, place, scope)
        .and_then(|()| content(e, g, place, scope))
        .map_err(|why| format!("<{}> {why}", e.name))
}

fn attributes(e: &Tree, g: &Tree, place: Place, scope: &mut Scope) -> Result<(), String> {
    let find = |tree: &Tree, a: &Attribute| {
        tree.attributes.iter().find(|b| b.ns == a.ns && b.name == a.name).map(|b| b.value.clone())
    };
    for a in &e.attributes {
        let value = find(g, a);
        match (a.value.as_str(), value) {
            ("{absent}" | "{optional}", None) => {}
            ("{optional}", Some(_)) => {}
            ("{absent}", Some(v)) => return Err(format!("{}='{v}' is not allowed here", a.name)),
            (pattern, None) => return Err(format!("{}='{pattern}' is missing", a.name)),
            (pattern, Some(v)) => {
                if !text(pattern, &v, scope) {
                    return Err(format!("{}='{pattern}' expected, {}='{v}' received", a.name, a.name));
                }
            }
        }
    }
    for a in &g.attributes {
        if find(e, a).is_none() && !may_be_unlisted(a, g, place, scope) {
            return Err(format!("{}='{}' was not expected", a.name, a.value));
        }
    }
    Ok(())
}

/// What a server may add without a story listing it; `tests/README.md` has the same list.
fn may_be_unlisted(a: &Attribute, owner: &Tree, place: Place, scope: &Scope) -> bool {
    if a.ns == XML_NS && a.name == "lang" {
        return true;
    }
    if !a.ns.is_empty() {
        return false;
    }
    let full = scope.full.as_deref().unwrap_or_default();
    let bare = full.split('/').next().unwrap_or_default();
    match (place, a.name.as_str()) {
        (Place::Stream, "to") => true,
        (Place::Stanza, "to") => a.value == full || a.value == bare,
        (Place::Stanza, "from") => a.value == bare,
        (Place::Inside, "by") => owner.name == "error",
        _ => false,
    }
}

fn content(e: &Tree, g: &Tree, place: Place, scope: &mut Scope) -> Result<(), String> {
    let wanted: String = e.text().trim().to_owned();
    let open_ended = wanted.contains("{...}");
    let is_error = place == Place::Stanza && e.attribute("type") == Some("error");
    let mut left: Vec<&Tree> = g.children().collect();
    let delay = wanted.contains("{delay}").then(delay_tree);
    for child in e.children().chain(delay.as_ref()) {
        let mut reasons = Vec::new();
        let found = left.iter().position(|candidate| {
            let mut trial = scope.clone();
            match tree(child, candidate, Place::Inside, &mut trial) {
                Ok(()) => {
                    *scope = trial;
                    true
                }
                Err(why) => {
                    reasons.push((candidate.name == child.name, why));
                    false
                }
            }
        });
        match found {
            Some(at) => drop(left.remove(at)),
            None => return Err(missing(child, &reasons)),
        }
    }
    // A server may say since when a presence stands (XEP-0203 §4).
    let is_presence = place == Place::Stanza && e.name == "presence";
    let named = |t: &Tree| place == Place::Stanza && e.name == "message" && names_for_archive(t, scope);
    let unlisted = |t: &Tree| (is_presence && t.ns == DELAY) || named(t) || child_may_be_unlisted(t, e, is_error);
    let extra = left.iter().find(|t| !(open_ended || unlisted(t)));
    if let Some(extra) = extra {
        return Err(format!("holds what was not expected:\n{extra}"));
    }
    let wanted = wanted.replace("{...}", "").replace("{delay}", "");
    let wanted = wanted.trim();
    let received = g.text();
    let received = if g.children().next().is_some() { received.trim() } else { received.as_str() };
    if wanted == "{optional}" || (open_ended && wanted.is_empty()) || text(wanted, received, scope) {
        return Ok(());
    }
    Err(format!("text {wanted:?} expected, {received:?} received"))
}

fn missing(child: &Tree, reasons: &[(bool, String)]) -> String {
    let near: Vec<&str> = reasons.iter().filter(|(same, _)| *same).map(|(_, why)| why.as_str()).collect();
    match near.as_slice() {
        [] => format!("lacks <{} xmlns='{}'>", child.name, child.ns),
        [why] => (*why).to_owned(),
        many => format!("has no <{}> that matches {child}: {}", child.name, many.join("; ")),
    }
}

/// Human-readable text and application-specific conditions in errors (RFC 6120 §4.9.2, §6.5,
/// §8.3.2), and in a stanza error the stanza that caused it (§8.3.1).
fn child_may_be_unlisted(got: &Tree, expected_parent: &Tree, is_error_stanza: bool) -> bool {
    if is_error_stanza {
        return got.name != "error";
    }
    let ns = expected_parent.ns.as_str();
    match expected_parent.name.as_str() {
        "error" => {
            let own = if ns == STREAMS { STREAM_ERRORS } else { STANZA_ERRORS };
            got.ns != own || got.name == "text"
        }
        "failure" => ns == SASL && got.ns == SASL && got.name == "text",
        _ => false,
    }
}

/// The name that a message has in the reader's own archive (XEP-0313 §3.4).
fn names_for_archive(got: &Tree, scope: &Scope) -> bool {
    let bare = scope.full.as_deref().and_then(|full| full.split('/').next());
    let by_own = bare.is_some() && got.attribute("by") == bare;
    got.ns == SID && got.name == "stanza-id" && by_own
}

fn delay_tree() -> Tree {
    let plain =
        |name: &str, value: &str| Attribute { ns: String::new(), name: name.to_owned(), value: value.to_owned() };
    Tree {
        ns: DELAY.to_owned(),
        name: "delay".to_owned(),
        attributes: vec![plain("stamp", "{stamp}"), plain("from", "{optional}")],
        content: vec![Content::Text("{optional}".to_owned())],
    }
}

/// Whether a text is what a pattern with wildcards stands for, as a whole.
pub fn text(pattern: &str, got: &str, scope: &mut Scope) -> bool {
    let Some((literal, rest)) = pattern.split_once('{') else { return pattern == got };
    let Some(got) = got.strip_prefix(literal) else { return false };
    let Some((wildcard, rest)) = rest.split_once('}') else { return false };
    let (kind, name) = wildcard.split_once(':').unwrap_or((wildcard, ""));
    let ends = got.char_indices().map(|(at, _)| at).chain([got.len()]);
    for end in ends {
        let (piece, after) = got.split_at(end);
        let mut trial = scope.clone();
        if is_a(kind, piece) && text(rest, after, &mut trial) {
            *scope = trial;
            if !name.is_empty() {
                scope.caught.insert(name.to_owned(), piece.to_owned());
            }
            return true;
        }
    }
    false
}

fn is_a(kind: &str, piece: &str) -> bool {
    match kind {
        "any" | "optional" => true,
        "id" => !piece.is_empty() && !piece.contains(char::is_whitespace),
        "number" => !piece.is_empty() && piece.bytes().all(|b| b.is_ascii_digit()),
        "stamp" => is_stamp(piece),
        _ => false,
    }
}

/// A date and time in UTC (XEP-0082 §3.2).
fn is_stamp(text: &str) -> bool {
    let Some(text) = text.strip_suffix('Z') else { return false };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let shape = "dddd-dd-ddTdd:dd:dd";
    whole.len() == shape.len()
        && whole.chars().zip(shape.chars()).all(|(c, s)| if s == 'd' { c.is_ascii_digit() } else { c == s })
        && !fraction.is_empty()
        && fraction.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::xml::parse_expected;

    fn compare(expected: &str, got: &str) -> Result<HashMap<String, String>, String> {
        let mut scope = Scope { full: Some("r@l/x".to_owned()), ..Scope::default() };
        let expected = parse_expected(expected).unwrap();
        let got = parse_expected(got).unwrap();
        matches(&expected[0], &got[0], &mut scope).map(|()| scope.caught)
    }

    #[test]
    fn what_matches() {
        for (expected, got) in [
            ("<iq id='a' type='b'/>", "<iq type='b' id='a' to='r@l/x' from='r@l' xml:lang='en'/>"),
            ("<a><b/>\n <c/></a>", "<a><c/><b/></a>"),
            ("<a xmlns='x'/>", "<p:a xmlns:p='x'/>"),
            ("<a>{delay}<b/></a>", "<a><b/><delay xmlns='urn:xmpp:delay' stamp='2020-01-02T03:04:05.678Z'/></a>"),
            ("<a><b/>{...}</a>", "<a><b/><c/>text</a>"),
            ("<a b='r@l/{id}'/>", "<a b='r@l/7'/>"),
            ("<a b='{optional}' c='{absent}'/>", "<a/>"),
            ("<iq type='error'><error type='x'/></iq>", "<iq type='error'><q xmlns='y'/><error type='x' by='z'/></iq>"),
        ] {
            compare(expected, got).unwrap_or_else(|why| unreachable!("{expected} {got}: {why}"));
        }
        assert_eq!(compare("<a b='{id:x}'>1{any:y}</a>", "<a b='7'>12</a>").unwrap().len(), 2);
    }

    #[test]
    fn what_does_not() {
        for (expected, got, why) in [
            ("<a/>", "<b/>", "<a> expected, <b> received"),
            ("<a/>", "<a xmlns='x'/>", "namespace"),
            ("<a b='1'/>", "<a/>", "b='1' is missing"),
            ("<a/>", "<a b='1'/>", "was not expected"),
            ("<a b='{absent}'/>", "<a b='1'/>", "not allowed"),
            ("<a/>", "<a from='r@l/x'/>", "was not expected"),
            ("<a/>", "<a><b/></a>", "was not expected"),
            ("<a/>", "<a>text</a>", "text"),
            ("<a><b/></a>", "<a/>", "lacks <b"),
            ("<a><b/><b/></a>", "<a><b/></a>", "lacks <b"),
            ("<a>{number}</a>", "<a>1x</a>", "text"),
            ("<a>{stamp}</a>", "<a>2020-01-02T03:04:05</a>", "text"),
            ("<iq type='error'/>", "<iq type='error'><error/></iq>", "was not expected"),
        ] {
            let error = compare(expected, got).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
