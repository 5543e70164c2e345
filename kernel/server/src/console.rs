//! The web console and REST: sockets, the pages' folder, and what ties them to this server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use xylem_admin::{Assets, Console, Nobody};
use xylem_ops::Ops;

use crate::instance::Instance;

/// How long requests under way may take when the server stops.
const PATIENCE: Duration = Duration::from_secs(2);

/// The sockets that the console answers on.
pub struct ConsoleSockets {
    pub addresses: Vec<SocketAddr>,
    stopping: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Opens the sockets; none if the configuration says so.
pub async fn serve(instance: &Arc<Instance>, ops: &Arc<Ops>) -> anyhow::Result<ConsoleSockets> {
    let config = instance.config.load_full();
    let (stopping, stopped) = watch::channel(false);
    let mut sockets = ConsoleSockets { addresses: Vec::new(), stopping, tasks: Vec::new() };
    if !config.console.enabled {
        return Ok(sockets);
    }
    let console = Console::new(Arc::clone(ops), Arc::new(Nobody), assets());
    let router = xylem_admin::router(console);
    for address in &config.console.listen {
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address} (console)"))?;
        sockets.addresses.push(listener.local_addr()?);
        let mut stopped = stopped.clone();
        let stopping = async move {
            // An error: the sender is gone, and the server with it.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        };
        sockets.tasks.push(tokio::spawn(xylem_admin::serve(listener, router.clone(), stopping)));
    }
    Ok(sockets)
}

impl ConsoleSockets {
    /// The first address as it is typed into a browser.
    pub fn url(&self) -> Option<String> {
        self.addresses.first().map(|address| format!("http://{address}"))
    }

    /// Takes no more requests, and waits a moment for those under way.
    pub async fn stop(&self) {
        let _ = self.stopping.send(true);
        let ended = async {
            while self.tasks.iter().any(|task| !task.is_finished()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, ended).await.is_err() {
            self.tasks.iter().for_each(JoinHandle::abort);
        }
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
