//! Closing (RFC 6120 §4.4) and errors that the server raises.

use crate::stage::{AUTH, BIND, TLS, host, play};

const OPEN: &str = "
    C: <stream:stream to='verona.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>
    S: *
    S: <stream:features>*
";

/// Every state in which bytes flow.
fn states() -> [Vec<&'static str>; 4] {
    [vec![OPEN], vec![TLS], vec![TLS, AUTH], vec![TLS, AUTH, BIND]]
}

fn in_every_state(act: &str) {
    for mut acts in states() {
        acts.push(act);
        play(host(), &acts);
    }
}

#[test]
fn the_client_closes() {
    in_every_state("C: </stream:stream>\nS: </stream:stream>\nA: close");
}

#[test]
fn the_client_reports_an_error() {
    in_every_state(
        "C: <stream:error><unsupported-feature xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
         S: </stream:stream>
         A: close, reported unsupported-feature",
    );
    in_every_state("C: <stream:error/>\nS: </stream:stream>\nA: close, reported undefined-condition");
}

#[test]
fn the_connection_breaks() {
    in_every_state("E: disconnected\nA: close, lost");
    play(host(), &["E: disconnected\nA: close, lost"]);
}

/// Conditions that come from the server and not from what the client sent.
#[test]
fn the_server_ends_the_stream() {
    for condition in [
        "conflict",
        "reset",
        "system-shutdown",
        "resource-constraint",
        "policy-violation",
        "host-gone",
        "internal-server-error",
        "undefined-condition",
        "not-authorized",
        "see-other-host",
    ] {
        in_every_state(&format!(
            "E: end {condition}
             S: <stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>
             C: <message/><presence/>
             C: </stream:stream>
             A: close, failed {condition}"
        ));
    }
}

#[test]
fn a_phase_takes_too_long() {
    in_every_state(
        "E: timeout
         S: <stream:error><connection-timeout xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>
         E: timeout
         A: close, failed connection-timeout",
    );
}

#[test]
fn an_error_before_the_header_comes_with_ours() {
    play(
        host(),
        &["E: timeout
             S: <?xml version='1.0'?><stream:stream *from='verona.example' version='1.0' xml:lang='en'>
             S: <stream:error><connection-timeout *</stream:error></stream:stream>"],
    );
}

#[test]
fn a_client_that_does_not_close_its_side_is_cut_off() {
    in_every_state("E: end reset\nS: <stream:error>*\nE: disconnected\nA: close, failed reset");
    in_every_state("E: end reset\nS: <stream:error>*\nC: <!-- -->\nA: close, failed reset");
}

#[test]
fn a_second_end_changes_nothing() {
    in_every_state("E: end reset\nS: <stream:error>*\nE: end conflict\nE: timeout\nA: close, failed reset\nE: timeout");
}

#[test]
fn the_server_ends_while_an_answer_is_due() {
    let lookup = &AUTH[..AUTH.find("E: secrets").unwrap()];
    let binding = &BIND[..BIND.find("E: bound").unwrap()];
    let end = "E: end system-shutdown\nS: <stream:error><system-shutdown *\n";
    // The answer comes too late and does no harm.
    play(host(), &[TLS, lookup, end, "E: secrets\n"]);
    play(host(), &[TLS, AUTH, binding, end, "E: bound juliet@verona.example/balcony\n"]);
}
