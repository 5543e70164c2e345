//! Ad-hoc commands (XEP-0050) over the operations of the plugins that are here.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use xylem_testing::{Client, Kit, Server, json};

const ADMIN: &str = "http://jabber.org/protocol/admin";

fn verona() -> Server {
    let kit = Kit::new().plugin("xylem.commands").plugin("xylem.disco").plugin("xylem.roster");
    let kit = kit.plugin("xylem.announce").plugin("xylem.offline").plugin("xylem.last");
    let server = kit.role("prince@localhost", "administrator").start();
    for name in ["prince", "romeo", "juliet"] {
        server.account(name);
    }
    server.advance(Duration::from_secs(60));
    server
}

fn here(server: &Server, address: &str) -> Client {
    let mut client = server.client(address);
    client.send("<presence/>");
    client.skip();
    client
}

fn execute(client: &mut Client, node: &str, more: &str, inside: &str) -> String {
    client.send(&format!(
        "<iq type='set' to='localhost' id='c'>
           <command xmlns='http://jabber.org/protocol/commands' node='{node}' {more}>{inside}</command></iq>"
    ));
    client.skip().concat().replace('\'', "\"")
}

fn session_of(answer: &str) -> String {
    let rest = answer.split("sessionid=").nth(1).unwrap_or_else(|| panic!("no session: {answer}"));
    rest.split(['\'', '"']).nth(1).unwrap().to_owned()
}

fn submitted(fields: &[(&str, &[&str])]) -> String {
    let field = |(var, values): &(&str, &[&str])| {
        let values: String = values.iter().map(|value| format!("<value>{value}</value>")).collect();
        format!("<field var='{var}'>{values}</field>")
    };
    let fields: String = fields.iter().map(field).collect();
    format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>")
}

fn run(client: &mut Client, node: &str, fields: &[(&str, &[&str])]) -> String {
    let session = session_of(&execute(client, node, "", ""));
    execute(client, node, &format!("sessionid='{session}' action='complete'"), &submitted(fields))
}

fn items(client: &mut Client, node: &str) -> String {
    client.send(&format!(
        "<iq type='get' to='localhost' id='d'>
           <query xmlns='http://jabber.org/protocol/disco#items' node='{node}'/></iq>"
    ));
    client.skip().concat().replace('\'', "\"")
}

#[test]
fn everybody_sees_what_he_may_execute() {
    let server = verona();
    let mut prince = here(&server, "prince@localhost/throne");
    let mut romeo = here(&server, "romeo@localhost/orchard");
    let commands = "http://jabber.org/protocol/commands";
    let his = items(&mut prince, commands);
    for node in [&format!("{ADMIN}#announce"), &format!("{ADMIN}#get-user-roster"), "announce.list", "offline.purge"] {
        assert!(his.contains(node), "{node} in {his}");
    }
    // There is no operation for it here.
    assert!(!his.contains("#add-user"), "{his}");
    let mine = items(&mut romeo, commands);
    assert!(mine.contains("roster.show") && mine.contains("offline.show"), "{mine}");
    for node in ["#announce", "announce.send", "offline.purge", "announce.list"] {
        assert!(!mine.contains(node), "{node} in {mine}");
    }
    romeo.send(
        "<iq type='get' to='localhost' id='i'>
           <query xmlns='http://jabber.org/protocol/disco#info' node='roster.show'/></iq>",
    );
    let info = romeo.skip().concat().replace('\'', "\"");
    assert!(info.contains("command-node") && info.contains("jabber:x:data"), "{info}");
    romeo.send(&format!(
        "<iq type='get' to='localhost' id='i'>
           <query xmlns='http://jabber.org/protocol/disco#info' node='{ADMIN}#announce'/></iq>"
    ));
    assert!(romeo.skip().concat().replace('\'', "\"").contains("forbidden"));
    // What is not about commands is somebody else's.
    romeo.send("<iq type='get' to='localhost' id='i'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
    assert!(romeo.skip().concat().replace('\'', "\"").contains("feature var=\"http://jabber.org/protocol/commands\""));
    server.no_faults();
}

#[test]
fn nobody_does_what_he_may_not() {
    let server = verona();
    let mut romeo = here(&server, "romeo@localhost/orchard");
    assert!(execute(&mut romeo, &format!("{ADMIN}#announce"), "", "").contains("<forbidden"));
    assert!(execute(&mut romeo, "announce.send", "", "").contains("<item-not-found"));
    assert!(execute(&mut romeo, "no.such", "", "").contains("<item-not-found"));
    assert!(execute(&mut romeo, &format!("{ADMIN}#get-user-password"), "", "").contains("<item-not-found"));
    // An own form with the account of another.
    let denied = run(&mut romeo, "roster.show", &[("account", &["juliet@localhost"])]);
    assert!(denied.contains("<forbidden") && denied.contains("type=\"error\""), "{denied}");
    assert!(run(&mut romeo, "roster.show", &[("account", &["romeo@localhost"])]).contains("completed"));
    server.no_faults();
}

#[test]
fn a_form_is_filled_in_and_the_work_done() {
    let server = verona();
    let mut prince = here(&server, "prince@localhost/throne");
    let mut romeo = here(&server, "romeo@localhost/orchard");
    let node = format!("{ADMIN}#announce");
    let form = execute(&mut prince, &node, "action='execute'", "");
    for part in ["executing", "<complete", "announcement", ADMIN, "type=\"form\""] {
        assert!(form.contains(part), "{part} in {form}");
    }
    let done = run(&mut prince, &node, &[("announcement", &["Hear", "ye"])]);
    assert!(done.contains("completed") && done.contains("type=\"info\""), "{done}");
    assert!(romeo.skip().concat().replace('\'', "\"").contains("<body>Hear\nye</body>"));
    server.no_faults();
}

#[test]
fn the_message_of_the_day_is_edited_as_it_was() {
    let server = verona();
    let mut prince = here(&server, "prince@localhost/throne");
    run(&mut prince, &format!("{ADMIN}#set-motd"), &[("motd", &["No &lt;brawls&gt;", "today"])]);
    let form = execute(&mut prince, &format!("{ADMIN}#edit-motd"), "", "");
    assert!(
        form.contains("executing") && form.contains("<value>No &lt;brawls") && form.contains("<value>today<"),
        "{form}"
    );
    let session = session_of(&form);
    let edited = submitted(&[("motd", &["None tomorrow"])]);
    let done = execute(&mut prince, &format!("{ADMIN}#edit-motd"), &format!("sessionid='{session}'"), &edited);
    assert!(done.contains("completed"), "{done}");
    let shown = run(&mut prince, "motd.show", &[("domain", &["localhost"])]);
    assert!(shown.contains("<value>None tomorrow</value>"), "{shown}");
    let gone = execute(&mut prince, &format!("{ADMIN}#delete-motd"), "", "");
    assert!(gone.contains("completed") && !gone.contains("executing"), "done at once: {gone}");
    assert!(execute(&mut prince, &format!("{ADMIN}#edit-motd"), "", "").contains("executing"));
}

#[test]
fn contact_lists_of_several_are_shown() {
    let server = verona();
    let mut prince = here(&server, "prince@localhost/throne");
    let added = run(
        &mut prince,
        "roster.add",
        &[
            ("account", &["juliet@localhost"]),
            ("contact", &["romeo@localhost"]),
            ("name", &["Romeo"]),
            ("groups", &["Friends", "Lovers"]),
            ("subscribe", &["leave"]),
        ],
    );
    assert!(added.contains("completed") && added.contains("romeo@localhost"), "{added}");
    let accounts: &[&str] = &["juliet@localhost", "tybalt@localhost"];
    let shown = run(&mut prince, &format!("{ADMIN}#get-user-roster"), &[("accountjids", accounts)]);
    for part in ["jabber:iq:roster", "name=\"Romeo\"", "<group>Lovers</group>", "tybalt@localhost: there is no account"]
    {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    server.no_faults();
}

#[test]
fn sessions_of_commands_are_whose_they_are_and_end() {
    let server = verona();
    let mut prince = here(&server, "prince@localhost/throne");
    let mut other = here(&server, "prince@localhost/horse");
    let node = format!("{ADMIN}#announce");
    let filled = submitted(&[("announcement", &["x"])]);
    let session = session_of(&execute(&mut prince, &node, "", ""));
    let this = format!("sessionid='{session}'");
    let stolen = execute(&mut other, &node, &this, &filled);
    assert!(stolen.contains("bad-sessionid"), "{stolen}");
    for (node, more, inside, expected) in [
        ("announce.list", this.as_str(), filled.as_str(), "bad-sessionid"),
        (node.as_str(), "sessionid='none'", &filled, "bad-sessionid"),
        (node.as_str(), &format!("{this} action='prev'"), &filled, "bad-action"),
        (node.as_str(), &format!("{this} action='dance'"), &filled, "malformed-action"),
        (node.as_str(), "action='complete'", &filled, "bad-action"),
        (node.as_str(), &this, "", "bad-payload"),
        // After all that it may still be filled in, or given up.
        (node.as_str(), &format!("{this} action='cancel'"), "", "canceled"),
        (node.as_str(), &this, &filled, "bad-sessionid"),
    ] {
        let answer = execute(&mut prince, node, more, inside);
        assert!(answer.contains(expected), "{expected} in {answer}");
    }
    let session = session_of(&execute(&mut prince, &node, "", ""));
    server.advance(Duration::from_secs(3600));
    assert!(execute(&mut prince, &node, &format!("sessionid='{session}'"), &filled).contains("session-expired"));
    server.no_faults();
}

#[test]
fn what_cannot_be_undone_is_typed_twice_and_refusals_are_errors() {
    let server = verona();
    let mut prince = here(&server, "prince@localhost/throne");
    let form = execute(&mut prince, "offline.purge", "", "");
    assert!(form.contains("gone for good"), "the danger is told: {form}");
    let once = run(&mut prince, "offline.purge", &[("account", &["tybalt@localhost"])]);
    assert!(once.contains("bad-payload") && once.contains("type account once more"), "{once}");
    let twice: [(&str, &[&str]); 2] = [("account", &["tybalt@localhost"]), ("confirm", &["tybalt@localhost"])];
    let nobody = run(&mut prince, "offline.purge", &twice);
    assert!(nobody.contains("<item-not-found") && nobody.contains("there is no account tybalt"), "{nobody}");
    let wrong =
        run(&mut prince, "announce.send", &[("domain", &["localhost"]), ("text", &["x"]), ("to", &["accounts"])]);
    assert!(wrong.contains("bad-payload") && wrong.contains("goes with"), "{wrong}");
}

#[test]
fn lists_longer_than_a_page_are_whole() {
    let server = verona();
    let mut prince = here(&server, "prince@localhost/throne");
    for n in 0..1100 {
        let arguments = json!({ "account": "romeo@localhost", "contact": format!("c{n}@localhost") });
        server.operation("roster.add", arguments).unwrap();
    }
    let node = format!("{ADMIN}#get-user-roster");
    let shown = run(&mut prince, &node, &[("accountjids", &["romeo@localhost", "juliet@localhost"])]);
    assert!(shown.contains("completed") && !shown.contains("<note"), "{shown:.300}");
    assert_eq!(shown.matches("<item ").count(), 1100);
    assert_eq!(shown.matches("jabber:iq:roster").count(), 2);
    server.no_faults();
}
