//! The table over a backend that does nothing but remember.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use xylem_ops::backend::{Accounts, Data, Devices, Plugins, Server, Sessions, Tokens};
use xylem_ops::data::{ExportRow, Exported, Imported};
use xylem_ops::device::{DeviceRow, Revoked};
use xylem_ops::plugin::{ChainReport, PluginDetail, PluginRow, Removed};
use xylem_ops::server::{HealthReport, ReloadReport, StatusReport};
use xylem_ops::session::{Ended, SessionRow};
use xylem_ops::token::{TokenGone, TokenMade, TokenRow, Wanted};
use xylem_ops::user::{Account, Which};
use xylem_ops::{
    About, Answer, AuditLog, Backend, Caller, Face, Files, Kind, Method, OpError, Ops, Page, Paging, Rank, Role,
};

#[derive(Default)]
struct Fake {
    passwords: Mutex<Vec<(String, String)>>,
}

fn no<T: Send + 'static>() -> Answer<'static, T> {
    Box::pin(async { Err(OpError::Unavailable("not here".into())) })
}

impl Accounts for Fake {
    fn add(&self, account: String, password: String) -> Answer<'_, Account> {
        Box::pin(async move {
            self.passwords.lock().unwrap().push((account.clone(), password));
            Ok(Account { account, created: 0, disabled: false, sessions: Vec::new(), role: Role::default() })
        })
    }

    fn delete(&self, account: String) -> Answer<'_, ()> {
        Box::pin(async move { Err(OpError::NotFound(format!("there is no account {account}"))) })
    }

    fn set_password(&self, _: String, _: String) -> Answer<'_, ()> {
        no()
    }

    fn list(&self, _: Which, _: Paging) -> Answer<'_, Page<Account>> {
        Box::pin(async { Ok(Page { items: Vec::new(), next: None, total: None }) })
    }

    fn role(&self, account: String) -> Answer<'_, Role> {
        let rank = if account.starts_with("owner@") { Rank::Owner } else { Rank::User };
        Box::pin(async move { Ok(Role::of(rank)) })
    }

    fn set_role(&self, _: String, _: Role) -> Answer<'_, Account> {
        no()
    }

    fn show(&self, _: String) -> Answer<'_, Account> {
        no()
    }
}

impl Sessions for Fake {
    fn list(&self, _: Option<String>, _: Option<String>, _: Paging) -> Answer<'_, Page<SessionRow>> {
        no()
    }

    fn end(&self, _: String, _: Option<String>) -> Answer<'_, Ended> {
        no()
    }
}

impl Devices for Fake {
    fn list(&self, _: String, _: Paging) -> Answer<'_, Page<DeviceRow>> {
        no()
    }

    fn revoke(&self, _: String, _: String) -> Answer<'_, Revoked> {
        no()
    }
}

impl Plugins for Fake {
    fn list(&self, _: Paging) -> Answer<'_, Page<PluginRow>> {
        no()
    }

    fn info(&self, _: String) -> Answer<'_, PluginDetail> {
        no()
    }

    fn install(&self, _: PathBuf, _: bool) -> Answer<'_, PluginRow> {
        no()
    }

    fn enable(&self, _: String, _: Option<String>) -> Answer<'_, PluginRow> {
        no()
    }

    fn disable(&self, _: String, _: Option<String>) -> Answer<'_, PluginRow> {
        no()
    }

    fn remove(&self, _: String, _: bool) -> Answer<'_, Removed> {
        no()
    }

    fn chain(&self, _: Option<String>, _: Option<String>) -> Answer<'_, ChainReport> {
        no()
    }
}

impl Data for Fake {
    fn export(&self, _: PathBuf) -> Answer<'_, Exported> {
        no()
    }

    fn import(&self, path: PathBuf) -> Answer<'_, Imported> {
        Box::pin(async move {
            let text = std::fs::read_to_string(path).map_err(|e| OpError::Failed(e.to_string()))?;
            let rows = text.parse().map_err(|_| OpError::Invalid("no number".into()))?;
            Ok(Imported { rows })
        })
    }

    fn exports(&self, _: Paging) -> Answer<'_, Page<ExportRow>> {
        no()
    }

    fn export_of(&self, _: PathBuf) -> Answer<'_, ExportRow> {
        no()
    }

    fn delete_export(&self, _: PathBuf) -> Answer<'_, ExportRow> {
        no()
    }
}

impl Tokens for Fake {
    fn create(&self, _: Wanted) -> Answer<'_, TokenMade> {
        no()
    }

    fn list(&self, _: Option<String>, _: Paging) -> Answer<'_, Page<TokenRow>> {
        no()
    }

    fn show(&self, _: String) -> Answer<'_, TokenRow> {
        no()
    }

    fn revoke(&self, _: String, _: Option<String>) -> Answer<'_, TokenGone> {
        no()
    }

    fn bearer(&self, _: String, _: String) -> Answer<'_, Option<Caller>> {
        no()
    }
}

impl Server for Fake {
    fn domains(&self) -> Vec<String> {
        vec!["b.example".to_owned()]
    }

    fn status(&self) -> Answer<'_, StatusReport> {
        no()
    }

    fn health(&self) -> Answer<'_, HealthReport> {
        Box::pin(async { Ok(HealthReport { healthy: true, problems: Vec::new() }) })
    }

    fn reload(&self) -> Answer<'_, ReloadReport> {
        no()
    }
}

struct Scene {
    ops: Ops,
    fake: Arc<Fake>,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let audit = Arc::new(AuditLog::open(&folder.path().join("audit.log")).unwrap());
        let fake = Arc::new(Fake::default());
        let backend = Backend {
            accounts: fake.clone(),
            sessions: fake.clone(),
            devices: fake.clone(),
            plugins: fake.clone(),
            data: fake.clone(),
            server: fake.clone(),
            tokens: fake.clone(),
            ..Backend::absent(audit)
        };
        let files = Files::within(folder.path());
        Self { ops: Ops::new(backend, files), fake, folder }
    }

    async fn call(&self, rank: Rank, name: &str, arguments: Value) -> Result<Value, OpError> {
        let caller = Caller::account("root@b.example", Role::of(rank), Face::Rest, "test");
        self.ops.call(&caller, name, arguments).await
    }

    fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("audit.log")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test]
async fn a_change_is_carried_out_and_written_down_without_its_secret() {
    let scene = Scene::new();
    let arguments = json!({"account": "a@b.example", "password": "pencil"});
    let account = scene.call(Rank::Owner, "user.add", arguments).await.unwrap();
    assert_eq!(account.get("account"), Some(&json!("a@b.example")));
    assert_eq!(*scene.fake.passwords.lock().unwrap(), [("a@b.example".to_owned(), "pencil".to_owned())]);
    let audit = scene.audit();
    let [line] = audit.as_slice() else { panic!("{audit:?}") };
    assert_eq!((line.get("who"), line.get("from")), (Some(&json!("root@b.example")), Some(&json!("test"))));
    assert_eq!(line.get("what"), Some(&json!("create the account a@b.example")));
    assert!(!line.to_string().contains("pencil"));
}

#[tokio::test]
async fn what_fails_or_is_denied_is_written_down_as_well() {
    let scene = Scene::new();
    let arguments = json!({"account": "a@b.example"});
    let error = scene.call(Rank::Owner, "user.delete", arguments.clone()).await.unwrap_err();
    assert!(matches!(error, OpError::NotFound(_)));
    let error = scene.call(Rank::Auditor, "user.delete", arguments).await.unwrap_err();
    assert!(matches!(error, OpError::Denied(_)));
    assert_eq!(scene.audit().iter().filter(|line| line.get("error").is_some()).count(), 2);
}

#[tokio::test]
async fn what_changes_nothing_is_not_written_down() {
    let scene = Scene::new();
    scene.call(Rank::Auditor, "health", Value::Null).await.unwrap();
    scene.call(Rank::Operator, "user.list", json!({})).await.unwrap();
    assert!(scene.audit().is_empty());
    let error = scene.call(Rank::Owner, "user.lsit", Value::Null).await.unwrap_err();
    assert_eq!(error, OpError::UnknownOperation("user.lsit".into()));
}

#[tokio::test]
async fn names_and_ids_have_one_line() {
    let scene = Scene::new();
    for id in ["x\n2026-11-23T00:00:00Z  INFO done: forged", "x\r", "x\u{85}", "x\u{2028}"] {
        let error = scene.call(Rank::Owner, "token.revoke", json!({"id": id})).await.unwrap_err();
        assert!(matches!(error, OpError::Invalid(_)), "{id:?}: {error:?}");
    }
    let body = json!({"account": "a@b.example", "body": "two\nlines"});
    let error = scene.call(Rank::Owner, "session.message", body).await.unwrap_err();
    assert!(!matches!(error, OpError::Invalid(_)), "{error:?}");
}

#[tokio::test]
async fn an_upload_goes_when_it_was_taken_and_stays_if_it_was_not() {
    let scene = Scene::new();
    let (name, path) = scene.ops.files().begin_upload("root@b.example").unwrap();
    std::fs::write(&path, "x").unwrap();
    scene.call(Rank::Owner, "import", json!({"path": name})).await.unwrap_err();
    assert!(path.exists());
    std::fs::write(&path, "7").unwrap();
    assert_eq!(scene.call(Rank::Owner, "import", json!({"path": name})).await.unwrap(), json!({"rows": 7}));
    assert!(!path.exists());
}

/// Whoever can sign in can have something refused.
#[tokio::test]
async fn refusals_do_not_fill_the_log() {
    let scene = Scene::new();
    let mut arguments = serde_json::Map::from_iter([("account".to_owned(), json!("a@b.example"))]);
    arguments.extend((0..250).map(|n| (format!("x{n}"), json!("typed wrong ".repeat(300)))));
    for _ in 0..50 {
        let refused = scene.call(Rank::User, "user.password", Value::Object(arguments.clone())).await;
        assert!(matches!(refused, Err(OpError::Denied(_))));
    }
    let audit = scene.audit();
    assert_eq!(audit.len(), 30);
    for line in audit {
        assert_eq!(line.get("arguments"), Some(&json!({"account": "a@b.example", "(unknown)": 250})));
    }
}

/// Of the own account everybody may try what comes to nothing.
#[tokio::test]
async fn what_mere_users_try_in_vain_does_not_fill_the_log() {
    let scene = Scene::new();
    for n in 0..50 {
        scene.call(Rank::User, "token.revoke", json!({"id": format!("{n}")})).await.unwrap_err();
    }
    assert_eq!(scene.audit().len(), 30);
}

#[tokio::test]
async fn a_line_is_no_longer_than_one_may_be_and_has_no_texts_of_others() {
    let scene = Scene::new();
    let domains: Vec<_> = (0..60).map(|n| format!("{n}{}", "x".repeat(1000))).collect();
    let arguments = json!({"account": "a@b.example", "role": "operator", "domains": domains});
    scene.call(Rank::Owner, "user.role", arguments).await.unwrap_err();
    scene.call(Rank::Owner, "config.save", json!({"text": "secret = \"hush\""})).await.unwrap_err();
    let set = json!({"section": "acme", "key": "eab", "value": "\"hush\""});
    scene.call(Rank::Owner, "config.set", set).await.unwrap_err();
    let audit = scene.audit();
    assert_eq!(audit.len(), 3);
    for line in audit {
        assert!(line.to_string().len() <= 16 << 10 && !line.to_string().contains("hush"), "{line}");
    }
}

/// Every face relies on this.
#[test]
fn the_table_is_in_order() {
    let specs = Scene::new().ops.specs();
    for spec in &specs {
        assert!(spec.help.ends_with('.') && !spec.result.is_empty(), "{}", spec.name);
        for (n, argument) in spec.arguments.iter().enumerate() {
            assert!(!argument.help.is_empty(), "{}.{}", spec.name, argument.name);
            assert!(spec.arguments.iter().skip(n + 1).all(|other| other.name != argument.name), "{}", spec.name);
        }
        let named = spec.route.in_path().chain(spec.about.account_argument()).chain(spec.about.domain_argument());
        for name in named {
            assert!(spec.argument(name).is_some(), "{} has no argument {name}", spec.name);
        }
        assert!(spec.route.in_path().all(|name| spec.argument(name).unwrap().required), "{}", spec.name);
        let is_get = spec.route.method == Method::Get;
        assert!(!is_get || !spec.changes, "{}: {}", spec.name, spec.route);
        // What only looks at something long has to be sent it.
        let long = spec.arguments.iter().any(|a| matches!(a.kind, Kind::Text { max } if max > 8192));
        assert!(is_get || spec.changes || long, "{}: {}", spec.name, spec.route);
        let own = spec.roles.has(Rank::User);
        assert!(!own || spec.about.account_argument().is_some() || spec.about == About::Common, "{}", spec.name);
        let twice = specs.iter().filter(|other| other.route == spec.route).count();
        assert_eq!(twice, 1, "{} is at {}, and so is another", spec.name, spec.route);
    }
}
