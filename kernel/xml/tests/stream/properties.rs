//! Random trees, texts and cuts.

use proptest::prelude::*;
use quick_xml::events::Event;
use xylem_xml::{El, Element, Limits, escape_attr, escape_text};

use crate::run::{HEADER, meaning, transcript};

#[derive(Clone, Debug)]
struct Tree {
    name: String,
    ns: Option<String>,
    attrs: Vec<(String, String)>,
    text: String,
    children: Vec<Tree>,
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = (
        "[a-z_][a-z0-9.-]{0,6}",
        proptest::option::of("[a-z:&/]{1,8}"),
        proptest::collection::btree_map("[a-z]{1,4}", "\\PC{0,8}|[ -~\\n\\t\\r]{0,8}", 0..4),
        "\\PC{0,12}|[ -~\\n\\t\\r]{0,12}",
    )
        .prop_map(|(name, ns, attrs, text)| Tree {
            name,
            ns,
            attrs: attrs.into_iter().collect(),
            text,
            children: Vec::new(),
        });
    leaf.prop_recursive(5, 40, 5, |inner| {
        (inner.clone(), proptest::collection::vec(inner, 0..5)).prop_map(|(mut tree, children)| {
            tree.children = children;
            tree
        })
    })
}

fn build(tree: &Tree) -> El {
    let mut el = El::new(&tree.name, tree.ns.as_deref().unwrap_or(""));
    for (name, value) in &tree.attrs {
        if name != "xmlns" {
            el = el.attr(name, value);
        }
    }
    el.text(&tree.text).children(tree.children.iter().map(build))
}

fn check(tree: &Tree, node: xylem_xml::Node<'_>, around: &str) {
    let ns = tree.ns.as_deref().unwrap_or(around);
    assert_eq!((node.name(), node.ns()), (tree.name.as_str(), ns));
    let legal = |c: char| if matches!(c, '\u{FFFE}' | '\u{FFFF}') { '\u{FFFD}' } else { c };
    let text: String = tree.text.chars().map(legal).collect();
    assert_eq!(node.text(), text);
    for (name, value) in &tree.attrs {
        let value: String = value.chars().map(legal).collect();
        assert_eq!(node.attr(name).unwrap(), value);
    }
    assert_eq!(node.children().count(), tree.children.len());
    for (child, node) in tree.children.iter().zip(node.children()) {
        check(child, node, ns);
        let alone = Element::parse(&node.to_xml_string()).unwrap();
        assert_eq!(meaning(alone.root()), meaning(node));
    }
}

/// The tree as quick-xml's own reader sees it: names and texts in order.
fn events(xml: &str) -> Option<Vec<String>> {
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut seen = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => seen.push(format!("<{}", tag.name().as_ref() as &str)),
            Event::End(tag) => seen.push(format!(">{}", tag.name().as_ref() as &str)),
            Event::Eof => return Some(seen),
            _ => {}
        }
    }
}

fn walk(node: xylem_xml::Node<'_>, seen: &mut Vec<String>) {
    seen.push(format!("<{}", node.qname()));
    for child in node.children() {
        walk(child, seen);
    }
    seen.push(format!(">{}", node.qname()));
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn trees_come_back(tree in tree()) {
        let element = Element::parse(&build(&tree).build()).unwrap();
        check(&tree, element.root(), "");
        let mut walked = Vec::new();
        walk(element.root(), &mut walked);
        prop_assert_eq!(Some(walked), events(element.as_str()));
    }

    #[test]
    fn escaping_and_resolving_are_inverse(text in "[\\PC\\n\\t\\r]{0,40}") {
        let text: String = text.chars().filter(|c| !matches!(c, '\u{FFFE}' | '\u{FFFF}')).collect();
        let xml = format!("<a b='{}' c=\"{0}\">{}</a>", escape_attr(&text), escape_text(&text));
        let element = Element::parse(&xml).unwrap();
        prop_assert_eq!(element.root().text(), text.as_str());
        prop_assert_eq!(element.root().attr("b").unwrap(), text.as_str());
        prop_assert_eq!(element.root().attr("c").unwrap(), text.as_str());
    }

    #[test]
    fn cuts_make_no_difference(
        trees in proptest::collection::vec(tree(), 1..4),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        broken in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let mut stream = HEADER.as_bytes().to_vec();
        for tree in &trees {
            stream.extend(build(tree).build().bytes());
        }
        stream.extend(b"</stream:stream>");
        if let Some((at, byte)) = broken {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|i| i.index(stream.len())).collect();
        cuts.sort_unstable();
        let mut pieces: Vec<&[u8]> = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&stream[from..cut]);
            from = cut;
        }
        pieces.push(&stream[from..]);
        let expected = transcript(&[&stream], Limits::default());
        prop_assert_eq!(transcript(&pieces, Limits::default()), expected);
    }

    /// Whatever is accepted, quick-xml's reader accepts too, and sees the same.
    #[test]
    fn soup(parts in proptest::collection::vec(prop::sample::select(vec![
        "<a", ">", "/>", "</a>", "<b>", "</b>", " ", "b='", "'", "\"", "=", "x", "&lt;", "&", ";",
        "<![CDATA[", "]]>", "]", "<", "/", "xmlns='u'", "xmlns:p='v'", "p:", " c=\"'\"", "\u{E9}", "<a/>",
    ]), 0..16)) {
        let xml = format!("<a>{}</a>", parts.concat());
        if let Ok(element) = Element::parse(&xml) {
            let mut walked = Vec::new();
            walk(element.root(), &mut walked);
            prop_assert_eq!(Some(walked), events(&xml));
            let again = Element::parse(&element.root().to_xml_string()).unwrap();
            prop_assert_eq!(meaning(again.root()), meaning(element.root()));
        }
    }
}
