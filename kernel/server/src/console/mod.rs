//! The web console and REST: sockets, the pages' folder, and what ties them to this server.

mod installation;
mod people;
mod shelf;

use std::net::SocketAddr;
use std::ops::Not as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use xylem_admin::listener::{Admit, Front, TlsSource};
use xylem_admin::security::{Guard, guarded};
use xylem_admin::setup::Setup;
use xylem_admin::sign_in::{Login, People, Surroundings, Terms, Verification};
use xylem_admin::{Assets, Console, Entrance};
use xylem_net::admission::{Admission, AdmissionLimits};
use xylem_ops::{AuditLog, Ops};

use crate::config;
use crate::instance::Instance;
use crate::plugins::Factors;
use installation::Site;
use people::Residents;
use shelf::{Diary, Drawers};

/// Connections altogether, and from one address at once.
const CONNECTIONS: usize = 1024;
const CONNECTIONS_PER_ADDRESS: usize = 128;

/// The sockets that the console answers on.
pub struct ConsoleSockets {
    pub addresses: Vec<SocketAddr>,
    /// The first-run wizard; none without a console.
    setup: Option<Setup>,
    tasks: Vec<JoinHandle<()>>,
}

/// Opens the sockets; none if the configuration says so.
pub async fn serve(instance: &Arc<Instance>, ops: &Arc<Ops>, audit: &Arc<AuditLog>) -> anyhow::Result<ConsoleSockets> {
    let config = instance.config.load_full();
    let mut sockets = ConsoleSockets { addresses: Vec::new(), setup: None, tasks: Vec::new() };
    if !config.console.enabled {
        return Ok(sockets);
    }
    // From now on it is known whether there is one.
    instance.accounts.owners().await.context("the accounts cannot be read")?;
    let people: Arc<dyn People> = Arc::new(Residents(Arc::clone(instance)));
    let login = login(instance, &people, audit, &config.console);
    login.resume().await.context("the console's sessions cannot be read")?;
    drop(instance.console.set(login.clone()));
    let setup = Setup::new(Arc::new(Site::new(instance, ops, &people)), login.clone());
    let entrance = Entrance { login, setup: setup.clone() };
    sockets.setup = Some(setup);
    let routes = xylem_admin::router(Console::new(Arc::clone(ops), Arc::new(entrance), assets()));
    let front = Front { tls: tls(instance), admit: admit(), pages: guarded(routes, guard(instance, people)) };
    for address in &config.console.listen {
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address} (console)"))?;
        sockets.addresses.push(listener.local_addr()?);
        sockets.tasks.push(tokio::spawn(front.clone().serve(listener)));
    }
    Ok(sockets)
}

/// Who has a second factor; nobody where there is no console to ask for it.
pub fn factors(instance: &Arc<Instance>) -> Factors {
    let instance = Arc::downgrade(instance);
    Arc::new(move |account, created| {
        let login = instance.upgrade().and_then(|instance| instance.console.get().cloned());
        Box::pin(async move {
            let Some(login) = login else { return false };
            // What cannot be read is taken for one.
            login.kept(&account, created).await.is_ok_and(|kept| !kept.totp && kept.passkeys == 0).not()
        })
    })
}

fn login(instance: &Arc<Instance>, people: &Arc<dyn People>, audit: &Arc<AuditLog>, config: &config::Console) -> Login {
    let shelf = Arc::new(Drawers(instance.store.clone()));
    let surroundings = Surroundings { people: Arc::clone(people), shelf, notes: Arc::new(Diary(Arc::clone(audit))) };
    let terms = Terms { idle: config.idle.as_secs(), lifetime: config.lifetime.as_secs() };
    let verification = if config.verify_passkeys { Verification::Required } else { Verification::Preferred };
    Login::new(surroundings, terms, verification)
}

fn tls(instance: &Arc<Instance>) -> TlsSource {
    let store = Arc::clone(&instance.tls);
    Arc::new(move || Some(store.web()))
}

fn admit() -> Admit {
    let limits = AdmissionLimits { total: CONNECTIONS, per_address: CONNECTIONS_PER_ADDRESS, ..Default::default() };
    let admission = Admission::new(limits);
    Arc::new(move |address| match admission.admit(address) {
        Ok(permit) => Some(Box::new(permit)),
        Err(denied) => {
            tracing::debug!(%address, %denied, "console: connection refused");
            None
        }
    })
}

fn guard(instance: &Arc<Instance>, people: Arc<dyn People>) -> Guard {
    let store = Arc::clone(&instance.tls);
    let trusted = Arc::new(move |host: &str| {
        store.certificate(Some(host), None).is_some_and(|it| it.covers(host) && !it.is_self_signed())
    });
    Guard { people, trusted }
}

impl ConsoleSockets {
    /// The first address as it is typed into a browser: by name where it is this machine, since
    /// passkeys need one.
    pub fn url(&self) -> Option<String> {
        let address = self.addresses.first()?;
        let ip = address.ip();
        let host = if ip.is_loopback() || ip.is_unspecified() { "localhost".to_owned() } else { ip.to_string() };
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        Some(format!("https://{host}:{}", address.port()))
    }

    /// A new code for the first-run wizard, to be shown to whoever runs the server; none if there is
    /// an owner, or no console.
    pub fn setup_code(&self) -> Option<String> {
        self.setup.as_ref()?.begin()
    }

    /// Takes no more requests, and ends those under way.
    pub fn stop(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// The pages: named by the environment, or beside the program.
fn assets() -> Assets {
    let Some(folder) = folder() else { return Assets::none() };
    Assets::read(&folder).unwrap_or_else(|error| {
        tracing::error!(folder = %folder.display(), %error, "the pages of the console cannot be read");
        Assets::none()
    })
}

fn folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("XYLEM_CONSOLE") {
        return Some(folder.into());
    }
    let program = std::env::current_exe().ok()?.canonicalize().ok()?;
    let folder = program.parent()?.parent()?;
    let places = ["share/xylem/console", "console"].iter().map(|place| folder.join(place));
    places.into_iter().find(|place| place.join("index.html").is_file())
}
