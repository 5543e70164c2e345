//! Every stream, cut at every byte, gives the same frames.

use xylem_xml::{Frame, Framer, Limits};

use crate::run::{HEADER, transcript, whole};

fn streams() -> Vec<Vec<u8>> {
    let inside = [
        "<message to='a@b'><body>hi</body></message></stream:stream>",
        "  <presence/>\n<iq id='1' type='get'><q xmlns='u'/></iq>\r\n</stream:stream >",
        "<m a='>' b=\"it's/>\" c='<![CDATA['/>",
        "<m a='x&gt;&#x41;&#66;' \n b = \"q\" >t&amp;t<![CDATA[<m> ]] ]>]]>u</m ><n/>",
        "<c:message xmlns:c='jabber:client'><c:body xml:lang='de'>\u{FC}\u{1F600}</c:body></c:message>",
        "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
        "<a><b><c/></b><b/><![CDATA[]]></a><a></a>",
        "<a/>text",
        "<a><!-- x --></a>",
        "<a/><!DOCTYPE x>",
        "<a><?pi?></a>",
        "<a>&nbsp;</a>",
        "<a>&#0;</a>",
        "<a>]]></a>",
        "<a b='1' b='2'/>",
        "<x:a/>",
        "<a x:b=''/>",
        "<a></b>",
        "<a b=1/>",
        "<a b='1'c='2'/>",
        "<a <b/>",
        "<a><![CDAT[x]]></a>",
        "</a>",
        "</stream:stream><a/>",
    ];
    let mut all: Vec<Vec<u8>> = inside.iter().map(|x| format!("{HEADER}{x}").into_bytes()).collect();
    for whole in [
        " \n<?xml version=\"1.0\" encoding='UTF-8' standalone='yes' ?>\n<a xmlns='u'><b/></a>",
        "<stream xmlns='http://etherx.jabber.org/streams' xmlns:c='jabber:client'><c:iq/></stream>",
        "<a/>",
        "<?xml version='1.0'?><?xml version='1.0'?><a>",
        "<!DOCTYPE a><a>",
        "text",
    ] {
        all.push(whole.as_bytes().to_vec());
    }
    for junk in [&b"<a>\xFF</a>"[..], b"<a b='\xC3'/>", b"<a>\xE2\x82</a>", b"<a>\0</a>"] {
        all.push([HEADER.as_bytes(), junk].concat());
    }
    all
}

#[test]
fn at_every_byte() {
    for stream in streams() {
        let expected = transcript(&[&stream], Limits::default());
        for at in 0..=stream.len() {
            let (one, two) = stream.split_at(at);
            let cut = transcript(&[one, two], Limits::default());
            assert_eq!(cut, expected, "cut at {at}: {}", String::from_utf8_lossy(&stream));
        }
    }
}

#[test]
fn byte_by_byte_and_in_small_pieces() {
    for stream in streams() {
        let expected = transcript(&[&stream], Limits::default());
        for size in 1..8 {
            let pieces: Vec<&[u8]> = stream.chunks(size).collect();
            assert_eq!(transcript(&pieces, Limits::default()), expected);
        }
    }
}

#[test]
fn at_every_byte_under_narrow_limits() {
    for stream in streams() {
        for stanza_bytes in [150, 160, 170, 200] {
            let limits = Limits { stanza_bytes, depth: 2, attributes: 4, name_bytes: 16 };
            let expected = transcript(&[&stream], limits);
            for at in 0..=stream.len() {
                let (one, two) = stream.split_at(at);
                assert_eq!(transcript(&[one, two], limits), expected);
            }
        }
    }
}

#[test]
fn what_a_stream_means() {
    let lines = whole(&format!(
        "{HEADER} <m a='x&gt;&#x41;' b = \"it's>\">t&amp;t<![CDATA[<&lt;]]>\r\n<n/>u</m ></stream:stream>"
    ));
    assert_eq!(
        lines[1..],
        [
            "<m a='x&gt;&#x41;' b = \"it's>\">t&amp;t<![CDATA[<&lt;]]>\r\n<n/>u</m > = \
             ({jabber:client}m [\"{}a=\\\"x>A\\\"\", \"{}b=\\\"it's>\\\"\"] \"t&t<&lt;\\nu\" \
             [\"({jabber:client}n [] \\\"\\\" [])\"])",
            "close"
        ]
    );
}

#[test]
fn restart_keeps_bytes_and_discard_drops_them() {
    let mut framer = Framer::new(Limits::default());
    framer.feed(HEADER.as_bytes());
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Open(_)))));
    framer.feed(b"<auth/>");
    framer.feed(b"\n<?xml version='1.0'?><stream xmlns='second'><a/>");
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Element(_)))));
    framer.restart();
    match framer.next_frame() {
        Ok(Some(Frame::Open(header))) => assert_eq!(header.default_ns(), "second"),
        other => panic!("{other:?}"),
    }
    framer.feed(b"<starttls/><injec");
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Element(_)))));
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Element(_)))));
    assert!(matches!(framer.next_frame(), Ok(None)));
    framer.discard();
    framer.restart();
    assert_eq!((framer.buffered(), framer.capacity()), (0, 0));
    framer.feed(HEADER.as_bytes());
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Open(_)))));
    framer.feed(b"<a/>");
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Element(_)))));
}

#[test]
fn keepalives_are_reported() {
    let mut framer = Framer::new(Limits::default());
    framer.feed(HEADER.as_bytes());
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Open(_)))));
    framer.feed(b" \n");
    assert!(matches!(framer.next_frame(), Ok(Some(Frame::Whitespace))));
    assert!(matches!(framer.next_frame(), Ok(None)));
    assert_eq!(framer.capacity(), 0);
}
