//! Every operation for every role: allowed or refused, as `roles.txt` has it, which is read by
//! people before it is committed. `XYLEM_WRITE=1` writes it anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Map, Value};
use xylem_ops::{About, Caller, Face, Kind, Narrowed, OpError, Rank, Role, Scopes, Spec, permit};

const SERVED: [&str; 2] = ["here.example", "elsewhere.example"];

/// Who asks, and about whose account or which domain.
fn callers() -> Vec<(&'static str, Caller, &'static str)> {
    let caller = |role| Caller::account("me@here.example", role, Face::Rest, "test");
    let limited = |rank| caller(Role::limited(rank, vec!["here.example".into()]));
    let of = |rank| caller(Role::of(rank));
    vec![
        ("owner", of(Rank::Owner), "you@elsewhere.example"),
        ("administrator", of(Rank::Administrator), "you@elsewhere.example"),
        ("administrator-here", limited(Rank::Administrator), "you@here.example"),
        ("administrator-beyond", limited(Rank::Administrator), "you@elsewhere.example"),
        ("operator", of(Rank::Operator), "you@elsewhere.example"),
        ("operator-here", limited(Rank::Operator), "you@here.example"),
        ("operator-beyond", limited(Rank::Operator), "you@elsewhere.example"),
        ("auditor", of(Rank::Auditor), "you@here.example"),
        ("user", of(Rank::User), "you@here.example"),
        ("user-own", of(Rank::User), "me@here.example"),
    ]
}

/// Arguments that name this account, or its domain.
fn arguments(spec: &Spec, account: &str) -> Map<String, Value> {
    let domain = account.split('@').next_back().unwrap();
    let mut given = Map::new();
    for argument in &spec.arguments {
        let value = match argument.kind {
            Kind::Account => account.to_owned(),
            Kind::Address => format!("room@rooms.{domain}"),
            Kind::Domain => domain.to_owned(),
            _ => continue,
        };
        given.insert(argument.name.clone().into_owned(), value.into());
    }
    given
}

fn allowed(caller: &Caller, spec: &Spec, account: &str) -> bool {
    let served = SERVED.map(str::to_owned);
    match permit::narrow(caller, spec, &mut arguments(spec, account), &served) {
        Ok(()) => true,
        Err(OpError::Denied(_)) => false,
        Err(other) => panic!("{}: {other}", spec.name),
    }
}

#[test]
fn every_operation_is_for_whom_the_list_says() {
    let mut text =
        String::from("# Who may call what. Limited roles hold in here.example; -beyond asks about another domain.\n");
    for spec in xylem_ops::specs() {
        let may: Vec<_> = callers().iter().filter(|(_, c, a)| allowed(c, &spec, a)).map(|(name, _, _)| *name).collect();
        writeln!(text, "{}: {}", spec.name, may.join(" ")).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/roles.txt");
    if std::env::var_os("XYLEM_WRITE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let list = std::fs::read_to_string(path).unwrap();
    for (is, was) in text.lines().zip(list.lines()) {
        assert_eq!(is, was, "read it, then XYLEM_WRITE=1");
    }
    assert_eq!(text.lines().count(), list.lines().count(), "an operation has come or gone: XYLEM_WRITE=1, and read it");
}

/// What holds whatever the list says.
#[test]
fn no_operation_breaks_what_roles_mean() {
    for spec in xylem_ops::specs() {
        let may = |wanted: &str| callers().iter().any(|(name, c, a)| *name == wanted && allowed(c, &spec, a));
        let name = &spec.name;
        assert!(may("owner"), "{name}: an owner may everything");
        for beyond in ["administrator-beyond", "operator-beyond"] {
            assert!(!may(beyond) || spec.about == About::Common, "{name}: {beyond}");
        }
        assert!(!may("user") || spec.about == About::Common, "{name}: a user, about somebody else");
        if spec.changes {
            for looker in ["operator", "operator-here", "operator-beyond", "auditor"] {
                assert!(!may(looker), "{name} changes something, and is for {looker}");
            }
            assert!(!may("administrator-here") || spec.about != About::Server, "{name}: the whole server");
            assert!(spec.about != About::Common, "{name} changes something, and says not of whom");
        }
        assert!(!name.starts_with("audit.") || !spec.changes, "the audit log is changed by nobody");
    }
}

#[test]
fn what_follows_from_the_caller_need_not_be_said() {
    let spec = |name: &str| xylem_ops::specs().into_iter().find(|spec| spec.name == name).unwrap();
    let narrow = |caller: &Caller, name: &str| {
        let mut given = Map::new();
        let served = SERVED.map(str::to_owned);
        permit::narrow(caller, &spec(name), &mut given, &served).map(|()| Value::Object(given))
    };
    let user = Caller::account("me@here.example", Role::default(), Face::Rest, "test");
    assert_eq!(narrow(&user, "token.list"), Ok(serde_json::json!({"account": "me@here.example"})));
    let of = |domains: &[&str]| {
        let domains = domains.iter().map(|d| (*d).to_owned()).collect();
        Caller::account("me@here.example", Role::limited(Rank::Operator, domains), Face::Rest, "test")
    };
    assert_eq!(narrow(&of(&["here.example"]), "user.list"), Ok(serde_json::json!({"domain": "here.example"})));
    let several = narrow(&of(&["here.example", "b.example"]), "user.list").unwrap_err();
    assert!(matches!(&several, OpError::Invalid(text) if text.contains("here.example, b.example")), "{several}");
}

#[test]
fn a_token_is_never_more_than_its_scopes_and_its_ceiling() {
    let spec = |name: &str| xylem_ops::specs().into_iter().find(|spec| spec.name == name).unwrap();
    let mut caller = Caller::account("me@here.example", Role::of(Rank::Owner), Face::Rest, "test");
    let scopes = Scopes::parse(vec!["user.*".into(), "status".into()]).unwrap();
    caller.narrowed = Some(Narrowed { ceiling: Role::limited(Rank::Operator, vec!["here.example".into()]), scopes });
    assert!(allowed(&caller, &spec("user.show"), "you@here.example"));
    assert!(!allowed(&caller, &spec("user.show"), "you@elsewhere.example"), "the ceiling's domain");
    assert!(!allowed(&caller, &spec("user.delete"), "you@here.example"), "the ceiling's rank");
    assert!(!allowed(&caller, &spec("session.list"), "you@here.example"), "the scopes");
    assert!(!caller.is_all_of("me@here.example"), "a token that is less must not become more");
}
