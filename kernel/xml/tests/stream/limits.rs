//! Nothing beyond the limits is accepted, kept, or slow.

use std::time::{Duration, Instant};

use xylem_xml::{Element, Frame, Framer, Limits, Scope, XmlError};

use crate::run::{HEADER, failure};

/// Generous: what is linear takes milliseconds, what is quadratic hours.
const SOON: Duration = Duration::from_secs(30);

fn inside(xml: &str, limits: Limits) -> Option<XmlError> {
    failure(format!("{HEADER}{xml}").as_bytes(), limits)
}

fn open(limits: Limits) -> Framer {
    let mut framer = Framer::new(limits);
    framer.feed(HEADER.as_bytes());
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Open(_)))));
    framer
}

#[test]
fn exactly_at_the_limit() {
    let limits = Limits { stanza_bytes: 1000, depth: 4, attributes: 8, name_bytes: 20 };
    let sized = |n: usize| format!("<a>{}</a>", "x".repeat(n - 7));
    assert_eq!(inside(&sized(1000), limits), None);
    assert_eq!(inside(&sized(1001), limits), Some(XmlError::TooBig));
    let deep = |n: usize| "<a>".repeat(n) + &"</a>".repeat(n);
    assert_eq!(inside(&deep(4), limits), None);
    assert_eq!(inside(&deep(5), limits), Some(XmlError::TooDeep));
    let wide = |n: usize| {
        let attrs: String = (0..n).map(|i| format!(" a{i}=''")).collect();
        format!("<a{attrs}/>")
    };
    assert_eq!(inside(&wide(8), limits), None);
    assert_eq!(inside(&wide(9), limits), Some(XmlError::TooManyAttributes));
    let named = |n: usize| format!("<{}/>", "a".repeat(n));
    assert_eq!(inside(&named(20), limits), None);
    assert_eq!(inside(&named(21), limits), Some(XmlError::NameTooLong));
    let bound: String = (0..3).map(|i| format!("<a xmlns:a{i}='u' xmlns:b{i}='u' xmlns:c{i}='u'>")).collect();
    assert_eq!(inside(&bound, limits), Some(XmlError::TooManyAttributes));
}

#[test]
fn a_stream_header_is_bounded_too() {
    let limits = Limits::before_auth();
    let long = format!("<a b='{}", "x".repeat(20_000));
    assert_eq!(failure(long.as_bytes(), limits), Some(XmlError::TooBig));
    let declaration = format!("<?xml {}", " ".repeat(500));
    assert!(failure(declaration.as_bytes(), limits).is_some());
    let many: String = (0..64).map(|i| format!(" xmlns:p{i}='u'")).collect();
    let header = format!("<a{many}>");
    let error = failure(header.as_bytes(), Limits { attributes: 100, ..limits });
    assert_eq!(error, Some(XmlError::TooManyAttributes));
}

#[test]
fn nothing_beyond_the_limit_is_kept() {
    for start in ["<a b='", "<a>", "<a><![CDATA[", "<a", "</a", "<a>&"] {
        let mut framer = open(Limits::before_auth());
        framer.feed(start.as_bytes());
        let mut fed = 0;
        let error = loop {
            match framer.next_frame() {
                Ok(_) => assert!(framer.buffered() <= 10_000),
                Err(error) => break error,
            }
            framer.feed(&[b'x'; 100]);
            fed += 100;
            assert!(fed < 11_000, "{start}");
        };
        assert_eq!(error, XmlError::TooBig, "{start}");
        assert_eq!((framer.buffered(), framer.capacity()), (0, 0));
        framer.feed(&[b'x'; 100]);
        assert_eq!(framer.capacity(), 0);
    }
}

#[test]
fn one_byte_at_a_time_is_linear() {
    let limits = Limits { stanza_bytes: 2_000_000, ..Limits::default() };
    let x = "x".repeat(1_000_000);
    for xml in [
        format!("<a>{x}</a>"),
        format!("<a b='{x}'/>"),
        format!("<a><![CDATA[{x}]]></a>"),
        format!("<a>{}</a>", "<b/>".repeat(200_000)),
    ] {
        let begin = Instant::now();
        let mut framer = open(limits);
        let mut seen = 0;
        for byte in xml.as_bytes() {
            framer.feed(std::slice::from_ref(byte));
            seen += usize::from(matches!(framer.next_frame(), Ok(Some(Frame::Element(_)))));
        }
        assert_eq!(seen, 1);
        assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    }
}

#[test]
fn a_million_tiny_elements_are_linear() {
    let begin = Instant::now();
    let mut framer = open(Limits::default());
    framer.feed("<a/>".repeat(1_000_000).as_bytes());
    let mut seen = 0;
    while let Ok(Some(Frame::Element(_))) = framer.next_frame() {
        seen += 1;
    }
    assert_eq!(seen, 1_000_000);
    assert_eq!(framer.capacity(), 0);
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

#[test]
fn hostile_shapes_are_linear() {
    let limits = Limits::default();
    let scope = Scope::with_default("");
    let size = limits.stanza_bytes;
    let prefixes: String = (0..60).map(|i| format!(" xmlns:p{i}='urn:{i}'")).collect();
    let attributes: String = (0..64).map(|i| format!(" a{i}='&lt;'")).collect();
    let repeat = |unit: &str| unit.repeat((size - 4000) / unit.len());
    let shapes = [
        // Looking up the outermost of many prefixes.
        format!("<a{prefixes}>{}</a>", repeat("<p0:b/>")),
        // Comparing many attributes.
        format!("<a>{}</a>", repeat(&format!("<b{attributes}/>"))),
        // References, one next to another.
        format!("<a>{}</a>", repeat("&amp;")),
        format!("<a b='{}'/>", repeat("&#10;")),
        format!("<a>{}</a>", repeat("<![CDATA[]]>")),
        format!("<a>{}</a>", repeat("]]")),
        // Declarations by the thousand.
        format!("<a>{}</a>", (0..10_000).map(|i| format!("<b{i}:c xmlns:b{i}='{i}'/>")).collect::<String>()),
    ];
    for xml in shapes {
        let begin = Instant::now();
        let wide = Limits { stanza_bytes: 2 * size, ..limits };
        let element = Element::parse_scoped(&xml, &scope, &wide).unwrap();
        let mut bytes = 0;
        for node in element.nodes() {
            bytes += node.text().len() + node.ns().len();
            bytes += node.attrs().map(|a| a.value().len()).sum::<usize>();
        }
        bytes += element.root().to_xml_string().len();
        assert!(bytes > 0);
        assert!(begin.elapsed() < SOON, "{:?}: {:.60}", begin.elapsed(), xml);
    }
}

#[test]
fn raising_the_limit_takes_effect() {
    let mut framer = open(Limits::before_auth());
    let stanza = format!("<a>{}</a>", "x".repeat(20_000));
    framer.set_limits(Limits::default());
    framer.feed(stanza.as_bytes());
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Element(_)))));
}

#[test]
fn small_stanzas_do_not_hold_large_reads() {
    let mut framer = open(Limits::default());
    let big = format!("<a/><b>{}</b>", "x".repeat(100_000));
    framer.feed(big.as_bytes());
    let Ok(Some(Frame::Element(small))) = framer.next_frame() else {
        panic!();
    };
    let Ok(Some(Frame::Element(large))) = framer.next_frame() else {
        panic!();
    };
    let (s, l) = (small.bytes().as_ptr() as usize, large.bytes().as_ptr() as usize);
    assert!(!(l - 4..l + large.bytes().len()).contains(&s));
}
