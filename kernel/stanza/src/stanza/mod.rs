//! Stanzas: an element whose head has been understood.

mod edit;
mod head;
mod normal;
mod outgoing;
mod reply;
mod types;

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use xylem_xml::{Element, Node};

pub use edit::Edit;
pub use head::StanzaError;
pub use outgoing::{Copies, FanOut, Note, Outgoing};
pub use reply::{ErrorReply, error_for_element};
pub use types::{Kind, Type};

use crate::{Jid, Packed, ns};

/// A message, presence or IQ with its head parsed.
///
/// What the head says counts; [`Stanza::element`] has the bytes the stanza
/// arrived in, whose `from` and `to` may since have been replaced. The content
/// namespace is always `jabber:client`, whatever the stream it came from uses.
/// Cloning is cheap.
#[derive(Clone)]
pub struct Stanza {
    element: Element,
    kind: Kind,
    type_: Type,
    from: Option<Jid>,
    to: Option<Jid>,
    /// Language of the stream, for a stanza that names none.
    lang: Option<Arc<str>>,
    packed: OnceLock<Arc<Packed>>,
    text: OnceLock<Bytes>,
}

impl Stanza {
    /// Understands an element of a stream.
    ///
    /// # Errors
    /// See [`StanzaError`], which says how to answer.
    pub fn from_element(element: Element) -> Result<Self, StanzaError> {
        let element = normal::content(element)?;
        let (kind, type_) = head::kind_and_type(element.root())?;
        let (from, to) = head::addresses(element.root())?;
        if kind == Kind::Iq {
            head::check_iq(element.root(), type_)?;
        }
        Ok(Self { element, kind, type_, from, to, lang: None, packed: OnceLock::new(), text: OnceLock::new() })
    }

    /// Understands a stanza given as text, in the namespace `jabber:client`
    /// unless it says otherwise.
    ///
    /// # Errors
    /// See [`StanzaError`].
    pub fn parse(xml: &str) -> Result<Self, StanzaError> {
        Self::from_element(Element::parse_in(xml, ns::CLIENT)?)
    }

    /// Message, presence or IQ.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The type; for a message of a type nobody knows `Normal`.
    #[must_use]
    pub fn type_(&self) -> Type {
        self.type_
    }

    /// Whether this is an error, which must not be answered with another.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.type_ == Type::Error
    }

    /// The `id` attribute.
    #[must_use]
    pub fn id(&self) -> Option<Cow<'_, str>> {
        self.root().attr("id")
    }

    /// The sender.
    #[must_use]
    pub fn from(&self) -> Option<&Jid> {
        self.from.as_ref()
    }

    /// The addressee.
    #[must_use]
    pub fn to(&self) -> Option<&Jid> {
        self.to.as_ref()
    }

    /// The language of its text (RFC 6120 §8.1.5).
    #[must_use]
    pub fn lang(&self) -> Option<Cow<'_, str>> {
        let own = self.root().attr_ns(ns::XML, "lang");
        own.or_else(|| self.lang.as_deref().map(Cow::Borrowed))
    }

    /// The element; of its opening tag `from` and `to` may be stale.
    #[must_use]
    pub fn element(&self) -> &Element {
        &self.element
    }

    /// The outermost node of [`Stanza::element`].
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        self.element.root()
    }

    /// The first child of this namespace and name.
    #[must_use]
    pub fn child(&self, ns: &str, name: &str) -> Option<Node<'_>> {
        self.root().child(ns, name)
    }

    /// What an IQ asks or answers: its first child that is not an error.
    #[must_use]
    pub fn payload(&self) -> Option<Node<'_>> {
        let mut children = self.root().children();
        children.find(|c| !c.is(ns::CLIENT, "error"))
    }

    /// Text of the first body (RFC 6121 §5.2.3).
    #[must_use]
    pub fn body(&self) -> Option<Cow<'_, str>> {
        self.child(ns::CLIENT, "body").map(|b| b.text())
    }

    /// The same from another sender.
    #[must_use]
    pub fn with_from(&self, from: impl Into<Jid>) -> Self {
        self.readdressed(Some(from.into()), self.to.clone())
    }

    /// The same to another addressee.
    #[must_use]
    pub fn with_to(&self, to: impl Into<Jid>) -> Self {
        self.readdressed(self.from.clone(), Some(to.into()))
    }

    /// The same with both addresses replaced or taken away.
    #[must_use]
    pub fn readdressed(&self, from: Option<Jid>, to: Option<Jid>) -> Self {
        Self {
            element: self.element.clone(),
            kind: self.kind,
            type_: self.type_,
            from,
            to,
            lang: self.lang.clone(),
            packed: OnceLock::new(),
            text: OnceLock::new(),
        }
    }

    /// The same in the language of its stream, unless it names its own
    /// (RFC 6120 §4.7.4).
    #[must_use]
    pub fn with_default_lang(&self, lang: &str) -> Self {
        let mut stanza = self.readdressed(self.from.clone(), self.to.clone());
        stanza.lang = Some(lang.into());
        stanza
    }

    /// As it leaves the stream it came in on: from its sender, in the language
    /// of the stream unless it names its own. Nothing is copied.
    #[must_use]
    pub fn stamped(mut self, from: Jid, lang: Option<Arc<str>>) -> Self {
        self.from = Some(from);
        self.lang = lang;
        self.packed = OnceLock::new();
        self.text = OnceLock::new();
        self
    }

    /// The form that crosses into plugins; computed once.
    #[must_use]
    pub fn packed(&self) -> Arc<Packed> {
        let packed = self.packed.get_or_init(|| Arc::new(Packed::of(self)));
        packed.clone()
    }

    /// As [`Stanza::to_xml_string`]; computed once and shared by those who keep it.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.text.get_or_init(|| Bytes::from(self.to_xml_string())).clone()
    }

    /// The language of the stream, where it has to be added.
    fn added_lang(&self) -> Option<&str> {
        let lang = self.lang.as_deref()?;
        let own = self.root().attr_ns(ns::XML, "lang");
        own.is_none().then_some(lang)
    }
}

impl std::fmt::Debug for Stanza {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the content: it may be private.
        f.debug_struct("Stanza")
            .field("kind", &self.kind)
            .field("type", &self.type_)
            .field("from", &self.from)
            .field("to", &self.to)
            .field("bytes", &self.element.as_str().len())
            .finish_non_exhaustive()
    }
}
