//! Who hears whose presence (RFC 6121 §4).

use xylem_testing::{Client, Kit, Server};

/// Romeo and Juliet are friends, Paris knows nobody.
fn verona() -> Server {
    let server = Kit::new().plugin("xylem.presence").plugin("xylem.roster").plugin("xylem.blocking").start();
    for name in ["romeo", "juliet", "paris"] {
        server.account(name);
    }
    let mut romeo = server.client("romeo@localhost/orchard");
    let mut juliet = server.client("juliet@localhost/balcony");
    romeo.send("<presence type='subscribe' to='juliet@localhost'/>");
    juliet.send("<presence type='subscribed' to='romeo@localhost'/>");
    juliet.send("<presence type='subscribe' to='romeo@localhost'/>");
    romeo.send("<presence type='subscribed' to='juliet@localhost'/>");
    romeo.disconnect();
    juliet.disconnect();
    server
}

fn online(server: &Server, address: &str) -> Client {
    let mut client = server.client(address);
    client.send("<presence/>");
    // Itself, and what its probes found.
    client.skip();
    client
}

#[test]
fn friends_hear_each_other_come_change_and_go() {
    let server = verona();
    let mut paris = online(&server, "paris@localhost/garden");
    let mut romeo = online(&server, "romeo@localhost/orchard");
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.send("<presence><show>away</show></presence>");
    juliet.receives_in_any_order(&[
        "<presence from='juliet@localhost/balcony'><show>away</show></presence>",
        // §4.3: her server asked after him.
        "<presence from='romeo@localhost/orchard'/>",
    ]);
    romeo.receives("<presence from='juliet@localhost/balcony'><show>away</show></presence>");

    juliet.send("<presence><priority>5</priority></presence>");
    romeo.receives("<presence from='juliet@localhost/balcony'><priority>5</priority></presence>");

    juliet.disconnect();
    romeo.receives("<presence type='unavailable' from='juliet@localhost/balcony'/>");
    romeo.receives_nothing();
    paris.receives_nothing();
    server.no_faults();
}

#[test]
fn a_probe_is_answered_to_friends_alone() {
    let server = verona();
    let mut romeo = online(&server, "romeo@localhost/orchard");
    let mut juliet = online(&server, "juliet@localhost/balcony");
    let mut paris = online(&server, "paris@localhost/garden");
    romeo.skip();
    juliet.skip();

    romeo.send("<presence type='probe' to='juliet@localhost'/>");
    romeo.receives("<presence from='juliet@localhost/balcony'/>");
    paris.send("<presence type='probe' to='juliet@localhost'/>");
    let answers = paris.skip().concat();
    assert!(!answers.contains("balcony"), "{answers}");
    juliet.receives_nothing();
}

#[test]
fn directed_presence_is_taken_back_when_the_connection_is_lost() {
    let server = verona();
    let mut juliet = online(&server, "juliet@localhost/balcony");
    let mut paris = server.client("paris@localhost/garden");
    paris.send("<presence to='juliet@localhost/balcony'><status>below</status></presence>");
    juliet.receives("<presence from='paris@localhost/garden'><status>below</status></presence>");
    juliet.receives_nothing();

    paris.disconnect();
    juliet.receives("<presence type='unavailable' from='paris@localhost/garden'/>");
    juliet.receives_nothing();
}
