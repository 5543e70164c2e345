//! From a configuration to a server that answers, and down again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::task::JoinHandle;
use xylem_ops::{AuditLog, Files, Ops};

use crate::admin::AdminSocket;
use crate::config::Config;
use crate::console::{self, ConsoleSockets};
use crate::instance::{Instance, Reread, watch_certificates};
use crate::{backend, folder, history, http};

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
    history: JoinHandle<()>,
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
        let diary = Arc::clone(&audit);
        let addresses = config.http.listen.clone();
        let instance = Instance::start(config, folder, reread).await?;
        let files = Files::within(&instance.config.load().server.data);
        let streams = Arc::new(backend::InstanceStreams::new(Arc::clone(&instance)));
        let ops = Ops::new(backend::of(&instance, audit), files).with_streams(streams);
        let ops = Arc::new(ops.with_contributed(instance.plugins.contributed()));
        instance.plugins.attach_table(&ops, &instance.accounts);
        let console = console::serve(&instance, &ops, &diary).await?;
        let http = http::serve(&instance, &addresses).await?;
        let certificates = tokio::spawn(watch_certificates(Arc::clone(&instance.tls)));
        let history = tokio::spawn(history::record(Arc::clone(&instance)));
        let admin = tokio::spawn(socket.serve(ops));
        Ok(Self { instance, http, console, admin_socket, made, admin, certificates, history })
    }

    /// Ends all sessions and closes the store.
    pub async fn stop(self) {
        self.certificates.abort();
        self.console.stop();
        self.history.abort();
        self.instance.stop().await;
        self.admin.abort();
        // The socket's file goes with the task.
        let _ = self.admin.await;
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
