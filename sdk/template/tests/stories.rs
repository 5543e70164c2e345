//! The plugin in a server, as clients see it.

use xylem_testing::Kit;

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
