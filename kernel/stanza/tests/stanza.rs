//! Heads, rewriting, edits, replies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use xylem_stanza::{
    Condition, ErrorType, FullJid, Jid, Kind, Stanza, StanzaError, StreamCondition, Type, error_for_element, ns,
};
use xylem_xml::{Element, Frame, Framer, Limits};

fn stanza(xml: &str) -> Stanza {
    Stanza::parse(xml).unwrap_or_else(|e| panic!("{xml}: {e}"))
}

fn written(stanza: &Stanza) -> String {
    let mut out = Vec::new();
    stanza.write_to(&mut out);
    let outgoing = stanza.outgoing();
    assert_eq!((outgoing.to_vec(), outgoing.len()), (out.clone(), out.len()));
    String::from_utf8(out).unwrap()
}

/// The only element of a stream with this header.
fn framed(header: &str, xml: &str) -> Element {
    let mut framer = Framer::new(Limits::default());
    framer.feed(header.as_bytes());
    framer.feed(xml.as_bytes());
    loop {
        match framer.next_frame().unwrap().unwrap() {
            Frame::Element(element) => return element,
            Frame::Open(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

const STREAM: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'";

#[test]
fn kinds_and_types() {
    let table = [
        ("<message/>", Kind::Message, Type::Normal),
        ("<message type='normal'/>", Kind::Message, Type::Normal),
        ("<message type='chat'/>", Kind::Message, Type::Chat),
        ("<message type='groupchat'/>", Kind::Message, Type::Groupchat),
        ("<message type='headline'/>", Kind::Message, Type::Headline),
        ("<message type='error'/>", Kind::Message, Type::Error),
        ("<message type='sonnet'/>", Kind::Message, Type::Normal),
        ("<presence/>", Kind::Presence, Type::Available),
        ("<presence type='unavailable'/>", Kind::Presence, Type::Unavailable),
        ("<presence type='subscribe'/>", Kind::Presence, Type::Subscribe),
        ("<presence type='subscribed'/>", Kind::Presence, Type::Subscribed),
        ("<presence type='unsubscribe'/>", Kind::Presence, Type::Unsubscribe),
        ("<presence type='unsubscribed'/>", Kind::Presence, Type::Unsubscribed),
        ("<presence type='probe'/>", Kind::Presence, Type::Probe),
        ("<presence type='error'/>", Kind::Presence, Type::Error),
        ("<iq id='1' type='get'><q xmlns='x'/></iq>", Kind::Iq, Type::Get),
        ("<iq id='1' type='set'>\n<q xmlns='x'/>\n</iq>", Kind::Iq, Type::Set),
        ("<iq id='1' type='result'/>", Kind::Iq, Type::Result),
        ("<iq id='1' type='result'><q xmlns='x'/></iq>", Kind::Iq, Type::Result),
        ("<iq id='1' type='error'><q xmlns='x'/><error/></iq>", Kind::Iq, Type::Error),
    ];
    for (xml, kind, type_) in table {
        let stanza = stanza(xml);
        assert_eq!((stanza.kind(), stanza.type_()), (kind, type_), "{xml}");
        assert_eq!(Type::parse(kind, type_.as_str()), Some(type_));
    }
}

#[test]
fn refusals() {
    let bad_request = [
        "<presence type='available'/>",
        "<presence type=''/>",
        "<iq id='1'><q xmlns='x'/></iq>",
        "<iq id='1' type='ask'><q xmlns='x'/></iq>",
        "<iq type='get'><q xmlns='x'/></iq>",
        "<iq id='' type='get'><q xmlns='x'/></iq>",
        "<iq id='1' type='get'/>",
        "<iq id='1' type='set'>text</iq>",
        "<iq id='1' type='set'><a xmlns='x'/><b xmlns='x'/></iq>",
        "<iq id='1' type='result'><a xmlns='x'/><b xmlns='x'/></iq>",
    ];
    for xml in bad_request {
        let error = Stanza::parse(xml).unwrap_err();
        assert_eq!(error.condition(), Some(Condition::BadRequest), "{xml}");
    }
    for xml in ["<message to='a@@b'/>", "<message to='@'/>", "<presence to='a b'/>"] {
        let error = Stanza::parse(xml).unwrap_err();
        assert_eq!(error, StanzaError::MalformedTo, "{xml}");
        assert_eq!(error.condition(), Some(Condition::JidMalformed));
    }
    let error = Stanza::parse("<message from='a b'/>").unwrap_err();
    assert_eq!(error, StanzaError::MalformedFrom);
    for xml in ["<massage/>", "<message xmlns='urn:x'/>", "<features xmlns='http://etherx.jabber.org/streams'/>"] {
        let error = Stanza::parse(xml).unwrap_err();
        assert_eq!(error, StanzaError::NotAStanza, "{xml}");
        assert_eq!(error.condition(), None);
    }
    assert!(stanza("<message to=''/>").to().is_none());
}

#[test]
fn the_head_is_rewritten_and_nothing_else() {
    let xml = "<message  to=\"Juliet@example.com\" id='a\"b' xml:lang='en' z='1'\n>\
               <body >O  &apos;Romeo</body><!-- -->";
    let xml = xml.replace("<!-- -->", "<x xmlns='u' />\n</message >");
    let one = stanza(&xml);
    let from = FullJid::parse("romeo@example.net/o'r").unwrap();
    let sent = one.with_from(&from);
    assert_eq!(
        written(&sent),
        "<message from='romeo@example.net/o&apos;r' to='juliet@example.com' id='a\"b' \
         xml:lang='en' z='1'><body >O  &apos;Romeo</body><x xmlns='u' />\n</message >"
    );
    let again = stanza(&written(&sent));
    assert_eq!(again.from().unwrap(), &Jid::from(&from));
    assert_eq!(again.id().unwrap(), "a\"b");
    assert_eq!(again.lang().unwrap(), "en");
    assert_eq!(again.body().unwrap(), "O  'Romeo");
    let nobody = one.readdressed(None, None);
    assert!(written(&nobody).starts_with("<message id='a\"b' "));
    assert_eq!(written(&stanza("<presence />")), "<presence/>");
}

#[test]
fn declarations_of_the_stream_travel_along() {
    let header = format!("{STREAM} xmlns:p='urn:p' xmlns:q='urn:q' xmlns:r='urn:r'>");
    let element = framed(&header, "<message p:a='1' xmlns:s='urn:s'><s:x/><q:y r:b=\"it's\"/><stream:z/></message>");
    let one = Stanza::from_element(element).unwrap();
    let text = written(&one);
    let alone = stanza(&text);
    let seen: Vec<_> = alone.root().children().map(|c| (c.ns(), c.name())).collect();
    assert_eq!(seen, [("urn:s", "x"), ("urn:q", "y"), (ns::STREAMS, "z")]);
    assert_eq!(alone.root().attr_ns("urn:p", "a").unwrap(), "1");
    let y = alone.root().children().nth(1).unwrap();
    assert_eq!(y.attr_ns("urn:r", "b").unwrap(), "it's");
    // Only what is used is declared.
    let element = framed(&header, "<message><body>p:x</body></message>");
    let text = written(&Stanza::from_element(element).unwrap());
    assert_eq!(text, "<message><body>p:x</body></message>");
}

#[test]
fn content_namespaces_become_that_of_clients() {
    for content in [ns::CLIENT, ns::SERVER, ns::COMPONENT] {
        let header = format!("<s:stream xmlns='{content}' xmlns:s='{}'>", ns::STREAMS);
        let element = framed(&header, "<message to='a@b'><body>x</body></message>");
        let one = Stanza::from_element(element).unwrap();
        assert_eq!(one.body().unwrap(), "x");
        assert_eq!(written(&one), "<message to='a@b'><body>x</body></message>");

        let header = format!("<stream xmlns='{}' xmlns:c='{content}'>", ns::STREAMS);
        let element = framed(
            &header,
            "<c:message to='a@b' xml:lang='en'><c:body>x&lt;<![CDATA[<]]></c:body>\
             <m xmlns='urn:m' c:n='1'><c:o/></m> <k/></c:message>",
        );
        let one = Stanza::from_element(element).unwrap();
        assert_eq!(one.body().unwrap(), "x<<");
        let m = one.child("urn:m", "m").unwrap();
        assert!(m.child(ns::CLIENT, "o").is_some());
        assert!(one.child(ns::STREAMS, "k").is_some());
        assert_eq!(one.lang().unwrap(), "en");
        assert!(written(&one).starts_with("<message to='a@b' xml:lang='en'><body>"));

        let xml = format!("<message xmlns='{content}'><body>x</body></message>");
        let one = Stanza::from_element(framed(&header, &xml)).unwrap();
        assert_eq!(one.body().unwrap(), "x");
        assert_eq!(written(&one), "<message><body>x</body></message>");
    }
}

#[test]
fn standalone_form_declares_its_namespace() {
    let one = stanza("<message to='a@b'><body>x</body></message>");
    let xml = "<message xmlns='jabber:client' to='a@b'><body>x</body></message>";
    assert_eq!(one.to_xml_string(), xml);
    assert_eq!(one.outgoing_standalone().to_vec(), xml.as_bytes());
    assert!(Stanza::from_element(Element::parse(xml).unwrap()).is_ok());
}

#[test]
fn the_language_of_the_stream_is_added_once() {
    let one = stanza("<message><body>x</body></message>").with_default_lang("de");
    assert_eq!(one.lang().unwrap(), "de");
    assert_eq!(written(&one), "<message xml:lang='de'><body>x</body></message>");
    let edited = one.insert_child("<a xmlns='u'/>").unwrap();
    assert_eq!(edited.lang().unwrap(), "de");
    let own = stanza("<message xml:lang='en'/>").with_default_lang("de");
    assert_eq!(written(&own), "<message xml:lang='en'/>");
}

#[test]
fn edits_are_splices() {
    let one = stanza("<message type='chat' id='1'>a<b xmlns='u'/>c<d/>e<b xmlns='u'>f</b></message>");
    let table = [
        (
            one.insert_child(" <n xmlns='v'/> "),
            "<message type='chat' id='1'>a<b xmlns='u'/>c<d/>e<b xmlns='u'>f</b><n xmlns='v'/></message>",
        ),
        (one.remove_children("u", "b"), "<message type='chat' id='1'>ac<d/>e</message>"),
        (
            one.set_attr("id", Some("<'2'>")),
            "<message type='chat' id='&lt;&apos;2&apos;&gt;'>a<b xmlns='u'/>c<d/>e<b xmlns='u'>f</b></message>",
        ),
        (one.set_attr("type", None), "<message id='1'>a<b xmlns='u'/>c<d/>e<b xmlns='u'>f</b></message>"),
        (
            one.edit()
                .remove("jabber:client", "d")
                .insert("<x/>")
                .insert("<y/>")
                .set_attr("to", Some("A@b"))
                .set_attr("from", Some("c/d"))
                .apply(),
            "<message from='c/d' to='a@b' type='chat' id='1'>a<b xmlns='u'/>ce<b xmlns='u'>f</b><x/><y/></message>",
        ),
    ];
    for (edited, xml) in table {
        assert_eq!(written(&edited.unwrap()), xml);
    }
    assert_eq!(one.set_attr("type", None).unwrap().type_(), Type::Normal);
    let empty = stanza("<message/>").insert_child("<body>x</body>").unwrap();
    assert_eq!(written(&empty), "<message><body>x</body></message>");
    assert_eq!(empty.body().unwrap(), "x");
    let empty = empty.remove_children("jabber:client", "body").unwrap();
    assert_eq!(written(&empty), "<message></message>");
}

#[test]
fn edits_keep_what_the_head_says() {
    let from = FullJid::parse("a@b/c").unwrap();
    let one = stanza("<message from='x@y' to='z'/>").with_from(&from);
    let one = one.set_attr("id", Some("1")).unwrap();
    assert_eq!(one.from().unwrap().as_str(), "a@b/c");
    assert_eq!(written(&one), "<message from='a@b/c' to='z' id='1'/>");
    let one = one.set_attr("from", None).unwrap();
    assert!(one.from().is_none());
}

#[test]
fn edits_cannot_break_out() {
    let one = stanza("<message><body>x</body></message>");
    for xml in [
        "",
        "text",
        "</message><message>",
        "<a/><b/>",
        "<a>",
        "<a/>text",
        "<!-- x --><a/>",
        "<p:a/>",
        "<?xml version='1.0'?><a/>",
    ] {
        assert!(one.insert_child(xml).is_err(), "{xml}");
    }
    for name in ["", "a b", "a='1' b", "xmlns", "xmlns:a", "xml:lang", "1a", "a>"] {
        assert!(one.set_attr(name, Some("x")).is_err(), "{name}");
    }
    assert_eq!(one.set_attr("to", Some("@")).unwrap_err(), StanzaError::MalformedTo);
    assert_eq!(one.set_attr("from", Some("@")).unwrap_err(), StanzaError::MalformedFrom);
    let iq = stanza("<iq id='1' type='get'><q xmlns='u'/></iq>");
    assert!(iq.insert_child("<r xmlns='u'/>").is_err());
    assert!(iq.remove_children("u", "q").is_err());
    assert!(iq.set_attr("type", None).is_err());
}

#[test]
fn conditions_and_their_types() {
    assert_eq!(Condition::ALL.len(), 22);
    assert_eq!(StreamCondition::ALL.len(), 25);
    for c in Condition::ALL {
        assert_eq!(Condition::parse(c.as_str()), Some(*c));
    }
    for c in StreamCondition::ALL {
        assert_eq!(StreamCondition::parse(c.as_str()), Some(*c));
    }
    assert_eq!(Condition::BadRequest.default_type(), ErrorType::Modify);
    assert_eq!(Condition::Forbidden.default_type(), ErrorType::Auth);
    assert_eq!(Condition::ServiceUnavailable.default_type(), ErrorType::Cancel);
    assert_eq!(Condition::ResourceConstraint.default_type(), ErrorType::Wait);
    assert_eq!(ErrorType::parse("continue"), Some(ErrorType::Continue));
}

#[test]
fn replies() {
    let iq = stanza("<iq from='a@b/c' to='d' id='&lt;1' type='get'><q xmlns='u'/></iq>");
    let result = iq.result(Some("<q xmlns='u'>1</q>")).unwrap();
    assert_eq!(written(&result), "<iq from='d' to='a@b/c' id='&lt;1' type='result'><q xmlns='u'>1</q></iq>");
    assert_eq!(written(&iq.result(None).unwrap()), "<iq from='d' to='a@b/c' id='&lt;1' type='result'/>");
    assert!(iq.result(Some("<a/><b/>")).is_none());
    assert!(iq.result(Some("<a>")).is_none());
    assert!(result.result(None).is_none());

    let error = iq.error_reply(Condition::Forbidden, None).unwrap();
    assert_eq!(
        written(&error),
        "<iq from='d' to='a@b/c' id='&lt;1' type='error'><error type='auth'>\
         <forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    );
    assert!(error.error_reply(Condition::Conflict, None).is_none());
    assert!(result.error_reply(Condition::Conflict, None).is_none());
}

#[test]
fn errors_say_more_on_request() {
    let header = format!("{STREAM} xmlns:p='urn:p'>");
    let message = framed(&header, "<message type='chat' id='1'><p:x/><body>x</body></message>");
    let message = Stanza::from_element(message).unwrap();
    let error = message
        .error(Condition::Gone)
        .type_(ErrorType::Modify)
        .address("xmpp:a&b@c")
        .by("d")
        .text("moved > away")
        .application("<far xmlns='u'/>")
        .with_payload()
        .build()
        .unwrap();
    assert_eq!(
        written(&error),
        "<message id='1' type='error'><p:x xmlns:p='urn:p'/><body>x</body>\
         <error by='d' type='modify'>\
         <gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:a&amp;b@c</gone>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>moved &gt; away</text>\
         <far xmlns='u'/></error></message>"
    );
    assert!(message.error(Condition::Gone).application("<a>").build().is_none());
    let plain = message.error_reply(Condition::Gone, Some("x")).unwrap();
    assert!(plain.body().is_none());
    assert_eq!(plain.type_(), Type::Error);
}

#[test]
fn refused_elements_can_be_answered() {
    let element = Element::parse_in("<iq to='@' id='1' type='get'/>", ns::CLIENT).unwrap();
    assert_eq!(
        error_for_element(&element, Condition::JidMalformed, None).unwrap(),
        "<iq id='1' type='error'><error type='modify'>\
         <jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    );
    for xml in ["<iq type='result' to='@'/>", "<message type='error'/>", "<x/>"] {
        let element = Element::parse_in(xml, ns::CLIENT).unwrap();
        assert!(error_for_element(&element, Condition::BadRequest, None).is_none());
    }
}

#[test]
fn debug_output_holds_no_content() {
    let one = stanza("<message to='a@b'><body>secret</body></message>");
    assert!(!format!("{one:?}").contains("secret"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn writing_and_reading_again_keeps_the_meaning(
        id in "[ -~é\\n\\t]{0,12}", body in "\\PC{0,24}", lang in "[a-z]{0,3}", extra in "[ -~]{0,8}",
    ) {
        let xml = xylem_xml::El::new("message", "")
            .attr("id", &id).attr("xml:lang", &lang).attr("extra", &extra)
            .child(xylem_xml::El::new("body", "").text(&body)).build();
        let one = stanza(&xml).with_to(Jid::parse("a@b").unwrap());
        let again = stanza(&written(&one));
        let third = stanza(&one.to_xml_string()).insert_child("<x xmlns='u'/>").unwrap()
            .remove_children("u", "x").unwrap();
        for stanza in [&one, &again, &third] {
            prop_assert_eq!(stanza.id().unwrap(), id.as_str());
            prop_assert_eq!(stanza.lang().unwrap(), lang.as_str());
            prop_assert_eq!(stanza.root().attr("extra").unwrap(), extra.as_str());
            let body = xylem_xml::escape_text(&body);
            let body = body.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
            prop_assert_eq!(stanza.body().unwrap(), body.as_str());
        }
        prop_assert_eq!(one.packed(), again.packed());
        prop_assert_eq!(one.packed(), third.packed());
    }
}
