//! Making elements.

use crate::{escape_attr, escape_text};

/// An element being written. Text and values are escaped here; names and
/// namespaces come from our own code and are taken as they are.
///
/// ```
/// use xylem_xml::El;
/// let query = El::new("query", "jabber:iq:version").child(El::new("name", "").text("X & Y"));
/// assert_eq!(query.build(), "<query xmlns='jabber:iq:version'><name>X &amp; Y</name></query>");
/// ```
#[derive(Clone, Debug)]
#[must_use = "call build()"]
pub struct El {
    name: String,
    head: String,
    content: String,
}

impl El {
    /// `<name xmlns='ns'/>`; an empty namespace declares none, so the element
    /// is in that of its parent. `name` may carry a prefix that the caller
    /// declares.
    pub fn new(name: &str, ns: &str) -> Self {
        let mut head = String::with_capacity(name.len() + ns.len() + 32);
        head.push('<');
        head.push_str(name);
        let el = Self { name: name.to_owned(), head, content: String::new() };
        if ns.is_empty() { el } else { el.attr("xmlns", ns) }
    }

    /// Adds an attribute.
    pub fn attr(mut self, name: &str, value: &str) -> Self {
        self.head.push(' ');
        self.head.push_str(name);
        self.head.push_str("='");
        self.head.push_str(&escape_attr(value));
        self.head.push('\'');
        self
    }

    /// Adds an attribute if there is a value.
    pub fn attr_opt(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// Appends text.
    pub fn text(mut self, text: &str) -> Self {
        self.content.push_str(&escape_text(text));
        self
    }

    /// Appends a child.
    pub fn child(mut self, child: El) -> Self {
        child.write(&mut self.content);
        self
    }

    /// Appends a child if there is one.
    pub fn child_opt(self, child: Option<El>) -> Self {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    /// Appends children.
    pub fn children(mut self, children: impl IntoIterator<Item = El>) -> Self {
        for child in children {
            child.write(&mut self.content);
        }
        self
    }

    /// Appends XML that the caller knows to be well-formed.
    pub fn raw(mut self, xml: &str) -> Self {
        self.content.push_str(xml);
        self
    }

    /// The element as XML.
    #[must_use]
    pub fn build(self) -> String {
        let mut out = String::with_capacity(self.head.len() + self.content.len() + 16);
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.head);
        if self.content.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        out.push_str(&self.content);
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }
}

impl std::fmt::Display for El {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.clone().build())
    }
}
