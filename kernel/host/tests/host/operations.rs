//! What administrators ask of plugins, and plugins of the server's table.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use xylem_host::{
    HostError, OperationActor, OperationAnswer, OperationCaller, OperationRefusal, OperationTable, Package, Settings,
};

use crate::stage::{ALL, DOMAIN, KEY, Stage, cause, guest, manifest, message, sent};
use crate::turns::gated;

const OPERATIONS: &str = r#"
[[operation]]
name = "trick.do"
help = "Does it."
arguments = [{ name = "at", type = "address", help = "where" }, { name = "text", type = "text", help = "what" }]
key = "at"
changes = true
result = "the key"
handler = "f"
[[operation]]
name = "trick.serve"
help = "Does it."
arguments = [{ name = "domain", type = "domain", help = "where" }]
key = "domain"
changes = false
result = "the key"
handler = "f"
[[domain]]
claim = "tricks.{domain}"
"#;

fn with_operations() -> String {
    [ALL, OPERATIONS]
        .concat()
        .replace("[replies]", "[replies]\noperation = \"f\"")
        .replace("[needs]", "[needs]\noperations = true")
}

fn caller() -> OperationCaller {
    OperationCaller { who: "admin@example.org".to_owned(), role: "owner".to_owned() }
}

async fn ask(stage: &Stage, at: &str, text: &str) -> Result<Value, OperationRefusal> {
    stage.host.operate("trick.do", &json!({ "at": at, "text": text }), caller()).await
}

#[tokio::test]
async fn an_operation_is_a_turn_under_its_key() {
    let stage = Stage::with("t", &with_operations());
    let names: Vec<_> = stage.host.operations().iter().map(|one| one.spec().unwrap().name.clone()).collect();
    assert_eq!(names, ["trick.do", "trick.serve"]);
    assert_eq!(ask(&stage, KEY, "do:put:a=1 do:plainsend:told").await, Ok(json!({ "key": KEY })));
    assert_eq!(stage.row(KEY, "a").await.as_deref(), Some("1"));
    assert_eq!(stage.row(KEY, "run").await.as_deref(), Some("0 admin@example.org owner"));
    assert!(stage.effects().iter().any(|effect| sent(effect).contains("told")), "out when it has ended");
    let room = "room@tricks.example.org";
    assert_eq!(ask(&stage, room, "x").await, Ok(json!({ "key": room })));
    let served = stage.host.operate("trick.serve", &json!({ "domain": DOMAIN }), caller()).await;
    assert_eq!(served, Ok(json!({ "key": DOMAIN })));
}

#[tokio::test]
async fn what_goes_wrong_is_told_and_leaves_nothing() {
    let stage = Stage::with("t", &with_operations());
    assert_eq!(ask(&stage, KEY, "say:conflict").await, Err(OperationRefusal::Conflict("it is there already".into())));
    let refusal = |answer: Result<Value, OperationRefusal>| answer.unwrap_err();
    assert!(matches!(refusal(ask(&stage, "a@elsewhere.example", "x").await), OperationRefusal::Missing(_)));
    assert!(matches!(refusal(ask(&stage, "", "x").await), OperationRefusal::Invalid(_)));
    let claimed = stage.host.operate("trick.serve", &json!({ "domain": "tricks.example.org" }), caller()).await;
    assert!(matches!(refusal(claimed), OperationRefusal::Missing(_)), "a claimed domain is not hosted");
    let unknown = stage.host.operate("trick.not", &json!({}), caller()).await;
    assert_eq!(unknown, Err(OperationRefusal::Unknown));
    assert!(matches!(refusal(ask(&stage, KEY, "say:nonsense").await), OperationRefusal::Failed(_)));
    assert!(matches!(refusal(ask(&stage, KEY, "do:put:b=1 do:crash ").await), OperationRefusal::Failed(_)));
    assert_eq!(stage.row(KEY, "b").await, None);
    stage.host.disable("t", None).unwrap();
    assert!(matches!(refusal(ask(&stage, KEY, "x").await), OperationRefusal::Conflict(_)));
}

#[tokio::test]
async fn what_is_not_on_disk_is_not_done() {
    let (stage, open, broken) = gated(&with_operations());
    open.store(false, Ordering::SeqCst);
    let host = Arc::clone(&stage.host);
    let asked =
        tokio::spawn(
            async move { host.operate("trick.do", &json!({ "at": KEY, "text": "do:put:a=1" }), caller()).await },
        );
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!asked.is_finished(), "answered before it was written");
    open.store(true, Ordering::SeqCst);
    assert_eq!(asked.await.unwrap(), Ok(json!({ "key": KEY })));
    broken.store(true, Ordering::SeqCst);
    let failed = ask(&stage, KEY, "do:put:a=2 do:plainsend:x").await;
    assert!(matches!(failed, Err(OperationRefusal::Failed(_))), "{failed:?}");
    assert!(stage.effects().is_empty());
}

#[tokio::test]
async fn two_plugins_have_no_operation_of_one_name() {
    let stage = Stage::with("t", &with_operations());
    let other = with_operations().replace("tricks.{domain}", "other.{domain}").replace("urn:t", "urn:o");
    let package = Package::new("o", guest("tricks"), &manifest("o", &other)).unwrap();
    let error = stage.host.install(package, Settings::default()).unwrap_err();
    assert!(matches!(&error, HostError::Component { problem, .. } if problem.contains("trick.do")), "{error}");
    assert_eq!(stage.host.operations().len(), 2);
}

/// Writes down who asked what.
#[derive(Default)]
struct Table(Mutex<Vec<(OperationActor, String, Value)>>);

impl OperationTable for Table {
    fn list(&self, actor: &OperationActor) -> Value {
        json!([{ "name": actor.session.as_str() }])
    }

    fn call(&self, actor: OperationActor, name: String, arguments: Value) -> OperationAnswer {
        self.0.lock().unwrap().push((actor, name, arguments));
        Box::pin(async { Err(OperationRefusal::Denied("you may not".into())) })
    }
}

#[tokio::test]
async fn the_table_is_asked_in_the_name_of_who_is_behind_the_stanza() {
    let stage = Stage::with("t", &with_operations());
    let table = Arc::new(Table::default());
    stage.host.attach_table(Arc::clone(&table) as Arc<_>);
    let hook = |from: Option<&str>, body: &str| {
        let mut cause = cause(KEY);
        cause.actor = from.map(|jid| xylem_stanza::FullJid::parse(jid).unwrap());
        use xylem_hooks::Plugins as _;
        stage.host.hook(stage.plugin("t"), 0, 0, &cause, &message(body))
    };
    hook(None, "do:call:user.list").get().await;
    assert_eq!(stage.fault().await, "Err(Fault::Denied)");
    hook(Some("juliet@example.org/b"), "do:table").get().await;
    assert_eq!(stage.row(KEY, "table").await.as_deref(), Some(r#"[{"name":"juliet@example.org/b"}]"#));
    hook(Some("juliet@example.org/b"), "do:call:user.list").get().await;
    for _ in 0..200 {
        if stage.row(KEY, "operated").await.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(stage.row(KEY, "operated").await.as_deref(), Some(r#"mine Err(Refusal::Denied("you may not"))"#));
    let asked = table.0.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].0.session.as_str(), asked[0].1.as_str()), ("juliet@example.org/b", "user.list"));
}

#[tokio::test]
async fn without_the_grant_there_is_no_table() {
    let stage = Stage::with("t", ALL);
    stage.host.attach_table(Arc::new(Table::default()));
    stage.hook("do:call:user.list").await;
    assert_eq!(stage.fault().await, "Err(Fault::Denied)");
}
