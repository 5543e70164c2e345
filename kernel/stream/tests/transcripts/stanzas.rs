//! Stanzas of a bound session (RFC 6120 §8).

use crate::stage::{AUTH, BIND, TLS, host, play};

fn session(act: &str) {
    play(host(), &[TLS, AUTH, BIND, act]);
}

#[test]
fn stanzas_carry_the_full_address() {
    for from in
        ["", " from='juliet@verona.example'", " from='juliet@verona.example/balcony'", " from='Juliet@Verona.example'"]
    {
        session(&format!(
            "C: <message to='romeo@verona.example'{from}><body>Art thou not Romeo?</body></message>
             A: stanza <message xmlns='jabber:client' from='juliet@verona.example/balcony' to='romeo@verona.example'><body>Art thou not Romeo?</body></message>"
        ));
    }
}

#[test]
fn another_from_ends_the_stream() {
    for from in [
        "romeo@verona.example",
        "juliet@verona.example/chamber",
        "verona.example",
        "juliet@mantua.example",
        "@",
        "a@b@c",
    ] {
        session(&format!(
            "C: <message to='romeo@verona.example' from='{from}'/>
             S: <stream:error><invalid-from xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
        ));
    }
}

#[test]
fn stanzas_that_cannot_be_read_are_answered() {
    session(
        "C: <message to='a@b@c' id='m'/>
         S: <message id='m' type='error'><error type='modify'><jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
         C: <iq type='get' id='q'/>
         S: <iq id='q' type='error'><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
         C: <iq type='result' to='a@b@c' id='r'/>
         C: <presence/>
         A: stanza <presence xmlns='jabber:client' from='juliet@verona.example/balcony'/>",
    );
}

#[test]
fn what_is_no_stanza_ends_the_stream() {
    for (sent, condition) in [
        ("<foo/>", "unsupported-stanza-type"),
        ("<foo xmlns='urn:example:bar'/>", "unsupported-stanza-type"),
        ("<message xmlns='jabber:server'/>", "invalid-namespace"),
        ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>", "policy-violation"),
        ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "policy-violation"),
    ] {
        session(&format!("C: {sent}\nS: <stream:error><{condition} *</stream:error></stream:stream>"));
    }
}

#[test]
fn the_language_of_the_stream_is_that_of_its_stanzas() {
    let auth = AUTH.replace("C: <stream:stream to", "C: <stream:stream xml:lang='it' to");
    play(
        host(),
        &[
            TLS, &auth, BIND,
            "C: <message to='romeo@verona.example'><body>Ciao</body></message>
             A: stanza <message xmlns='jabber:client' from='juliet@verona.example/balcony' to='romeo@verona.example' xml:lang='it'><body>Ciao</body></message>
             C: <message to='romeo@verona.example' xml:lang='en'><body>Hi</body></message>
             A: stanza <message xmlns='jabber:client' from='juliet@verona.example/balcony' to='romeo@verona.example' xml:lang='en'><body>Hi</body></message>",
        ],
    );
}

#[test]
fn a_language_that_is_none_is_not_repeated() {
    let auth = AUTH.replace("C: <stream:stream to", "C: <stream:stream xml:lang='&lt;&apos;' to");
    play(
        host(),
        &[
            TLS,
            &auth,
            BIND,
            "C: <presence/>
             A: stanza <presence xmlns='jabber:client' from='juliet@verona.example/balcony'/>",
        ],
    );
}

#[test]
fn prefixes_of_the_header_come_along() {
    let auth = AUTH.replace("C: <stream:stream to", "C: <stream:stream xmlns:x='urn:example:x' to");
    play(
        host(),
        &[
            TLS, &auth, BIND,
            "C: <message to='romeo@verona.example'><x:y/></message>
             A: stanza <message xmlns='jabber:client' from='juliet@verona.example/balcony' to='romeo@verona.example' xmlns:x='urn:example:x'><x:y/></message>",
        ],
    );
}

#[test]
fn whitespace_keeps_alive_and_says_nothing() {
    session("C: \\n \\n<presence/>\\n\nA: stanza <presence *");
}
