//! STARTTLS (RFC 6120 §5), direct TLS (XEP-0368), and what is announced.

use xylem_stream::{HostConfig, StartTls};

use crate::stage::{AUTH, BIND, TLS, host, lenient, play, play_in, tls};

const OPEN: &str = "
    C: <stream:stream to='verona.example' version='1.0' xmlns='jabber:client'
       xmlns:stream='http://etherx.jabber.org/streams'>
    S: <?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'
       id='token1' from='verona.example' version='1.0' xml:lang='en'>
";

#[test]
fn a_client_upgrades_logs_in_and_binds() {
    play(host(), &[TLS, AUTH, BIND]);
}

#[test]
fn features_inside_tls() {
    let features = "S: <stream:features><sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>
       <channel-binding type='tls-exporter'/><channel-binding type='tls-server-end-point'/></sasl-channel-binding>
       <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>
       <mechanism>SCRAM-SHA-512-PLUS</mechanism><mechanism>SCRAM-SHA-256-PLUS</mechanism>
       <mechanism>SCRAM-SHA-1-PLUS</mechanism><mechanism>SCRAM-SHA-512</mechanism>
       <mechanism>SCRAM-SHA-256</mechanism><mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism>
       </mechanisms><authentication*</stream:features>"
        .replace("\n       ", "");
    play_in(tls(), host(), &[OPEN, &features]);
}

#[test]
fn features_without_tls_where_it_is_optional() {
    let features = "S: <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
       <mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-512</mechanism>
       <mechanism>SCRAM-SHA-256</mechanism><mechanism>SCRAM-SHA-1</mechanism></mechanisms><authentication*</stream:features>"
        .replace("\n       ", "");
    play(lenient(), &[OPEN, &features]);
}

#[test]
fn the_configuration_adds_features_to_either_state() {
    let host = HostConfig {
        features_before_auth: "<register xmlns='http://jabber.org/features/iq-register'/>".into(),
        features_after_auth: "<ver xmlns='urn:xmpp:features:rosterver'/>".into(),
        ..host()
    };
    let before = "S: <stream:features><register xmlns='http://jabber.org/features/iq-register'/><sasl-channel-binding*</stream:features>";
    let after = "S: <stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><session
       xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session><sm xmlns='urn:xmpp:sm:3'/><limits xmlns='urn:xmpp:stream-limits:0'>
       <max-bytes>262144</max-bytes><idle-seconds>600</idle-seconds></limits><ver
       xmlns='urn:xmpp:features:rosterver'/></stream:features>"
        .replace("<session\n       ", "<session ")
        .replace("<ver\n       ", "<ver ")
        .replace("\n       ", "");
    let swap = |act: &str, features: &str| act.replace("S: <stream:features>*</stream:features>", features);
    play(host, &[&swap(TLS, before), &swap(AUTH, &after)]);
}

#[test]
fn nothing_but_starttls_is_possible_where_it_is_required() {
    play(
        host(),
        &[
            OPEN,
            "S: <stream:features>*</stream:features>
             C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGp1bGlldABwZW5jaWw=</auth>
             S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><encryption-required/></failure>
             A: login failed for nobody: encryption-required
             C: <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
             S: <proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
             A: start TLS",
        ],
    );
}

#[test]
fn plain_needs_encryption_even_where_tls_is_optional() {
    play(
        lenient(),
        &[
            OPEN,
            "S: <stream:features>*</stream:features>
             C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGp1bGlldABwZW5jaWw=</auth>
             S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><encryption-required/></failure>
             A: login failed for nobody: encryption-required",
        ],
    );
}

#[test]
fn starttls_that_was_not_offered_fails_and_ends_the_stream() {
    let end = "
        C: <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
        S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
        S: </stream:stream>
        A: close, failed unsupported-feature";
    play(host(), &[TLS, end]);
    let without = HostConfig { starttls: StartTls::Unavailable, ..host() };
    play(without, &[OPEN, "S: <stream:features>*</stream:features>\n", end]);
}

/// RFC 6120 §5.4.3.3: what is sent in front of the handshake was not sent inside.
#[test]
fn nothing_can_be_put_in_front_of_the_handshake() {
    play(
        host(),
        &[
            OPEN,
            "S: <stream:features>*</stream:features>
             C: <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AG
             S: <proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>
             A: start TLS",
        ],
    );
}

#[test]
fn a_handshake_that_does_not_end_is_cut_without_a_word() {
    let start = &TLS[..TLS.find("E: tls").unwrap()];
    play(host(), &[start, "E: timeout\nA: close, failed connection-timeout"]);
    play(host(), &[start, "E: end system-shutdown\nA: close, failed system-shutdown"]);
    play(host(), &[start, "E: disconnected\nA: close, lost"]);
}
