//! From the bytes of a stream to its frames.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use quick_xml::parser::{ElementParser, Parser};

use crate::chars::is_space;
use crate::element::valid;
use crate::header::{check_declaration, may_be_declaration};
use crate::index::Builder;
use crate::scan::Scan;
use crate::{Element, Limits, Scope, StreamHeader, XmlError};

/// What a stream consists of.
#[derive(Clone, Debug)]
pub enum Frame {
    /// The stream begins.
    Open(StreamHeader),
    /// A child of the stream: a stanza, a nonza, an error.
    Element(Element),
    /// The stream ended properly.
    Close,
    /// Whitespace between elements: the peer keeps the connection alive
    /// (RFC 6120 §4.6.1). One frame may stand for much whitespace.
    Whitespace,
}

/// Cuts one incoming stream into [`Frame`]s.
///
/// Call [`Framer::feed`] with what the socket brought, then
/// [`Framer::next_frame`] until it answers `None` or an error. Then at most one
/// unfinished element is held, never more than [`Limits::stanza_bytes`] of it.
/// While nothing is unfinished no buffer is held at all. How the input is cut
/// makes no difference to what comes out.
pub struct Framer {
    limits: Limits,
    phase: Phase,
    buffer: BytesMut,
    /// The element under way, from the first call that could not finish it.
    unfinished: Option<Box<Unfinished>>,
    /// Progress of a tag or declaration outside elements.
    seen: usize,
    quotes: ElementParser,
}

enum Phase {
    /// Before the header; whether the XML declaration has been seen.
    Prolog {
        declared: bool,
    },
    /// Between header and end tag.
    Inside(Arc<StreamHeader>),
    /// The end tag was found, [`Frame::Close`] not yet handed out.
    Ending,
    /// Over; what still comes is dropped.
    Closed,
    Failed(XmlError),
}

struct Unfinished {
    scan: Scan,
    builder: Builder,
}

impl Framer {
    /// For a stream of which nothing has been read.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            phase: Phase::Prolog { declared: false },
            buffer: BytesMut::new(),
            unfinished: None,
            seen: 0,
            quotes: ElementParser::Outside,
        }
    }

    /// Changes the limits from the next token on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Appends what the peer sent. After an error or the end of the stream
    /// bytes are dropped.
    pub fn feed(&mut self, bytes: &[u8]) {
        if !matches!(self.phase, Phase::Closed | Phase::Failed(_)) {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next complete frame, if there is one.
    ///
    /// # Errors
    /// The first violation, and the same one ever after: see [`XmlError`].
    pub fn next_frame(&mut self) -> Result<Option<Frame>, XmlError> {
        let next = match &self.phase {
            Phase::Prolog { .. } => self.prolog(),
            Phase::Inside(header) => {
                let header = header.clone();
                self.inside(&header)
            }
            Phase::Ending => {
                self.end(Phase::Closed);
                return Ok(Some(Frame::Close));
            }
            Phase::Closed => Ok(None),
            Phase::Failed(error) => Err(*error),
        };
        match &next {
            Err(error) => self.end(Phase::Failed(*error)),
            Ok(_) if self.buffer.is_empty() => self.buffer = BytesMut::new(),
            Ok(_) => {}
        }
        next
    }

    /// Begins a new stream on the same connection (RFC 6120 §4.3.3): header and
    /// state are forgotten, bytes already fed belong to the new stream.
    pub fn restart(&mut self) {
        self.phase = Phase::Prolog { declared: false };
        self.unfinished = None;
        self.next_token();
    }

    /// Drops every byte not yet handed out as a frame. To be called before a
    /// TLS handshake, lest what an attacker put in front of it counts as sent
    /// inside (RFC 6120 §5.4.3.3).
    pub fn discard(&mut self) {
        self.buffer = BytesMut::new();
        self.unfinished = None;
        self.next_token();
    }

    /// Bytes held, waiting for the rest of a frame or to be asked for.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes of memory held for the buffer.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    fn prolog(&mut self) -> Result<Option<Frame>, XmlError> {
        loop {
            // Keepalives sent before a restart may end up here.
            if self.seen == 0 {
                self.skip_whitespace();
            }
            let Some(&first) = self.buffer.first() else {
                return Ok(None);
            };
            if first != b'<' {
                return Err(foreign_start(first));
            }
            match self.buffer.get(1) {
                None => return Ok(None),
                Some(b'?') => {
                    if !self.declaration()? {
                        return Ok(None);
                    }
                }
                Some(b'!') => return self.bang(),
                Some(0) => return Err(XmlError::InvalidEncoding("UTF-16")),
                Some(_) => return self.header(),
            }
        }
    }

    /// `<?`: answers whether a declaration was read.
    fn declaration(&mut self) -> Result<bool, XmlError> {
        let longest = 256.min(self.limits.bytes());
        if matches!(self.phase, Phase::Prolog { declared: true }) || !may_be_declaration(&self.buffer) {
            return Err(XmlError::Restricted("processing instruction"));
        }
        let window = self.buffer.get(..longest).unwrap_or(&self.buffer);
        match memchr::memmem::find(window, b"?>") {
            Some(at) => {
                check_declaration(&self.buffer.split_to(at + 2))?;
                self.phase = Phase::Prolog { declared: true };
                Ok(true)
            }
            None if window.len() == longest => Err(XmlError::NotWellFormed("malformed XML declaration")),
            None => Ok(false),
        }
    }

    /// `<!` outside elements: nothing that begins so is allowed there.
    fn bang(&self) -> Result<Option<Frame>, XmlError> {
        match self.buffer.get(2) {
            None => Ok(None),
            Some(b'-') => Err(XmlError::Restricted("comment")),
            Some(b'D') => Err(XmlError::Restricted("document type")),
            Some(_) => Err(XmlError::NotWellFormed("markup between stanzas")),
        }
    }

    fn header(&mut self) -> Result<Option<Frame>, XmlError> {
        let Some(end) = self.find_tag_end()? else {
            return Ok(None);
        };
        let tag = Bytes::copy_from_slice(self.buffer.get(..end).unwrap_or_default());
        self.buffer.advance(end);
        self.next_token();
        let header = StreamHeader::read(tag, &self.limits)?;
        self.phase = if header.closes_itself() { Phase::Ending } else { Phase::Inside(Arc::new(header.clone())) };
        Ok(Some(Frame::Open(header)))
    }

    /// Finds the `>` of the tag at the beginning of the buffer.
    fn find_tag_end(&mut self) -> Result<Option<usize>, XmlError> {
        let max = self.limits.bytes();
        let window = self.buffer.get(..max).unwrap_or(&self.buffer);
        let from = self.seen.max(1);
        let rest = window.get(from..).unwrap_or_default();
        match self.quotes.feed(rest) {
            Some(at) => Ok(Some(from + at + 1)),
            None if window.len() == max => Err(XmlError::TooBig),
            None => {
                self.seen = window.len();
                Ok(None)
            }
        }
    }

    fn inside(&mut self, header: &Arc<StreamHeader>) -> Result<Option<Frame>, XmlError> {
        if self.unfinished.is_none() && self.seen == 0 && self.skip_whitespace() {
            return Ok(Some(Frame::Whitespace));
        }
        let Some(&first) = self.buffer.first() else {
            return Ok(None);
        };
        if first != b'<' {
            return Err(XmlError::BadFormat("text between stanzas"));
        }
        match self.buffer.get(1) {
            None => Ok(None),
            Some(b'/') => self.stream_end(header),
            Some(b'!') => self.bang(),
            Some(b'?') => Err(XmlError::Restricted("processing instruction")),
            Some(_) => self.element(header.scope()),
        }
    }

    fn stream_end(&mut self, header: &StreamHeader) -> Result<Option<Frame>, XmlError> {
        let Some(end) = self.find_tag_end()? else {
            return Ok(None);
        };
        let ends = header.ends_with(self.buffer.get(..end).unwrap_or_default());
        if !ends {
            return Err(XmlError::NotWellFormed("mismatched end tag"));
        }
        self.end(Phase::Closed);
        Ok(Some(Frame::Close))
    }

    fn element(&mut self, scope: &Arc<Scope>) -> Result<Option<Frame>, XmlError> {
        // Begun in an earlier call, and boxed then; most elements arrive whole
        // and never are.
        if let Some(mut work) = self.unfinished.take() {
            let (scan, builder) = (&mut work.scan, &mut work.builder);
            return match scan.advance(&self.buffer, builder, scope, &self.limits)? {
                Some(end) => self.finish(builder, end, scope),
                None => {
                    self.unfinished = Some(work);
                    Ok(None)
                }
            };
        }
        let mut scan = Scan::default();
        let mut builder = Builder::new();
        match scan.advance(&self.buffer, &mut builder, scope, &self.limits)? {
            Some(end) => self.finish(&mut builder, end, scope),
            None => {
                self.unfinished = Some(Box::new(Unfinished { scan, builder }));
                Ok(None)
            }
        }
    }

    fn finish(&mut self, builder: &mut Builder, end: usize, scope: &Arc<Scope>) -> Result<Option<Frame>, XmlError> {
        let text = valid(self.take(end))?;
        Ok(Some(Frame::Element(builder.finish(text, scope))))
    }

    /// The first `end` bytes, out of the buffer. Copied unless they are most of
    /// it: a small stanza kept for long must not keep a large read alive.
    fn take(&mut self, end: usize) -> Bytes {
        if self.buffer.capacity() > end.saturating_mul(2) {
            let copy = Bytes::copy_from_slice(self.buffer.get(..end).unwrap_or_default());
            self.buffer.advance(end);
            return copy;
        }
        if end == self.buffer.len() {
            return std::mem::take(&mut self.buffer).freeze();
        }
        self.buffer.split_to(end).freeze()
    }

    fn skip_whitespace(&mut self) -> bool {
        let spaces = self.buffer.iter().take_while(|b| is_space(**b)).count();
        self.buffer.advance(spaces);
        spaces > 0
    }

    fn end(&mut self, phase: Phase) {
        self.phase = phase;
        self.discard();
    }

    fn next_token(&mut self) {
        self.seen = 0;
        self.quotes = ElementParser::Outside;
    }
}

/// What to say of a stream that does not begin with `<`.
fn foreign_start(first: u8) -> XmlError {
    match first {
        // Byte order marks of UTF-16, or half a character of it.
        0xFE | 0xFF | 0 => XmlError::InvalidEncoding("not UTF-8"),
        _ => XmlError::NotWellFormed("no stream header"),
    }
}

impl std::fmt::Debug for Framer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Framer")
            .field("buffered", &self.buffer.len())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
