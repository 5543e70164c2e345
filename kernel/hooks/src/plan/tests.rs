#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::cell::RefCell;

use xylem_stanza::{Jid, Stanza, Type};

use super::*;

fn entry(n: u32, id: &str, rest: &str) -> ManifestEntry {
    let text = format!(
        "[plugin]\nid = \"{id}\"\nversion = \"1\"\napi = \"xylem:plugin@0.1\"\nsummary = \"s\"\nlicense = \"MIT\"\n{rest}"
    );
    ManifestEntry::new(PluginIndex(n), Arc::new(Manifest::parse(&text).unwrap()))
}

fn hook(on: &str, phase: &str, more: &str) -> String {
    format!("[[hook]]\non = \"{on}\"\nphase = \"{phase}\"\nhandler = \"f\"\n{more}\n")
}

fn compile(entries: &[ManifestEntry]) -> Plan {
    Plan::compile(entries, "example.org").unwrap()
}

fn stanza(xml: &str) -> Stanza {
    Stanza::parse(xml).unwrap()
}

#[derive(Default)]
struct Rows {
    has: Vec<(&'static str, &'static str, &'static str)>,
    cold: bool,
    asked: RefCell<Vec<String>>,
}

impl Views for Rows {
    fn contains(&self, table: &str, partition: &str, peer: &Jid) -> Option<bool> {
        self.asked.borrow_mut().push(format!("{table} {partition} {peer}"));
        (!self.cold).then(|| self.has.iter().any(|row| *row == (table, partition, peer.to_string().as_str())))
    }

    fn any(&self, table: &str, partition: &str) -> Option<bool> {
        (!self.cold).then(|| self.has.iter().any(|(of, key, _)| (*of, *key) == (table, partition)))
    }

    fn tagged(&self, account: &str, tag: &str) -> bool {
        self.has.iter().any(|(kind, name, of)| (*kind, *name, *of) == ("tag", tag, account))
    }

    fn waits(&self, account: &str) -> bool {
        self.has.contains(&("waits", "", account))
    }
}

const PARTY: Party<'static> = Party { key: "romeo@example.org", domain: "example.org", peer: None };

/// Who is called for this stanza, with which bits.
fn called(plan: &Plan, point: HookPoint, xml: &str, rows: &Rows, peer: Option<&str>) -> Vec<(String, u64)> {
    let peer = peer.map(|peer| Jid::parse(peer).unwrap());
    let party = Party { peer: peer.as_ref(), ..PARTY };
    let mut walk = plan.point(point).walk(&stanza(xml));
    let mut calls = Vec::new();
    loop {
        match walk.next(Phase::Observe, &party, rows) {
            Next::Done => return calls,
            Next::Call { step, bits } => calls.push((step.plugin_id.to_string(), bits)),
            Next::Load { table, partition } => panic!("wants {table} {partition}"),
        }
    }
}

fn ids(calls: Vec<(String, u64)>) -> Vec<String> {
    calls.into_iter().map(|(id, _)| id).collect()
}

const CHAT: &str = "<message xmlns='jabber:client' type='chat' to='romeo@example.org'><body>hi</body></message>";

#[test]
fn phases_then_before_and_after_then_names() {
    let plan = compile(&[
        entry(0, "z.screen", &hook("message.in", "screen", "")),
        entry(1, "a.copy", &hook("message.in", "copy", "")),
        entry(2, "b.record", &hook("message.in", "record", "after = [\"c.record\"]")),
        entry(3, "c.record", &hook("message.in", "record", "")),
    ]);
    let calls = ids(called(&plan, HookPoint::MessageIn, CHAT, &Rows::default(), None));
    assert_eq!(calls, ["z.screen", "c.record", "b.record", "a.copy"]);
    assert!(plan.describe(HookPoint::MessageIn).starts_with("screen    z.screen"));
    assert!(plan.point(HookPoint::MessageOut).is_empty());
}

#[test]
fn a_walk_stops_at_the_phase_it_is_told() {
    let plan = compile(&[entry(
        0,
        "a",
        &format!("{}{}", hook("message.in", "screen", ""), hook("message.in", "observe", "")),
    )]);
    let mut walk = plan.point(HookPoint::MessageIn).walk(&stanza(CHAT));
    assert!(matches!(walk.next(Phase::Default, &PARTY, &Rows::default()), Next::Call { .. }));
    assert!(matches!(walk.next(Phase::Default, &PARTY, &Rows::default()), Next::Done));
    assert!(matches!(walk.next(Phase::Observe, &PARTY, &Rows::default()), Next::Call { .. }));
    assert!(matches!(walk.next(Phase::Observe, &PARTY, &Rows::default()), Next::Done));
}

#[test]
fn type_address_and_children_decide_who_is_called() {
    let matches = "[match]\nany = \"{urn:m}*\"\nbody = \"{jabber:client}body\"\nmark = \"{urn:m}mark\"\n";
    let plan = compile(&[
        entry(0, "body", &format!("{matches}{}", hook("message.in", "screen", "when = \"body\""))),
        entry(1, "mark", &format!("{matches}{}", hook("message.in", "screen", "when = \"mark or any and not body\""))),
        entry(2, "headline", &hook("message.in", "screen", "type = [\"headline\", \"normal\"]")),
        entry(3, "domain", &hook("message.in", "screen", "to = [\"domain\"]")),
    ]);
    let rows = Rows::default();
    let who = |xml: &str| called(&plan, HookPoint::MessageIn, xml, &rows, None);
    assert_eq!(who(CHAT), [("body".to_owned(), 0b010)]);
    let marked = "<message xmlns='jabber:client' type='chat' to='a@b/c'><mark xmlns='urn:m'/></message>";
    assert_eq!(who(marked), [("mark".to_owned(), 0b101)]);
    let other = "<message xmlns='jabber:client' type='chat' to='a@b/c'><x xmlns='urn:m'/><body/></message>";
    assert_eq!(ids(who(other)), ["body"]);
    assert_eq!(ids(who("<message xmlns='jabber:client' to='b'/>")), ["domain", "headline"]);
    assert!(who("<message xmlns='jabber:client' type='error' to='a@b'/>").is_empty());
}

#[test]
fn tables_are_asked_last_and_once() {
    let rest = |when: &str| {
        format!(
            "[match]\nbody = \"{{jabber:client}}body\"\nblocked = \"peer in list\"\n[[store]]\nname = \"list\"\nshape = \"kv\"\n{}{}",
            hook("message.in", "screen", &format!("when = \"{when}\"")),
            hook("message.in", "observe", "when = \"blocked\"")
        )
    };
    let plan = compile(&[entry(0, "b", &rest("blocked and not body"))]);
    let rows = Rows { has: vec![("b/list", "romeo@example.org", "eve@evil.example/x")], ..Rows::default() };
    let eve = Some("eve@evil.example/x");
    assert_eq!(called(&plan, HookPoint::MessageIn, CHAT, &rows, eve), [("b".to_owned(), 0b11)]);
    assert_eq!(rows.asked.borrow().len(), 1);
    let empty = "<message xmlns='jabber:client' to='romeo@example.org'/>";
    assert_eq!(called(&plan, HookPoint::MessageIn, empty, &rows, eve).len(), 2);
    assert_eq!(rows.asked.borrow().len(), 2);
    assert!(called(&plan, HookPoint::MessageIn, empty, &rows, Some("mallory@evil.example")).is_empty());
    assert!(called(&plan, HookPoint::MessageIn, empty, &rows, None).is_empty());
}

#[test]
fn keys_without_rows_cost_no_call() {
    let rest = format!(
        "[match]\nlisted = \"any in list\"\n[[store]]\nname = \"list\"\nshape = \"kv\"\n{}",
        hook("message.in", "observe", "when = \"listed\"")
    );
    let plan = compile(&[entry(0, "b", &rest)]);
    let other = Rows { has: vec![("b/list", "juliet@example.org", "x")], ..Rows::default() };
    assert!(called(&plan, HookPoint::MessageIn, CHAT, &other, Some("eve@evil.example")).is_empty());
    let rows = Rows { has: vec![("b/list", "romeo@example.org", "x")], ..Rows::default() };
    for peer in [None, Some("eve@evil.example")] {
        assert_eq!(called(&plan, HookPoint::MessageIn, CHAT, &rows, peer), [("b".to_owned(), 1)]);
    }
    let cold = Rows { cold: true, ..Rows::default() };
    let mut walk = plan.point(HookPoint::MessageIn).walk(&stanza(CHAT));
    assert!(matches!(walk.next(Phase::Observe, &PARTY, &cold), Next::Load { .. }));
}

#[test]
fn accounts_without_tagged_sessions_cost_no_call() {
    let rest =
        format!("[match]\ncopies = \"session tagged copies\"\n{}", hook("message.in", "copy", "when = \"copies\""));
    let plan = compile(&[entry(0, "b", &rest)]);
    let eve = Some("eve@evil.example");
    assert!(called(&plan, HookPoint::MessageIn, CHAT, &Rows::default(), eve).is_empty());
    let rows = Rows { has: vec![("tag", "copies", "romeo@example.org")], ..Rows::default() };
    assert_eq!(called(&plan, HookPoint::MessageIn, CHAT, &rows, eve), [("b".to_owned(), 1)]);
}

#[test]
fn who_asks_for_sessions_that_wait_is_called_for_them_and_asked_anew() {
    let rest = format!(
        "[match]\nlisted = \"any in list\"\nwaits = \"session waits\"\n[[store]]\nname = \"list\"\nshape = \"kv\"\n{}{}",
        hook("message.in", "observe", "when = \"listed and waits\""),
        hook("message.in", "observe", "when = \"listed\""),
    );
    let plan = compile(&[entry(0, "b", &rest)]);
    let eve = Some("eve@evil.example");
    let chain = plan.point(HookPoint::MessageIn);
    assert!(chain.walk(&stanza(CHAT)).is_over_without_rows(), "whether a session waits is not asked then");
    let here = Rows { has: vec![("b/list", "romeo@example.org", "x")], ..Rows::default() };
    assert_eq!(called(&plan, HookPoint::MessageIn, CHAT, &here, eve).len(), 1);
    let away = Rows { has: vec![("b/list", "romeo@example.org", "x"), ("waits", "", "romeo@example.org")], ..here };
    assert_eq!(called(&plan, HookPoint::MessageIn, CHAT, &away, eve).len(), 2);
    let mut anew = chain.walk_anew(&stanza(CHAT));
    assert!(matches!(anew.next(Phase::Observe, &PARTY, &away), Next::Call { step, .. } if step.waits));
    assert!(matches!(anew.next(Phase::Observe, &PARTY, &away), Next::Done), "the other one was called in time");
}

#[test]
fn cold_rows_are_asked_for_and_the_walk_goes_on() {
    let rest = format!(
        "[match]\nblocked = \"peer in list\"\n[[store]]\nname = \"list\"\nshape = \"kv\"\n{}",
        hook("message.in", "screen", "when = \"blocked\"")
    );
    let plan = compile(&[entry(0, "b", &rest)]);
    let peer = Jid::parse("eve@evil.example").unwrap();
    let party = Party { peer: Some(&peer), ..PARTY };
    let mut walk = plan.point(HookPoint::MessageIn).walk(&stanza(CHAT));
    let cold = Rows { cold: true, ..Rows::default() };
    let Next::Load { table, partition } = walk.next(Phase::Observe, &party, &cold) else { panic!("did not ask") };
    assert_eq!((&**table, partition.as_str()), ("b/list", "romeo@example.org"));
    let warm = Rows { has: vec![("b/list", "romeo@example.org", "eve@evil.example")], ..Rows::default() };
    assert!(matches!(walk.next(Phase::Observe, &party, &warm), Next::Call { bits: 1, .. }));
    assert!(matches!(walk.next(Phase::Observe, &party, &warm), Next::Done));
}

#[test]
fn later_hooks_judge_the_edited_stanza() {
    let late = format!("[match]\nmark = \"{{urn:m}}mark\"\n{}", hook("message.in", "record", "when = \"mark\""));
    let plan = compile(&[entry(0, "a", &hook("message.in", "enrich", "")), entry(1, "b", &late)]);
    let mut walk = plan.point(HookPoint::MessageIn).walk(&stanza(CHAT));
    let rows = Rows::default();
    assert!(matches!(walk.next(Phase::Observe, &PARTY, &rows), Next::Call { .. }));
    walk.reexamine(&stanza("<message xmlns='jabber:client' type='chat' to='a@b'><mark xmlns='urn:m'/></message>"));
    assert!(matches!(walk.next(Phase::Observe, &PARTY, &rows), Next::Call { bits: 1, .. }));
    assert!(matches!(walk.next(Phase::Observe, &PARTY, &rows), Next::Done));
}

fn iq(names: &str, kinds: &str, to: &str, more: &str) -> String {
    format!("[[iq]]\nns = \"urn:n\"\nnames = [{names}]\ntype = [{kinds}]\nto = \"{to}\"\nhandler = \"f\"\n{more}\n")
}

#[test]
fn requests_have_one_owner() {
    let plan = compile(&[
        entry(0, "a", &iq("\"q\"", "\"get\"", "server", "before-auth = true")),
        entry(
            1,
            "b",
            &format!(
                "{}{}",
                iq("\"q\"", "\"set\"", "server", ""),
                iq("\"q\", \"r\"", "\"get\"", "account", "own = true")
            ),
        ),
    ]);
    let owner = |class, name, kind| plan.iq(class, "urn:n", name, kind).map(|claim| (claim.plugin.0, claim.entry));
    assert_eq!(owner(EntityClass::Server, "q", Type::Get), Some((0, 0)));
    assert_eq!(owner(EntityClass::Server, "q", Type::Set), Some((1, 0)));
    assert_eq!(owner(EntityClass::Account, "r", Type::Get), Some((1, 1)));
    assert_eq!(owner(EntityClass::Account, "r", Type::Set), None);
    assert_eq!(owner(EntityClass::Server, "r", Type::Get), None);
    assert!(plan.before_auth("urn:n", "q", Type::Get).is_some());
    assert!(plan.before_auth("urn:n", "q", Type::Set).is_none());
}

/// XEP-0386 §3.1: what may begin with a binding, and what is asked at each.
#[test]
fn requests_that_go_with_a_binding() {
    let plan = compile(&[
        entry(0, "a", &iq("\"on\"", "\"set\"", "account", "bind = \"asked\"")),
        entry(1, "b", &iq("\"off\"", "\"set\"", "account", "")),
        entry(2, "c", &iq("\"ends\"", "\"get\"", "account", "bind = \"always\"")),
    ]);
    assert_eq!(plan.inline_offered(), ["urn:n"]);
    assert_eq!(plan.inline_always().collect::<Vec<_>>(), [("urn:n", "ends")]);
    let inline = |name| plan.iq(EntityClass::Account, "urn:n", name, Type::Set).is_some_and(|claim| claim.inline);
    assert!(inline("on") && !inline("off"));
}

#[test]
fn what_does_not_go_together_is_refused_with_both_names() {
    let refusal = |entries: &[ManifestEntry]| Plan::compile(entries, "example.org").unwrap_err().to_string();
    let both = refusal(&[
        entry(0, "a", &iq("\"q\"", "\"get\"", "server", "")),
        entry(1, "b", &iq("\"q\"", "\"get\", \"set\"", "server", "")),
    ]);
    assert!(
        both.starts_with("a (line 7) and b (line 7) both claim <q xmlns='urn:n'/> of type get to the server"),
        "{both}"
    );
    let twice = refusal(&[entry(0, "a", ""), entry(1, "a", "")]);
    assert!(twice.contains("a is there twice"), "{twice}");
    let circle = refusal(&[
        entry(0, "a", &hook("message.in", "copy", "after = [\"b\"]")),
        entry(1, "b", &hook("message.in", "copy", "after = [\"a\"]")),
    ]);
    assert!(circle.contains("message.in, phase copy") && circle.contains("a → b → a"), "{circle}");
    let claims =
        [entry(0, "a", "[[domain]]\nclaim = \"x.{domain}\"\n"), entry(1, "b", "[[domain]]\nclaim = \"x.{domain}\"\n")];
    assert!(refusal(&claims).contains("a and b both claim the domain x.example.org"));
    let viewer = entry(0, "v", "[needs]\nviews = [\"o/s\"]\n");
    let owner = |view: &str| entry(1, "o", &format!("[[store]]\nname = \"s\"\nshape = \"kv\"\n{view}"));
    assert!(refusal(std::slice::from_ref(&viewer)).contains("o is not enabled here"));
    assert!(refusal(&[viewer.clone(), owner("")]).contains("line 7 lacks `view = true`"));
    assert!(refusal(&[viewer.clone(), entry(1, "o", "")]).contains("no such store"));
    compile(&[viewer, owner("view = true\n")]);
}

#[test]
fn listeners_and_contributions_are_merged() {
    let event = "[[event]]\non = \"session.available\"\nhandler = \"f\"\n";
    let adds = |values: &str| format!("[adds]\n\"disco.server\" = [{values}]\n");
    let plan = compile(&[
        entry(7, "b", &format!("{event}{}", adds("\"urn:2\", \"urn:1\""))),
        entry(3, "a", &format!("{event}{}", adds("\"urn:1\""))),
    ]);
    let listeners: Vec<_> =
        plan.listeners(EventPoint::SessionAvailable).iter().map(|l| (l.plugin.0, l.entry)).collect();
    assert_eq!(listeners, [(3, 0), (7, 0)]);
    assert!(plan.listeners(EventPoint::SessionEnded).is_empty());
    assert_eq!(plan.contributions("disco.server"), ["urn:1", "urn:2"]);
    let published = BTreeMap::from([(("disco.server".to_owned(), PluginIndex(7)), vec!["urn:3".to_owned()])]);
    assert_eq!(plan.with_published(&published).contributions("disco.server"), ["urn:1", "urn:3"]);
    assert_eq!(plan.contributions("disco.server"), ["urn:1", "urn:2"]);
}

#[test]
fn a_filter_walk_is_cheap_to_describe() {
    let plan = compile(&[entry(
        0,
        "a",
        &format!(
            "[match]\nx = \"{{urn:x}}y\"\n{}",
            hook("message.in", "screen", "type = [\"chat\"]\nto = [\"bare\"]\nwhen = \"not x\"")
        ),
    )]);
    assert_eq!(
        plan.describe(HookPoint::MessageIn).trim_end(),
        format!("{:9} {:24} f type=chat to=bare when=(not x) on-fault=refuse", "screen", "a")
    );
}

#[test]
fn a_claimed_domain_is_its_owners_alone() {
    let claimed = hook("message.in", "default", "claimed = true");
    let plan = compile(&[
        entry(
            0,
            "rooms",
            &format!("{claimed}{}[[domain]]\nclaim = \"rooms.{{domain}}\"\n", hook("message.in", "copy", "")),
        ),
        entry(1, "archive", &hook("message.in", "record", "")),
        entry(2, "other", &claimed),
    ]);
    let ordinary = ids(called(&plan, HookPoint::MessageIn, CHAT, &Rows::default(), None));
    assert_eq!(ordinary, ["archive", "rooms"]);
    let mut walk = plan.point(HookPoint::MessageIn).walk_claimed(&stanza(CHAT), PluginIndex(0));
    let Next::Call { step, .. } = walk.next(Phase::Observe, &PARTY, &Rows::default()) else {
        panic!("nobody is called")
    };
    assert_eq!((&*step.plugin_id, step.phase), ("rooms", Phase::Default));
    assert!(matches!(walk.next(Phase::Observe, &PARTY, &Rows::default()), Next::Done));
}

#[test]
fn plugins_that_would_wait_for_themselves_are_refused_with_line_and_fix() {
    let plugin = |n: u32, id: &str, asks: &str, extends: &[&str]| {
        let mut rest = format!("[extension]\ninterface = \"x:{asks}@0.1\"\n");
        for interface in extends {
            rest.push_str(&format!("[[extend]]\ninterface = \"x:{interface}@0.1\"\n"));
        }
        entry(n, id, &rest)
    };
    let (a, b) = (plugin(0, "a", "a", &[]), plugin(1, "b", "b", &["a"]));
    let plan = Plan::compile(&[a, b.clone()], "example.org").unwrap();
    let asked = plan.subscribers(&crate::manifest::Interface::parse("x:a@0.1").unwrap());
    assert_eq!(asked.iter().map(|subscriber| &*subscriber.plugin_id).collect::<Vec<_>>(), ["b"]);
    let closing = plugin(0, "a", "a", &["c"]);
    let refusal = Plan::compile(&[closing, b, plugin(2, "c", "c", &["b"])], "example.org").unwrap_err().to_string();
    for part in ["circle: a → b → c → a", "a: plugin.toml line 9", "[[extend]] x:c@0.1", "take out"] {
        assert!(refusal.contains(part), "{refusal}");
    }
}

#[test]
fn an_option_says_what_is_claimed() {
    let text = "[[domain]]\nclaim = \"rooms.{domain}\"\noption = \"services\"\n[config.services]\ntype = \"list\"\ndefault = [\"rooms.{domain}\"]\nhelp = \"h\"\n";
    let with = |services: serde_json::Value| {
        let mut entry = entry(0, "a", text);
        entry.config = serde_json::json!({ "services": services });
        Plan::compile(&[entry], "example.org")
    };
    let of = |plan: &Plan, domain: &str| plan.domain_owner(domain).is_some();
    let plan = Plan::compile(&[entry(0, "a", text)], "example.org").unwrap();
    assert!(of(&plan, "rooms.example.org"));
    let plan = with(serde_json::json!(["talk.{domain}", "halls.example"])).unwrap();
    assert!(of(&plan, "talk.example.org") && of(&plan, "halls.example") && !of(&plan, "rooms.example.org"));
    for bad in ["{domain}", "example.org", "Halls.example", "a/b", ""] {
        let refused = with(serde_json::json!([bad])).unwrap_err().to_string();
        assert!(refused.contains("cannot be claimed"), "{bad}: {refused}");
    }
    let twice = with(serde_json::json!(["x.{domain}", "x.example.org"])).unwrap_err().to_string();
    assert!(twice.contains("both claim the domain x.example.org"), "{twice}");
    let unknown = text.replace("option = \"services\"", "option = \"halls\"");
    let manifest = format!(
        "[plugin]\nid = \"a\"\nversion = \"1\"\napi = \"xylem:plugin@0.1\"\nsummary = \"s\"\nlicense = \"MIT\"\n{unknown}"
    );
    assert!(Manifest::parse(&manifest).unwrap_err().to_string().contains("type list"));
}
