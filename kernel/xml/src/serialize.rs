//! Writing a part of an element so that it stands alone.

use std::collections::HashSet;

use crate::{Node, escape_attr};

impl Node<'_> {
    /// The element as XML that means the same anywhere: its bytes, with the
    /// namespaces it inherits declared in the opening tag.
    #[must_use]
    pub fn to_xml_string(&self) -> String {
        let declarations = self.inherited_declarations("");
        self.with_declarations(&declarations)
    }

    /// As [`Node::to_xml_string`], for a place whose default namespace is
    /// `around`: that one need not be declared.
    #[must_use]
    pub fn to_xml_string_in(&self, around: &str) -> String {
        let declarations = self.inherited_declarations(around);
        self.with_declarations(&declarations)
    }

    fn with_declarations(&self, declarations: &str) -> String {
        let xml = self.xml();
        let (name, rest) = xml.split_at_checked(1 + self.qname().len()).unwrap_or((xml, ""));
        let mut out = String::with_capacity(xml.len() + declarations.len());
        out.push_str(name);
        out.push_str(declarations);
        out.push_str(rest);
        out
    }

    /// The declarations to add: the default namespace if it differs from
    /// `around`, and every prefix that is used here and declared outside.
    fn inherited_declarations(&self, around: &str) -> String {
        let mut out = String::new();
        let own_default = self.declarations().any(|(prefix, _)| prefix.is_empty());
        let default = self.default_ns();
        if !own_default && default != around {
            declare(&mut out, "", default);
        }
        let mut done: HashSet<&str> = HashSet::new();
        for node in self.subtree() {
            let attrs = node.attrs().map(|a| a.prefix());
            for prefix in attrs.chain(std::iter::once(node.prefix())) {
                if matches!(prefix, "" | "xml") || !done.insert(prefix) {
                    continue;
                }
                let own = self.declarations().any(|(p, _)| p == prefix);
                if let (false, Some(ns)) = (own, self.outside(prefix)) {
                    declare(&mut out, prefix, &ns);
                }
            }
        }
        out
    }

    /// What a prefix means just outside this element.
    fn outside(&self, prefix: &str) -> Option<String> {
        let mut around = self.parent();
        while let Some(node) = around {
            if let Some((_, ns)) = node.declarations().find(|(p, _)| *p == prefix) {
                return Some(ns.into_owned());
            }
            around = node.parent();
        }
        let mut outer = self.element().scope().prefixes();
        outer.find(|(p, _)| *p == prefix).map(|(_, ns)| ns.to_owned())
    }

    /// This element and everything inside, in document order.
    pub fn subtree(&self) -> impl Iterator<Item = Self> {
        let end = self.range().end;
        let mut next = Some(*self);
        std::iter::from_fn(move || {
            let node = next.filter(|n| n.range().start < end)?;
            next = node.following();
            Some(node)
        })
    }
}

fn declare(out: &mut String, prefix: &str, ns: &str) {
    out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
    out.push_str(prefix);
    out.push_str("='");
    out.push_str(&escape_attr(ns));
    out.push('\'');
}
