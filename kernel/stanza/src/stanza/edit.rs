//! Changing a stanza by splicing its bytes.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use xylem_xml::{Element, Node, Scope, XmlError};

use super::outgoing::Head;
use super::{Stanza, StanzaError, head, normal};
use crate::{Jid, Kind, ns};

/// Changes to a stanza, made together: the new bytes are put together and
/// indexed once. Bytes that nothing changes are copied as they are.
#[derive(Clone, Debug)]
#[must_use = "call apply()"]
pub struct Edit<'a> {
    stanza: &'a Stanza,
    from: Option<Jid>,
    to: Option<Jid>,
    set: Vec<(String, Option<String>)>,
    /// Children to leave out, by position.
    removed: BTreeSet<usize>,
    inserted: String,
    fault: Option<StanzaError>,
}

impl Stanza {
    /// Begins to change the stanza.
    pub fn edit(&self) -> Edit<'_> {
        Edit {
            stanza: self,
            from: self.from.clone(),
            to: self.to.clone(),
            set: Vec::new(),
            removed: BTreeSet::new(),
            inserted: String::new(),
            fault: None,
        }
    }

    /// The same with one more child, at the end.
    ///
    /// # Errors
    /// See [`Edit::apply`].
    pub fn insert_child(&self, xml: &str) -> Result<Self, StanzaError> {
        self.edit().insert(xml).apply()
    }

    /// The same with what is well-formed already behind the children there are.
    ///
    /// # Errors
    /// See [`Edit::apply`].
    pub fn append_children(&self, xml: &str) -> Result<Self, StanzaError> {
        Edit { inserted: xml.to_owned(), ..self.edit() }.apply()
    }

    /// The same without the children of this namespace and name.
    ///
    /// # Errors
    /// See [`Edit::apply`].
    pub fn remove_children(&self, ns: &str, name: &str) -> Result<Self, StanzaError> {
        self.edit().remove(ns, name).apply()
    }

    /// The same with an attribute (in no namespace) set, or removed.
    ///
    /// # Errors
    /// See [`Edit::apply`].
    pub fn set_attr(&self, name: &str, value: Option<&str>) -> Result<Self, StanzaError> {
        self.edit().set_attr(name, value).apply()
    }
}

impl Edit<'_> {
    /// Appends one element behind the children there are. What it does not
    /// declare itself is in `jabber:client`.
    pub fn insert(mut self, xml: &str) -> Self {
        let scope = Scope::with_default(ns::CLIENT);
        match Element::parse_scoped(xml, &scope, &normal::WIDE) {
            Ok(_) => self.inserted.push_str(xml.trim_ascii()),
            Err(error) => self.fail(error.into()),
        }
        self
    }

    /// Removes the children of this namespace and name.
    pub fn remove(self, ns: &str, name: &str) -> Self {
        self.remove_where(|child| child.is(ns, name))
    }

    /// Removes the children for which `matches` holds. Those inserted by this
    /// edit stay.
    pub fn remove_where(mut self, matches: impl Fn(Node<'_>) -> bool) -> Self {
        let children = self.stanza.root().children().enumerate();
        for (at, child) in children {
            if matches(child) {
                self.removed.insert(at);
            }
        }
        self
    }

    /// Sets an attribute in no namespace, or removes it. Declarations are not
    /// attributes.
    pub fn set_attr(mut self, name: &str, value: Option<&str>) -> Self {
        let address = |value: Option<&str>| value.map(Jid::parse).transpose();
        match name {
            "from" => match address(value) {
                Ok(jid) => self.from = jid,
                Err(_) => self.fail(StanzaError::MalformedFrom),
            },
            "to" => match address(value) {
                Ok(jid) => self.to = jid,
                Err(_) => self.fail(StanzaError::MalformedTo),
            },
            _ if !is_plain_name(name) => {
                self.fail(XmlError::NotWellFormed("malformed name").into());
            }
            _ => {
                self.set.retain(|(set, _)| set != name);
                self.set.push((name.to_owned(), value.map(str::to_owned)));
            }
        }
        self
    }

    /// The changed stanza.
    ///
    /// # Errors
    /// What was inserted is not exactly one well-formed element, an address is
    /// none, or the result breaks the rules of its kind. The maker of the edit
    /// is at fault; the stanza it began with is unharmed.
    pub fn apply(self) -> Result<Stanza, StanzaError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let xml = self.spliced();
        let scope = Scope::with_default(ns::CLIENT);
        let element = Element::parse_bytes(xml.into(), &scope, &normal::WIDE)?;
        let (kind, type_) = head::kind_and_type(element.root())?;
        if kind == Kind::Iq {
            head::check_iq(element.root(), type_)?;
        }
        Ok(Stanza {
            element,
            kind,
            type_,
            from: self.from,
            to: self.to,
            lang: None,
            packed: OnceLock::new(),
            text: OnceLock::new(),
        })
    }

    fn spliced(&self) -> String {
        let root = self.stanza.root();
        let text = self.stanza.element().as_str();
        let mut out = String::with_capacity(text.len() + self.inserted.len() + 160);
        let head = Head {
            from: self.from.as_ref(),
            to: self.to.as_ref(),
            standalone: false,
            set: &self.set,
            closes_itself: root.closes_itself() && self.inserted.is_empty(),
        };
        self.stanza.write_head(&head, &mut out);
        if head.closes_itself {
            return out;
        }
        let mut from = root.inner_range().start;
        for (at, child) in root.children().enumerate() {
            if self.removed.contains(&at) {
                out.push_str(text.get(from..child.range().start).unwrap_or_default());
                from = child.range().end;
            }
        }
        out.push_str(text.get(from..root.inner_range().end).unwrap_or_default());
        out.push_str(&self.inserted);
        out.push_str("</");
        out.push_str(self.stanza.kind().as_str());
        out.push('>');
        out
    }

    fn fail(&mut self, error: StanzaError) {
        self.fault.get_or_insert(error);
    }
}

/// A name that cannot break out of a tag and declares nothing.
fn is_plain_name(name: &str) -> bool {
    name != "xmlns"
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
}
