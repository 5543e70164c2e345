//! The extensible SASL profile (XEP-0388) and resource binding within it (XEP-0386).

use xylem_sasl::DecoyKey;
use xylem_stream::{HostConfig, UserAgent};

use crate::stage::{AUTH, TLS, all_mechanisms, host, play, play_in, tls};

/// `\0juliet\0pencil`.
const PENCIL: &str = "<initial-response>AGp1bGlldABwZW5jaWw=</initial-response>";
const AGENT: &str = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>Awesome</software></user-agent>";

/// A login by PLAIN with this in `<authenticate/>`, up to `<success/>`.
fn login(wishes: &str) -> String {
    format!(
        "C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>{PENCIL}{wishes}</authenticate>
         A: look up juliet@verona.example, costly
         E: secrets
         A: logged in juliet@verona.example by PLAIN
         A: limits 262144\n"
    )
}

const SUCCESS: &str = "S: <success xmlns='urn:xmpp:sasl:2'><authorization-identifier>";

/// What the server calls the client of [`AGENT`].
fn name() -> String {
    let id = "d4565fa7-4d72-4749-b3d3-740edbf87770".to_owned();
    UserAgent { id, software: None, device: None }.name("juliet@verona.example", &DecoyKey::new([4; 32]))
}

#[test]
fn what_is_offered() {
    let host = HostConfig { inline_features: vec!["urn:a".into(), "urn:b".into()], ..host() };
    let header = "C: <stream:stream to='verona.example' version='1.0' xmlns='jabber:client'
        xmlns:stream='http://etherx.jabber.org/streams'>
        S: *id='token1'*\n";
    let offered = "S: *<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-512-PLUS</mechanism>*\
        <mechanism>PLAIN</mechanism><inline><sm xmlns='urn:xmpp:sm:3'/><bind xmlns='urn:xmpp:bind:0'><inline>\
        <feature var='urn:xmpp:sm:3'/><feature var='urn:xmpp:csi:0'/><feature var='urn:a'/>\
        <feature var='urn:b'/></inline></bind><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-EXPR</mechanism>\
        <mechanism>HT-SHA-256-ENDP</mechanism><mechanism>HT-SHA-256-NONE</mechanism></fast></inline>\
        <upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-512</upgrade>\
        <upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade></authentication></stream:features>";
    play_in(tls(), host.clone(), &[header, offered]);
    let plain = "S: *</mechanism><inline><sm xmlns='urn:xmpp:sm:3'/><bind xmlns='urn:xmpp:bind:0'><inline>\
        <feature var='urn:xmpp:sm:3'/><feature var='urn:xmpp:csi:0'/></inline></bind></inline><upgrade*</upgrade></authentication></stream:features>";
    play_in(tls(), HostConfig { tokens: false, inline_features: vec![], ..host }, &[header, plain]);
}

/// §2.6.1: no restart; the features follow at once.
#[test]
fn a_login_and_binding_as_before() {
    let success = format!(
        "{SUCCESS}juliet@verona.example</authorization-identifier></success>\
         <stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>*</stream:features>\n"
    );
    play(host(), &[TLS, &login(""), &success, crate::stage::BIND]);
}

#[test]
fn a_login_with_binding() {
    let bind = "<bind xmlns='urn:xmpp:bind:0'><tag>Awesome</tag></bind>";
    let bound = format!(
        "A: bind client {0}, ending others
         E: bound {0}
         {SUCCESS}{0}</authorization-identifier><bound xmlns='urn:xmpp:bind:0'/></success>\
         <stream:features><limits*</stream:features>
         A: established {0}
         C: <message to='romeo@verona.example'/>
         A: stanza *from='{0}'*\n",
        format!("juliet@verona.example/Awesome/{}", name())
    );
    play(host(), &[TLS, &login(&format!("{AGENT}{bind}")), &bound]);
}

#[test]
fn addresses_that_the_server_makes() {
    let tagged = "A: bind client juliet@verona.example/A/token3, ending none\n";
    play(host(), &[TLS, &login("<bind xmlns='urn:xmpp:bind:0'><tag>A</tag></bind>"), tagged]);
    let any = "A: bind juliet@verona.example anywhere\n";
    play(host(), &[TLS, &login("<bind xmlns='urn:xmpp:bind:0'/>"), any]);
    // No resource can begin like this (RFC 7622 §3.4): it goes without.
    let odd = format!("A: bind client juliet@verona.example/{}, ending others\n", name());
    play(host(), &[TLS, &login(&format!("{AGENT}<bind xmlns='urn:xmpp:bind:0'><tag>\u{fdd0}</tag></bind>")), &odd]);
}

/// XEP-0386 §3.2: what is offered is passed on before `<success/>`, the rest is not.
#[test]
fn features_that_begin_with_the_session() {
    let host = HostConfig { inline_features: vec!["urn:a".into()], ..host() };
    let bind = "<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:a' x='1'/><enable xmlns='urn:b'/></bind>";
    let inline = format!(
        "A: bind juliet@verona.example anywhere
         E: bound juliet@verona.example/x
         A: inline juliet@verona.example/x <enable xmlns='urn:a' x='1'/>
         E: inlined <enabled xmlns='urn:a'/>
         {SUCCESS}juliet@verona.example/x</authorization-identifier><bound xmlns='urn:xmpp:bind:0'>\
         <enabled xmlns='urn:a'/></bound></success><stream:features>*
         A: established juliet@verona.example/x\n"
    );
    play(host.clone(), &[TLS, &login(bind), &inline]);
    let host = HostConfig { inline_always: true, ..host };
    let asked = "A: bind juliet@verona.example anywhere
         E: bound juliet@verona.example/x
         A: inline juliet@verona.example/x\n";
    play(host, &[TLS, &login("<bind xmlns='urn:xmpp:bind:0'/>"), asked]);
}

/// XEP-0198 §9.1, XEP-0352.
#[test]
fn stream_management_and_client_state_begin_with_the_session() {
    let bind = "<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='true'/>\
        <inactive xmlns='urn:xmpp:csi:0'/></bind>";
    let managed = format!(
        "A: bind juliet@verona.example anywhere
         E: bound juliet@verona.example/x
         A: manage token3 for Some(300)
         {SUCCESS}juliet@verona.example/x</authorization-identifier><bound xmlns='urn:xmpp:bind:0'>\
         <enabled xmlns='urn:xmpp:sm:3' resume='true' id='token3' max='300'/></bound></success><stream:features>*
         A: established juliet@verona.example/x
         A: active false
         C: <r xmlns='urn:xmpp:sm:3'/>
         S: <a xmlns='urn:xmpp:sm:3' h='0'/>\n"
    );
    play(host(), &[TLS, &login(bind), &managed]);
}

/// XEP-0198 §9.2: no features, and the binding is not looked at.
#[test]
fn an_earlier_stream_goes_on() {
    let wishes = "<resume xmlns='urn:xmpp:sm:3' previd='old' h='3'/>\
        <bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3'/></bind>";
    let resumed = format!(
        "A: resume old of juliet@verona.example from 3
         E: resumed juliet@verona.example/x 7
         {SUCCESS}juliet@verona.example/x</authorization-identifier>\
         <resumed xmlns='urn:xmpp:sm:3' h='7' previd='old'/></success>
         A: reestablished juliet@verona.example/x
         C: <presence/><r xmlns='urn:xmpp:sm:3'/>
         A: stanza <presence*
         S: <a xmlns='urn:xmpp:sm:3' h='8'/>\n"
    );
    play(host(), &[TLS, &login(wishes), &resumed]);
    let failed = format!(
        "A: resume old of juliet@verona.example from 3
         E: not-found 5
         A: bind juliet@verona.example anywhere
         E: bound juliet@verona.example/y
         A: manage token3 for None
         {SUCCESS}juliet@verona.example/y</authorization-identifier><failed xmlns='urn:xmpp:sm:3' h='5'>\
         <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed><bound xmlns='urn:xmpp:bind:0'>\
         <enabled xmlns='urn:xmpp:sm:3'/></bound></success><stream:features>*
         A: established juliet@verona.example/y\n"
    );
    play(host(), &[TLS, &login(wishes), &failed]);
    let malformed = format!(
        "{SUCCESS}juliet@verona.example</authorization-identifier><failed xmlns='urn:xmpp:sm:3'>\
         <bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed></success><stream:features>*\n"
    );
    play(host(), &[TLS, &login("<resume xmlns='urn:xmpp:sm:3' previd='old'/>"), &malformed]);
}

/// The client has logged in and can still bind the other way.
#[test]
fn a_binding_that_is_refused() {
    let refused = format!(
        "A: bind juliet@verona.example anywhere
         E: refused resource-constraint
         {SUCCESS}juliet@verona.example</authorization-identifier></success><stream:features><bind*\n"
    );
    play(host(), &[TLS, &login("<bind xmlns='urn:xmpp:bind:0'/>"), &refused, crate::stage::BIND]);
}

#[test]
fn challenges_and_anonymous_clients() {
    let host = HostConfig { mechanisms: all_mechanisms(), ..host() };
    let anonymous = format!(
        "C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='ANONYMOUS'/>
         S: <challenge xmlns='urn:xmpp:sasl:2'/>
         C: <response xmlns='urn:xmpp:sasl:2'/>
         A: logged in token3@verona.example by ANONYMOUS, anonymous
         A: limits 262144
         {SUCCESS}token3@verona.example</authorization-identifier></success>*\n"
    );
    play(host, &[TLS, &anonymous]);
}

/// §2.6.2: nothing has changed, whichever way the client tries next.
#[test]
fn failures() {
    let xmlns = "xmlns='urn:xmpp:sasl:2'";
    let condition = |name: &str| format!("<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    for (sent, name) in [
        (format!("<authenticate {xmlns} mechanism='DIGEST-MD5'/>"), "invalid-mechanism"),
        (format!("<authenticate {xmlns}/>"), "invalid-mechanism"),
        (
            format!("<authenticate {xmlns} mechanism='PLAIN'><initial-response>=</initial-response></authenticate>"),
            "incorrect-encoding",
        ),
        (
            format!("<authenticate {xmlns} mechanism='PLAIN'><initial-response>A</initial-response></authenticate>"),
            "incorrect-encoding",
        ),
        (format!("<authenticate {xmlns} mechanism='PLAIN'><initial-response/></authenticate>"), "malformed-request"),
        (
            format!("<authenticate {xmlns} mechanism='PLAIN'>{PENCIL}<user-agent id='x'/></authenticate>"),
            "malformed-request",
        ),
        (format!("<authenticate {xmlns} mechanism='HT-SHA-256-EXPR'>{PENCIL}</authenticate>"), "malformed-request"),
        (format!("<response {xmlns}/>"), "malformed-request"),
        (format!("<abort {xmlns}><text>No</text></abort>"), "aborted"),
    ] {
        let failure = format!(
            "C: {sent}
             S: <failure {xmlns}>{}</failure>
             A: login failed for nobody: {name}\n",
            condition(name)
        );
        play(host(), &[TLS, &failure, &login("")[..0], AUTH]);
    }
    let wrong = format!(
        "C: <authenticate {xmlns} mechanism='PLAIN'><initial-response>AGp1bGlldAB3cm9uZw==</initial-response>\
         <bind xmlns='urn:xmpp:bind:0'/></authenticate>
         A: look up juliet@verona.example, costly
         E: secrets
         S: <failure {xmlns}>{}</failure>
         A: login failed for juliet@verona.example: not-authorized\n",
        condition("not-authorized")
    );
    play(host(), &[TLS, &wrong, &wrong, AUTH]);
    let aborted = format!(
        "C: <authenticate {xmlns} mechanism='PLAIN'/>
         S: <challenge {xmlns}/>
         C: <abort {xmlns}/>
         S: <failure {xmlns}>{}</failure>
         A: login failed for nobody: aborted\n",
        condition("aborted")
    );
    play(host(), &[TLS, &aborted, AUTH]);
}

/// §2.3: who the header names, and nobody else.
#[test]
fn the_login_is_that_of_the_header() {
    let tls =
        TLS.replacen("E: tls\n    C: <stream:stream ", "E: tls\n    C: <stream:stream from='romeo@verona.example' ", 1);
    let tls = tls.replace(
        "id='token2' from='verona.example' version",
        "id='token2' from='verona.example' to='romeo@verona.example' version",
    );
    let refused = format!(
        "C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>{PENCIL}</authenticate>
         S: <failure xmlns='urn:xmpp:sasl:2'><invalid-authzid xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>
         A: login failed for nobody: invalid-authzid\n"
    );
    play(host(), &[&tls, &refused]);
}

/// §2.4: nothing else may come; §2.10: nor a second login.
#[test]
fn what_ends_the_stream() {
    let ended = "S: <stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>*\n";
    let begun = "C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>
        S: <challenge xmlns='urn:xmpp:sasl:2'/>\n";
    for other in
        ["<presence/>", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "<next xmlns='urn:xmpp:sasl:2' task='X'/>"]
    {
        play(host(), &[TLS, begun, &format!("C: {other}\n"), ended]);
    }
    let again = "C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>\n";
    let bound = "A: bind juliet@verona.example anywhere
         E: bound juliet@verona.example/x
         S: *
         A: established juliet@verona.example/x\n";
    play(host(), &[TLS, &login("<bind xmlns='urn:xmpp:bind:0'/>"), bound, again, ended]);
    let unbound = "S: *\n";
    let error = "S: <stream:error>*\n";
    play(host(), &[TLS, &login(""), unbound, again, error]);
}

/// §2.3: everything in one flight; what follows waits until the session is there.
#[test]
fn one_round_trip() {
    let flight = format!(
        "C: <authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>{PENCIL}<bind xmlns='urn:xmpp:bind:0'/></authenticate><presence/>
         A: look up juliet@verona.example, costly
         E: secrets
         A: logged in juliet@verona.example by PLAIN
         A: limits 262144
         A: bind juliet@verona.example anywhere
         E: bound juliet@verona.example/x
         S: {SUCCESS}*
         A: established juliet@verona.example/x
         A: stanza <presence *\n"
    )
    .replace("S: S: ", "S: ");
    play(host(), &[TLS, &flight]);
}
