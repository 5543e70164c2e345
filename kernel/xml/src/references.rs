//! Entity and character references: checked when indexed, resolved when read.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::unescape;
use quick_xml::events::BytesText;
use quick_xml::events::attributes::Attribute;
use quick_xml::name::QName;

use crate::XmlError;
use crate::chars::is_char;

/// Checks every `&…;` of a run: the five predefined entities and references to
/// characters that XML allows pass (RFC 6120 §11.1).
pub(crate) fn check_references(run: &str) -> Result<(), XmlError> {
    const OPEN: XmlError = XmlError::NotWellFormed("malformed reference");
    for at in memchr::memchr_iter(b'&', run.as_bytes()) {
        let rest = run.get(at + 1..).unwrap_or_default();
        // The longest legal reference is `#x` with leading zeros; a bound keeps
        // a run of ampersands from being searched again and again.
        let window = rest.as_bytes().get(..64).unwrap_or(rest.as_bytes());
        let end = memchr::memchr2(b';', b'&', window).ok_or(OPEN)?;
        let name = rest.get(..end).ok_or(OPEN)?;
        if rest.as_bytes().get(end) != Some(&b';') {
            return Err(OPEN);
        }
        check_reference(name)?;
    }
    Ok(())
}

fn check_reference(name: &str) -> Result<(), XmlError> {
    if let Some(number) = name.strip_prefix('#') {
        let (digits, radix) = match number.strip_prefix('x') {
            Some(hex) => (hex, 16),
            None => (number, 10),
        };
        // from_str_radix takes a sign, XML does not.
        let legal = digits.bytes().all(|b| b.is_ascii_hexdigit())
            && u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).is_some_and(is_char);
        return if legal { Ok(()) } else { Err(XmlError::NotWellFormed("illegal character reference")) };
    }
    if matches!(name, "amp" | "lt" | "gt" | "apos" | "quot") {
        return Ok(());
    }
    crate::chars::check_ncname(name)?;
    Err(XmlError::Restricted("undefined entity"))
}

/// The text that a checked run of character data stands for.
pub(crate) fn resolve_text(run: &str) -> Cow<'_, str> {
    match BytesText::from_escaped(run).xml10_content() {
        // Line ends are normalised before references are resolved: `&#13;`
        // stays a carriage return (XML 1.0 §2.11).
        Cow::Borrowed(_) => unescape(run).unwrap_or(Cow::Borrowed(run)),
        Cow::Owned(lines) => match unescape(&lines) {
            Ok(Cow::Owned(text)) => Cow::Owned(text),
            _ => Cow::Owned(lines),
        },
    }
}

/// The text of a CDATA section: line ends are normalised, nothing else.
pub(crate) fn resolve_cdata(run: &str) -> String {
    BytesText::from_escaped(run).xml10_content().into_owned()
}

/// The value that a checked attribute's bytes stand for (XML 1.0 §3.3.3).
pub(crate) fn resolve_value(raw: &str) -> Cow<'_, str> {
    let attribute = Attribute { key: QName(""), value: Cow::Borrowed(raw) };
    attribute.normalized_value(XmlVersion::Implicit1_0).unwrap_or(Cow::Borrowed(raw))
}
