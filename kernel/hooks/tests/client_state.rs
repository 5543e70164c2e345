//! Rules for clients that nobody looks at.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use xylem_hooks::call::PluginIndex;
use xylem_hooks::{Manifest, ManifestEntry, Plan, Treat};
use xylem_stanza::Stanza;

const HEAD: &str = "[plugin]\nid = \"a.ID\"\nversion = \"1\"\napi = \"xylem:plugin@0.1\"\nsummary = \"s\"\nlicense = \"MIT\"\n\
    [match]\nbody = \"{jabber:client}body\"\nnews = \"{urn:example:news}*\"\nthread = \"{jabber:client}thread\"\n\
    blocked = \"peer in list\"\n[[store]]\nname = \"list\"\nshape = \"kv\"\n";

fn parse(id: &str, rules: &str) -> Result<Manifest, String> {
    Manifest::parse(&format!("{}{rules}", HEAD.replace("ID", id))).map_err(|error| error.to_string())
}

fn plan(all: &[&str]) -> Plan {
    let entry = |(n, rules): (u32, &&str)| {
        ManifestEntry::new(PluginIndex(n), Arc::new(parse(&format!("p{n}"), rules).unwrap()))
    };
    let entries: Vec<_> = (0..).zip(all).map(entry).collect();
    Plan::compile(&entries, "example.org").unwrap()
}

fn treat(plan: &Plan, stanza: &str) -> Treat {
    let stanza = stanza.replacen(' ', " xmlns='jabber:client' ", 1);
    plan.client_states().treat(&Stanza::parse(&stanza).unwrap())
}

const NEWS: &str = "<message type='chat'><news xmlns='urn:example:news'/></message>";
const READ: &str = "<message type='chat'><news xmlns='urn:example:news'/><body/></message>";

#[test]
fn what_no_rule_names_is_urgent() {
    let none = plan(&[]);
    assert_eq!(treat(&none, NEWS), Treat::Urgent);
    let some = plan(&["[[client-state]]\non = \"presence\"\ntype = [\"available\"]\ntreat = \"last\"\n"]);
    assert_eq!(treat(&some, "<presence />"), Treat::Last);
    assert_eq!(treat(&some, "<presence type='unavailable'/>"), Treat::Urgent);
    assert_eq!(treat(&some, NEWS), Treat::Urgent);
}

#[test]
fn the_more_careful_rule_decides() {
    let drop = "[[client-state]]\non = \"message\"\nwhen = \"news and not body\"\ntreat = \"drop\"\n";
    let hold = "[[client-state]]\non = \"message\"\nwhen = \"news\"\ntreat = \"hold\"\n";
    assert_eq!(treat(&plan(&[drop]), NEWS), Treat::Drop);
    assert_eq!(treat(&plan(&[drop]), READ), Treat::Urgent);
    for all in [[drop, hold], [hold, drop]] {
        assert_eq!(treat(&plan(&all), NEWS), Treat::Hold);
    }
    let urgent = format!("{hold}[[client-state]]\non = \"message\"\nwhen = \"body\"\ntreat = \"urgent\"\n");
    assert_eq!(treat(&plan(&[&urgent]), READ), Treat::Urgent);
}

#[test]
fn only_means_nothing_else() {
    let plan = plan(&[
        "[[client-state]]\non = \"message\"\nwhen = \"news\"\nonly = [\"news\", \"thread\"]\ntreat = \"drop\"\n",
    ]);
    assert_eq!(treat(&plan, NEWS), Treat::Drop);
    assert_eq!(treat(&plan, READ), Treat::Urgent);
    assert_eq!(treat(&plan, "<message ><thread/></message>"), Treat::Urgent);
}

#[test]
fn mistakes_are_named() {
    for (rule, hint) in [
        ("on = \"message\"\nwhen = \"bodi\"\ntreat = \"drop\"", "`bodi` is not defined"),
        ("on = \"message\"\nwhen = \"blocked\"\ntreat = \"drop\"", "looks at children only"),
        ("on = \"message\"\nonly = [\"blocked\"]\ntreat = \"drop\"", "not all of these are children"),
        ("on = \"message\"\ntype = [\"probe\"]\ntreat = \"drop\"", "message has not all of these types"),
        ("on = \"message\"\ntreat = \"forget\"", "forget"),
        ("on = \"nothing\"\ntreat = \"drop\"", "nothing"),
    ] {
        let error = parse("x", &format!("[[client-state]]\n{rule}\n")).unwrap_err();
        assert!(error.contains(hint), "{rule}: {error}");
    }
}
