//! Which characters XML allows, and where.

use crate::XmlError;

/// What a run of character data contains, found in one vectorisable pass.
pub(crate) struct Survey {
    /// An `&`, a carriage return or (in attributes) any other whitespace
    /// control: the value differs from its bytes.
    pub plain: bool,
    /// An `&`.
    pub references: bool,
}

/// Surveys character data of an element: refuses illegal characters and `]]>`
/// (XML 1.0 §2.2, §2.4).
pub(crate) fn survey_text(run: &str) -> Result<Survey, XmlError> {
    let (mut low, mut amp, mut cr, mut bracket, mut high) = (0u8, 0u8, 0u8, 0u8, 0u8);
    for &b in run.as_bytes() {
        low |= u8::from((b < 0x20) & (b != b'\t') & (b != b'\n') & (b != b'\r'));
        amp |= u8::from(b == b'&');
        cr |= u8::from(b == b'\r');
        bracket |= u8::from(b == b']');
        high |= b & 0x80;
    }
    refuse_illegal(run, low, high)?;
    if bracket != 0 && memchr::memmem::find(run.as_bytes(), b"]]>").is_some() {
        return Err(XmlError::NotWellFormed("]]> in character data"));
    }
    Ok(Survey { plain: amp | cr == 0, references: amp != 0 })
}

/// Surveys an attribute value: refuses illegal characters and `<`
/// (XML 1.0 §3.1, no `<` in attribute values).
pub(crate) fn survey_value(value: &str) -> Result<Survey, XmlError> {
    let (mut low, mut amp, mut space, mut less, mut high) = (0u8, 0u8, 0u8, 0u8, 0u8);
    for &b in value.as_bytes() {
        let white = u8::from((b == b'\t') | (b == b'\n') | (b == b'\r'));
        low |= u8::from(b < 0x20) & !white;
        space |= white;
        amp |= u8::from(b == b'&');
        less |= u8::from(b == b'<');
        high |= b & 0x80;
    }
    refuse_illegal(value, low, high)?;
    if less != 0 {
        return Err(XmlError::NotWellFormed("< in an attribute value"));
    }
    Ok(Survey { plain: amp | space == 0, references: amp != 0 })
}

/// Refuses what XML 1.0 §2.2 leaves out of `Char`, for text taken literally.
pub(crate) fn check_chars(run: &str) -> Result<(), XmlError> {
    survey_cdata(run).map(|_| ())
}

/// As [`check_chars`]; answers whether a carriage return needs normalising.
pub(crate) fn survey_cdata(run: &str) -> Result<bool, XmlError> {
    let (mut low, mut cr, mut high) = (0u8, 0u8, 0u8);
    for &b in run.as_bytes() {
        low |= u8::from((b < 0x20) & (b != b'\t') & (b != b'\n') & (b != b'\r'));
        cr |= u8::from(b == b'\r');
        high |= b & 0x80;
    }
    refuse_illegal(run, low, high)?;
    Ok(cr != 0)
}

fn refuse_illegal(run: &str, low: u8, high: u8) -> Result<(), XmlError> {
    if low != 0 {
        return Err(XmlError::NotWellFormed("control character"));
    }
    if high != 0 && run.chars().any(|c| matches!(c, '\u{FFFE}' | '\u{FFFF}')) {
        return Err(XmlError::NotWellFormed("character outside XML"));
    }
    Ok(())
}

/// Whether XML 1.0 §2.2 allows this character at all.
pub(crate) fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// XML whitespace.
pub(crate) fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

/// Splits a qualified name into prefix length (0: none) and checks both parts
/// (Namespaces in XML 1.0 §4, `QName`).
pub(crate) fn check_qname(name: &str, limit: usize) -> Result<usize, XmlError> {
    if name.len() > limit.min(0xFFFF) {
        return Err(XmlError::NameTooLong);
    }
    match memchr::memchr(b':', name.as_bytes()) {
        None => check_ncname(name).map(|()| 0),
        Some(colon) => {
            let (prefix, rest) = name.split_at(colon);
            check_ncname(prefix)?;
            check_ncname(rest.get(1..).unwrap_or_default())?;
            Ok(colon)
        }
    }
}

/// Checks a name without a colon (Namespaces in XML 1.0 §3, `NCName`).
pub(crate) fn check_ncname(name: &str) -> Result<(), XmlError> {
    const BAD: XmlError = XmlError::NotWellFormed("malformed name");
    let bytes = name.as_bytes();
    let Some(&first) = bytes.first() else {
        return Err(BAD);
    };
    if !first.is_ascii() || !bytes.iter().all(|&b| is_ascii_name_byte(b)) {
        return check_wide_ncname(name);
    }
    if first.is_ascii_alphabetic() || first == b'_' { Ok(()) } else { Err(BAD) }
}

fn is_ascii_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')
}

fn check_wide_ncname(name: &str) -> Result<(), XmlError> {
    let mut chars = name.chars();
    let starts = chars.next().is_some_and(is_name_start);
    if starts && chars.all(|c| is_name_start(c) || is_name_rest(c)) {
        Ok(())
    } else {
        Err(XmlError::NotWellFormed("malformed name"))
    }
}

/// XML 1.0 (fifth edition) §2.3 `NameStartChar`, without the colon.
fn is_name_start(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '_'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}'
        | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// The further characters of `NameChar`.
fn is_name_rest(c: char) -> bool {
    matches!(c, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}
