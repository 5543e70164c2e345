//! `xylem dev`: a throw-away server for people who write clients and for test suites.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use rustix::fs::{FileType, fstat};
use serde::Serialize;
use tokio::io::AsyncReadExt as _;
use xylem_net::Security;
use xylem_ops::{Rank, Role};

use crate::config::{Backend, Config};
use crate::instance::Reread;
use crate::serve::{Serving, runtime};
use crate::signals::{Signals, Wish};
use crate::{logs, plugins};

/// Temporary folders are called so, and after the process they belong to.
const PREFIX: &str = "xylem-dev-";
/// How often it is looked whether the parent still lives.
const LOOK: Duration = Duration::from_millis(500);

/// Serves `localhost` and `anon.localhost` (ANONYMOUS) with open registration, prints one
/// line of JSON once it answers, and ends with its parent or by signal.
#[derive(clap::Args, Clone, Debug)]
pub struct DevOptions {
    /// Address that clients connect to
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Port for STARTTLS; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Port for direct TLS; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    tls_port: u16,
    /// Port for health and metrics; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    http_port: u16,
    /// Port for the web console and the REST interface; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    console_port: u16,
    /// Make this account, an owner of the server; its password is in XYLEM_ADMIN_PASSWORD, or `admin`
    #[arg(long, value_name = "JID")]
    admin: Option<String>,
    /// What keeps the data: sled, fjall or memory
    #[arg(long, default_value = "fjall", value_parser = ["sled", "fjall", "memory"])]
    backend: String,
    /// Goes on although the parent ends
    #[arg(long)]
    detached: bool,
}

/// The line printed.
#[derive(Serialize)]
struct Line {
    c2s: Option<SocketAddr>,
    c2s_tls: Option<SocketAddr>,
    http: Option<SocketAddr>,
    domain: &'static str,
    domains: Vec<String>,
    /// PEM: the certificates of all domains.
    certificate: PathBuf,
    /// The web console and, below `/api/v1`, the REST interface.
    console: Option<String>,
    /// For the console's first-run wizard; there where no administrator was made.
    setup_code: Option<String>,
    admin: Option<String>,
    admin_socket: PathBuf,
    data: PathBuf,
    pid: u32,
}

/// Runs until the parent ends or a signal comes. With `data` that folder is used and kept.
pub fn run(options: DevOptions, data: Option<PathBuf>) -> anyhow::Result<()> {
    // Dropped at the end, whatever the end is, with all that is in it.
    let temporary = match &data {
        Some(_) => None,
        None => Some(temporary()?),
    };
    let folder = match (&data, &temporary) {
        (Some(data), _) => std::path::absolute(data)?,
        (None, Some(temporary)) => temporary.path().to_path_buf(),
        (None, None) => anyhow::bail!("no data folder"),
    };
    let config = configuration(&options, folder)?;
    logs::begin(&config.log);
    let runtime = runtime(config.server.threads)?;
    let outcome = runtime.block_on(serve(&options, config));
    // Not waiting for the thread that reads standard input.
    runtime.shutdown_background();
    outcome
}

/// A folder of our own, named after this process. What killed ones left behind is removed.
fn temporary() -> anyhow::Result<tempfile::TempDir> {
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|n| n.strip_prefix(PREFIX)).and_then(|n| n.split('-').next());
        let pid = pid.and_then(|pid| pid.parse().ok()).and_then(rustix::process::Pid::from_raw);
        if pid.is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)) {
            // It may belong to somebody else; then it is theirs to remove.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let prefix = format!("{PREFIX}{}-", std::process::id());
    tempfile::Builder::new().prefix(&prefix).tempdir().context("no temporary folder")
}

async fn serve(options: &DevOptions, config: Config) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let parent = rustix::process::getppid();
    let serving = Serving::start(config, Reread::Never).await?;
    if let Some(admin) = &options.admin {
        make_admin(&serving, admin).await?;
    }
    let line = line(&serving, options.admin.clone())?;
    println!("{}", serde_json::to_string(&line)?);
    tokio::select! {
        () = until_stopped(&mut signals) => {}
        _planned = serving.instance.endings.due() => tracing::info!("asked to end"),
        () = until_orphaned(parent), if !options.detached => tracing::info!("the parent has ended"),
        () = until_input_ends(), if !options.detached => tracing::info!("standard input has ended"),
    }
    serving.stop().await;
    Ok(())
}

fn configuration(options: &DevOptions, data: PathBuf) -> anyhow::Result<Config> {
    let mut config = Config::dev()?;
    let at = |port| vec![SocketAddr::from((options.address, port))];
    config.server.data = data;
    config.listen.starttls = at(options.port);
    config.listen.direct_tls = at(options.tls_port);
    config.http.listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, options.http_port))];
    config.console.listen = at(options.console_port);
    let backend = Backend::WORDS.iter().find(|(word, _)| *word == options.backend);
    config.store.backend = backend.map_or(Backend::Fjall, |(_, backend)| *backend);
    if let Some(packages) = plugins::bundled(&config).filter(|_| config.plugins.cache == Path::new("cache")) {
        // Compiled once for all throw-away servers, where the folder allows it.
        config.plugins.cache = packages.join(".compiled");
    }
    Ok(config)
}

async fn make_admin(serving: &Serving, admin: &str) -> anyhow::Result<()> {
    let accounts = &serving.instance.accounts;
    let jid = accounts.address(admin)?;
    if accounts.find(&jid).await?.is_none() {
        let password = std::env::var("XYLEM_ADMIN_PASSWORD").unwrap_or_else(|_| "admin".to_owned());
        accounts.create(&jid, password).await?;
    }
    accounts.set_role(&jid, Role::of(Rank::Owner)).await?;
    Ok(())
}

fn line(serving: &Serving, admin: Option<String>) -> anyhow::Result<Line> {
    let instance = &serving.instance;
    let config = instance.config.load();
    let of = |wanted| instance.addresses().find(|(security, _)| *security == wanted).map(|(_, address)| address);
    Ok(Line {
        c2s: of(Security::StartTls),
        c2s_tls: of(Security::DirectTls),
        http: serving.http.first().copied(),
        console: serving.console.url(),
        setup_code: serving.console.setup_code(),
        domain: "localhost",
        domains: config.domains.iter().map(|d| d.name.clone()).collect(),
        certificate: bundle(&config)?,
        admin,
        admin_socket: serving.admin_socket.clone(),
        data: config.server.data.clone(),
        pid: std::process::id(),
    })
}

/// All certificates in one file, for clients to trust.
fn bundle(config: &Config) -> anyhow::Result<PathBuf> {
    let mut all = String::new();
    for files in crate::folder::tls_settings(config).domains {
        all.push_str(&std::fs::read_to_string(&files.chain)?);
    }
    let path = config.in_data(Path::new("certificates.pem"));
    std::fs::write(&path, all)?;
    Ok(path)
}

async fn until_stopped(signals: &mut Signals) {
    while signals.next().await != Wish::Stop {}
}

/// Whoever started this is gone when another process has taken its place.
async fn until_orphaned(parent: Option<rustix::process::Pid>) {
    while rustix::process::getppid() == parent {
        tokio::time::sleep(LOOK).await;
    }
}

/// A pipe on standard input is the parent's hand: it opens when the parent ends.
async fn until_input_ends() {
    let is_pipe = fstat(rustix::stdio::stdin()).is_ok_and(|s| FileType::from_raw_mode(s.st_mode) == FileType::Fifo);
    if !is_pipe {
        return std::future::pending().await;
    }
    let mut input = tokio::io::stdin();
    let mut nothing = [0; 256];
    while input.read(&mut nothing).await.is_ok_and(|read| read > 0) {}
}
