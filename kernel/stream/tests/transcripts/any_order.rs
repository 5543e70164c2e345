//! Whatever comes in whatever order: no panic, no stanza without a session,
//! nothing after the end, nothing but an ending inside a handshake.

use proptest::collection::vec;
use proptest::prelude::*;
use xylem_sasl::Lookup;
use xylem_stanza::{FullJid, StreamCondition};
use xylem_stream::{
    Action, BindRefusal, Environment, Event, HostConfig, ResumeRefusal, Resumed, Stream, StreamError, TokenLogin,
};
use xylem_xml::{Frame, Framer, Limits, XmlError};

use crate::stage::{all_mechanisms, lenient, tls, verona};

const SENT: [&str; 23] = [
    "<stream:stream to='verona.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
    "<stream:stream to='rome.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'/>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biwsbj1qdWxpZXQscj14eHg=</auth>",
    "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>biwsbj1qdWxpZXQscj14eHg=</response>",
    "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    "<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
    "<message to='romeo@verona.example'><body>x</body></message>",
    "<presence from='romeo@verona.example'/>",
    "<stream:error xmlns:stream='http://etherx.jabber.org/streams'/>",
    "<nonsense xmlns='urn:example'/>",
    "</stream:stream>",
    "<enable xmlns='urn:xmpp:sm:3' resume='true'/>",
    "<resume xmlns='urn:xmpp:sm:3' previd='token1' h='1'/>",
    "<r xmlns='urn:xmpp:sm:3'/>",
    "<a xmlns='urn:xmpp:sm:3' h='1'/>",
    "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='ANONYMOUS'><initial-response/><bind xmlns='urn:xmpp:bind:0'/></authenticate>",
    "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-NONE'><initial-response>anVsaWV0AHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4</initial-response><user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/><fast xmlns='urn:xmpp:fast:0'/></authenticate>",
    "<response xmlns='urn:xmpp:sasl:2'/>",
];

/// One frame, whatever the state.
fn frame(text: &str) -> Frame {
    let mut framer = Framer::new(Limits::default());
    if text.starts_with("<stream:stream") {
        framer.feed(text.as_bytes());
        return framer.next_frame().unwrap().unwrap();
    }
    framer.feed(SENT[0].as_bytes());
    framer.next_frame().unwrap();
    framer.feed(text.as_bytes());
    framer.next_frame().unwrap().unwrap()
}

fn event(number: usize) -> Event {
    match number {
        0..20 => Event::Frame(frame(SENT[number])),
        20 => Event::TlsEstablished(tls()),
        21 => Event::Secrets(Lookup::Unknown),
        22 => Event::Bound(Ok(FullJid::parse("token2@verona.example/x").unwrap())),
        23 => Event::Bound(Err(BindRefusal::Conflict)),
        24 => Event::XmlError(XmlError::TooBig),
        25 => Event::TimedOut,
        26 => Event::Resumed(Ok(Resumed { jid: FullJid::parse("token2@verona.example/x").unwrap(), handled: 9 })),
        27 => Event::Resumed(Err(ResumeRefusal::NotFound(None))),
        28 => Event::AcknowledgedTooMany { h: 1, sent: 0 },
        30..33 => Event::Frame(frame(SENT[number - 10])),
        33 => Event::TokenChecked(Ok(TokenLogin { answer: vec![], renewed: None })),
        34 => Event::TokenIssued(None),
        35 => Event::Inlined(vec![]),
        29 => Event::End(StreamError::new(StreamCondition::Conflict)),
        _ => Event::Disconnected,
    }
}

/// Rare where it ends the stream.
fn events() -> impl Strategy<Value = Vec<usize>> {
    let usual = prop_oneof![
        Just(0),
        Just(2),
        Just(3),
        Just(4),
        Just(5),
        Just(9),
        Just(11),
        Just(16),
        Just(17),
        Just(18),
        Just(20),
        Just(21),
        Just(22),
        Just(26),
        Just(30),
        Just(31),
        Just(33)
    ];
    vec(prop_oneof![9 => usual, 1 => 0_usize..37], 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order(direct: bool, numbers in events()) {
        let host = HostConfig { mechanisms: all_mechanisms(), ..lenient() };
        let env: std::sync::Arc<dyn Environment> = verona(host);
        let mut stream = Stream::new(env, direct.then(tls));
        let (mut logged_in, mut established, mut closed) = (false, false, false);
        for number in numbers {
            let mut actions = vec![];
            stream.handle(event(number), &mut actions);
            prop_assert!(!closed || actions.is_empty());
            for action in &actions {
                match action {
                    Action::LoggedIn { .. } => logged_in = true,
                    Action::Bind { .. } | Action::BindClient { .. } | Action::IssueToken { .. } => prop_assert!(logged_in),
                    Action::Resume { .. } => prop_assert!(logged_in),
                    Action::Established { .. } | Action::Reestablished(_) => {
                        prop_assert!(logged_in);
                        established = true;
                    }
                    Action::Stanza(stanza) => {
                        prop_assert!(established);
                        prop_assert!(stanza.from().is_some_and(|from| from.is_full()));
                    }
                    Action::Close(_) => closed = true,
                    _ => {}
                }
            }
            prop_assert!(!(closed && stream.wants_frames()));
        }
    }
}

#[test]
fn the_state_of_an_idle_session_is_small() {
    assert!(size_of::<Stream>() <= 512, "{}", size_of::<Stream>());
}
