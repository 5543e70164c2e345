//! The mechanisms of one message: PLAIN (RFC 4616), EXTERNAL (XEP-0178),
//! ANONYMOUS (RFC 4505).

use xylem_sasl::{Identity, Lookup, Offer, SaslCondition, Standing, Step};

use crate::client::{begin, condition, failure, found, offer};

fn plain(message: &[u8], lookup: Lookup) -> Step {
    let mut exchange = begin("PLAIN", offer());
    match exchange.initial(Some(message)) {
        Step::NeedSecrets { account } => {
            assert!(exchange.is_costly());
            assert!(account.ends_with("@verona.example"));
            exchange.provide(lookup)
        }
        other => other,
    }
}

fn account(name: &str) -> Step {
    let identity = Identity::Account(format!("{name}@verona.example"));
    Step::Success { identity, additional: None }
}

#[test]
fn plain_logs_in() {
    assert_eq!(plain(b"\0Juliet\0pencil", found(Standing::Active)), account("juliet"));
    let own = b"juliet@verona.example\0juliet\0pencil";
    assert_eq!(plain(own, found(Standing::Active)), account("juliet"));
}

#[test]
fn plain_refuses_wrong_passwords_and_unknown_users_alike() {
    let wrong = failure(plain(b"\0juliet\0pen", found(Standing::Active)));
    let nobody = failure(plain(b"\0tybalt\0pencil", Lookup::Unknown));
    assert_eq!(wrong.condition, SaslCondition::NotAuthorized);
    assert_eq!(nobody.condition, SaslCondition::NotAuthorized);
    let disabled = plain(b"\0juliet\0pencil", found(Standing::Disabled));
    assert_eq!(condition(disabled), SaslCondition::AccountDisabled);
    let strange = plain(b"\0ju@liet\0pencil", found(Standing::Active));
    assert_eq!(condition(strange), SaslCondition::NotAuthorized);
}

#[test]
fn plain_with_the_identity_of_another_is_refused() {
    let step = plain(b"romeo@verona.example\0juliet\0pencil", found(Standing::Active));
    assert_eq!(condition(step), SaslCondition::InvalidAuthzid);
}

#[test]
fn malformed_plain() {
    for bad in [
        &b""[..],
        b"\0",
        b"\0\0",
        b"\0\0\0",
        b"juliet",
        b"\0juliet",
        b"\0juliet\0",
        b"\0\0pencil",
        b"\0juliet\0pencil\0",
        b"\0\xff\xfe\0pencil",
        b"\xff\xff\0juliet\0pencil",
        b"\0jul\x07iet\0pencil",
    ] {
        assert_eq!(condition(plain(bad, Lookup::Unknown)), SaslCondition::MalformedRequest, "{bad:?}");
    }
    // A password in another encoding cannot be right, but is no broken message.
    let latin1 = plain(b"\0juliet\0p\xe9ncil", found(Standing::Active));
    assert_eq!(condition(latin1), SaslCondition::NotAuthorized);
}

fn certified(addresses: &[&str]) -> Offer {
    Offer { certificate: addresses.iter().map(|a| (*a).to_owned()).collect(), ..offer() }
}

fn external(addresses: &[&str], authzid: &str) -> Step {
    let mut exchange = begin("EXTERNAL", certified(addresses));
    match exchange.initial(Some(authzid.as_bytes())) {
        Step::NeedSecrets { .. } => exchange.provide(found(Standing::Active)),
        other => other,
    }
}

#[test]
fn external_takes_the_only_address_of_the_certificate() {
    let only = ["juliet@verona.example"];
    assert_eq!(external(&only, ""), account("juliet"));
    assert_eq!(external(&only, "JULIET@verona.example"), account("juliet"));
}

#[test]
fn external_needs_a_choice_among_several() {
    let both = ["juliet@verona.example", "nurse@verona.example"];
    assert_eq!(external(&both, "nurse@verona.example"), account("nurse"));
    assert_eq!(condition(external(&both, "")), SaslCondition::InvalidAuthzid);
    assert_eq!(condition(external(&both, "romeo@verona.example")), SaslCondition::InvalidAuthzid);
    assert_eq!(condition(external(&both, "nurse")), SaslCondition::InvalidAuthzid);
}

#[test]
fn external_needs_an_account_that_exists() {
    for (lookup, expected) in [
        (Lookup::Unknown, SaslCondition::NotAuthorized),
        (found(Standing::Disabled), SaslCondition::AccountDisabled),
        (Lookup::Unavailable, SaslCondition::TemporaryAuthFailure),
    ] {
        let mut exchange = begin("EXTERNAL", certified(&["juliet@verona.example"]));
        exchange.initial(Some(b""));
        assert!(!exchange.is_costly());
        assert_eq!(condition(exchange.provide(lookup)), expected);
    }
}

#[test]
fn malformed_external() {
    let mut exchange = begin("EXTERNAL", certified(&["juliet@verona.example"]));
    assert_eq!(condition(exchange.initial(Some(b"\xff"))), SaslCondition::MalformedRequest);
}

#[test]
fn anonymous_tells_a_trace_or_nothing() {
    for trace in ["", "sirhc"] {
        let mut exchange = begin("ANONYMOUS", offer());
        let identity = Identity::Anonymous { trace: trace.to_owned() };
        let step = exchange.initial(Some(trace.as_bytes()));
        assert_eq!(step, Step::Success { identity, additional: None });
    }
    let mut exchange = begin("ANONYMOUS", offer());
    assert_eq!(exchange.initial(None), Step::Challenge(vec![]));
    assert!(matches!(exchange.respond(b""), Step::Success { .. }));
}

#[test]
fn malformed_anonymous() {
    for bad in [&b"\xff"[..], &[b'x'; 1021]] {
        let mut exchange = begin("ANONYMOUS", offer());
        assert_eq!(condition(exchange.initial(Some(bad))), SaslCondition::MalformedRequest);
    }
}
