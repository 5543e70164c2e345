//! Installing, enabling, upgrading and removing while calls go on.

use serde_json::json;
use xylem_hooks::{HookPoint, Plugins, Verdict};
use xylem_host::{HostError, Package, Settings, State};

use crate::stage::{ALL, DOMAIN, KEY, Stage, cause, guest, manifest, message};

fn package(guest_name: &'static str, id: &str, rest: &str) -> Package {
    Package::new(id, guest(guest_name), &manifest(id, rest)).unwrap()
}

fn refusal(stage: &Stage, package: Package) -> String {
    stage.host.install(package, Settings::default()).unwrap_err().to_string()
}

const HOOK: &str = "[[hook]]\non = \"message.in\"\nphase = \"screen\"\nhandler = \"f\"\n";

#[tokio::test]
async fn an_upgrade_keeps_rows_settings_and_calls_of_the_old_plan() {
    let stage = Stage::with("t", ALL);
    stage.host.configure("t", None, json!({"size": 3})).unwrap();
    stage.hook("do:count").await;
    let old = stage.plugin("t");
    stage.host.upgrade(package("tricks", "t", &ALL.replace("max = 9", "max = 8"))).unwrap();
    let new = stage.plugin("t");
    assert_ne!(old, new);
    stage.hook("do:count do:config").await;
    stage.host.hook(old, 0, 0, &cause(KEY), &message("do:count")).get().await;
    assert_eq!(stage.row(KEY, "n").await.as_deref(), Some("3"));
    assert_eq!(stage.row(KEY, "config").await.as_deref(), Some("{\"size\":3}"));
    assert!(matches!(stage.host.upgrade(package("tricks", "other", ALL)), Err(HostError::Unknown(_))));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_changes_nothing() {
    let stage = Stage::with("t", ALL);
    let before = stage.plugin("t");
    let clash = refusal(&stage, package("tricks", "u", ALL));
    assert!(clash.contains("t (line") && clash.contains("u (line") && clash.contains("both claim <q"), "{clash}");
    let missing = refusal(&stage, package("bare", "b", &format!("{HOOK}[lifecycle]\nstart = \"f\"\n")));
    assert!(missing.contains("has [lifecycle] start, but the component does not export lifecycle.start"), "{missing}");
    let unwilling = format!(
        "{}[config.mood]\ntype = \"string\"\ndefault = \"unwilling\"\nhelp = \"h\"\n",
        ALL.replace("urn:t", "urn:w")
    );
    let unwilling = refusal(&stage, package("tricks", "w", &unwilling));
    assert!(unwilling.contains("does not start: not today"), "{unwilling}");
    let view = refusal(&stage, package("bare", "b", &format!("{HOOK}[needs]\nviews = [\"x.y/z\"]\n")));
    assert!(view.contains("x.y is not enabled here"), "{view}");
    let config = stage.host.configure("t", None, json!({"size": 10})).unwrap_err().to_string();
    assert_eq!(config, "t: size: write a whole number, at most 9");
    assert!(stage.host.configure("nobody", None, json!({})).is_err());
    assert_eq!(stage.host.info().len(), 1);
    assert_eq!(stage.plugin("t"), before);
    assert_eq!(stage.hook("do:stop").await.verdict, Verdict::Stop);
}

#[tokio::test]
async fn exports_are_optional() {
    let stage = Stage::empty();
    stage.install("bare", "b", &format!("{HOOK}[[store]]\nname = \"s\"\nshape = \"kv\"\n"));
    let outcome = stage.host.hook(stage.plugin("b"), 0, 0, &cause(KEY), &message("x")).get().await;
    assert_eq!(outcome.verdict, Verdict::Pass);
    assert_eq!(stage.info("b").calls, 1);
}

#[tokio::test]
async fn plugins_come_and_go_domain_by_domain() {
    let stage = Stage::with("t", ALL);
    let steps = || stage.host.plan(DOMAIN).unwrap().point(HookPoint::MessageIn).steps().len();
    stage.host.disable("t", Some(DOMAIN)).unwrap();
    assert_eq!((steps(), stage.info("t").state), (0, State::Off));
    stage.host.enable("t", Some(DOMAIN)).unwrap();
    assert_eq!((steps(), stage.info("t").state), (3, State::Running));
    stage.host.set_domains(vec![DOMAIN.into(), "second.example".into()]).unwrap();
    assert!(stage.host.plan("second.example").unwrap().point(HookPoint::MessageIn).is_empty());
    stage.host.enable("t", None).unwrap();
    assert!(!stage.host.plan("second.example").unwrap().point(HookPoint::MessageIn).is_empty());
    stage.host.remove("t").unwrap();
    assert_eq!((steps(), stage.host.info().len()), (0, 0));
    assert!(stage.host.remove("t").is_err());
}

#[tokio::test]
async fn compiled_code_is_kept_and_only_trusted_where_nobody_else_writes() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let code = folder.path().join("code");
    let load = |code: &std::path::Path| {
        let mut config = xylem_host::HostConfig::new(&[DOMAIN]);
        config.code = Some(code.to_owned());
        let sessions = std::sync::Arc::new(xylem_session::SessionTable::new(xylem_session::Limits::default()));
        let store = xylem_store::Store::memory().unwrap();
        let host = xylem_host::Host::new(config, store, sessions, std::sync::Arc::new(xylem_host::NoAccounts)).unwrap();
        host.install(package("bare", "b", HOOK), Settings::default()).unwrap();
    };
    load(&code);
    let files = || std::fs::read_dir(&code).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    let [file] = files().try_into().unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&code), mode(&file)), (0o700, 0o600));
    // Damaged: compiled again, not trusted.
    std::fs::write(&file, b"not code").unwrap();
    load(&code);
    assert!(std::fs::read(&file).unwrap().len() > 1000);
    // Open to others: left alone.
    std::fs::set_permissions(&code, std::fs::Permissions::from_mode(0o777)).unwrap();
    std::fs::remove_file(&file).unwrap();
    load(&code);
    assert!(files().is_empty());
}
