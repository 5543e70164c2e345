//! Answers: results and errors (RFC 6120 §8.2.3, §8.3).

use xylem_xml::{El, Element};

use super::{Kind, Stanza, Type};
use crate::{Condition, ErrorType, Jid, ns};

/// An error reply being put together.
#[derive(Clone, Debug)]
#[must_use = "call build()"]
pub struct ErrorReply<'a> {
    stanza: &'a Stanza,
    error: Fault,
    payload: bool,
}

#[derive(Clone, Debug)]
struct Fault {
    condition: Condition,
    type_: ErrorType,
    /// Content of the condition's element: the new address.
    address: Option<String>,
    by: Option<String>,
    text: Option<String>,
    application: String,
}

impl Stanza {
    /// An error that answers this stanza; `text` is for people. Nothing if the
    /// stanza must not be answered so: errors and results never are
    /// (RFC 6120 §8.3.1).
    #[must_use]
    pub fn error_reply(&self, condition: Condition, text: Option<&str>) -> Option<Self> {
        let mut reply = self.error(condition);
        if let Some(text) = text {
            reply = reply.text(text);
        }
        reply.build()
    }

    /// Begins an error that answers this stanza.
    pub fn error(&self, condition: Condition) -> ErrorReply<'_> {
        ErrorReply { stanza: self, error: Fault::new(condition), payload: false }
    }

    /// The result that answers this request, with a payload as XML. Nothing if
    /// this is not an IQ of type get or set, or the payload is not one element.
    #[must_use]
    pub fn result(&self, payload: Option<&str>) -> Option<Self> {
        if self.kind != Kind::Iq || !self.type_.is_request() {
            return None;
        }
        let el = self.reply_head(Type::Result).raw(payload.unwrap_or(""));
        Self::parse_own(el.build())
    }

    /// Opening tag of a reply: addresses exchanged, id kept.
    fn reply_head(&self, type_: Type) -> El {
        let from = self.to.as_ref().map(AsRef::as_ref);
        let to = self.from.as_ref().map(AsRef::as_ref);
        El::new(self.kind.as_str(), "")
            .attr_opt("from", from)
            .attr_opt("to", to)
            .attr_opt("id", self.id().as_deref())
            .attr_opt("type", type_.as_str())
    }

    fn parse_own(xml: String) -> Option<Self> {
        let scope = xylem_xml::Scope::with_default(ns::CLIENT);
        let element = Element::parse_bytes(xml.into(), &scope, &super::normal::WIDE).ok()?;
        Self::from_element(element).ok()
    }
}

impl ErrorReply<'_> {
    /// Another type than the condition's own.
    pub fn type_(mut self, type_: ErrorType) -> Self {
        self.error.type_ = type_;
        self
    }

    /// Text for people, in English.
    pub fn text(mut self, text: &str) -> Self {
        self.error.text = Some(text.to_owned());
        self
    }

    /// The new address, for `gone` and `redirect` (RFC 6120 §8.3.3.5).
    pub fn address(mut self, uri: &str) -> Self {
        self.error.address = Some(uri.to_owned());
        self
    }

    /// Who reports the error, if not the addressee (RFC 6120 §8.3.1).
    pub fn by(mut self, jid: &str) -> Self {
        self.error.by = Some(jid.to_owned());
        self
    }

    /// An application-specific condition as XML (RFC 6120 §8.3.4).
    pub fn application(mut self, xml: &str) -> Self {
        self.error.application.push_str(xml);
        self
    }

    /// Sends back what the stanza contained (RFC 6120 §8.3.1 allows it; it is
    /// left out otherwise).
    pub fn with_payload(mut self) -> Self {
        self.payload = true;
        self
    }

    /// The reply; nothing if the stanza must not be answered with an error, or
    /// the application-specific condition is not XML.
    #[must_use]
    pub fn build(self) -> Option<Stanza> {
        let stanza = self.stanza;
        if matches!(stanza.type_, Type::Error | Type::Result) {
            return None;
        }
        let mut el = stanza.reply_head(Type::Error);
        if self.payload {
            for child in stanza.root().children() {
                el = el.raw(&child.to_xml_string_in(ns::CLIENT));
            }
        }
        Stanza::parse_own(el.child(self.error.element()).build())
    }
}

impl Fault {
    fn new(condition: Condition) -> Self {
        Self {
            condition,
            type_: condition.default_type(),
            address: None,
            by: None,
            text: None,
            application: String::new(),
        }
    }

    /// `<error>` (RFC 6120 §8.3.2).
    fn element(&self) -> El {
        let condition = El::new(self.condition.as_str(), ns::STANZAS);
        let condition = match &self.address {
            Some(uri) => condition.text(uri),
            None => condition,
        };
        let text = self.text.as_deref().map(|text| El::new("text", ns::STANZAS).attr("xml:lang", "en").text(text));
        El::new("error", "")
            .attr_opt("by", self.by.as_deref())
            .attr("type", self.type_.as_str())
            .child(condition)
            .child_opt(text)
            .raw(&self.application)
    }
}

/// An error for an element that [`Stanza::from_element`] refused, for the stream
/// it came on: from whom it was for, if that is an address (RFC 6120 §8.3.1). Nothing if the element is not a stanza
/// or is itself an error or a result.
#[must_use]
pub fn error_for_element(element: &Element, condition: Condition, text: Option<&str>) -> Option<String> {
    let root = element.root();
    let kind = Kind::parse(root.name())?;
    if matches!(root.attr("type").as_deref(), Some("error" | "result")) {
        return None;
    }
    let mut fault = Fault::new(condition);
    fault.text = text.map(str::to_owned);
    let addressee = root.attr("to").filter(|to| Jid::parse(to).is_ok());
    let el = El::new(kind.as_str(), "")
        .attr_opt("from", addressee.as_deref())
        .attr_opt("id", root.attr("id").as_deref())
        .attr("type", "error")
        .child(fault.element());
    Some(el.build())
}
