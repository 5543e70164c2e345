//! Time that the test moves, and plugins that fail.
#![allow(clippy::expect_used, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use xylem_testing::{Client, Kit, Server};

fn verona() -> (Server, Client) {
    let server = Kit::new().source("tests/clockwork").start();
    server.account("romeo");
    let romeo = server.client("romeo@localhost/orchard");
    (server, romeo)
}

fn note(text: &str) -> String {
    format!("<message type='headline'><body>{text}</body></message>")
}

fn remind(client: &mut Client, id: &str, after: u32) {
    client.send(&format!("<iq type='set' id='{id}'><remind xmlns='urn:test:clockwork' after='{after}'/></iq>"));
    client.receives(&format!("<iq type='result' id='{id}'/>"));
}

#[test]
fn timers_go_off_at_their_time_and_in_order() {
    let (server, mut romeo) = verona();
    remind(&mut romeo, "late", 3600);
    remind(&mut romeo, "soon", 60);
    server.advance(Duration::from_secs(59));
    romeo.receives_nothing();
    server.advance(Duration::from_secs(1));
    romeo.receives(&note("soon at 2026-01-01T00:01:00{any}Z"));
    romeo.receives_nothing();
    remind(&mut romeo, "next", 1800);
    server.advance(Duration::from_secs(86_400));
    romeo.receives(&note("next at 2026-01-01T00:31:00{any}Z"));
    romeo.receives(&note("late at 2026-01-01T01:00:00{any}Z"));
    romeo.receives_nothing();
    server.no_faults();
}

#[test]
fn timers_outlive_the_server() {
    let (mut server, mut romeo) = verona();
    remind(&mut romeo, "kept", 60);
    server.restart();
    let mut romeo = server.client("romeo@localhost/orchard");
    server.advance(Duration::from_secs(60));
    romeo.receives(&note("kept at 2026-01-01T00:01:00{any}Z"));
    romeo.receives_nothing();
}

#[test]
fn a_question_is_answered_or_times_out() {
    let (server, mut romeo) = verona();
    server.account("juliet");
    let mut juliet = server.client("juliet@localhost/balcony");
    let ask = "<iq type='set' id='a'><ask xmlns='urn:test:clockwork' to='juliet@localhost/balcony'/></iq>";
    for answers in [true, false] {
        romeo.send(ask);
        romeo.receives("<iq type='result' id='a'/>");
        let question =
            juliet.receives("<iq type='get' id='{id:q}' from='romeo@localhost'><time xmlns='urn:xmpp:time'/></iq>");
        if answers {
            juliet.send(&format!("<iq type='result' id='{}' to='romeo@localhost'/>", question.caught("q")));
            romeo.receives(&note("answered"));
        }
        romeo.receives_nothing();
        server.advance(Duration::from_secs(61));
        if !answers {
            romeo.receives(&note("no answer"));
        }
        romeo.receives_nothing();
    }
}

#[test]
fn a_call_that_fails_has_done_nothing_and_is_told() {
    let (server, mut romeo) = verona();
    romeo.send("<iq type='set' id='c'><crash xmlns='urn:test:clockwork'/></iq>");
    romeo.receives(
        "<iq type='error' id='c'><error type='{any}'>
           <internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    romeo.receives_nothing();
    catch_unwind(AssertUnwindSafe(|| server.no_faults())).expect_err("the fault was not noticed");
}
