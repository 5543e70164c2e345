//! What is announced, and what a client gets that chooses something else.

use std::sync::Arc;

use xylem_sasl::{ChannelBindings, Mechanism, Offer, SaslCondition};

use crate::client::{END_POINT, offer, plaintext, refusal};

fn names(offer: &Offer) -> Vec<&'static str> {
    offer.mechanisms().map(Mechanism::name).collect()
}

#[test]
fn an_encrypted_stream_offers_the_strong_first() {
    let offer = Offer { enabled: Arc::new(Mechanism::DEFAULT), ..offer() };
    assert_eq!(
        names(&offer),
        [
            "SCRAM-SHA-512-PLUS",
            "SCRAM-SHA-256-PLUS",
            "SCRAM-SHA-1-PLUS",
            "SCRAM-SHA-512",
            "SCRAM-SHA-256",
            "SCRAM-SHA-1",
            "PLAIN",
        ]
    );
    let types: Vec<_> = offer.channel_binding_types().collect();
    assert_eq!(types, ["tls-exporter", "tls-server-end-point"]);
}

#[test]
fn tls_1_2_has_no_exporter_to_bind_to() {
    let bindings = ChannelBindings { tls_exporter: None, tls_server_end_point: Some(END_POINT.to_vec()) };
    let offer = Offer { bindings, ..offer() };
    assert!(offer.announces_plus());
    assert_eq!(offer.channel_binding_types().collect::<Vec<_>>(), ["tls-server-end-point"]);
}

#[test]
fn a_plaintext_stream_offers_nothing_that_needs_tls() {
    let offer = Offer { enabled: Arc::new(Mechanism::DEFAULT), ..plaintext() };
    assert_eq!(names(&offer), ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"]);
    assert_eq!(offer.channel_binding_types().count(), 0);
}

#[test]
fn types_are_not_announced_where_no_mechanism_uses_them() {
    let offer = Offer { enabled: Arc::new([Mechanism::Plain]), ..offer() };
    assert_eq!(offer.channel_binding_types().count(), 0);
}

#[test]
fn external_is_offered_with_a_certificate_only() {
    assert!(!names(&offer()).contains(&"EXTERNAL"));
    let certified = Offer { certificate: vec!["juliet@verona.example".into()], ..offer() };
    assert_eq!(names(&certified).first(), Some(&"EXTERNAL"));
}

#[test]
fn conditions_for_what_was_not_offered() {
    let without = |drop: Mechanism| {
        let left: Vec<_> = Mechanism::ALL.into_iter().filter(|m| *m != drop).collect();
        Offer { enabled: left.into(), ..offer() }
    };
    let sha1 = Mechanism::parse("SCRAM-SHA-1").unwrap();
    for (mechanism, offer, expected) in [
        ("", offer(), SaslCondition::InvalidMechanism),
        ("DIGEST-MD5", offer(), SaslCondition::InvalidMechanism),
        ("plain", offer(), SaslCondition::InvalidMechanism),
        ("EXTERNAL", offer(), SaslCondition::InvalidMechanism),
        ("ANONYMOUS", without(Mechanism::Anonymous), SaslCondition::InvalidMechanism),
        ("SCRAM-SHA-1-PLUS", plaintext(), SaslCondition::InvalidMechanism),
        ("SCRAM-SHA-1", without(sha1), SaslCondition::MechanismTooWeak),
        ("PLAIN", without(Mechanism::Plain), SaslCondition::MechanismTooWeak),
        ("PLAIN", plaintext(), SaslCondition::EncryptionRequired),
    ] {
        assert_eq!(refusal(mechanism, offer), expected, "{mechanism}");
    }
}
