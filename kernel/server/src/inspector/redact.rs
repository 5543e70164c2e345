//! A stanza without what people said: its shape, its namespaces, and addresses.

use xylem_xml::{Node, escape_attr};

/// Attributes that say what something is, and for whom. Values of others are left out: some
/// specifications put passwords and names there.
const KEPT: [&str; 20] = [
    "type",
    "id",
    "from",
    "to",
    "node",
    "var",
    "jid",
    "by",
    "affiliation",
    "role",
    "code",
    "action",
    "stamp",
    "ver",
    "hash",
    "subscription",
    "ask",
    "queryid",
    "h",
    "sid",
];

/// The stanza as XML, every text replaced by how long it is.
pub(super) fn redacted(root: Node<'_>) -> String {
    let mut out = String::with_capacity(root.xml().len());
    write(root, &mut out);
    out
}

/// As deep as the stanza, which the stream's limits bound.
fn write(node: Node<'_>, out: &mut String) {
    out.push('<');
    out.push_str(node.qname());
    for (prefix, ns) in node.declarations() {
        out.push_str(" xmlns");
        if !prefix.is_empty() {
            out.push(':');
            out.push_str(prefix);
        }
        attribute("", &ns, out);
    }
    for attr in node.attrs() {
        out.push(' ');
        if !attr.prefix().is_empty() {
            out.push_str(attr.prefix());
            out.push(':');
        }
        let kept = KEPT.contains(&attr.name()) || attr.prefix() == "xml";
        let value = attr.value();
        attribute(attr.name(), if kept { &value } else { "…" }, out);
    }
    let length = node.text().trim().chars().count();
    let mut children = node.children().peekable();
    if length == 0 && children.peek().is_none() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    if length > 0 {
        out.push_str(&format!("[{length} characters]"));
    }
    for child in children {
        write(child, out);
    }
    out.push_str("</");
    out.push_str(node.qname());
    out.push('>');
}

fn attribute(name: &str, value: &str, out: &mut String) {
    out.push_str(name);
    out.push_str("='");
    out.push_str(&escape_attr(value));
    out.push('\'');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use xylem_stanza::Stanza;

    use super::*;

    #[test]
    fn the_shape_stays_and_the_words_go() {
        let stanza = Stanza::parse(
            "<message xmlns='jabber:client' to='a@b.example' xml:lang='en'><body>Wherefore &amp; why</body>\
             <x xmlns='jabber:x:conference' jid='r@c.example' password='secret'/></message>",
        )
        .unwrap();
        let shown = redacted(stanza.root());
        assert_eq!(
            shown,
            "<message xmlns='jabber:client' to='a@b.example' xml:lang='en'><body>[15 characters]</body>\
             <x xmlns='jabber:x:conference' jid='r@c.example' password='…'/></message>"
        );
        assert!(Stanza::parse(&shown).is_ok());
    }
}
