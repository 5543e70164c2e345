/// An element under construction; everything given to it is escaped except [`Xml::raw`].
///
/// Names are written as they are, so they should be literals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xml {
    head: String,
    body: String,
    name: usize,
}

impl Xml {
    /// `<name/>` in the namespace of whatever it is put into.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut head = String::with_capacity(64);
        head.push('<');
        head.push_str(name);
        Self { head, body: String::new(), name: name.len() }
    }

    /// `<name xmlns='ns'/>`.
    #[must_use]
    pub fn with_ns(name: &str, ns: &str) -> Self {
        Self::new(name).attr("xmlns", ns)
    }

    /// A message of this type (`chat`, `headline`, ..) to send with [`crate::outbox`].
    #[must_use]
    pub fn message(kind: &str) -> Self {
        Self::with_ns("message", "jabber:client").attr("type", kind)
    }

    /// A presence of this type; none means available.
    #[must_use]
    pub fn presence(kind: Option<&str>) -> Self {
        Self::with_ns("presence", "jabber:client").attr_opt("type", kind)
    }

    /// An IQ; `kind` is `get` or `set`. The id has to be chosen so that the sender can tell its requests apart.
    #[must_use]
    pub fn iq(kind: &str, id: &str) -> Self {
        Self::with_ns("iq", "jabber:client").attr("type", kind).attr("id", id)
    }

    /// An element that is text already, for instance from [`crate::Element::xml`] or a store. Nothing
    /// can be added to it.
    #[must_use]
    pub fn from_text(xml: String) -> Self {
        Self { head: xml, body: String::new(), name: 0 }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attr(mut self, name: &str, value: &str) -> Self {
        self.head.push(' ');
        self.head.push_str(name);
        self.head.push_str("='");
        escape(&mut self.head, value, true);
        self.head.push('\'');
        self
    }

    /// Adds an attribute, if there is a value.
    #[must_use]
    pub fn attr_opt(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// Appends text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        escape(&mut self.body, text, false);
        self
    }

    /// Appends an element.
    #[must_use]
    pub fn child(mut self, child: Xml) -> Self {
        child.write(&mut self.body);
        self
    }

    /// Appends an element, if there is one.
    #[must_use]
    pub fn child_opt(self, child: Option<Xml>) -> Self {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    /// Appends elements.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Xml>) -> Self {
        for child in children {
            child.write(&mut self.body);
        }
        self
    }

    /// Appends `<name>text</name>`.
    #[must_use]
    pub fn leaf(self, name: &str, text: &str) -> Self {
        self.child(Self::new(name).text(text))
    }

    /// Appends XML that is well-formed already, for instance from [`crate::Element::xml`] or a store.
    #[must_use]
    pub fn raw(mut self, xml: &str) -> Self {
        self.body.push_str(xml);
        self
    }

    /// The text of the element.
    #[must_use]
    pub fn build(self) -> String {
        let mut out = String::with_capacity(self.head.len() + self.body.len() + self.name + 4);
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.head);
        if self.name == 0 {
            return;
        }
        if self.body.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        out.push_str(&self.body);
        out.push_str("</");
        out.push_str(self.head.get(1..=self.name).unwrap_or_default());
        out.push('>');
    }
}

fn escape(out: &mut String, text: &str, attribute: bool) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'&' => "&amp;",
            b'\r' => "&#13;",
            b'\'' if attribute => "&apos;",
            b'"' if attribute => "&quot;",
            b'\n' if attribute => "&#10;",
            b'\t' if attribute => "&#9;",
            _ => continue,
        };
        out.push_str(text.get(plain..at).unwrap_or_default());
        out.push_str(entity);
        plain = at + 1;
    }
    out.push_str(text.get(plain..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::Xml;

    #[test]
    fn builds_and_escapes() {
        let xml =
            Xml::with_ns("a", "n'1").child(Xml::new("b").attr("k", "<\n\"")).leaf("c", "1 < 2 & 'x'").attr("late", "v");
        assert_eq!(xml.build(), "<a xmlns='n&apos;1' late='v'><b k='&lt;&#10;&quot;'/><c>1 &lt; 2 &amp; 'x'</c></a>");
        assert_eq!(Xml::new("e").text("").build(), "<e/>");
    }
}
