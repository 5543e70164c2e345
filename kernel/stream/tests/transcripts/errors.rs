//! Errors of form inside a stream: each condition of RFC 6120 §4.9.3 that the
//! client's XML can bring about, in every state.

use crate::stage::{AUTH, BIND, TLS, host, play};

fn in_every_state(sent: &str, condition: &str) {
    let act = format!(
        "C: {sent}
         S: <stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>
         A: close, failed {condition}"
    );
    play(host(), &[TLS, &act]);
    play(host(), &[TLS, AUTH, &act]);
    play(host(), &[TLS, AUTH, BIND, &act]);
}

#[test]
fn bad_format() {
    in_every_state("text", "bad-format");
}

#[test]
fn bad_namespace_prefix() {
    in_every_state("<message><x:y/></message>", "bad-namespace-prefix");
}

#[test]
fn not_well_formed() {
    in_every_state("<message></presence>", "not-well-formed");
    in_every_state("<message a='1' a='2'/>", "not-well-formed");
    in_every_state("<message>\\x01</message>", "not-well-formed");
}

#[test]
fn restricted_xml() {
    in_every_state("<!-- hush -->", "restricted-xml");
    in_every_state("<message><?x y?></message>", "restricted-xml");
    in_every_state("<message>&nbsp;</message>", "restricted-xml");
}

#[test]
fn unsupported_encoding() {
    in_every_state("<message>\\xff\\xfe</message>", "unsupported-encoding");
}

#[test]
fn policy_violation_for_what_is_too_big() {
    let big = format!("<message>{}</message>", "x".repeat(10_000));
    let act = format!("C: {big}\nS: <stream:error><policy-violation *\nA: close, failed policy-violation");
    play(host(), &[TLS, &act]);
    // Once logged in, there is more room.
    play(host(), &[TLS, AUTH, BIND, &format!("C: {big}\nA: stanza <message *")]);
    let deep =
        format!("C: {}\nS: <stream:error><policy-violation *\nA: close, failed policy-violation", "<a>".repeat(70));
    play(host(), &[TLS, AUTH, BIND, &deep]);
}

#[test]
fn unsupported_stanza_types() {
    let act = "
        C: <compress xmlns='http://jabber.org/protocol/compress'/>
        S: <stream:error><unsupported-stanza-type xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>";
    play(host(), &[TLS, act]);
    play(host(), &[TLS, AUTH, act]);
    play(host(), &[TLS, AUTH, BIND, act]);
    play(host(), &[TLS, &act.replace("<compress xmlns='http://jabber.org/protocol/compress'/>", "<rage/>")]);
}
