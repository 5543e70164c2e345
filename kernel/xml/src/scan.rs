//! Finding the end of an element, token by token, resumable at any byte.

use quick_xml::parser::{ElementParser, Parser};

use crate::index::Builder;
use crate::{Limits, Scope, XmlError};

const CDATA: &[u8] = b"<![CDATA[";

/// How far the tokens of one element have been followed. Offsets count from
/// the `<` of the element; no byte is examined twice for the same purpose.
#[derive(Default)]
pub(crate) struct Scan {
    /// Where the token under way begins.
    token: usize,
    /// Up to where it has been searched for its end.
    seen: usize,
    quotes: ElementParser,
}

/// Where a token ends, if that can be told yet.
type Found = Result<Option<usize>, XmlError>;

impl Scan {
    /// Goes on with an element whose first byte is `bytes[0]`. Answers where it
    /// ends, or nothing if it does not end within `bytes`. What `bytes` held in
    /// an earlier call it must hold again.
    ///
    /// Never looks beyond [`Limits::bytes`], so that an excess is found at the
    /// same byte however the input is cut.
    pub(crate) fn advance(&mut self, bytes: &[u8], builder: &mut Builder, scope: &Scope, limits: &Limits) -> Found {
        let max = limits.bytes();
        let window = bytes.get(..max).unwrap_or(bytes);
        while let Some(&first) = window.get(self.token) {
            let done =
                if first == b'<' { self.markup(window, builder, scope, limits)? } else { self.text(window, builder)? };
            match done {
                Step::Incomplete => break,
                Step::Token => {}
                Step::Element => return Ok(Some(self.token)),
            }
        }
        if window.len() == max {
            return Err(XmlError::TooBig);
        }
        Ok(None)
    }

    fn text(&mut self, bytes: &[u8], builder: &mut Builder) -> Result<Step, XmlError> {
        let from = self.seen.max(self.token);
        let rest = bytes.get(from..).unwrap_or_default();
        let Some(at) = memchr::memchr(b'<', rest) else {
            self.seen = bytes.len();
            return Ok(Step::Incomplete);
        };
        builder.text(bytes, (self.token, from + at))?;
        self.next(from + at);
        Ok(Step::Token)
    }

    fn markup(
        &mut self,
        bytes: &[u8],
        builder: &mut Builder,
        scope: &Scope,
        limits: &Limits,
    ) -> Result<Step, XmlError> {
        let Some(&second) = bytes.get(self.token + 1) else {
            return Ok(Step::Incomplete);
        };
        let end = match second {
            b'/' => self.end_tag(bytes),
            b'!' => self.section(bytes)?,
            b'?' => return Err(XmlError::Restricted("processing instruction")),
            _ => self.opening_tag(bytes),
        };
        let Some(end) = end else {
            self.seen = bytes.len();
            return Ok(Step::Incomplete);
        };
        let token = (self.token, end);
        self.next(end);
        let complete = match second {
            b'/' => builder.close(bytes, token)?,
            b'!' => builder.cdata(bytes, token).map(|()| false)?,
            _ => builder.open(bytes, token, scope, limits)?,
        };
        Ok(if complete { Step::Element } else { Step::Token })
    }

    fn opening_tag(&mut self, bytes: &[u8]) -> Option<usize> {
        let from = self.seen.max(self.token + 1);
        let rest = bytes.get(from..)?;
        self.quotes.feed(rest).map(|at| from + at + 1)
    }

    fn end_tag(&self, bytes: &[u8]) -> Option<usize> {
        let from = self.seen.max(self.token + 2);
        memchr::memchr(b'>', bytes.get(from..)?).map(|at| from + at + 1)
    }

    /// `<!`: a CDATA section; everything else that begins so is refused at its
    /// first deviating byte.
    fn section(&self, bytes: &[u8]) -> Found {
        let token = bytes.get(self.token..).unwrap_or_default();
        let head = token.get(..CDATA.len()).unwrap_or(token);
        if !CDATA.starts_with(head) {
            return Err(match token.get(2) {
                Some(b'-') => XmlError::Restricted("comment"),
                Some(b'D') => XmlError::Restricted("document type"),
                _ => XmlError::NotWellFormed("malformed section"),
            });
        }
        let from = (self.token + CDATA.len()).max(self.seen.saturating_sub(2));
        let rest = bytes.get(from..).unwrap_or_default();
        Ok(memchr::memmem::find(rest, b"]]>").map(|at| from + at + 3))
    }

    fn next(&mut self, at: usize) {
        self.token = at;
        self.seen = at;
        self.quotes = ElementParser::Outside;
    }
}

enum Step {
    /// More bytes are needed.
    Incomplete,
    /// A token was taken in.
    Token,
    /// The outermost element ended.
    Element,
}

/// Scans the element at the beginning of `bytes`; answers where it ends.
pub(crate) fn scan_one(bytes: &[u8], scope: &Scope, limits: &Limits) -> Result<(Builder, usize), XmlError> {
    if bytes.first() != Some(&b'<') {
        return Err(XmlError::NotWellFormed("no element"));
    }
    if bytes.get(1) == Some(&b'/') {
        return Err(XmlError::NotWellFormed("end tag first"));
    }
    let mut builder = Builder::new();
    match Scan::default().advance(bytes, &mut builder, scope, limits)? {
        Some(end) => Ok((builder, end)),
        None => Err(XmlError::NotWellFormed("element does not end")),
    }
}
