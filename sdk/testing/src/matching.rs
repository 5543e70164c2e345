//! Whether what came is what a test expects, and where it is not. The rules are those
//! of the transcripts in `tests/`.

use std::collections::BTreeMap;

use xylem_stanza::ns;
use xylem_xml::{Attr, Element, Node};

const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// A stanza that came as expected.
#[derive(Debug, Clone)]
pub struct Received {
    xml: String,
    caught: BTreeMap<String, String>,
}

impl Received {
    /// What a wildcard with this name stood for.
    ///
    /// # Panics
    /// If there was none.
    #[must_use]
    #[track_caller]
    pub fn caught(&self, name: &str) -> &str {
        self.caught.get(name).unwrap_or_else(|| panic!("no wildcard is called {name}"))
    }

    /// As it came.
    #[must_use]
    pub fn xml(&self) -> &str {
        &self.xml
    }
}

/// Compares; an error says where they differ.
pub(crate) fn expect(expected: &str, got: &str, client: &str) -> Result<Received, String> {
    let wanted = Element::parse_in(expected.trim(), ns::CLIENT).unwrap_or_else(|error| panic!("{error}: {expected}"));
    let came = Element::parse_in(got, ns::CLIENT).map_err(|error| format!("what came is not XML: {error}"))?;
    let mut scope = Scope { client, caught: BTreeMap::new() };
    tree(wanted.root(), came.root(), Place::Stanza, &mut scope)?;
    Ok(Received { xml: got.to_owned(), caught: scope.caught })
}

#[derive(Clone)]
struct Scope<'a> {
    client: &'a str,
    caught: BTreeMap<String, String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Stanza,
    Inside,
}

fn tree(wanted: Node<'_>, came: Node<'_>, place: Place, scope: &mut Scope<'_>) -> Result<(), String> {
    if wanted.name() != came.name() {
        return Err(format!("<{}> expected, <{}> received", wanted.name(), came.name()));
    }
    if wanted.ns() != came.ns() {
        return Err(format!("<{}> of {:?} expected, of {:?} received", wanted.name(), wanted.ns(), came.ns()));
    }
    attributes(wanted, came, place, scope)
        .and_then(|()| content(wanted, came, place, scope))
        .map_err(|why| format!("<{}> {why}", wanted.name()))
}

fn attributes(wanted: Node<'_>, came: Node<'_>, place: Place, scope: &mut Scope<'_>) -> Result<(), String> {
    for attr in wanted.attrs() {
        let (pattern, value) = (attr.value(), find(came, &attr));
        match (pattern.as_ref(), value) {
            ("{optional}", _) | ("{absent}", None) => {}
            ("{absent}", Some(value)) => return Err(format!("{}='{value}' is not allowed", attr.name())),
            (pattern, None) => return Err(format!("{}='{pattern}' is missing", attr.name())),
            (pattern, Some(value)) if text(pattern, &value, scope) => {}
            (pattern, Some(value)) => {
                return Err(format!("{0}='{pattern}' expected, {0}='{value}' received", attr.name()));
            }
        }
    }
    let extra =
        came.attrs().find(|attr| find(wanted, attr).is_none() && !goes_without_saying(attr, came, place, scope));
    extra.map_or(Ok(()), |attr| Err(format!("{}='{}' was not expected", attr.name(), attr.value())))
}

fn find(node: Node<'_>, like: &Attr<'_>) -> Option<String> {
    let same = |attr: &Attr<'_>| attr.ns() == like.ns() && attr.name() == like.name();
    node.attrs().find(same).map(|attr| attr.value().into_owned())
}

fn goes_without_saying(attr: &Attr<'_>, owner: Node<'_>, place: Place, scope: &Scope<'_>) -> bool {
    if attr.ns() == XML && attr.name() == "lang" {
        return true;
    }
    let bare = scope.client.split('/').next().unwrap_or_default();
    let value = attr.value();
    attr.ns().is_empty()
        && match (place, attr.name()) {
            (Place::Stanza, "to") => *value == *scope.client || *value == *bare,
            (Place::Stanza, "from") => *value == *bare,
            (Place::Inside, "by") => owner.name() == "error",
            _ => false,
        }
}

fn content(wanted: Node<'_>, came: Node<'_>, place: Place, scope: &mut Scope<'_>) -> Result<(), String> {
    let pattern = wanted.text().trim().to_owned();
    let open = pattern.contains("{...}");
    let pattern = pattern.replace("{...}", "").trim().to_owned();
    let mut left: Vec<_> = came.children().collect();
    for child in wanted.children() {
        let mut reasons = Vec::new();
        let found = left.iter().position(|candidate| {
            let mut trial = scope.clone();
            match tree(child, *candidate, Place::Inside, &mut trial) {
                Ok(()) => {
                    *scope = trial;
                    return true;
                }
                Err(why) if candidate.name() == child.name() => reasons.push(why),
                Err(_) => {}
            }
            false
        });
        match found {
            Some(at) => drop(left.remove(at)),
            None if reasons.is_empty() => return Err(format!("lacks <{} xmlns='{}'>", child.name(), child.ns())),
            None => return Err(reasons.join("; or ")),
        }
    }
    let is_error = place == Place::Stanza && wanted.attr("type").as_deref() == Some("error");
    if let Some(extra) = left.iter().find(|child| !open && !belongs_to_error(**child, wanted, is_error)) {
        return Err(format!("holds what was not expected: {}", extra.xml()));
    }
    let value = came.text();
    let value = if came.children().next().is_some() { value.trim() } else { &*value };
    if pattern == "{optional}" || (open && pattern.is_empty()) || text(&pattern, value, scope) {
        return Ok(());
    }
    Err(format!("text {pattern:?} expected, {value:?} received"))
}

/// Texts and application-specific conditions in errors, and the stanza that caused it
/// (RFC 6120 §8.3).
fn belongs_to_error(child: Node<'_>, wanted_parent: Node<'_>, is_error: bool) -> bool {
    if is_error {
        return child.name() != "error";
    }
    wanted_parent.name() == "error" && (child.ns() != ns::STANZAS || child.name() == "text")
}

/// Whether a text is what a pattern stands for, as a whole.
fn text(pattern: &str, got: &str, scope: &mut Scope<'_>) -> bool {
    let Some((literal, rest)) = pattern.split_once('{') else { return pattern == got };
    let Some(got) = got.strip_prefix(literal) else { return false };
    let Some((wildcard, rest)) = rest.split_once('}') else { return false };
    let (kind, name) = wildcard.split_once(':').unwrap_or((wildcard, ""));
    let ends = got.char_indices().map(|(at, _)| at).chain([got.len()]);
    for end in ends {
        let (piece, after) = got.split_at(end);
        let mut trial = scope.clone();
        if is_a(kind, piece) && text(rest, after, &mut trial) {
            if !name.is_empty() {
                trial.caught.insert(name.to_owned(), piece.to_owned());
            }
            *scope = trial;
            return true;
        }
    }
    false
}

fn is_a(kind: &str, piece: &str) -> bool {
    match kind {
        "any" => true,
        "id" => !piece.is_empty() && !piece.contains(char::is_whitespace),
        "number" => !piece.is_empty() && piece.bytes().all(|byte| byte.is_ascii_digit()),
        "stamp" => is_stamp(piece),
        _ => panic!("there is no wildcard {{{kind}}}"),
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
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn compare(expected: &str, got: &str) -> Result<Received, String> {
        expect(expected, got, "r@l/x")
    }

    #[test]
    fn what_matches() {
        for (expected, got) in [
            ("<iq id='a' type='b'/>", "<iq type='b' id='a' to='r@l/x' from='r@l' xml:lang='en'/>"),
            ("<a><b/>\n <c/></a>", "<a><c/><b/></a>"),
            ("<a xmlns='x'/>", "<p:a xmlns:p='x'/>"),
            ("<a><b/>{...}</a>", "<a><b/><c/>text</a>"),
            ("<a b='r@l/{id}'/>", "<a b='r@l/7'/>"),
            ("<a b='{optional}' c='{absent}'/>", "<a/>"),
            ("<a b='{stamp}'>{number}</a>", "<a b='2020-01-02T03:04:05.678Z'>12</a>"),
            ("<iq type='error'><error type='x'/></iq>", "<iq type='error'><q xmlns='y'/><error type='x' by='z'/></iq>"),
        ] {
            let result = compare(expected, got);
            assert!(result.is_ok(), "{expected} {got}: {result:?}");
        }
        let received = compare("<a b='{id:x}'>1{any:y}</a>", "<a b='7'>123</a>").unwrap();
        assert_eq!((received.caught("x"), received.caught("y")), ("7", "23"));
    }

    #[test]
    fn what_does_not() {
        for (expected, got, why) in [
            ("<a/>", "<b/>", "<a> expected, <b> received"),
            ("<a/>", "<a xmlns='x'/>", "received"),
            ("<a b='1'/>", "<a/>", "b='1' is missing"),
            ("<a/>", "<a b='1'/>", "was not expected"),
            ("<a b='{absent}'/>", "<a b='1'/>", "not allowed"),
            ("<a/>", "<a from='r@l/x'/>", "was not expected"),
            ("<a/>", "<a><b/></a>", "not expected"),
            ("<a/>", "<a>text</a>", "text"),
            ("<a><b/><b/></a>", "<a><b/></a>", "lacks <b"),
            ("<a><b c='1'/></a>", "<a><b c='2'/></a>", "c='1' expected"),
            ("<a>{number}</a>", "<a>1x</a>", "text"),
            ("<a>{stamp}</a>", "<a>2020-01-02T03:04:05</a>", "text"),
        ] {
            let error = compare(expected, got).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
