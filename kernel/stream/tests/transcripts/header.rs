//! The stream header: RFC 6120 §4.7, §4.8.

use crate::stage::{TLS, host, lenient, play};

const CLOSED: &str = "
    C: </stream:stream>
    A: close, failed *
";

fn header(attributes: &str) -> String {
    format!("C: <stream:stream {attributes} xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>\n")
}

fn answer(from: &str) -> String {
    format!(
        "S: <?xml version='1.0'?><stream:stream xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams' id='token1' from='{from}' version='1.0' xml:lang='en'>\n"
    )
}

fn error(condition: &str) -> String {
    format!(
        "S: <stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>*</stream:error></stream:stream>\n"
    )
}

/// Whatever the header's fault, ours comes before the error (§4.9.1.2).
fn refused(attributes: &str, from: &str, condition: &str) {
    play(host(), &[&header(attributes), &answer(from), &error(condition), CLOSED]);
}

fn accepted(attributes: &str, from: &str) {
    play(host(), &[&header(attributes), &answer(from), "S: <stream:features>*</stream:features>\n"]);
}

#[test]
fn the_header_names_the_host() {
    accepted("to='verona.example' version='1.0'", "verona.example");
    accepted("to='VERONA.example' version='1.0'", "verona.example");
    accepted("to='mantua.example' version='1.0'", "mantua.example");
}

#[test]
fn a_header_without_to_means_the_default_host() {
    accepted("version='1.0'", "verona.example");
}

#[test]
fn hosts_not_served_here() {
    refused("to='rome.example' version='1.0'", "verona.example", "host-unknown");
    refused("to='juliet@verona.example' version='1.0'", "verona.example", "host-unknown");
    refused("to='padua.example' version='1.0'", "verona.example", "host-gone");
}

#[test]
fn addresses_that_are_none() {
    refused("to='' version='1.0'", "verona.example", "improper-addressing");
    refused("to='a@b@c' version='1.0'", "verona.example", "improper-addressing");
    refused("to='verona.example' from='@' version='1.0'", "verona.example", "invalid-from");
}

#[test]
fn versions_are_numbers() {
    for version in ["1.0", "1.1", "1.10", "01.0", "2.0", "10.0"] {
        accepted(&format!("to='verona.example' version='{version}'"), "verona.example");
    }
    for version in ["0.9", "0.0", "1", "", "x", "-1.0", "1.0.0", "1.x", "00.1", "1.9999999999"] {
        refused(&format!("to='verona.example' version='{version}'"), "verona.example", "unsupported-version");
    }
    refused("to='verona.example'", "verona.example", "unsupported-version");
}

#[test]
fn the_answer_is_addressed_to_who_said_from() {
    play(
        lenient(),
        &[
            &header("to='verona.example' from='Juliet@verona.example' version='1.0'"),
            "S: <?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'
                id='token1' from='verona.example' to='juliet@verona.example' version='1.0' xml:lang='en'>
             S: <stream:features>*</stream:features>",
        ],
    );
}

#[test]
fn other_namespaces() {
    for (header, condition) in [
        (
            "<stream:stream to='verona.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://wrong.example/'>",
            "invalid-namespace",
        ),
        (
            "<stream:stream to='verona.example' version='1.0' xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>",
            "invalid-namespace",
        ),
        (
            "<stream:stream to='verona.example' version='1.0' xmlns:stream='http://etherx.jabber.org/streams'>",
            "invalid-namespace",
        ),
        ("<stream to='verona.example' version='1.0' xmlns='http://etherx.jabber.org/streams'>", "invalid-namespace"),
        ("<html>", "invalid-namespace"),
        (
            "<stream:flood to='verona.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
            "bad-format",
        ),
    ] {
        let sent = format!("C: {header}\n");
        play(host(), &[&sent, &answer("verona.example"), &error(condition)]);
    }
}

#[test]
fn another_prefix_for_streams_is_understood() {
    play(
        host(),
        &[
            "C: <s:stream to='verona.example' version='1.0' xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>\n",
            &answer("verona.example"),
            "S: <stream:features>*</stream:features>
             C: </s:stream>
             S: </stream:stream>
             A: close",
        ],
    );
}

#[test]
fn a_stream_that_ends_with_its_header() {
    play(
        host(),
        &[
            "C: <stream:stream to='verona.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'/>\n",
            &answer("verona.example"),
            "S: <stream:features>*</stream:features>
             S: </stream:stream>
             A: close",
        ],
    );
}

#[test]
fn whoever_does_not_speak_xml_gets_our_header_and_the_error() {
    for (sent, condition) in [
        ("GET / HTTP/1.1\\n\\n", "not-well-formed"),
        ("<!DOCTYPE x>", "restricted-xml"),
        ("<?php x?>", "restricted-xml"),
        ("<!-- x -->", "restricted-xml"),
        ("<s:stream>", "bad-namespace-prefix"),
        ("<?xml version='1.0' encoding='latin1'?>", "unsupported-encoding"),
        ("\\xfe\\xff\\x00<", "unsupported-encoding"),
    ] {
        let sent = format!("C: {sent}\n");
        let closed = format!("A: close, failed {condition}\n");
        play(host(), &[&sent, &answer("verona.example"), &error(condition), &closed]);
    }
}

#[test]
fn the_announced_host_may_be_another_inside_tls() {
    let to_mantua =
        TLS.replacen("E: tls\n    C: <stream:stream to='verona", "E: tls\n    C: <stream:stream to='mantua", 1);
    let to_mantua = to_mantua.replace("id='token2' from='verona", "id='token2' from='mantua");
    play(host(), &[&to_mantua]);
}
