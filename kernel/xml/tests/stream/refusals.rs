//! Each violation and the stream error it ends in (RFC 6120 §4.9.3, §11).

use xylem_xml::{Element, Limits, XmlError};

use crate::run::{HEADER, failure};

fn condition(text: &[u8]) -> &'static str {
    failure(text, Limits::default()).map_or("none", |e| e.stream_condition())
}

fn inside(xml: &str) -> &'static str {
    condition(format!("{HEADER}{xml}").as_bytes())
}

#[test]
fn inside_a_stream() {
    let table = [
        ("<a/>", "none"),
        ("<a b='&quot;&apos;&lt;&gt;&amp;&#9;&#xA;&#x10FFFF;'/>", "none"),
        ("<_a-1.\u{E9}\u{B7}/>", "none"),
        ("<a><![CDATA[<>&]]]]></a>", "none"),
        ("<a xml:lang='en'/>", "none"),
        ("<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>", "none"),
        ("<a xmlns=''/>", "none"),
        // Restricted XML.
        ("<!-- x -->", "restricted-xml"),
        ("<a><!-- x --></a>", "restricted-xml"),
        ("<!-", "restricted-xml"),
        ("<!DOCTYPE a>", "restricted-xml"),
        ("<a><!DOCTYPE a></a>", "restricted-xml"),
        ("<?php ?>", "restricted-xml"),
        ("<a><?x", "restricted-xml"),
        ("<?xml version='1.0'?>", "restricted-xml"),
        ("<a>&nbsp;</a>", "restricted-xml"),
        ("<a b='&foo;'/>", "restricted-xml"),
        // Not well-formed.
        ("<a></b>", "not-well-formed"),
        ("<a></a b>", "not-well-formed"),
        ("<a></ a>", "not-well-formed"),
        ("</a>", "not-well-formed"),
        ("<a b/>", "not-well-formed"),
        ("<a b=/>", "not-well-formed"),
        ("<a b=c/>", "not-well-formed"),
        ("<a b='1'c='2'/>", "not-well-formed"),
        ("<a b='1' b='2'/>", "not-well-formed"),
        ("<a xmlns='u' xmlns='v'/>", "not-well-formed"),
        ("<a xmlns:p='u' xmlns:p='v'/>", "not-well-formed"),
        ("<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>", "not-well-formed"),
        ("<a b='<'/>", "not-well-formed"),
        ("<a <b/>", "not-well-formed"),
        ("< a/>", "not-well-formed"),
        ("<>", "not-well-formed"),
        ("</>", "not-well-formed"),
        ("<a/ >", "not-well-formed"),
        ("<a / >", "not-well-formed"),
        ("<1a/>", "not-well-formed"),
        ("<a:/>", "not-well-formed"),
        ("<:a/>", "not-well-formed"),
        ("<a:b:c/>", "not-well-formed"),
        ("<a\u{D7}/>", "not-well-formed"),
        ("<a>& </a>", "not-well-formed"),
        ("<a>&;</a>", "not-well-formed"),
        ("<a>&amp</a>", "not-well-formed"),
        ("<a>&amp &amp;</a>", "not-well-formed"),
        ("<a>&#0;</a>", "not-well-formed"),
        ("<a>&#xB;</a>", "not-well-formed"),
        ("<a>&#xD800;</a>", "not-well-formed"),
        ("<a>&#xFFFF;</a>", "not-well-formed"),
        ("<a>&#x110000;</a>", "not-well-formed"),
        ("<a>&#+65;</a>", "not-well-formed"),
        ("<a>&#;</a>", "not-well-formed"),
        ("<a>&#x;</a>", "not-well-formed"),
        ("<a>&#X41;</a>", "not-well-formed"),
        ("<a>]]></a>", "not-well-formed"),
        ("<a>\u{1}</a>", "not-well-formed"),
        ("<a b='\u{1F}'/>", "not-well-formed"),
        ("<a><![CDATA[\u{8}]]></a>", "not-well-formed"),
        ("<a>\u{FFFE}</a>", "not-well-formed"),
        ("<a>\0</a>", "not-well-formed"),
        ("<![CDATA[x]]>", "not-well-formed"),
        ("<a><![cdata[x]]></a>", "not-well-formed"),
        // Namespaces.
        ("<p:a/>", "bad-namespace-prefix"),
        ("<a p:b=''/>", "bad-namespace-prefix"),
        ("<a><b xmlns:p='u'/><p:c/></a>", "bad-namespace-prefix"),
        ("<a xmlns:p=''/>", "bad-namespace-prefix"),
        ("<a xmlns:xmlns='u'/>", "bad-namespace-prefix"),
        ("<a xmlns:xml='u'/>", "bad-namespace-prefix"),
        ("<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", "bad-namespace-prefix"),
        ("<a xmlns='http://www.w3.org/XML/1998/namespace'/>", "bad-namespace-prefix"),
        ("<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", "bad-namespace-prefix"),
        ("<xmlns:a/>", "bad-namespace-prefix"),
        // Between stanzas.
        ("text", "bad-format"),
        ("<a/>x<b/>", "bad-format"),
        (" &amp;", "bad-format"),
    ];
    for (xml, expected) in table {
        assert_eq!(inside(xml), expected, "{xml}");
    }
}

#[test]
fn at_the_beginning() {
    let table: [(&[u8], &str); 25] = [
        (b"<?xml version='1.0'?><a>", "none"),
        (b"<?xml version='1.0' encoding='utf-8'?><a>", "none"),
        (b"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='no'?> <a>", "none"),
        (b"<a>", "none"),
        (b"<?xml version='1.1'?><a>", "not-well-formed"),
        (b"<?xml?><a>", "not-well-formed"),
        (b"<?xml encoding='UTF-8'?><a>", "not-well-formed"),
        (b"<?xml version='1.0' version='1.0'?><a>", "not-well-formed"),
        (b"<?xml version='1.0' x='y'?><a>", "not-well-formed"),
        (b"<?xml version='1.0' standalone='maybe'?><a>", "not-well-formed"),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><a>", "unsupported-encoding"),
        (b"<?xml version='1.0' encoding='UTF-16'?><a>", "unsupported-encoding"),
        (b"<?xml version='1.0'?><?xml version='1.0'?>", "restricted-xml"),
        (b"<?xml-stylesheet href='x'?>", "restricted-xml"),
        (b"<?pi?>", "restricted-xml"),
        (b"<!-- x --><a>", "restricted-xml"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>", "restricted-xml"),
        (b"\xFF\xFE<\0a\0>\0", "unsupported-encoding"),
        (b"\xFE\xFF\0<\0a\0>", "unsupported-encoding"),
        (b"<\0a\0>\0", "unsupported-encoding"),
        (b"\0<\0a\0>", "unsupported-encoding"),
        (b"GET / HTTP/1.1\r\n", "not-well-formed"),
        (b"\x16\x03\x01", "not-well-formed"),
        (b"</a>", "not-well-formed"),
        (b"<p:a>", "bad-namespace-prefix"),
    ];
    for (text, expected) in table {
        let shown = String::from_utf8_lossy(text);
        assert_eq!(condition(text), expected, "{shown}");
    }
}

#[test]
fn bytes_that_are_not_utf8() {
    let bad: [&[u8]; 6] = [b"\xFF", b"\xC0\xAF", b"\xED\xA0\x80", b"\xF4\x90\x80\x80", b"\xE2\x82", b"\x80"];
    for bytes in bad {
        for (before, after) in [("<a>", "</a>"), ("<a b='", "'/>"), ("<a", "/>"), ("<a><![CDATA[", "]]></a>")] {
            let text = [HEADER.as_bytes(), before.as_bytes(), bytes, after.as_bytes()].concat();
            assert_eq!(condition(&text), "unsupported-encoding", "{bytes:?} in {before}");
        }
    }
}

#[test]
fn single_elements() {
    for xml in ["", " ", "x", "<a>", "<a/><b/>", "<a/>x", "x<a/>", "</a>", "<?xml version='1.0'?><a/>"] {
        assert!(Element::parse(xml).is_err(), "{xml}");
    }
    assert_eq!(Element::parse(" \n<a/>\t").unwrap().as_str(), "<a/>");
}

#[test]
fn errors_name_their_condition() {
    for error in [XmlError::TooBig, XmlError::TooDeep, XmlError::TooManyAttributes, XmlError::NameTooLong] {
        assert_eq!(error.stream_condition(), "policy-violation");
        assert!(error.is_limit());
    }
    assert!(!XmlError::NotWellFormed("").is_limit());
}
