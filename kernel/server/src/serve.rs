//! From a configuration to a server that answers, and down again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::task::JoinHandle;
use xylem_ops::{AuditLog, Files, Ops};

use crate::admin::AdminSocket;
use crate::config::Config;
use crate::console::{self, ConsoleSockets};
use crate::instance::{Instance, Reread, watch_certificates};
use crate::{backend, folder, history, http};

/// Between one look at the age of the audit log's files and the next.
const HOUSEKEEPING: Duration = Duration::from_secs(600);

/// A server that answers on all its sockets.
pub struct Serving {
    pub instance: Arc<Instance>,
    pub http: Vec<SocketAddr>,
    pub console: ConsoleSockets,
    pub admin_socket: PathBuf,
    /// What the first start made.
    pub made: Vec<String>,
    admin: JoinHandle<()>,
    certificates: JoinHandle<()>,
    acme: JoinHandle<()>,
    history: JoinHandle<()>,
    housekeeping: JoinHandle<()>,
}

impl Serving {
    /// Starts everything. What fails is named; nothing is left running then.
    pub async fn start(config: Config, reread: Reread) -> anyhow::Result<Self> {
        let mut folder = folder::prepare(&config)?;
        let made = std::mem::take(&mut folder.made);
        let admin_socket = config.in_data(&config.admin.socket);
        // First of all: it tells whether another server uses this folder.
        let socket = AdminSocket::bind(&admin_socket)?;
        let audit = config.server.data.join("audit.log");
        let audit = Arc::new(AuditLog::open(&audit).with_context(|| audit.display().to_string())?);
        audit.retain(config.audit);
        let diary = Arc::clone(&audit);
        let addresses = config.http.listen.clone();
        let instance = Instance::start(config, folder, reread).await?;
        let files = Files::within(&instance.config.load().server.data);
        let streams = Arc::new(backend::InstanceStreams::new(Arc::clone(&instance)));
        let ops = Ops::new(backend::of(&instance, audit), files).with_streams(streams);
        let ops = Arc::new(ops.with_contributed(instance.plugins.contributed(&instance.accounts)));
        instance.plugins.attach_table(&ops, &instance.accounts, console::factors(&instance));
        let console = console::serve(&instance, &ops, &diary).await?;
        let http = http::serve(&instance, &addresses).await?;
        let certificates = tokio::spawn(watch_certificates(Arc::clone(&instance.tls)));
        let acme = tokio::spawn(keep_certificates(Arc::clone(&instance), Arc::clone(&diary)));
        let history = tokio::spawn(history::record(Arc::clone(&instance)));
        let housekeeping = tokio::spawn(keep_house(Arc::clone(&instance), diary, ops.files().clone()));
        let admin = tokio::spawn(socket.serve(ops));
        Ok(Self { instance, http, console, admin_socket, made, admin, certificates, acme, history, housekeeping })
    }

    /// Ends all sessions and closes the store.
    pub async fn stop(self) {
        self.certificates.abort();
        self.acme.abort();
        self.console.stop();
        self.history.abort();
        self.housekeeping.abort();
        self.instance.stop().await;
        self.admin.abort();
        // The socket's file goes with the task.
        let _ = self.admin.await;
    }
}

/// Certificates by ACME.
async fn keep_certificates(instance: Arc<Instance>, audit: Arc<AuditLog>) {
    instance.acme.keep(&instance, &audit).await;
}

/// Closes old files of the audit log and deletes what nobody has to keep, as the configuration has it then.
/// Uploads that nobody needed go as well.
async fn keep_house(instance: Arc<Instance>, audit: Arc<AuditLog>, files: Files) {
    loop {
        audit.retain(instance.config.load().audit);
        let log = Arc::clone(&audit);
        let uploads = files.clone();
        let kept = tokio::task::spawn_blocking(move || {
            if let Err(error) = uploads.sweep() {
                tracing::warn!(%error, "old uploads stay where they are");
            }
            log.keep_house()
        });
        let kept = kept.await;
        if let Ok(Err(error)) = kept {
            tracing::error!(%error, "the files of the audit log stay as they are");
        }
        tokio::time::sleep(HOUSEKEEPING).await;
    }
}

/// Runs on threads of its own, as many as configured.
pub fn runtime(threads: usize) -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().thread_name("xylem");
    if threads > 0 {
        builder.worker_threads(threads);
    }
    builder.build().context("no threads")
}

/// Ends the runtime after everything was stopped. What still computes then is not waited for long:
/// all that anybody was promised is on disk.
pub fn end(runtime: tokio::runtime::Runtime) {
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
}
