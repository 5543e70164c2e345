//! The plugin in a server whose rooms ask it.

use xylem_testing::{Client, Kit, Server};

fn street() -> (Server, Client) {
    let server = Kit::new().source("tests/rooms").plugin("example.word-filter").start();
    server.account("mercutio");
    let mercutio = server.client("mercutio@localhost/street");
    (server, mercutio)
}

fn say(client: &mut Client, nick: &str, text: &str) {
    let to = format!("verona@rooms.localhost/{nick}");
    client.send(&format!("<message type='groupchat' id='m' to='{to}'><body>{text}</body></message>"));
}

fn heard(text: &str) -> String {
    format!(
        "<message type='headline' from='verona@rooms.localhost/m'><message type='groupchat' id='m' from='{{any}}' to='{{any}}'><body>{text}</body></message></message>"
    )
}

#[test]
fn words_of_the_administrator_and_of_the_owner_are_starred() {
    let (server, mut mercutio) = street();
    say(&mut mercutio, "m", "Zounds, a dog!");
    mercutio.receives(&heard("******, a dog!"));
    let field = "<field var='example.word-filter#words' xmlns='jabber:x:data'><value>Dog</value></field>";
    mercutio.send(&format!(
        "<iq type='set' id='1' to='verona@rooms.localhost'><form xmlns='urn:test:rooms'>{field}</form></iq>"
    ));
    mercutio.receives("<iq type='result' id='1' from='verona@rooms.localhost'><form xmlns='urn:test:rooms'/></iq>");
    say(&mut mercutio, "m", "Zounds, a dog!");
    mercutio.receives(&heard("******, a ***!"));
    mercutio.send("<iq type='get' id='2' to='verona@rooms.localhost'><form xmlns='urn:test:rooms'/></iq>");
    mercutio.receives(
        "<iq type='result' id='2' from='verona@rooms.localhost'><form xmlns='urn:test:rooms'><field xmlns='jabber:x:data' var='example.word-filter#words' type='text-multi' label='Words to star out'><value>dog</value></field></form></iq>",
    );
    server.no_faults();
}

#[test]
fn nobody_enters_under_such_a_name() {
    let (server, mut mercutio) = street();
    say(&mut mercutio, "Zoundsman", "Peace");
    mercutio.receives(
        "<message type='error' id='m' from='verona@rooms.localhost/Zoundsman'><error type='modify'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>Choose another nickname</text></error></message>",
    );
    mercutio.receives_nothing();
    server.no_faults();
}
