//! SASL negotiation (RFC 6120 §6).

use std::sync::Arc;

use xylem_sasl::Mechanism;
use xylem_stanza::BareJid;
use xylem_stream::{HostConfig, Tls};

use crate::stage::{AUTH, TLS, all_mechanisms, host, play, play_in, tls};

/// `\0juliet\0wrong`.
const WRONG: &str = "
    C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGp1bGlldAB3cm9uZw==</auth>
    A: look up juliet@verona.example, costly
    E: secrets
    S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>
    A: login failed for juliet@verona.example: not-authorized
";

#[test]
fn a_wrong_password_may_be_corrected() {
    play(host(), &[TLS, WRONG, WRONG, AUTH]);
}

#[test]
fn an_unknown_user_looks_like_a_wrong_password() {
    play(host(), &[TLS, &WRONG.replace("E: secrets", "E: unknown")]);
}

#[test]
fn after_too_many_attempts_the_stream_is_closed() {
    play(
        host(),
        &[
            TLS,
            WRONG,
            WRONG,
            WRONG,
            WRONG,
            WRONG,
            "S: <stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text*</stream:error></stream:stream>",
        ],
    );
}

#[test]
fn a_client_that_waits_for_the_challenge() {
    let success = &AUTH[AUTH.find("A: look up").unwrap()..];
    play(
        host(),
        &[
            TLS,
            "C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>
             S: <challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
             C: <response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AGp1bGlldABwZW5jaWw=</response>
             ",
            success,
        ],
    );
}

#[test]
fn a_client_that_sends_its_next_header_early_is_not_lost() {
    // The header waits in the framer until the store has answered.
    let header = "<stream:stream to='verona.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
    play(
        host(),
        &[
            TLS,
            &format!(
                "C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGp1bGlldABwZW5jaWw=</auth>{header}\n"
            ),
            "A: look up juliet@verona.example, costly
             E: secrets
             S: <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
             A: logged in juliet@verona.example by PLAIN
             A: restart
             A: limits 262144
             S: *id='token3'*
             S: <stream:features><bind*",
        ],
    );
}

/// Each failure condition of §6.5 that a client can bring about.
#[test]
fn failure_conditions() {
    let xmlns = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
    for (sent, condition) in [
        (format!("<auth {xmlns} mechanism='PLAIN'>A</auth>"), "incorrect-encoding"),
        (format!("<auth {xmlns} mechanism='PLAIN'>AGp1bGlldABwZW5jaWw</auth>"), "incorrect-encoding"),
        (format!("<auth {xmlns} mechanism='PLAIN'> AGp1bGlldABwZW5jaWw=</auth>"), "incorrect-encoding"),
        (format!("<auth {xmlns} mechanism='PLAIN'>=</auth>"), "malformed-request"),
        (format!("<auth {xmlns} mechanism='PLAIN'>AAAA</auth>"), "malformed-request"),
        (format!("<auth {xmlns} mechanism='PLAIN'><x/></auth>"), "malformed-request"),
        (format!("<auth {xmlns} mechanism='DIGEST-MD5'/>"), "invalid-mechanism"),
        (format!("<auth {xmlns}/>"), "invalid-mechanism"),
        (format!("<auth {xmlns} mechanism='ANONYMOUS'/>"), "invalid-mechanism"),
        // romeo@verona.example\0juliet\0pencil
        (
            format!("<auth {xmlns} mechanism='PLAIN'>cm9tZW9AdmVyb25hLmV4YW1wbGUAanVsaWV0AHBlbmNpbA==</auth>"),
            "invalid-authzid",
        ),
        // \0a@b\0pencil
        (format!("<auth {xmlns} mechanism='PLAIN'>AGFAYgBwZW5jaWw=</auth>"), "not-authorized"),
        (format!("<response {xmlns}/>"), "malformed-request"),
        (format!("<abort {xmlns}/>"), "aborted"),
    ] {
        let act = format!(
            "C: {sent}\nS: <failure {xmlns}><{condition}/></failure>\nA: login failed for nobody: {condition}\n"
        );
        play(host(), &[TLS, &act, AUTH]);
    }
}

#[test]
fn an_exchange_can_be_aborted_or_broken() {
    let xmlns = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
    for (sent, condition) in [
        (format!("<abort {xmlns}/>"), "aborted"),
        (format!("<auth {xmlns} mechanism='PLAIN'/>"), "malformed-request"),
        (format!("<response {xmlns}>!</response>"), "incorrect-encoding"),
        (format!("<response {xmlns}/>"), "malformed-request"),
    ] {
        let act = format!(
            "C: <auth {xmlns} mechanism='PLAIN'/>
             S: <challenge {xmlns}/>
             C: {sent}
             S: <failure {xmlns}><{condition}/></failure>
             A: login failed for nobody: {condition}\n"
        );
        play(host(), &[TLS, &act, AUTH]);
    }
}

#[test]
fn a_store_in_trouble_is_temporary() {
    let act = WRONG.replace("E: secrets", "E: unavailable").replace("not-authorized", "temporary-auth-failure");
    play(host(), &[TLS, &act]);
}

#[test]
fn mechanisms_that_policy_forbids() {
    let only = Mechanism::parse("SCRAM-SHA-256").unwrap();
    let weak = HostConfig { mechanisms: Arc::new([only]), ..host() };
    play(
        weak,
        &[
            TLS,
            "C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGp1bGlldABwZW5jaWw=</auth>
             S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism-too-weak/></failure>
             A: login failed for nobody: mechanism-too-weak",
        ],
    );
}

#[test]
fn anonymous_clients_get_an_address_nobody_had() {
    let host = HostConfig { mechanisms: all_mechanisms(), ..host() };
    play(
        host,
        &[
            TLS,
            "C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>
             S: <challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
             C: <response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
             S: <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
             A: logged in token3@verona.example by ANONYMOUS, anonymous
             A: restart
             A: limits 262144",
        ],
    );
}

fn certified(addresses: &[&str]) -> Tls {
    Tls { certificate: addresses.iter().map(|a| BareJid::parse(a).unwrap()).collect(), ..tls() }
}

const DIRECT: &str = "
    C: <stream:stream to='verona.example' version='1.0' xmlns='jabber:client'
       xmlns:stream='http://etherx.jabber.org/streams'>
    S: *id='token1'*
";

#[test]
fn a_certificate_logs_in() {
    let external = "
        S: <stream:features>*<mechanism>EXTERNAL</mechanism><mechanism>SCRAM-SHA-512-PLUS*
        C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>
        A: look up juliet@verona.example
        E: secrets
        S: <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
        A: logged in juliet@verona.example by EXTERNAL
        A: restart
        A: limits 262144";
    play_in(certified(&["juliet@verona.example", "juliet@mantua.example"]), host(), &[DIRECT, external]);
}

#[test]
fn a_certificate_for_another_host_is_none() {
    let external = "
        S: <stream:features>*<mechanism>SCRAM-SHA-512-PLUS*
        C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>
        S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-mechanism/></failure>
        A: login failed for nobody: invalid-mechanism";
    play_in(certified(&["juliet@mantua.example", "verona.example"]), host(), &[DIRECT, external]);
}

#[test]
fn stanzas_before_the_login_end_the_stream() {
    for stanza in [
        "<message to='romeo@verona.example'><body>Hi</body></message>",
        "<presence/>",
        "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>",
        "<iq/>",
    ] {
        let act = format!(
            "C: {stanza}
             S: <stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>
             C: </stream:stream>
             A: close, failed not-authorized"
        );
        play(host(), &[TLS, &act]);
    }
}

#[test]
fn an_iq_may_be_admitted_by_its_namespace() {
    let host = HostConfig { pre_auth_namespaces: vec!["jabber:iq:register".into()], ..host() };
    let get = "<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>";
    play(
        host.clone(),
        &[
            TLS,
            &format!("C: {get}\n"),
            "A: pre-auth at verona.example: <iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:register'/></iq>\n",
            AUTH,
        ],
    );
    // But not before TLS, where that is required, and never a message.
    let open = &TLS[..TLS.find("C: <starttls").unwrap()];
    let refused = "S: <stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>\n";
    play(host.clone(), &[open, &format!("C: {get}\n"), refused]);
    play(host, &[TLS, "C: <message><query xmlns='jabber:iq:register'/></message>\n", refused]);
}
