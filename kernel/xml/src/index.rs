//! Building the index while the tags of an element go by.

use std::sync::Arc;

use bytestring::ByteString;
use smallvec::SmallVec;

use crate::chars;
use crate::record::{ATTR_WORDS, AttrRecord, HEADER_WORDS, NODE_WORDS, NONE, NsRef, field};
use crate::references::{check_references, resolve_value};
use crate::tag::{OpenTag, RawAttr, end_name};
use crate::{Element, Limits, NS_XML, NS_XMLNS, Scope, XmlError};

/// Up to this many attributes are compared pairwise, more are sorted.
const FEW: usize = 16;

/// The index under construction. Offsets count from the `<` of the element, and
/// every method is handed the bytes from there on.
pub(crate) struct Builder {
    words: SmallVec<[u32; 256]>,
    current: u32,
    depth: usize,
    nodes: u32,
    bindings: SmallVec<[Binding; 4]>,
    /// Stream-level declarations in use, one bit each.
    outer: u64,
    resolved: Vec<Box<str>>,
}

/// One prefix in force.
struct Binding {
    node: u32,
    prefix: std::ops::Range<usize>,
    ns: NsRef,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            words: SmallVec::from_slice(&[0; HEADER_WORDS]),
            current: NONE,
            depth: 0,
            nodes: 0,
            bindings: SmallVec::new(),
            outer: 0,
            resolved: Vec::new(),
        }
    }

    /// An opening tag at `at`..`end`. Answers whether the element is complete.
    pub(crate) fn open(
        &mut self,
        bytes: &[u8],
        (at, end): (usize, usize),
        scope: &Scope,
        limits: &Limits,
    ) -> Result<bool, XmlError> {
        if self.depth >= limits.levels() {
            return Err(XmlError::TooDeep);
        }
        let tag = OpenTag::new(utf8(bytes, at, end)?)?;
        let prefix_len = chars::check_qname(tag.name, limits.name_bytes)?;
        let node = self.words.len();
        let inherited = match self.current {
            NONE => NsRef::Outer(0),
            parent => NsRef::of(self.word(parent as usize + field::DEFAULT_NS)),
        };
        self.words.extend_from_slice(&[0; NODE_WORDS]);
        self.set(node, field::START, at);
        self.set(node, field::OPEN_END, end);
        self.put(node + field::PARENT, self.current);
        self.put(node + field::DEFAULT_NS, inherited.word());
        self.put(node + field::NUMBER, self.nodes);
        self.nodes += 1;
        let mut attributes = 0usize;
        let mut prefixed = false;
        tag.attributes(|raw| {
            attributes += 1;
            if attributes > limits.attributes.min(0xFFFF) {
                return Err(XmlError::TooManyAttributes);
            }
            self.attribute(node, at, &raw, limits, &mut prefixed)
        })?;
        if self.bindings.len() > limits.attributes {
            return Err(XmlError::TooManyAttributes);
        }
        let local_len = match prefix_len {
            0 => tag.name.len(),
            n => tag.name.len() - n - 1,
        };
        self.set(node, field::PREFIX, prefix_len | attributes << 16);
        self.set(node, field::LOCAL, local_len);
        if prefixed {
            self.resolve_attributes(bytes, node, attributes, scope)?;
        }
        self.refuse_duplicates(bytes, node, attributes, scope)?;
        let ns = match prefix_len {
            0 => NsRef::of(self.word(node + field::DEFAULT_NS)),
            n => self.prefix(bytes, at + 1..at + 1 + n, scope)?,
        };
        if ns == NsRef::Xmlns {
            return Err(XmlError::BadPrefix("element in the xmlns namespace"));
        }
        self.note_outer(ns);
        self.put(node + field::NS, ns.word());
        self.current = offset(node);
        self.depth += 1;
        if tag.closes_itself {
            return Ok(self.leave(end, end));
        }
        Ok(false)
    }

    /// An end tag at `at`..`end`. Answers whether the element is complete.
    pub(crate) fn close(&mut self, bytes: &[u8], (at, end): (usize, usize)) -> Result<bool, XmlError> {
        const BAD: XmlError = XmlError::NotWellFormed("mismatched end tag");
        let name = bytes.get(at..end).and_then(end_name).ok_or(BAD)?;
        let node = self.current as usize;
        let start = self.word(node + field::START) as usize + 1;
        let prefix = self.word(node + field::PREFIX) as usize & 0xFFFF;
        let local = self.word(node + field::LOCAL) as usize & 0xFFFF;
        let len = if prefix == 0 { local } else { prefix + 1 + local };
        if bytes.get(start..start + len) != Some(name) {
            return Err(BAD);
        }
        Ok(self.leave(at, end))
    }

    /// Ends what is open without an end tag: the header of a stream.
    pub(crate) fn end_here(&mut self, end: usize) {
        self.leave(end, end);
    }

    /// Character data at `at`..`end`.
    pub(crate) fn text(&mut self, bytes: &[u8], (at, end): (usize, usize)) -> Result<(), XmlError> {
        let run = utf8(bytes, at, end)?;
        let survey = chars::survey_text(run)?;
        if survey.references {
            check_references(run)?;
        }
        if !survey.plain {
            self.mark_odd();
        }
        Ok(())
    }

    /// A CDATA section at `at`..`end`, brackets included.
    pub(crate) fn cdata(&mut self, bytes: &[u8], (at, end): (usize, usize)) -> Result<(), XmlError> {
        chars::check_chars(utf8(bytes, at, end)?)?;
        self.mark_odd();
        Ok(())
    }

    /// The finished element.
    pub(crate) fn finish(&mut self, text: ByteString, scope: &Arc<Scope>) -> Element {
        self.put(0, self.nodes);
        self.put(1, (self.outer & 0xFFFF_FFFF) as u32);
        self.put(2, (self.outer >> 32) as u32);
        let scope = if self.resolved.is_empty() {
            scope.clone()
        } else {
            let mut own = Scope::clone(scope);
            own.resolved = std::mem::take(&mut self.resolved);
            Arc::new(own)
        };
        Element::from_parts(text, self.words.as_slice().into(), scope)
    }

    fn attribute(
        &mut self,
        node: usize,
        base: usize,
        raw: &RawAttr<'_>,
        limits: &Limits,
        prefixed: &mut bool,
    ) -> Result<(), XmlError> {
        let prefix_len = chars::check_qname(raw.key, limits.name_bytes)?;
        let (prefix, local) = match prefix_len {
            0 => ("", raw.key),
            n => (raw.key.get(..n).unwrap_or_default(), raw.key.get(n + 1..).unwrap_or_default()),
        };
        let declares = prefix == "xmlns" || raw.key == "xmlns";
        *prefixed |= prefix_len > 0 && !declares;
        let at = self.words.len();
        let record = AttrRecord {
            key: offset(base + raw.key_at),
            prefix_len: prefix_len as u16,
            local_len: local.len() as u16,
            value: offset(base + raw.value_at),
            value_len: offset(raw.value.len()),
            odd: !raw.survey.plain,
            declares,
            ns: if declares { NsRef::Xmlns } else { NsRef::None }.word(),
        };
        self.words.extend_from_slice(&record.words());
        if declares {
            self.declare(node, at, &record, local, raw)?;
        }
        Ok(())
    }

    /// Puts a declaration in force (Namespaces in XML 1.0 §3, §5).
    fn declare(
        &mut self,
        node: usize,
        at: usize,
        record: &AttrRecord,
        local: &str,
        raw: &RawAttr<'_>,
    ) -> Result<(), XmlError> {
        let value = match record.odd {
            true => resolve_value(raw.value),
            false => raw.value.into(),
        };
        let is_default = record.prefix_len == 0;
        let ns = match &*value {
            "" if is_default => NsRef::None,
            "" => return Err(XmlError::BadPrefix("prefix bound to nothing")),
            NS_XML if !is_default && local == "xml" => NsRef::Xml,
            NS_XML | NS_XMLNS => return Err(XmlError::BadPrefix("reserved namespace")),
            _ if !is_default && matches!(local, "xml" | "xmlns") => {
                return Err(XmlError::BadPrefix("reserved prefix"));
            }
            _ if record.odd => {
                self.resolved.push(value.into());
                NsRef::Resolved(offset(self.resolved.len() - 1))
            }
            _ => NsRef::Attr(offset(at)),
        };
        if is_default {
            self.put(node + field::DEFAULT_NS, ns.word());
        } else {
            let prefix = record.local();
            let node = offset(node);
            self.bindings.push(Binding { node, prefix, ns });
        }
        Ok(())
    }

    fn resolve_attributes(&mut self, bytes: &[u8], node: usize, count: usize, scope: &Scope) -> Result<(), XmlError> {
        for i in 0..count {
            let at = node + NODE_WORDS + i * ATTR_WORDS;
            let Some(record) = AttrRecord::read(&self.words, at) else {
                break;
            };
            if record.prefix_len > 0 && !record.declares {
                let ns = self.prefix(bytes, record.prefix(), scope)?;
                self.note_outer(ns);
                self.put(at + AttrRecord::NS_WORD, ns.word());
            }
        }
        Ok(())
    }

    /// What a prefix is bound to here.
    fn prefix(&self, bytes: &[u8], range: std::ops::Range<usize>, scope: &Scope) -> Result<NsRef, XmlError> {
        let prefix = bytes.get(range).unwrap_or_default();
        match prefix {
            b"xml" => return Ok(NsRef::Xml),
            b"xmlns" => return Ok(NsRef::Xmlns),
            _ => {}
        }
        let inner = self.bindings.iter().rev();
        let mut inner = inner.filter(|b| bytes.get(b.prefix.clone()) == Some(prefix));
        match inner.next() {
            Some(binding) => Ok(binding.ns),
            None => scope.position(prefix).map(NsRef::Outer).ok_or(XmlError::BadPrefix("undeclared prefix")),
        }
    }

    /// Unique attribute specification (XML 1.0 §3.1, Namespaces §6.3).
    fn refuse_duplicates(&self, bytes: &[u8], node: usize, count: usize, scope: &Scope) -> Result<(), XmlError> {
        const TWICE: XmlError = XmlError::NotWellFormed("duplicate attribute");
        if count < 2 {
            return Ok(());
        }
        let first = node + NODE_WORDS;
        let name = |i: usize| {
            let record = AttrRecord::read(&self.words, first + i * ATTR_WORDS)?;
            // A declaration `xmlns` and one `xmlns:xmlns` cannot meet: the
            // latter is refused. So expanded names are unique here.
            let ns = self.name(bytes, NsRef::of(record.ns), scope);
            Some((bytes.get(record.local())?, record.prefix_len > 0, ns))
        };
        if count <= FEW {
            for i in 1..count {
                let this = name(i);
                if (0..i).any(|j| name(j) == this) {
                    return Err(TWICE);
                }
            }
            return Ok(());
        }
        let mut names: Vec<_> = (0..count).map(name).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(TWICE);
        }
        Ok(())
    }

    fn name<'a>(&'a self, bytes: &'a [u8], ns: NsRef, scope: &'a Scope) -> &'a [u8] {
        match ns {
            NsRef::None => b"",
            NsRef::Xml => NS_XML.as_bytes(),
            NsRef::Xmlns => NS_XMLNS.as_bytes(),
            NsRef::Outer(i) => scope.name(i).as_bytes(),
            NsRef::Resolved(i) => self.resolved.get(i as usize).map_or(b"", |s| s.as_bytes()),
            NsRef::Attr(at) => {
                AttrRecord::read(&self.words, at as usize).and_then(|r| bytes.get(r.value())).unwrap_or_default()
            }
        }
    }

    /// Closes the current node; answers whether it was the outermost.
    fn leave(&mut self, close_start: usize, end: usize) -> bool {
        let node = self.current as usize;
        self.set(node, field::CLOSE_START, close_start);
        self.set(node, field::END, end);
        self.set(node, field::NEXT, self.words.len());
        while self.bindings.last().is_some_and(|b| b.node == self.current) {
            self.bindings.pop();
        }
        self.current = self.word(node + field::PARENT);
        self.depth -= 1;
        self.depth == 0
    }

    fn note_outer(&mut self, ns: NsRef) {
        if let NsRef::Outer(i) = ns {
            self.outer |= 1u64.checked_shl(i).unwrap_or(0);
        }
    }

    fn mark_odd(&mut self) {
        let at = self.current as usize + field::LOCAL;
        self.put(at, self.word(at) | field::ODD_TEXT);
    }

    fn word(&self, at: usize) -> u32 {
        self.words.get(at).copied().unwrap_or(0)
    }

    fn put(&mut self, at: usize, value: u32) {
        if let Some(word) = self.words.get_mut(at) {
            *word = value;
        }
    }

    fn set(&mut self, node: usize, field: usize, value: usize) {
        self.put(node + field, offset(value));
    }
}

/// Offsets fit: an element has at most 2^28 bytes ([`Limits::bytes`]), and four
/// bytes, `<a/>`, yield at most eleven words of index.
fn offset(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn utf8(bytes: &[u8], at: usize, end: usize) -> Result<&str, XmlError> {
    let run = bytes.get(at..end).unwrap_or_default();
    std::str::from_utf8(run).map_err(|_| XmlError::InvalidEncoding("not UTF-8"))
}
