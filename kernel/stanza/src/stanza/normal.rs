//! Bringing a stanza into the content namespace of clients.

use xylem_xml::{Element, Limits, Node, Scope, escape_attr};

use super::StanzaError;
use crate::ns;

/// What kernel and plugins made or already accepted is only bounded by what
/// an index can hold.
pub(super) const WIDE: Limits = Limits { stanza_bytes: 1 << 28, depth: 512, attributes: 4096, name_bytes: 0xFFFF };

/// The element with its stanza in `jabber:client` and written without a prefix.
///
/// Between servers and from components only the default namespace differs;
/// then nothing is touched but what the bytes inherit. A stanza that spells its
/// content namespace out in an unusual way is written anew.
pub(super) fn content(element: Element) -> Result<Element, StanzaError> {
    let root = element.root();
    if !matches!(root.ns(), ns::CLIENT | ns::SERVER | ns::COMPONENT) {
        return Err(StanzaError::NotAStanza);
    }
    if root.prefix().is_empty() {
        if root.ns() == ns::CLIENT {
            return Ok(element);
        }
        if !root.declarations().any(|(prefix, _)| prefix.is_empty()) {
            return Ok(element.with_default_ns(ns::CLIENT));
        }
    }
    let mut out = String::with_capacity(element.as_str().len() + 64);
    rewrite(root, root.ns(), ns::CLIENT, &mut out);
    let scope = Scope::with_default(ns::CLIENT);
    Ok(Element::parse_bytes(out.into(), &scope, &WIDE)?)
}

/// Writes a node without prefixes on elements, its namespace declared where it
/// differs from the one around; `content` becomes `jabber:client`. Depth is
/// bounded by the limits the element was framed under.
fn rewrite(node: Node<'_>, content: &str, around: &str, out: &mut String) {
    let ns = if node.ns() == content { ns::CLIENT } else { node.ns() };
    out.push('<');
    out.push_str(node.name());
    if ns != around {
        attribute(out, "xmlns", &escape_attr(ns));
    }
    let mut declared: Vec<&str> = vec!["", "xml"];
    for attr in node.attrs() {
        let prefix = attr.prefix();
        if !declared.contains(&prefix) {
            declared.push(prefix);
            attribute(out, &format!("xmlns:{prefix}"), &escape_attr(attr.ns()));
        }
        let name = match prefix {
            "" => attr.name().to_owned(),
            _ => format!("{prefix}:{}", attr.name()),
        };
        attribute(out, &name, &escape_attr(&attr.value()));
    }
    if node.closes_itself() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    let text = node.element().as_str();
    let mut from = node.inner_range().start;
    for child in node.children() {
        let range = child.range();
        out.push_str(text.get(from..range.start).unwrap_or_default());
        rewrite(child, content, ns, out);
        from = range.end;
    }
    out.push_str(text.get(from..node.inner_range().end).unwrap_or_default());
    out.push_str("</");
    out.push_str(node.name());
    out.push('>');
}

fn attribute(out: &mut String, name: &str, escaped: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("='");
    out.push_str(escaped);
    out.push('\'');
}
