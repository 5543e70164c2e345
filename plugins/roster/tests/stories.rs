//! Contact lists and subscriptions as clients see them.

use xylem_testing::{Client, Kit, Server, json};

fn verona() -> Server {
    let server = Kit::new().plugin("xylem.roster").start();
    server.account("romeo");
    server.account("juliet");
    server
}

/// Logs in, asks for the list (RFC 6121 §2.2) and comes online.
fn online(server: &Server, address: &str) -> Client {
    let mut client = server.client(address);
    client.send("<iq type='get' id='list'><query xmlns='jabber:iq:roster'/></iq>");
    client.send("<presence/>");
    client.skip();
    client
}

#[test]
fn a_request_is_approved() {
    let server = verona();
    let mut romeo = online(&server, "romeo@localhost/orchard");
    let mut juliet = online(&server, "juliet@localhost/balcony");

    romeo.send("<presence type='subscribe' to='juliet@localhost'/>");
    romeo.receives(
        "<iq type='set' id='{id}'><query xmlns='jabber:iq:roster' ver='{id}'>
           <item jid='juliet@localhost' subscription='none' ask='subscribe'/></query></iq>",
    );
    juliet.receives("<presence type='subscribe' from='romeo@localhost'/>");
    juliet.receives_nothing();

    juliet.send("<presence type='subscribed' to='romeo@localhost'/>");
    juliet.receives(
        "<iq type='set' id='{id}'><query xmlns='jabber:iq:roster' ver='{id}'>
           <item jid='romeo@localhost' subscription='from'/></query></iq>",
    );
    romeo.receives_in_any_order(&[
        "<presence type='subscribed' from='juliet@localhost'/>",
        "<iq type='set' id='{id}'><query xmlns='jabber:iq:roster' ver='{id}'>
           <item jid='juliet@localhost' subscription='to'/></query></iq>",
        "<presence from='juliet@localhost/balcony'/>",
    ]);
    romeo.receives_nothing();
    juliet.receives_nothing();
    server.no_faults();
}

#[test]
fn a_request_waits_for_who_is_not_there() {
    let mut server = verona();
    let mut romeo = online(&server, "romeo@localhost/orchard");
    romeo.send("<presence type='subscribe' to='juliet@localhost'/>");
    server.restart();

    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.receives_nothing();
    juliet.send("<presence/>");
    juliet.receives("<presence type='subscribe' from='romeo@localhost'/>");
    juliet.receives_nothing();
}

#[test]
fn a_list_survives_a_restart_and_whoever_has_it_is_spared_it() {
    let mut server = verona();
    let mut romeo = server.client("romeo@localhost/orchard");
    romeo.send(
        "<iq type='set' id='1'><query xmlns='jabber:iq:roster'>
           <item jid='nurse@localhost' name='Nurse'><group>Capulet</group></item></query></iq>",
    );
    romeo.receives("<iq type='result' id='1'/>");
    server.restart();

    let mut romeo = server.client("romeo@localhost/orchard");
    romeo.send("<iq type='get' id='2'><query xmlns='jabber:iq:roster' ver=''/></iq>");
    let list = romeo.receives(
        "<iq type='result' id='2'><query xmlns='jabber:iq:roster' ver='{id:version}'>
           <item jid='nurse@localhost' name='Nurse' subscription='none'><group>Capulet</group></item></query></iq>",
    );
    let version = list.caught("version");
    romeo.send(&format!("<iq type='get' id='3'><query xmlns='jabber:iq:roster' ver='{version}'/></iq>"));
    romeo.receives("<iq type='result' id='3'/>");
    romeo.receives_nothing();
}

#[test]
fn what_is_not_written_is_not_told() {
    let mut server = verona();
    let mut romeo = online(&server, "romeo@localhost/orchard");
    let mut juliet = online(&server, "juliet@localhost/balcony");
    let add = "<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost'/></query></iq>";

    server.fail_next_commit();
    romeo.send(add);
    romeo.receives(
        "<iq type='error' id='1'><error type='wait'>
           <internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    );
    romeo.receives_nothing();
    juliet.receives_nothing();

    server.restart();
    let mut romeo = server.client("romeo@localhost/orchard");
    romeo.send("<iq type='get' id='2'><query xmlns='jabber:iq:roster'/></iq>");
    romeo.receives("<iq type='result' id='2'><query xmlns='jabber:iq:roster' ver='{optional}'/></iq>");
}

const ROSTER: &str = "jabber:iq:roster";

fn change(client: &mut Client, item: &str) {
    client.send(&format!("<iq type='set' id='c'><query xmlns='{ROSTER}'>{item}</query></iq>"));
    client.receives("<iq type='result' id='c'/>");
}

/// The whole list, and its version.
fn whole(client: &mut Client, items: &str) -> String {
    client.send(&format!("<iq type='get' id='w'><query xmlns='{ROSTER}' ver=''/></iq>"));
    let answer = format!("<iq type='result' id='w'><query xmlns='{ROSTER}' ver='{{id:version}}'>{items}</query></iq>");
    client.receives(&answer).caught("version").to_owned()
}

#[test]
fn who_was_away_shortly_gets_what_changed() {
    let mut server = verona();
    let mut romeo = server.client("romeo@localhost/orchard");
    for jid in ["benvolio", "friar", "nurse"] {
        change(&mut romeo, &format!("<item jid='{jid}@localhost'/>"));
    }
    let item = |jid: &str| format!("<item jid='{jid}@localhost' subscription='none'/>");
    let version = whole(&mut romeo, &["benvolio", "friar", "nurse"].map(item).concat());
    romeo.disconnect();

    let mut other = server.client("romeo@localhost/other");
    change(&mut other, "<item jid='friar@localhost' name='F'/>");
    change(&mut other, "<item jid='nurse@localhost' subscription='remove'/>");
    change(&mut other, "<item jid='friar@localhost' name='Friar'/>");
    server.restart();

    let mut romeo = server.client("romeo@localhost/orchard");
    let mut idle = server.client("romeo@localhost/other");
    romeo.send(&format!("<iq type='get' id='g'><query xmlns='{ROSTER}' ver='{version}'/></iq>"));
    romeo.receives("<iq type='result' id='g'/>");
    romeo.receives(&format!(
        "<iq type='set' id='{{id}}'><query xmlns='{ROSTER}' ver='{{id}}'>
           <item jid='nurse@localhost' subscription='remove'/></query></iq>"
    ));
    let last = romeo.receives(&format!(
        "<iq type='set' id='{{id}}'><query xmlns='{ROSTER}' ver='{{id:last}}'>
           <item jid='friar@localhost' name='Friar' subscription='none'/></query></iq>"
    ));
    romeo.receives_nothing();
    idle.receives_nothing();
    let last = last.caught("last").to_owned();
    romeo.send(&format!("<iq type='get' id='h'><query xmlns='{ROSTER}' ver='{last}'/></iq>"));
    romeo.receives("<iq type='result' id='h'/>");
    romeo.receives_nothing();
    server.no_faults();
}

#[test]
fn who_was_away_for_long_gets_the_whole_list() {
    let server = verona();
    let mut romeo = server.client("romeo@localhost/orchard");
    change(&mut romeo, "<item jid='nurse@localhost'/>");
    let version = whole(&mut romeo, "<item jid='nurse@localhost' subscription='none'/>");
    let mut items = String::new();
    for n in 10..50 {
        change(&mut romeo, &format!("<item jid='{n}@localhost'/>"));
        romeo.skip();
        items.push_str(&format!("<item jid='{n}@localhost' subscription='none'/>"));
    }
    romeo.send(&format!("<iq type='get' id='g'><query xmlns='{ROSTER}' ver='{version}'/></iq>"));
    romeo.receives(&format!(
        "<iq type='result' id='g'><query xmlns='{ROSTER}' ver='{{id}}'>
           {items}<item jid='nurse@localhost' subscription='none'/></query></iq>"
    ));
}

#[test]
fn a_list_made_anew_is_not_taken_for_the_old_one() {
    let server = verona();
    let mut romeo = server.client("romeo@localhost/orchard");
    change(&mut romeo, "<item jid='nurse@localhost'/>");
    let version = whole(&mut romeo, "<item jid='nurse@localhost' subscription='none'/>");
    server.delete_account("romeo");
    server.account("romeo");
    let mut romeo = server.client("romeo@localhost/orchard");
    change(&mut romeo, "<item jid='friar@localhost'/>");
    romeo.send(&format!("<iq type='get' id='g'><query xmlns='{ROSTER}' ver='{version}'/></iq>"));
    romeo.receives(&format!(
        "<iq type='result' id='g'><query xmlns='{ROSTER}' ver='{{id}}'>
           <item jid='friar@localhost' subscription='none'/></query></iq>"
    ));
}

#[test]
fn a_removed_account_takes_leave_of_its_contacts() {
    let server = verona();
    server.account("nurse");
    let mut romeo = online(&server, "romeo@localhost/orchard");
    let mut juliet = online(&server, "juliet@localhost/balcony");
    let mut nurse = online(&server, "nurse@localhost/house");
    romeo.send("<presence type='subscribe' to='juliet@localhost'/>");
    juliet.send("<presence type='subscribed' to='romeo@localhost'/>");
    juliet.send("<presence type='subscribe' to='romeo@localhost'/>");
    romeo.send("<presence type='subscribed' to='juliet@localhost'/>");
    nurse.send("<presence type='subscribe' to='romeo@localhost'/>");
    for client in [&mut romeo, &mut juliet, &mut nurse] {
        client.skip();
    }

    server.delete_account("romeo");
    let push = |subscription: &str| {
        format!(
            "<iq type='set' id='{{id}}'><query xmlns='{ROSTER}' ver='{{id}}'>
               <item jid='romeo@localhost' subscription='{subscription}'/></query></iq>"
        )
    };
    juliet.receives_in_any_order(&[
        "<presence type='unavailable' from='romeo@localhost/orchard'/>",
        "<presence type='unsubscribed' from='romeo@localhost'/>",
        &push("from"),
        "<presence type='unsubscribe' from='romeo@localhost'/>",
        &push("none"),
        // She was subscribed to by him: he sees her go as well, but is no longer there.
    ]);
    juliet.receives_nothing();
    nurse.receives_in_any_order(&["<presence type='unsubscribed' from='romeo@localhost'/>", &push("none")]);
    nurse.receives_nothing();
    server.no_faults();
}

#[test]
fn administrators_change_a_list_and_its_owner_sees_it() {
    let server = verona();
    let mut romeo = online(&server, "romeo@localhost/orchard");
    let mut juliet = online(&server, "juliet@localhost/balcony");
    let contact = json!({ "account": "romeo@localhost", "contact": "Juliet@localhost", "name": "Juliet",
        "groups": ["Friends"], "subscribe": true });
    assert_eq!(server.operation("roster.add", contact), Ok(json!({ "jid": "juliet@localhost" })));
    romeo.receives(
        "<iq type='set' id='{id}'><query xmlns='jabber:iq:roster' ver='{id}'>
           <item jid='juliet@localhost' name='Juliet' subscription='none' ask='subscribe'><group>Friends</group></item>
         </query></iq>",
    );
    juliet.receives("<presence type='subscribe' from='romeo@localhost'/>");
    let found = |search: &str| {
        let page = server.operation("roster.show", json!({ "account": "romeo@localhost", "search": search })).unwrap();
        page["items"].as_array().map_or(0, Vec::len)
    };
    assert_eq!((found("friend"), found("JULIET"), found("tybalt")), (1, 1, 0));
    let taken = json!({ "account": "romeo@localhost", "contact": "juliet@localhost" });
    assert!(server.operation("roster.remove", taken.clone()).is_ok());
    romeo.receives(
        "<iq type='set' id='{id}'><query xmlns='jabber:iq:roster' ver='{id}'>
           <item jid='juliet@localhost' subscription='remove'/></query></iq>",
    );
    assert!(server.operation("roster.remove", taken).unwrap_err().contains("not in the list"));
    let own = json!({ "account": "romeo@localhost", "contact": "romeo@localhost" });
    assert!(server.operation("roster.add", own).is_err());
    server.no_faults();
}
