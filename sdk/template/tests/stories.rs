//! The plugin in a server, as clients see it.

use xylem_testing::{Kit, json};

#[test]
fn whoever_asks_is_greeted() {
    let server = Kit::new().plugin("{{id}}").start();
    server.account("juliet");
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.send("<iq type='get' to='localhost' id='1'><hello xmlns='{{ns}}'/></iq>");
    juliet.receives(
        "<iq type='result' from='localhost' id='1'><hello xmlns='{{ns}}'>Hello, juliet!</hello></iq>",
    );
    juliet.receives_nothing();
    server.no_faults();
}

#[test]
fn administrators_greet_whom_they_like() {
    let server = Kit::new().plugin("{{id}}").start();
    server.account("juliet");
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.send("<presence/>");
    juliet.skip();
    let said = server.operation("{{name}}.greet", json!({ "account": "juliet@localhost" }));
    assert_eq!(said, Ok(json!({ "said": "Hello, juliet!" })));
    juliet
        .receives("<message from='localhost' to='juliet@localhost' type='chat'><body>Hello, juliet!</body></message>");
    assert!(server.operation("{{name}}.greet", json!({ "account": "romeo@localhost" })).is_err());
    server.no_faults();
}
