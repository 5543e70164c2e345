//! A host with a store in memory, a router that only writes down, a clock that stands still.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use xylem_hooks::call::{Cause, PluginIndex, Plugins};
use xylem_hooks::{Done, Effect, HookOutcome, HookPoint, IqOutcome, Release};
use xylem_host::{Clock, Host, HostConfig, NoAccounts, Package, PluginInfo, Settings};
use xylem_session::SessionTable;
use xylem_stanza::Stanza;
use xylem_store::{Backend, Options, Store};

pub(crate) const DOMAIN: &str = "example.org";
pub(crate) const KEY: &str = "romeo@example.org";

/// A guest of `../guests` as a component.
pub(crate) fn guest(name: &'static str) -> Vec<u8> {
    static BUILT: Mutex<Vec<(&str, Vec<u8>)>> = Mutex::new(Vec::new());
    let mut built = BUILT.lock().unwrap();
    if let Some((_, component)) = built.iter().find(|(known, _)| *known == name) {
        return component.clone();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests").join(name);
    let target = target_folder();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--locked", "--target", "wasm32-unknown-unknown", "--manifest-path"]);
    cargo.arg(folder.join("Cargo.toml")).arg("--target-dir").arg(&target).env_remove("RUSTFLAGS");
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let module = std::fs::read(target.join("wasm32-unknown-unknown/release").join(format!("{name}.wasm"))).unwrap();
    let component = wit_component::ComponentEncoder::default().module(&module).unwrap().encode().unwrap();
    built.push((name, component.clone()));
    component
}

fn target_folder() -> PathBuf {
    // .../<target>/debug/deps/host-0123
    let binary = std::env::current_exe().unwrap();
    binary.ancestors().nth(3).unwrap().join("guests")
}

/// A manifest for a guest: the head, and what the test needs.
pub(crate) fn manifest(id: &str, rest: &str) -> String {
    format!(
        "[plugin]\nid = \"{id}\"\nversion = \"1\"\napi = \"xylem:plugin@0.1\"\nsummary = \"s\"\nlicense = \"MIT\"\n{rest}"
    )
}

/// Everything the tricks guest can be asked to do.
pub(crate) const ALL: &str = r#"
[[hook]]
on = "message.in"
phase = "record"
handler = "f"
[[hook]]
on = "message.in"
phase = "screen"
type = ["headline"]
handler = "f"
[[hook]]
on = "message.in"
phase = "observe"
type = ["groupchat"]
handler = "f"
[[iq]]
ns = "urn:t"
names = ["q"]
type = ["get", "set"]
to = "account"
handler = "f"
[[event]]
on = "session.available"
handler = "f"
[[event]]
on = "domain.started"
handler = "f"
[replies]
answer = "f"
wake = "f"
[lifecycle]
start = "f"
[[store]]
name = "rows"
shape = "kv"
view = true
quota = { rows = 100, bytes = "4MiB" }
[[store]]
name = "past"
shape = "archive"
[[limit]]
name = "few"
count = 2
per = "1h"
[needs]
edit = true
outbox = { from = ["account", "server"], to = ["any"] }
groups = true
ask = true
wake = true
contributions = ["disco.server"]
[config.size]
type = "integer"
default = 7
max = 9
help = "h"
"#;

/// A clock that tests move.
#[derive(Default)]
pub(crate) struct HandClock(AtomicU64);

impl HandClock {
    pub(crate) fn forward(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now_ms(&self) -> u64 {
        1_700_000_000_000 + self.0.load(Ordering::SeqCst)
    }

    fn sleep_until(&self, _: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

/// What was released, in order, with the time of the store's commits beside it.
#[derive(Clone, Default)]
pub(crate) struct Written {
    pub(crate) effects: Arc<Mutex<Vec<(Cause, Effect)>>>,
    /// The next release waits for this.
    pub(crate) held: Arc<Mutex<Option<tokio::sync::oneshot::Receiver<()>>>>,
    /// How many turns came together, each time that it was more than one.
    pub(crate) together: Arc<Mutex<Vec<usize>>>,
}

impl Written {
    fn note(&self, cause: &Cause, effects: Vec<Effect>) {
        self.effects.lock().unwrap().extend(effects.into_iter().map(|effect| (cause.clone(), effect)));
    }
}

impl Release for Written {
    fn release(&self, cause: Cause, effects: Vec<Effect>) -> Done<()> {
        let Some(held) = self.held.lock().unwrap().take() else {
            self.note(&cause, effects);
            return Done::Ready(());
        };
        let written = self.clone();
        Done::Later(Box::pin(async move {
            held.await.unwrap();
            written.note(&cause, effects);
        }))
    }

    fn release_all(&self, turns: Vec<(Cause, Vec<Effect>)>) -> Done<()> {
        self.together.lock().unwrap().push(turns.len());
        let written = self.clone();
        Done::Later(Box::pin(async move {
            for (cause, effects) in turns {
                written.release(cause, effects).get().await;
            }
        }))
    }
}

pub(crate) struct Stage {
    pub(crate) host: Arc<Host>,
    pub(crate) store: Store,
    pub(crate) written: Arc<Written>,
    pub(crate) clock: Arc<HandClock>,
}

impl Stage {
    pub(crate) fn empty() -> Self {
        Self::over(xylem_store::backend::memory(), Duration::ZERO)
    }

    pub(crate) fn over(backend: Arc<dyn Backend>, window: Duration) -> Self {
        Self::on(Store::new(backend, Options { window, ..Options::default() }).unwrap())
    }

    pub(crate) fn on(store: Store) -> Self {
        static CODE: OnceLock<tempfile::TempDir> = OnceLock::new();
        let clock = Arc::new(HandClock::default());
        let mut config = HostConfig::new(&[DOMAIN]);
        config.clock = Arc::clone(&clock) as Arc<dyn Clock>;
        config.code = Some(CODE.get_or_init(|| tempfile::tempdir().unwrap()).path().join("code"));
        let sessions = Arc::new(SessionTable::new(xylem_session::Limits::default()));
        let host = Host::new(config, store.clone(), sessions, Arc::new(NoAccounts)).unwrap();
        let written = Arc::new(Written::default());
        host.attach(Arc::clone(&written) as Arc<dyn Release>);
        Self { host, store, written, clock }
    }

    /// With the tricks guest under this id, running.
    pub(crate) fn with(id: &str, rest: &str) -> Self {
        let stage = Self::empty();
        stage.install("tricks", id, rest);
        stage.host.start();
        stage
    }

    pub(crate) fn install(&self, guest_name: &'static str, id: &str, rest: &str) {
        let package = Package::new(id, guest(guest_name), &manifest(id, rest)).unwrap();
        self.host.install(package, Settings::default()).unwrap();
    }

    pub(crate) fn plugin(&self, id: &str) -> PluginIndex {
        let plan = self.host.plan(DOMAIN).unwrap();
        plan.plugins().find(|(_, known)| ***known == *id).map(|(index, _)| index).unwrap()
    }

    pub(crate) fn info(&self, id: &str) -> PluginInfo {
        self.host.info().into_iter().find(|info| info.id == id).unwrap()
    }

    /// A message with these commands to hook `entry` of plugin `t`, for a key.
    pub(crate) async fn hook_of(&self, key: &str, entry: u32, body: &str) -> HookOutcome {
        let stanza = message(body);
        self.host.hook(self.plugin("t"), entry, 0, &cause(key), &stanza).get().await
    }

    pub(crate) async fn hook(&self, body: &str) -> HookOutcome {
        self.hook_of(KEY, 0, body).await
    }

    pub(crate) async fn iq(&self, body: &str) -> IqOutcome {
        let xml = format!("<iq type='set' id='i1' from='{KEY}/x' to='{KEY}'><q xmlns='urn:t'>{body}</q></iq>");
        self.host.iq(self.plugin("t"), 0, &cause(KEY), &Stanza::parse(&xml).unwrap()).get().await
    }

    /// A row of the plugin's store, committed or not.
    pub(crate) async fn row(&self, key: &str, row: &str) -> Option<String> {
        let rows = self.store.kv("t/rows").partition(key).await.unwrap();
        rows.get(row.as_bytes()).unwrap().map(|value| String::from_utf8_lossy(&value).into_owned())
    }

    pub(crate) async fn fault(&self) -> String {
        self.row(KEY, "fault").await.unwrap_or_default()
    }

    /// Waits until so many effects were released.
    pub(crate) async fn released(&self, count: usize) -> Vec<Effect> {
        for _ in 0..1000 {
            let effects = self.effects();
            if effects.len() >= count {
                return effects;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{} effects instead of {count}", self.effects().len());
    }

    pub(crate) fn effects(&self) -> Vec<Effect> {
        self.written.effects.lock().unwrap().iter().map(|(_, effect)| effect.clone()).collect()
    }
}

pub(crate) fn cause(key: &str) -> Cause {
    Cause { domain: DOMAIN.into(), key: key.into(), actor: None, peer: None, hops: 0, note: None }
}

pub(crate) fn message(body: &str) -> Stanza {
    Stanza::parse(&format!(
        "<message type='chat' id='m1' from='juliet@example.org/b' to='{KEY}'><body>{body}</body></message>"
    ))
    .unwrap()
}

/// The XML of an effect that sends.
pub(crate) fn sent(effect: &Effect) -> String {
    match effect {
        Effect::Send(stanza) | Effect::ToAddresses { stanza, .. } | Effect::ToSessions { stanza, .. } => {
            stanza.to_xml_string()
        }
        other => panic!("sends nothing: {other:?}"),
    }
}

#[test]
fn the_plan_lists_what_was_installed() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let stage = Stage::with("t", ALL);
        let plan = stage.host.plan(DOMAIN).unwrap();
        assert_eq!(plan.point(HookPoint::MessageIn).steps().len(), 3);
        assert!(stage.host.plan("other.example").is_none());
        assert_eq!(stage.host.manifest("t").unwrap().id(), "t");
    });
}
