//! Upgrades of what is stored (XEP-0480). The account has keys of 4096 rounds, where new ones get 10,000.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Sha256, Sha512};
use xylem_sasl::{Hash, Mechanism};
use xylem_stream::HostConfig;

use crate::stage::{TLS, host, play};

/// A login by PLAIN with this in `<authenticate/>`, up to what follows the proof.
fn login(wishes: &str) -> String {
    format!(
        "C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>\
            <initial-response>AGp1bGlldABwZW5jaWw=</initial-response>{wishes}</authenticate>
         A: look up juliet@verona.example, costly
         E: secrets
         A: logged in juliet@verona.example by PLAIN\n"
    )
}

fn wish(hash: &str) -> String {
    format!("<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-{hash}</upgrade>")
}

fn told(hash: &str) -> String {
    format!("S: <continue xmlns='urn:xmpp:sasl:2'><tasks><task>UPGR-SCRAM-{hash}</task></tasks></continue>\n")
}

/// The client begins, and gets a salt that nobody has had.
fn given(hash: &str, salt: &str) -> String {
    format!(
        "C: <next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-{hash}'/>
         S: <task-data xmlns='urn:xmpp:sasl:2'><salt xmlns='urn:xmpp:scram-upgrade:0' iterations='10000'>{}</salt></task-data>\n",
        STANDARD.encode(salt)
    )
}

fn hashed(salted: &[u8]) -> String {
    format!(
        "C: <task-data xmlns='urn:xmpp:sasl:2'><hash xmlns='urn:xmpp:scram-upgrade:0'>{}</hash></task-data>\n",
        STANDARD.encode(salted)
    )
}

fn sha_256() -> [u8; 32] {
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(b"pencil", b"token4", 10_000, &mut salted);
    salted
}

fn longer() -> [u8; 64] {
    let mut salted = [0; 64];
    pbkdf2::pbkdf2_hmac::<Sha512>(b"pencil", b"token3", 10_000, &mut salted);
    salted
}

const SUCCESS: &str = "A: limits 262144
    S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>juliet@verona.example</authorization-identifier></success>*\n";

#[test]
fn one_after_the_other() {
    play(
        host(),
        &[
            TLS,
            // The server's order is that of strength; what it does not know it passes over.
            &login(&[wish("SHA-256"), wish("SHA-1"), wish("SHA-9"), wish("SHA-512")].concat()),
            &told("SHA-512"),
            &given("SHA-512", "token3"),
            &hashed(&longer()),
            "A: upgrade juliet@verona.example, Sha512 10000, still pencil
             E: kept\n",
            &told("SHA-256"),
            &given("SHA-256", "token4"),
            &hashed(&sha_256()),
            "A: upgrade juliet@verona.example, Sha256 10000, still pencil
             E: kept\n",
            SUCCESS,
        ],
    );
}

#[test]
fn what_cannot_be_kept_does_not_spoil_the_login() {
    let tasks = [wish("SHA-512"), wish("SHA-256")].concat();
    let upgrade = "A: upgrade juliet@verona.example, Sha512 10000, still pencil\nE: not-kept\n";
    play(
        host(),
        &[TLS, &login(&tasks), &told("SHA-512"), &given("SHA-512", "token3"), &hashed(&longer()), upgrade, SUCCESS],
    );
}

#[test]
fn nothing_is_done_that_is_not_due() {
    // Nothing is better with SHA-1, and the weakest keys stay.
    play(host(), &[TLS, &login(&wish("SHA-1")), SUCCESS]);
    let decoy = host().decoy.with_iterations(4096);
    play(HostConfig { decoy, ..host() }, &[TLS, &login(&wish("SHA-256")), SUCCESS]);
    let only_sha_1 = Arc::new([Mechanism::Plain, Mechanism::Scram { hash: Hash::Sha1, plus: false }]);
    play(HostConfig { mechanisms: only_sha_1, ..host() }, &[TLS, &login(&wish("SHA-256")), SUCCESS]);
}

#[test]
fn what_breaks_the_rules_ends_the_login() {
    let failed = |condition: &str| {
        format!(
            "S: <failure xmlns='urn:xmpp:sasl:2'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>
             A: *{condition}*\n"
        )
    };
    let told = told("SHA-256");
    let begun = [TLS, &login(&wish("SHA-256")), &told].concat();
    for bad in [
        "C: <next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-SHA-512'/>\n".to_owned(),
        "C: <next xmlns='urn:xmpp:sasl:2'/>\n".to_owned(),
        "C: <response xmlns='urn:xmpp:sasl:2'/>\n".to_owned(),
        hashed(&[1; 32]),
        given("SHA-256", "token3") + &hashed(&[1; 31]),
        given("SHA-256", "token3") + "C: <task-data xmlns='urn:xmpp:sasl:2'/>\n",
        given("SHA-256", "token3") + "C: <next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-SHA-256'/>\n",
    ] {
        play(host(), &[&begun, &bad, &failed("malformed-request")]);
    }
    play(host(), &[&begun, "C: <abort xmlns='urn:xmpp:sasl:2'/>\n", &failed("aborted")]);
    let policy = "C: <message xmlns='jabber:client'/>
        S: *<policy-violation *\n";
    play(host(), &[&begun, policy]);
}
