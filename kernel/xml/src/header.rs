//! The opening tag of a stream.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;

use crate::chars;
use crate::element::valid;
use crate::index::Builder;
use crate::scope::MAX_OUTER;
use crate::tag::{OpenTag, end_name};
use crate::{Element, Limits, Node, Scope, XmlError};

/// The opening tag of a stream (RFC 6120 §4.7): what it says and what it
/// declares for all stanzas.
#[derive(Clone, Debug)]
pub struct StreamHeader {
    element: Element,
    scope: Arc<Scope>,
    qname: Box<str>,
    closes_itself: bool,
}

impl StreamHeader {
    /// Reads the tag `<…>` at the beginning of a stream.
    pub(crate) fn read(tag: Bytes, limits: &Limits) -> Result<Self, XmlError> {
        let text = valid(tag)?;
        let open = OpenTag::new(&text)?;
        let qname: Box<str> = open.name.into();
        let closes_itself = open.closes_itself;
        let mut builder = Builder::new();
        let outside = Scope::with_default("");
        builder.open(text.as_bytes(), (0, text.len()), &outside, limits)?;
        if !closes_itself {
            builder.end_here(text.len());
        }
        let element = builder.finish(text, &outside);
        let scope = Self::declared(&element)?;
        Ok(Self { element, scope, qname, closes_itself })
    }

    fn declared(element: &Element) -> Result<Arc<Scope>, XmlError> {
        let mut scope = Scope::default();
        for (prefix, ns) in element.root().declarations() {
            match prefix {
                "" => scope.default = ns.into(),
                "xml" => {}
                _ => scope.prefixes.push((prefix.into(), ns.into())),
            }
        }
        if scope.prefixes.len() > MAX_OUTER {
            return Err(XmlError::TooManyAttributes);
        }
        if scope.prefixes.is_empty() {
            return Ok(Scope::with_default(&scope.default));
        }
        Ok(shared(scope))
    }

    /// The tag as an element without content: its namespace, name, attributes.
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        self.element.root()
    }

    /// Local name: `stream`, if the peer means XMPP.
    #[must_use]
    pub fn name(&self) -> &str {
        self.root().name()
    }

    /// Namespace of the root element.
    #[must_use]
    pub fn ns(&self) -> &str {
        self.root().ns()
    }

    /// Value of an attribute without a namespace, references resolved.
    #[must_use]
    pub fn attr(&self, name: &str) -> Option<String> {
        self.root().attr(name).map(Into::into)
    }

    /// The `to` attribute (RFC 6120 §4.7.2), unchecked.
    #[must_use]
    pub fn to(&self) -> Option<String> {
        self.attr("to")
    }

    /// The `from` attribute (RFC 6120 §4.7.1), unchecked.
    #[must_use]
    pub fn from(&self) -> Option<String> {
        self.attr("from")
    }

    /// The `id` attribute (RFC 6120 §4.7.3).
    #[must_use]
    pub fn id(&self) -> Option<String> {
        self.attr("id")
    }

    /// The `version` attribute (RFC 6120 §4.7.5), unparsed.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        self.attr("version")
    }

    /// The `xml:lang` attribute (RFC 6120 §4.7.4).
    #[must_use]
    pub fn lang(&self) -> Option<String> {
        self.root().attr_ns(crate::NS_XML, "lang").map(Into::into)
    }

    /// The namespace of stanzas that declare none: the content namespace
    /// (RFC 6120 §4.8.2). Empty if there is none.
    #[must_use]
    pub fn default_ns(&self) -> &str {
        self.scope.default_ns()
    }

    /// What the header declares for the elements inside the stream.
    #[must_use]
    pub fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    /// Whether the header was written `<…/>`: the stream is over already.
    #[must_use]
    pub fn closes_itself(&self) -> bool {
        self.closes_itself
    }

    /// Whether this end tag belongs to the stream.
    pub(crate) fn ends_with(&self, tag: &[u8]) -> bool {
        end_name(tag) == Some(self.qname.as_bytes())
    }
}

thread_local! {
    static LAST: RefCell<Option<Arc<Scope>>> = const { RefCell::new(None) };
}

/// Nearly all clients declare the same: then they share it, as long as they live.
fn shared(scope: Scope) -> Arc<Scope> {
    LAST.with_borrow_mut(|last| match last {
        Some(last) if last.default == scope.default && last.prefixes == scope.prefixes => Arc::clone(last),
        _ => Arc::clone(last.insert(Arc::new(scope))),
    })
}

/// Checks an XML declaration `<?xml …?>` (XML 1.0 §2.8; RFC 6120 §11.5, §11.6).
pub(crate) fn check_declaration(text: &[u8]) -> Result<(), XmlError> {
    const BAD: XmlError = XmlError::NotWellFormed("malformed XML declaration");
    let text = std::str::from_utf8(text).map_err(|_| XmlError::InvalidEncoding("not UTF-8"))?;
    let content = text.strip_prefix("<?").and_then(|t| t.strip_suffix("?>")).ok_or(BAD)?;
    // Pseudo-attributes have the grammar of attributes (with one exception: no
    // references), so a tag it is.
    let tag = format!("<{content}>");
    let tag = OpenTag::new(&tag)?;
    if tag.name != "xml" {
        return Err(XmlError::Restricted("processing instruction"));
    }
    let mut stage = 0;
    tag.attributes(|attr| {
        let (next, value) = (attr.key, attr.value);
        stage = match (stage, next) {
            (0, "version") if value == "1.0" => 1,
            (0, "version") => return Err(XmlError::NotWellFormed("version of XML is not 1.0")),
            (1, "encoding") if value.eq_ignore_ascii_case("utf-8") => 2,
            (1, "encoding") => return Err(XmlError::InvalidEncoding("only UTF-8 is spoken")),
            (1 | 2, "standalone") if matches!(value, "yes" | "no") => 3,
            _ => return Err(BAD),
        };
        Ok(())
    })?;
    if stage == 0 { Err(BAD) } else { Ok(()) }
}

/// Whether a stream that begins so may yet turn out to be an XML declaration.
pub(crate) fn may_be_declaration(bytes: &[u8]) -> bool {
    const START: &[u8] = b"<?xml";
    let head = bytes.get(..START.len()).unwrap_or(bytes);
    START.starts_with(head) && bytes.get(START.len()).is_none_or(|b| chars::is_space(*b) || *b == b'?')
}
