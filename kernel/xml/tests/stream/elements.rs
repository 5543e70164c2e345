//! Reading elements, and writing parts of them.

use xylem_xml::{El, Element, Frame, Framer, Limits, NS_XML, Scope, escape_attr, escape_text};

use crate::run::{HEADER, meaning};

fn framed(header: &str, xml: &str) -> Element {
    let mut framer = Framer::new(Limits::default());
    framer.feed(header.as_bytes());
    framer.feed(xml.as_bytes());
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Open(_)))));
    match framer.next_frame() {
        Ok(Some(Frame::Element(element))) => element,
        other => panic!("{other:?}"),
    }
}

#[test]
fn navigation() {
    let xml = "<a xmlns='u' p:x='1' x='2' xmlns:p='v'>t<b>1</b><p:b>2</p:b><b xmlns=''><c/></b>u</a>";
    let element = Element::parse(xml).unwrap();
    let a = element.root();
    assert_eq!((a.name(), a.ns(), a.prefix(), a.index()), ("a", "u", "", 0));
    assert_eq!(a.attr("x").unwrap(), "2");
    assert_eq!(a.attr_ns("v", "x").unwrap(), "1");
    assert_eq!(a.attr("xmlns"), None);
    assert_eq!(a.attr_ns("u", "x"), None);
    assert_eq!(a.attrs().count(), 2);
    assert_eq!(a.declarations().collect::<Vec<_>>().len(), 2);
    assert_eq!(a.text(), "tu");
    let seen: Vec<_> = a.children().map(|c| (c.ns(), c.qname(), c.index())).collect();
    assert_eq!(seen, [("u", "b", 1), ("v", "p:b", 2), ("", "b", 3)]);
    assert_eq!(a.child("v", "b").unwrap().text(), "2");
    assert!(a.child("w", "b").is_none());
    let c = a.child("", "b").unwrap().child("", "c").unwrap();
    assert_eq!(c.parent().unwrap().parent().unwrap().index(), 0);
    assert!(a.parent().is_none());
    assert!(c.closes_itself());
    assert_eq!((c.xml(), c.inner_xml(), c.opening_tag()), ("<c/>", "", "<c/>"));
    assert_eq!(element.len(), 5);
    assert_eq!(element.nodes().count(), 5);
    assert_eq!(a.child("", "b").unwrap().subtree().count(), 2);
    assert_eq!(element.inner(), &xml[xml.find('>').unwrap() + 1..xml.len() - 4]);
    assert_eq!(element.tail(), &xml[xml.find('>').unwrap() + 1..]);
    assert!(Element::parse("<a/>").unwrap().tail().is_empty());
    assert!(Element::parse("<a></a>").unwrap().inner().is_empty());
    assert_eq!(Element::parse("<a></a>").unwrap().tail(), "</a>");
}

#[test]
fn values_are_normalised_and_texts_keep_their_white_space() {
    let element = Element::parse("<a b=' \t\r\n&#9;&#10;&#13;x' c='&amp;lt;'>\r\n\r&#13;\t&amp;lt;</a>").unwrap();
    let a = element.root();
    assert_eq!(a.attr("b").unwrap(), "   \t\n\rx");
    assert_eq!(a.attr("c").unwrap(), "&lt;");
    assert_eq!(a.text(), "\n\n\r\t&lt;");
    let element = Element::parse("<a>x<![CDATA[\r\n&amp;]]>&amp;</a>").unwrap();
    assert_eq!(element.root().text(), "x\n&amp;&");
}

#[test]
fn namespace_names_are_resolved() {
    let element = Element::parse("<a xmlns='u&amp;v' xmlns:p='x&#32;y'><p:b p:c=''/></a>").unwrap();
    assert_eq!(element.root().ns(), "u&v");
    let b = element.root().children().next().unwrap();
    assert_eq!(b.ns(), "x y");
    assert_eq!(b.attrs().next().unwrap().ns(), "x y");
    assert_eq!(b.to_xml_string(), "<p:b xmlns='u&amp;v' xmlns:p='x y' p:c=''/>");
}

#[test]
fn prefixed_streams_and_stanzas() {
    let element = framed(HEADER, "<c:message xmlns:c='jabber:client'><c:body/></c:message>");
    assert!(element.root().is("jabber:client", "message"));
    assert!(element.root().child("jabber:client", "body").is_some());
    assert!(!element.inherits_default());
    let header = "<stream xmlns='http://etherx.jabber.org/streams' xmlns:c='jabber:client'>";
    let element = framed(header, "<c:message><c:body/><error/></c:message>");
    assert!(element.root().is("jabber:client", "message"));
    assert!(element.root().child("http://etherx.jabber.org/streams", "error").is_some());
    assert_eq!(element.inherited_prefixes().collect::<Vec<_>>(), [("c", "jabber:client")]);
    assert!(element.inherits_default());
    assert_eq!(
        element.root().to_xml_string(),
        "<c:message xmlns='http://etherx.jabber.org/streams' xmlns:c='jabber:client'>\
         <c:body/><error/></c:message>"
    );
}

#[test]
fn parts_stand_alone() {
    let header = "<s xmlns='d' xmlns:p='1' xmlns:q='2'>";
    let element = framed(header, "<a xmlns:q='3'><b p:x='' xml:lang='e'><q:c xmlns='f'/></b></a>");
    let b = element.root().child("d", "b").unwrap();
    let alone = Element::parse(&b.to_xml_string()).unwrap();
    assert_eq!(meaning(alone.root()), meaning(b));
    assert_eq!(b.to_xml_string_in("d"), "<b xmlns:p='1' xmlns:q='3' p:x='' xml:lang='e'><q:c xmlns='f'/></b>");
    // In no namespace, where there is a default: that has to be said as well.
    let element = Element::parse("<a><b/></a>").unwrap();
    let b = element.root().child("", "b").unwrap();
    assert_eq!(b.to_xml_string_in("d"), "<b xmlns=''/>");
}

#[test]
fn another_default_namespace_costs_no_parsing() {
    let header = "<s xmlns='jabber:server' xmlns:p='1'>";
    let element = framed(header, "<a><p:b/><c xmlns='x'/></a>");
    let moved = element.with_default_ns("jabber:client");
    assert_eq!(moved.root().ns(), "jabber:client");
    assert_eq!(moved.root().children().map(|c| c.ns()).collect::<Vec<_>>(), ["1", "x"]);
    assert_eq!(moved.bytes().as_ptr(), element.bytes().as_ptr());
}

#[test]
fn headers() {
    let mut framer = Framer::new(Limits::default());
    framer.feed(b"<s:stream from='a&amp;b' to=\"c\" id='1' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:s='u' s:x='2'>");
    let Ok(Some(Frame::Open(header))) = framer.next_frame() else {
        panic!();
    };
    assert_eq!((header.ns(), header.name(), header.default_ns()), ("u", "stream", "jabber:client"));
    let attrs = [header.from(), header.to(), header.id(), header.version(), header.lang()];
    assert_eq!(attrs.map(Option::unwrap), ["a&b", "c", "1", "1.0", "en"]);
    assert_eq!(header.root().attr_ns("u", "x").unwrap(), "2");
    assert_eq!(header.scope().prefixes().collect::<Vec<_>>(), [("s", "u")]);
    assert!(!header.closes_itself());
}

#[test]
fn making_elements() {
    let el = El::new("a", "u<'")
        .attr("b", "<\"'&>\n\t\r")
        .attr_opt("c", None)
        .text("x<y>&\u{0}\r")
        .child(El::new("d", "").attr_opt("e", Some("f")))
        .children([El::new("g", "v"), El::new("h", "")])
        .child_opt(None)
        .raw("<i/>");
    assert_eq!(
        el.to_string(),
        "<a xmlns='u&lt;&apos;' b='&lt;&quot;&apos;&amp;&gt;&#10;&#9;&#13;'>\
         x&lt;y&gt;&amp;\u{FFFD}&#13;<d e='f'/><g xmlns='v'/><h/><i/></a>"
    );
    let element = Element::parse(&el.build()).unwrap();
    assert_eq!(element.root().attr("b").unwrap(), "<\"'&>\n\t\r");
    assert_eq!(element.root().text(), "x<y>&\u{FFFD}\r");
}

#[test]
fn escaping_borrows_what_is_clean() {
    assert!(matches!(escape_text("it's \"fine\"\n\t"), std::borrow::Cow::Borrowed(_)));
    assert!(matches!(escape_attr("fine \u{E9}"), std::borrow::Cow::Borrowed(_)));
    assert_eq!(escape_text("\u{FFFE}\u{FF21}"), "\u{FFFD}\u{FF21}");
}

#[test]
fn scopes() {
    let scope = Scope::new("d", &[("p", "u")]);
    let element = Element::parse_scoped("<p:a><b xml:lang='x'/></p:a>", &scope, &Limits::default()).unwrap();
    assert_eq!(element.root().ns(), "u");
    let b = element.root().child("d", "b").unwrap();
    assert_eq!(b.attr_ns(NS_XML, "lang").unwrap(), "x");
    assert_eq!(b.attrs().next().unwrap().prefix(), "xml");
}
