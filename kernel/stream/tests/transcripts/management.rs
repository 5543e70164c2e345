//! Stream management and client state (XEP-0198, XEP-0352).

use xylem_stream::{HostConfig, Management};

use crate::stage::{AUTH, BIND, TLS, host, play};

const ENABLE: &str = "
    C: <enable xmlns='urn:xmpp:sm:3'/>
    A: manage token4 for None
    S: <enabled xmlns='urn:xmpp:sm:3'/>
";

const UNEXPECTED: &str = "<failed xmlns='urn:xmpp:sm:3'>\
    <unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>";

#[test]
fn it_is_announced_after_login() {
    let auth = AUTH.rsplit_once("S: <stream:features>").unwrap().0;
    let act = "S: <stream:features>*<sm xmlns='urn:xmpp:sm:3'/>*</stream:features>\n";
    play(host(), &[TLS, auth, act]);
}

#[test]
fn the_client_is_told_id_and_time() {
    for (asked, granted) in [("", 300), (" max='60'", 60), (" max='900'", 300), (" max='0'", 300), (" max='x'", 300)] {
        let act = format!(
            "C: <enable xmlns='urn:xmpp:sm:3' resume='true'{asked}/>
             A: manage token4 for Some({granted})
             S: <enabled xmlns='urn:xmpp:sm:3' resume='true' id='token4' max='{granted}'/>"
        );
        play(host(), &[TLS, AUTH, BIND, &act]);
    }
    let act = "
        C: <enable xmlns='urn:xmpp:sm:3' resume='1'/>
        A: manage token4 for Some(9)
        S: <enabled xmlns='urn:xmpp:sm:3' resume='true' id='token4' max='9' location='verona.example:5222'/>";
    let management = Management { resume_seconds: 9, location: Some("verona.example:5222".into()) };
    play(HostConfig { management, ..host() }, &[TLS, AUTH, BIND, act]);
}

#[test]
fn a_host_that_resumes_nothing_acknowledges_all_the_same() {
    let management = Management { resume_seconds: 0, location: None };
    let act = ENABLE.replace("<enable ", "<enable resume='true' ");
    play(HostConfig { management, ..host() }, &[TLS, AUTH, BIND, &act]);
}

#[test]
fn stanzas_are_counted_from_enable_on_and_nothing_else_is() {
    let act = "
        C: <r xmlns='urn:xmpp:sm:3'/>
        S: <a xmlns='urn:xmpp:sm:3' h='0'/>
        C: <message to='romeo@verona.example'/>
        A: stanza *
        C: <presence/>
        A: stanza *
        C: <inactive xmlns='urn:xmpp:csi:0'/>
        A: active false
        C: <active xmlns='urn:xmpp:csi:0'/>
        A: active true
        C: <a xmlns='urn:xmpp:sm:3' h='4294967295'/>
        A: acknowledged 4294967295
        C: <iq id='x' type='nonsense'/>
        S: <iq *
        C: <iq id='s' type='set'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>
        S: <iq *
        C: <r xmlns='urn:xmpp:sm:3'/>
        S: <a xmlns='urn:xmpp:sm:3' h='4'/>";
    play(host(), &[TLS, AUTH, BIND, "C: <presence/>\nA: stanza *\n", ENABLE, act]);
}

#[test]
fn the_count_goes_on_over_the_end_of_numbers() {
    let act = "
        C: <resume xmlns='urn:xmpp:sm:3' previd='token9' h='7'/>
        A: resume token9 of juliet@verona.example from 7
        E: resumed juliet@verona.example/balcony 4294967295
        S: <resumed xmlns='urn:xmpp:sm:3' h='4294967295' previd='token9'/>
        A: reestablished juliet@verona.example/balcony
        C: <presence/>
        A: stanza <presence *from='juliet@verona.example/balcony'*
        C: <r xmlns='urn:xmpp:sm:3'/>
        S: <a xmlns='urn:xmpp:sm:3' h='0'/>";
    play(host(), &[TLS, AUTH, act]);
}

#[test]
fn what_cannot_be_resumed_leaves_the_client_another_try() {
    let request = "
        C: <resume xmlns='urn:xmpp:sm:3' previd='token9' h='7'/>
        A: resume token9 of juliet@verona.example from 7\n";
    let answers = [
        ("not-found", "<failed xmlns='urn:xmpp:sm:3'>"),
        ("not-found 5", "<failed xmlns='urn:xmpp:sm:3' h='5'>"),
        // Somebody else's.
        ("resumed romeo@verona.example/orchard 3", "<failed xmlns='urn:xmpp:sm:3'>"),
    ];
    for (event, failed) in answers {
        let act = format!(
            "E: {event}
             S: {failed}<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>\n"
        );
        play(host(), &[TLS, AUTH, request, &act, BIND]);
    }
    for bad in ["h='1'", "previd='x'", "previd='x' h=''", "previd='x' h='-1'", "previd='x' h='4294967296'"] {
        let act = format!(
            "C: <resume xmlns='urn:xmpp:sm:3' {bad}/>
             S: <failed xmlns='urn:xmpp:sm:3'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>\n"
        );
        play(host(), &[TLS, AUTH, &act, BIND]);
    }
}

#[test]
fn who_acknowledges_what_was_never_sent_is_sent_away() {
    let error = "S: <stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
        <text *</text><handled-count-too-high xmlns='urn:xmpp:sm:3' h='10' send-count='8'/></stream:error></stream:stream>";
    let act = format!(
        "C: <resume xmlns='urn:xmpp:sm:3' previd='token9' h='10'/>
         A: resume token9 of juliet@verona.example from 10
         E: too-many 10 8
         {error}"
    );
    play(host(), &[TLS, AUTH, &act]);
    let act = format!(
        "C: <a xmlns='urn:xmpp:sm:3' h='10'/>
         A: acknowledged 10
         E: too-many 10 0
         {}",
        error.replace("send-count='8'", "send-count='0'")
    );
    play(host(), &[TLS, AUTH, BIND, ENABLE, &act]);
}

#[test]
fn everything_has_its_time() {
    for early in ["<enable xmlns='urn:xmpp:sm:3'/>", "<r xmlns='urn:xmpp:sm:3'/>", "<a xmlns='urn:xmpp:sm:3' h='0'/>"] {
        let act = format!("C: {early}\nS: {UNEXPECTED}\n");
        play(host(), &[TLS, &act, AUTH, &act, BIND]);
    }
    let early = "<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/>";
    let act = format!("C: {early}\nS: {UNEXPECTED}\n");
    play(host(), &[TLS, &act, AUTH, BIND, &act, ENABLE, &act]);
    let act = format!("C: <r xmlns='urn:xmpp:sm:3'/>\nS: {UNEXPECTED}\n");
    play(host(), &[TLS, AUTH, BIND, &act, ENABLE]);
    let twice = format!(
        "C: <enable xmlns='urn:xmpp:sm:3'/>
         S: {UNEXPECTED}
         S: <stream:error><policy-violation *</stream:stream>"
    );
    play(host(), &[TLS, AUTH, BIND, ENABLE, &twice]);
    for bad in ["<a xmlns='urn:xmpp:sm:3'/>", "<a xmlns='urn:xmpp:sm:3' h='x'/>"] {
        let act = format!("C: {bad}\nS: <stream:error><bad-format *</stream:stream>");
        play(host(), &[TLS, AUTH, BIND, ENABLE, &act]);
    }
}

#[test]
fn a_last_acknowledgement_is_heard_after_our_end() {
    let act = "
        E: end system-shutdown
        S: <stream:error><system-shutdown *</stream:stream>
        C: <a xmlns='urn:xmpp:sm:3' h='3'/>
        A: acknowledged 3
        C: </stream:stream>
        A: close, failed system-shutdown";
    play(host(), &[TLS, AUTH, BIND, ENABLE, act]);
}
