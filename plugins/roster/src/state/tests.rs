//! The tables of RFC 6121 appendix A, row by row.

use super::{Change, Flags, inbound, outbound};
use Change::{Subscribe, Subscribed, Unsubscribe, Unsubscribed};

/// The appendix names states with a few letters: T(o), F(rom), O(ut pending), I(n pending).
fn state(letters: &str) -> Flags {
    letters.chars().fold(Flags::NONE, |flags, letter| {
        flags.with(match letter {
            'T' => Flags::TO,
            'F' => Flags::FROM,
            'O' => Flags::ASK,
            'I' => Flags::PENDING,
            'A' => Flags::APPROVED,
            other => unreachable!("{other}"),
        })
    })
}

const STATES: [&str; 9] = ["", "O", "I", "OI", "T", "TI", "F", "FO", "TF"];

/// `+` before the new state: it passes.
fn check(step: fn(Flags, Change) -> super::Step, change: Change, table: [&str; 9]) {
    for (before, after) in STATES.into_iter().zip(table) {
        let step = step(state(before), change);
        let expected = (after.starts_with('+'), state(after.trim_start_matches('+')));
        assert_eq!((step.passes, step.flags.without(Flags::LISTED)), expected, "{change:?} in state {before:?}");
    }
}

#[test]
fn outbound_subscribe() {
    check(outbound, Subscribe, ["+O", "+O", "+OI", "+OI", "+T", "+TI", "+FO", "+FO", "+TF"]);
}

#[test]
fn outbound_unsubscribe() {
    check(outbound, Unsubscribe, ["+", "+", "+I", "+I", "+", "+I", "+F", "+F", "+F"]);
}

#[test]
fn outbound_subscribed() {
    check(outbound, Subscribed, ["A", "OA", "+F", "+FO", "TA", "+TF", "F", "FO", "TF"]);
}

#[test]
fn outbound_unsubscribed() {
    check(outbound, Unsubscribed, ["", "O", "+", "+O", "T", "+T", "+", "+O", "+T"]);
}

#[test]
fn inbound_subscribe() {
    check(inbound, Subscribe, ["+I", "+OI", "I", "OI", "+TI", "TI", "F", "FO", "TF"]);
}

#[test]
fn inbound_unsubscribe() {
    check(inbound, Unsubscribe, ["", "O", "+", "+O", "T", "+T", "+", "+O", "+T"]);
}

#[test]
fn inbound_subscribed() {
    check(inbound, Subscribed, ["", "+T", "I", "+TI", "T", "TI", "F", "+TF", "TF"]);
}

#[test]
fn inbound_unsubscribed() {
    check(inbound, Unsubscribed, ["", "+", "I", "+I", "+", "+I", "F", "+F", "+F"]);
}

/// §3.4: approval in advance answers the request, and `unsubscribed` takes it back.
#[test]
fn approval_in_advance() {
    let approved = outbound(Flags::NONE, Subscribed).flags;
    let step = inbound(approved, Subscribe);
    assert!(!step.passes && step.flags.has(Flags::FROM));
    assert_eq!(outbound(approved, Unsubscribed).flags, Flags::LISTED);
}

/// Only what the user did puts a contact into the list.
#[test]
fn requests_alone_are_not_listed() {
    assert!(!inbound(Flags::NONE, Subscribe).flags.has(Flags::LISTED));
    assert!(outbound(Flags::NONE, Subscribe).flags.has(Flags::LISTED));
    assert!(outbound(state("I"), Subscribed).flags.has(Flags::LISTED));
    assert_eq!(outbound(state("I"), Unsubscribed).flags, Flags::NONE);
}
