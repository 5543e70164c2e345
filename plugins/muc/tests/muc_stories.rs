//! What happens in rooms, as those who are in them see it (XEP-0045).

mod coven;

use coven::{ROOM, coven, enter, heath, somebody};
use xylem_testing::Kit;

fn x(inner: &str) -> String {
    format!("<x xmlns='http://jabber.org/protocol/muc#user'>{inner}</x>")
}

const ID: &str = "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{id}'/>";

#[test]
fn a_new_room_is_locked_until_it_is_configured() {
    let server = heath();
    let mut crone = server.client("crone@localhost/desktop");
    enter(&mut crone, "first");
    crone.receives(&format!(
        "<presence from='{ROOM}/first'>{}{ID}</presence>",
        x("<item affiliation='owner' role='moderator' jid='crone@localhost/desktop'/><status code='110'/><status code='201'/>")
    ));
    crone.receives(&format!("<message type='groupchat' from='{ROOM}'><subject/></message>"));
    crone.receives_nothing();

    let mut hag = server.client("hag@localhost/pda");
    enter(&mut hag, "third");
    hag.receives(&format!(
        "<presence type='error' from='{ROOM}/third'><x xmlns='http://jabber.org/protocol/muc'/>
         <error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    ));

    crone.send(&format!(
        "<iq type='set' id='open' to='{ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'>
           <x xmlns='jabber:x:data' type='submit'/></query></iq>"
    ));
    crone.receives(&format!("<iq type='result' id='open' from='{ROOM}'/>"));
    crone.receives_nothing();
    enter(&mut hag, "third");
    hag.receives(&format!(
        "<presence from='{ROOM}/first'>{}{ID}</presence>",
        x("<item affiliation='owner' role='moderator'/>")
    ));
    hag.receives(&format!(
        "<presence from='{ROOM}/third'>{}{ID}</presence>",
        x("<item affiliation='none' role='participant' jid='hag@localhost/pda'/><status code='110'/>")
    ));
    hag.receives(&format!("<message type='groupchat' from='{ROOM}'><subject/></message>"));
    hag.receives_nothing();
    crone.receives(&format!(
        "<presence from='{ROOM}/third'>{}{ID}</presence>",
        x("<item affiliation='none' role='participant' jid='hag@localhost/pda'/>")
    ));
    crone.receives_nothing();
    server.no_faults();
}

#[test]
fn a_message_goes_to_everybody() {
    let server = heath();
    let mut crone = coven(&server);
    let mut hag = somebody(&server, "hag@localhost/pda", "third");
    crone.skip();
    hag.send(&format!("<message type='groupchat' id='m1' to='{ROOM}'><body>Harpier cries</body></message>"));
    for client in [&mut crone, &mut hag] {
        client.receives(&format!(
            "<message type='groupchat' id='m1' from='{ROOM}/third'><body>Harpier cries</body>{ID}
               <stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='{{id}}'/></message>"
        ));
        client.receives_nothing();
    }
    let mut wiccan = server.client("wiccan@localhost/laptop");
    wiccan.send(&format!("<message type='groupchat' id='m2' to='{ROOM}'><body>Double</body></message>"));
    wiccan.receives(&format!(
        "<message type='error' id='m2' from='{ROOM}'><error type='modify'>
           <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    ));
    server.no_faults();
}

#[test]
fn who_loses_the_connection_leaves_the_room() {
    let server = heath();
    let mut crone = coven(&server);
    let mut hag = somebody(&server, "hag@localhost/pda", "third");
    crone.skip();
    hag.disconnect();
    crone.receives(&format!(
        "<presence type='unavailable' from='{ROOM}/third'>{}{ID}</presence>",
        x("<item affiliation='none' role='none' jid='hag@localhost/pda'/>")
    ));
    crone.receives_nothing();
    server.no_faults();
}

#[test]
fn a_persistent_room_outlives_the_server() {
    let mut server = heath();
    let mut crone = server.client("crone@localhost/desktop");
    enter(&mut crone, "first");
    crone.send(&format!(
        "<iq type='set' id='open' to='{ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'>
           <x xmlns='jabber:x:data' type='submit'>
             <field var='muc#roomconfig_persistentroom'><value>1</value></field>
             <field var='muc#roomconfig_roomname'><value>A Dark Cave</value></field>
             <field var='muc#roomconfig_whois'><value>anyone</value></field></x></query></iq>"
    ));
    crone.send(&format!(
        "<iq type='set' id='ban' to='{ROOM}'><query xmlns='http://jabber.org/protocol/muc#admin'>
           <item affiliation='outcast' jid='hag@localhost'/></query></iq>"
    ));
    crone.send(&format!("<message type='groupchat' id='m1' to='{ROOM}'><body>Double</body></message>"));
    crone.send(&format!("<message type='groupchat' id='s1' to='{ROOM}'><subject>Toil</subject></message>"));
    crone.skip();
    server.restart();

    let mut hag = server.client("hag@localhost/pda");
    enter(&mut hag, "third");
    hag.receives("<presence type='error' from='{any}'>{...}<error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>");
    let mut wiccan = server.client("wiccan@localhost/laptop");
    enter(&mut wiccan, "second");
    // Nobody is left in it, and everything else is as it was.
    wiccan.receives(&format!(
        "<presence from='{ROOM}/second'>{}{ID}</presence>",
        x("<item affiliation='none' role='participant' jid='wiccan@localhost/laptop'/><status code='110'/><status code='100'/>")
    ));
    wiccan.receives(&format!(
        "<message type='groupchat' id='m1' from='{ROOM}/first'><body>Double</body>{ID}
           <delay xmlns='urn:xmpp:delay' from='{ROOM}' stamp='{{stamp}}'/>
           <stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='{{id}}'/></message>"
    ));
    let toil = format!(
        "<message type='groupchat' id='s1' from='{ROOM}/first'><subject>Toil</subject>{ID}
           <delay xmlns='urn:xmpp:delay' from='{ROOM}' stamp='{{stamp}}'/>"
    );
    // Among what was said, and as it is now.
    wiccan.receives(&format!("{toil}<stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='{{id}}'/></message>"));
    wiccan.receives(&format!("{toil}</message>"));
    wiccan.receives_nothing();
    server.no_faults();
}

#[test]
fn a_temporary_room_ends_with_the_server() {
    let mut server = heath();
    let mut crone = coven(&server);
    crone.send(&format!("<message type='groupchat' id='m1' to='{ROOM}'><body>Double</body></message>"));
    crone.skip();
    server.restart();
    let mut wiccan = server.client("wiccan@localhost/laptop");
    enter(&mut wiccan, "second");
    wiccan.receives(&format!(
        "<presence from='{ROOM}/second'>{}{ID}</presence>",
        x("<item affiliation='owner' role='moderator' jid='wiccan@localhost/laptop'/><status code='110'/><status code='201'/>")
    ));
    wiccan.receives(&format!("<message type='groupchat' from='{ROOM}'><subject/></message>"));
    wiccan.receives_nothing();
    server.no_faults();
}

#[test]
fn a_change_that_is_not_written_is_not_told() {
    let mut server = heath();
    let mut crone = server.client("crone@localhost/desktop");
    enter(&mut crone, "first");
    crone.skip();
    server.fail_next_commit();
    crone.send(&format!(
        "<iq type='set' id='open' to='{ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'>
           <x xmlns='jabber:x:data' type='submit'>
             <field var='muc#roomconfig_persistentroom'><value>1</value></field></x></query></iq>"
    ));
    crone.receives(&format!(
        "<iq type='error' id='open' from='{ROOM}'><error type='wait'>
           <internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    ));
    crone.receives_nothing();
    server.restart();
}

#[test]
fn a_destroyed_persistent_room_leaves_its_name_unused_for_a_while() {
    let server = heath();
    let mut crone = server.client("crone@localhost/desktop");
    enter(&mut crone, "first");
    let owner = "xmlns='http://jabber.org/protocol/muc#owner'";
    crone.send(&format!(
        "<iq type='set' id='1' to='{ROOM}'><query {owner}><x xmlns='jabber:x:data' type='submit'>
           <field var='muc#roomconfig_persistentroom'><value>1</value></field></x></query></iq>"
    ));
    crone.send(&format!("<iq type='set' id='2' to='{ROOM}'><query {owner}><destroy/></query></iq>"));
    crone.skip();
    enter(&mut crone, "first");
    crone.receives("<presence type='error' from='{any}'>{...}<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>");
    server.advance(std::time::Duration::from_hours(7 * 24));
    enter(&mut crone, "first");
    crone.receives(&format!("<presence from='{ROOM}/first'>{{...}}</presence>"));
    crone.skip();
    server.no_faults();
}

#[test]
fn the_administrator_says_who_may_make_rooms() {
    let settings = serde_json::json!({"creation": "admins", "admins": ["hag@localhost"]});
    let server = Kit::new().plugin("xylem.muc").config("xylem.muc", settings).start();
    server.account("crone");
    server.account("hag");
    let mut crone = server.client("crone@localhost/desktop");
    enter(&mut crone, "first");
    crone.receives("<presence type='error' from='{any}'>{...}<error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>");
    let mut hag = somebody(&server, "hag@localhost/pda", "third");
    hag.send(&format!("<presence type='unavailable' to='{ROOM}/third'/>"));
    hag.skip();
    hag.receives_nothing();
    server.no_faults();
}

#[test]
fn nobody_makes_more_rooms_than_allowed() {
    let server = Kit::new().plugin("xylem.muc").config("xylem.muc", serde_json::json!({"rooms_per_user": 2})).start();
    server.account("crone");
    let mut crone = server.client("crone@localhost/desktop");
    let mut make = |room: &str| {
        crone.send(&format!(
            "<presence to='{room}@conference.localhost/n'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
        ));
        crone.skip().concat()
    };
    assert!(make("one").contains("201") && make("two").contains("201"));
    assert!(make("three").contains("resource-constraint"));
    crone.send("<presence type='unavailable' to='one@conference.localhost/n'/>");
    crone.skip();
    let mut make = |room: &str| {
        crone.send(&format!(
            "<presence to='{room}@conference.localhost/n'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
        ));
        crone.skip().concat()
    };
    assert!(make("three").contains("201"), "a room that is over does not count");
    server.no_faults();
}

#[test]
fn who_blocks_somebody_in_a_room_stays_in_it() {
    let server = heath();
    let mut crone = coven(&server);
    let mut hag = somebody(&server, "hag@localhost/pda", "third");
    hag.send(&format!(
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{ROOM}/first'/></block></iq>"
    ));
    hag.skip();
    crone.skip();
    crone.send(&format!("<message type='groupchat' id='m' to='{ROOM}'><body>b</body></message>"));
    crone.skip();
    hag.receives_nothing();
    hag.send(&format!("<message type='groupchat' id='n' to='{ROOM}'><body>still here</body></message>"));
    hag.receives("<message type='groupchat' id='n' from='{any}'>{...}</message>");
    server.no_faults();
}

#[test]
fn a_word_filter_has_its_say() {
    let kit = Kit::new().plugin("xylem.muc").source("../../sdk/examples/word-filter");
    let server = kit.start();
    for name in ["crone", "hag"] {
        server.account(name);
    }
    let mut crone = coven(&server);
    let mut hag = server.client("hag@localhost/pda");
    enter(&mut hag, "Zoundsman");
    hag.receives(
        "<presence type='error' from='{any}'>{...}<error type='modify'>
           <policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
    );
    crone.receives_nothing();
    let mut hag = somebody(&server, "hag@localhost/pda", "third");
    crone.skip();
    hag.send(&format!("<message type='groupchat' id='m1' to='{ROOM}'><body>Zounds, a cat</body></message>"));
    for client in [&mut crone, &mut hag] {
        client.receives(&format!(
            "<message type='groupchat' id='m1' from='{ROOM}/third'><body>******, a cat</body>{ID}
               <stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='{{id}}'/></message>"
        ));
        client.receives_nothing();
    }
    // An owner finds the filter in the room's form.
    let owner = "xmlns='http://jabber.org/protocol/muc#owner'";
    crone.send(&format!("<iq type='get' id='1' to='{ROOM}'><query {owner}/></iq>"));
    crone.receives(&format!(
        "<iq type='result' id='1' from='{ROOM}'><query {owner}><x xmlns='jabber:x:data' type='form'>
           <field var='example.word-filter#words' type='text-multi' label='{{any}}'/>{{...}}</x></query></iq>"
    ));
    crone.send(&format!(
        "<iq type='set' id='2' to='{ROOM}'><query {owner}><x xmlns='jabber:x:data' type='submit'>
           <field var='example.word-filter#words'><value>Cat</value></field></x></query></iq>"
    ));
    crone.receives(&format!("<iq type='result' id='2' from='{ROOM}'/>"));
    hag.send(&format!("<message type='groupchat' id='m2' to='{ROOM}'><body>Zounds, a cat</body></message>"));
    crone.receives(&format!(
        "<message type='groupchat' id='m2' from='{ROOM}/third'><body>******, a ***</body>{{...}}</message>"
    ));
    // What was kept is what was shown.
    crone.send(&format!("<presence type='unavailable' to='{ROOM}/first'/>"));
    crone.skip();
    enter(&mut crone, "first");
    let came = crone.skip().concat();
    assert!(came.contains("******, a ***") && !came.contains("Zounds"), "{came}");
    server.no_faults();
}

#[test]
fn several_services_have_their_own_rooms() {
    let settings =
        serde_json::json!({ "services": ["conference.{domain}", "talk.{domain}", "halls.example"], "lock": false });
    let server = Kit::new()
        .plugin("xylem.disco")
        .plugin("xylem.roster")
        .plugin("xylem.muc")
        .config("xylem.muc", settings)
        .start();
    server.account("crone");
    let mut crone = server.client("crone@localhost/desktop");
    let items = |to: &str| {
        format!("<iq type='get' id='i' to='{to}'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>")
    };
    crone.send(&items("localhost"));
    let said = crone.skip().concat();
    assert!(["conference.localhost", "talk.localhost", "halls.example"].iter().all(|one| said.contains(one)), "{said}");
    for service in ["conference.localhost", "talk.localhost", "halls.example"] {
        let room = format!("{}@{service}", &service[..4]);
        crone.send(&format!("<presence to='{room}/first'><x xmlns='http://jabber.org/protocol/muc'/></presence>"));
        crone.send(&format!("<message type='groupchat' id='m' to='{room}'><body>here</body></message>"));
        let said = crone.skip().concat();
        assert!(said.contains("<body>here</body>") && said.contains("code='201'"), "{said}");
        crone.send(&items(service));
        let listed = crone.skip().concat();
        assert_eq!((listed.matches("<item ").count(), listed.contains(&room)), (1, true), "{listed}");
    }
    server.no_faults();
}
