//! Logging in with a token (XEP-0484).

use xylem_stream::HostConfig;

use crate::stage::{AUTH, TLS, host, play};

const AGENT: &str = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>";
/// `juliet`, a zero byte, and 32 times `x`.
const PROOF: &str = "<initial-response>anVsaWV0AHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4</initial-response>";

fn claim(mechanism: &str, children: &str) -> String {
    format!("C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='{mechanism}'>{PROOF}{children}</authenticate>\n")
}

#[test]
fn a_token_is_given_with_the_login() {
    let asked = format!(
        "C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AGp1bGlldABwZW5jaWw=</initial-response>\
         {AGENT}<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-EXPR'/></authenticate>
         A: look up juliet@verona.example, costly
         E: secrets
         A: logged in juliet@verona.example by PLAIN
         A: limits 262144
         A: issue a token to juliet@verona.example for HT-SHA-256-EXPR
         E: issued
         S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>juliet@verona.example</authorization-identifier>\
         <token xmlns='urn:xmpp:fast:0' expiry='2026-01-01T00:00:00Z' token='secret'/></success><stream:features>*\n"
    );
    play(host(), &[TLS, &asked]);
    // Nor is one that has no name to be known by, nor where there are none.
    let nothing = "S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>juliet@verona.example</authorization-identifier></success>*\n";
    let (before, _) = asked.split_once("         A: issue").unwrap();
    play(host(), &[TLS, &before.replace(AGENT, "<user-agent/>"), nothing]);
    play(HostConfig { tokens: false, ..host() }, &[TLS, before, nothing]);
}

/// One round trip: login and session.
#[test]
fn a_token_logs_in() {
    let fast = "<fast xmlns='urn:xmpp:fast:0' count='7'/>";
    let login = "A: check juliet@verona.example, HT-SHA-256-EXPR, 32 bytes of binding, count 7
         E: token right
         A: logged in juliet@verona.example by HT-SHA-256-EXPR
         A: limits 262144
         A: bind client juliet@verona.example/*, ending others
         E: bound juliet@verona.example/x
         S: <success xmlns='urn:xmpp:sasl:2'><additional-data>AQE=</additional-data>\
         <authorization-identifier>juliet@verona.example/x</authorization-identifier>\
         <bound xmlns='urn:xmpp:bind:0'/></success><stream:features>*
         A: established juliet@verona.example/x\n";
    let claimed = claim("HT-SHA-256-EXPR", &format!("{AGENT}{fast}<bind xmlns='urn:xmpp:bind:0'/>"));
    play(host(), &[TLS, &claimed, login]);
}

#[test]
fn a_token_is_renewed_unasked() {
    let renewed = "A: check juliet@verona.example, HT-SHA-256-NONE, 0 bytes of binding
         E: token renewed
         A: logged in juliet@verona.example by HT-SHA-256-NONE
         A: limits 262144
         S: <success xmlns='urn:xmpp:sasl:2'><additional-data>AQE=</additional-data>*<token xmlns='urn:xmpp:fast:0' *</success>*\n";
    let claimed = claim("HT-SHA-256-NONE", &format!("{AGENT}<fast xmlns='urn:xmpp:fast:0'/>"));
    play(host(), &[TLS, &claimed, renewed]);
    let given_back =
        claimed.replace("<fast xmlns='urn:xmpp:fast:0'/>", "<fast xmlns='urn:xmpp:fast:0' invalidate='1'/>");
    play(host(), &[TLS, &given_back, &renewed.replacen("binding\n", "binding, invalidate\n", 1)]);
}

/// The client may try otherwise.
#[test]
fn a_token_that_is_not_good() {
    let claimed = claim("HT-SHA-256-NONE", &format!("{AGENT}<fast xmlns='urn:xmpp:fast:0'/>"));
    for condition in ["not-authorized", "credentials-expired", "account-disabled", "temporary-auth-failure"] {
        let refused = format!(
            "A: check juliet@verona.example, HT-SHA-256-NONE, 0 bytes of binding
             E: token {condition}
             S: <failure xmlns='urn:xmpp:sasl:2'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>
             A: login failed for juliet@verona.example: {condition}\n"
        );
        play(host(), &[TLS, &claimed, &refused, AUTH]);
    }
}

#[test]
fn claims_that_are_none() {
    let fast = "<fast xmlns='urn:xmpp:fast:0'/>";
    let good = claim("HT-SHA-256-NONE", &format!("{AGENT}{fast}"));
    for (sent, condition) in [
        (good.replace(AGENT, ""), "malformed-request"),
        (good.replace(fast, ""), "malformed-request"),
        (good.replace(PROOF, ""), "malformed-request"),
        (good.replace(PROOF, "<initial-response>anVsaWV0AA==</initial-response>"), "malformed-request"),
        (good.replace(fast, "<fast xmlns='urn:xmpp:fast:0' count='many'/>"), "malformed-request"),
        (good.replace("HT-SHA-256-NONE", "HT-SHA-256-UNIQ"), "invalid-mechanism"),
        (good.replace("HT-SHA-256-NONE", "HT-SHA-512-NONE"), "invalid-mechanism"),
        // \x00 and 32 times `x`; `a@b` likewise.
        (
            good.replace(
                "anVsaWV0AHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4",
                "YUBiAHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4",
            ),
            "not-authorized",
        ),
    ] {
        let refused = format!(
            "S: <failure xmlns='urn:xmpp:sasl:2'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>
             A: login failed for nobody: {condition}\n"
        );
        play(host(), &[TLS, &sent, &refused, AUTH]);
    }
    let refused =
        "S: <failure xmlns='urn:xmpp:sasl:2'><invalid-mechanism xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>
        A: login failed for nobody: invalid-mechanism\n";
    play(HostConfig { tokens: false, ..host() }, &[TLS, &good, refused]);
    // By the other profile there is no such mechanism.
    let old = "C: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='HT-SHA-256-NONE'>AAAA</auth>
        S: <failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-mechanism/></failure>
        A: login failed for nobody: invalid-mechanism\n";
    play(host(), &[TLS, old]);
}
