//! Resource binding (RFC 6120 §7).

use crate::stage::{AUTH, BIND, TLS, host, play};

#[test]
fn the_server_chooses_where_the_client_does_not() {
    for request in [
        "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>",
        "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource/></bind>",
    ] {
        let act = format!(
            "C: <iq type='set' id='1'>{request}</iq>
             A: bind juliet@verona.example anywhere
             E: bound juliet@verona.example/4db06f06
             S: <iq type='result' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>juliet@verona.example/4db06f06</jid></bind></iq>
             A: established juliet@verona.example/4db06f06"
        );
        play(host(), &[TLS, AUTH, &act]);
    }
}

#[test]
fn the_address_bound_may_differ_from_the_one_asked_for() {
    let act = BIND.replace("E: bound juliet@verona.example/balcony", "E: bound juliet@verona.example/balcony-2");
    let act = act.replace("<jid>juliet@verona.example/balcony<", "<jid>juliet@verona.example/balcony-2<");
    let act = act.replace("established juliet@verona.example/balcony", "established juliet@verona.example/balcony-2");
    play(host(), &[TLS, AUTH, &act]);
}

#[test]
fn refusals_leave_the_client_another_try() {
    for (condition, type_) in [
        ("conflict", "modify"),
        ("resource-constraint", "wait"),
        ("not-allowed", "cancel"),
        ("bad-request", "modify"),
        ("internal-server-error", "cancel"),
    ] {
        let act = format!(
            "C: <iq type='set' id='a'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>balcony</resource></bind></iq>
             A: bind juliet@verona.example/balcony
             E: refused {condition}
             S: <iq type='error' id='a'><error type='{type_}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>\n"
        );
        play(host(), &[TLS, AUTH, &act, BIND]);
    }
}

#[test]
fn bad_requests() {
    for request in [
        "<iq type='get' id='a'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
        "<iq id='a'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
        "<iq type='set' id='a'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>&#x9;</resource></bind></iq>",
    ] {
        let act = format!(
            "C: {request}
             S: <iq type='error' id='a'><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>\n"
        );
        play(host(), &[TLS, AUTH, &act, BIND]);
    }
    let act = "
        C: <iq type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
        S: <iq type='error'><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>";
    play(host(), &[TLS, AUTH, act]);
}

#[test]
fn after_too_many_attempts_the_stream_is_closed() {
    let bad = "
        C: <iq type='get' id='a'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
        S: <iq type='error' id='a'>*</iq>";
    let end = "
        S: <stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>*</stream:error></stream:stream>";
    play(host(), &[TLS, AUTH, bad, bad, bad, bad, bad, end]);
}

/// RFC 6120 §7.1: whatever comes before the resource ends the stream.
#[test]
fn stanzas_before_binding() {
    for stanza in [
        "<presence/>",
        "<message to='romeo@verona.example'/>",
        "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>",
        "<iq type='set' id='1'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
        "<message><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></message>",
        "<iq type='error' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    ] {
        let act = format!(
            "C: {stanza}
             S: <stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>*</stream:error></stream:stream>"
        );
        play(host(), &[TLS, AUTH, &act]);
    }
}

#[test]
fn a_second_resource_is_not_allowed() {
    play(
        host(),
        &[
            TLS, AUTH, BIND,
            "C: <iq type='set' id='2'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>
             S: <iq id='2' type='error'><error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>*</error></iq>",
        ],
    );
}

#[test]
fn the_legacy_session_request_is_answered() {
    play(
        host(),
        &[
            TLS,
            AUTH,
            BIND,
            "C: <iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>
             S: <iq id='s' type='result'/>
             C: <iq type='set' id='t' to='verona.example'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>
             S: <iq from='verona.example' id='t' type='result'/>",
        ],
    );
}

#[test]
fn stanzas_sent_along_with_the_request_wait_for_the_session() {
    play(
        host(),
        &[
            TLS,
            AUTH,
            "C: <iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq><presence/>
             A: bind juliet@verona.example anywhere
             E: bound juliet@verona.example/x
             S: <iq type='result' id='b'>*</iq>
             A: established juliet@verona.example/x
             A: stanza <presence xmlns='jabber:client' from='juliet@verona.example/x'/>",
        ],
    );
}

#[test]
fn somebody_elses_address_is_never_bound() {
    let act = BIND[..BIND.find("E: ").unwrap()].to_owned();
    play(
        host(),
        &[
            TLS,
            AUTH,
            &act,
            "E: bound romeo@verona.example/orchard
             S: <iq type='error' id='b'>*<internal-server-error *</iq>",
        ],
    );
}

#[test]
fn the_header_after_the_login_must_be_the_same_clients() {
    let auth = &AUTH[..AUTH.find("C: <stream:stream").unwrap()];
    for (attributes, condition) in
        [("from='romeo@verona.example' to='verona.example'", "invalid-from"), ("to='mantua.example'", "not-authorized")]
    {
        let act = format!(
            "C: <stream:stream {attributes} version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>
             S: *id='token3' from='verona.example'*
             S: <stream:error><{condition} *</stream:error></stream:stream>"
        );
        play(host(), &[TLS, auth, &act]);
    }
    let own = "
        C: <stream:stream from='juliet@verona.example' to='verona.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>
        S: *id='token3' from='verona.example' to='juliet@verona.example'*
        S: <stream:features>*";
    play(host(), &[TLS, auth, own]);
}
