//! Text on its way into XML.

use std::borrow::Cow;

/// Escapes character data. Characters that XML does not know (RFC 6120 §11.1)
/// become U+FFFD.
#[must_use]
pub fn escape_text(text: &str) -> Cow<'_, str> {
    escape(text, false)
}

/// Escapes an attribute value, for either kind of quote; whitespace other than
/// spaces survives as references. Illegal characters become U+FFFD.
#[must_use]
pub fn escape_attr(value: &str) -> Cow<'_, str> {
    escape(value, true)
}

fn escape(text: &str, attribute: bool) -> Cow<'_, str> {
    let mask = if attribute { ATTRIBUTE } else { TEXT };
    // Every address on its way to somebody passes here.
    let special = |b: &u8| SPECIAL.get(usize::from(*b)).is_some_and(|places| places & mask != 0);
    let Some(first) = text.as_bytes().iter().position(special) else {
        return Cow::Borrowed(text);
    };
    let (clean, rest) = text.split_at_checked(first).unwrap_or(("", text));
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(clean);
    for c in rest.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\'' if attribute => out.push_str("&apos;"),
            '\n' if attribute => out.push_str("&#10;"),
            '\t' if attribute => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            c if !crate::chars::is_char(c) => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

const TEXT: u8 = 1;
const ATTRIBUTE: u8 = 2;

/// Where each byte is one that begins something to be escaped.
static SPECIAL: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(
            clippy::indexing_slicing,
            clippy::cast_possible_truncation,
            reason = "computed by the compiler, below 256"
        )]
        {
            table[byte] = (special(byte as u8, false) as u8 * TEXT) | (special(byte as u8, true) as u8 * ATTRIBUTE);
        }
        byte += 1;
    }
    table
};

/// Bytes that begin something to be escaped; 0xEF may begin U+FFFE.
const fn special(b: u8, attribute: bool) -> bool {
    match b {
        b'&' | b'<' | b'>' | 0xEF => true,
        b'"' | b'\'' | b'\n' | b'\t' => attribute,
        _ => b < 0x20 && b != b'\n' && b != b'\t',
    }
}
