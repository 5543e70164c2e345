//! What every client needs: two fresh accounts, a folder, and where things are.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use xylem_suite::server::Target;
use xylem_suite::session::{Session, Via};

/// How long a client may take for any one thing it is told to do.
pub(crate) const STEP: Duration = Duration::from_secs(20);

/// Why a client cannot be tested here.
#[derive(Debug)]
pub(crate) struct Missing(pub(crate) String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

/// Two accounts that nobody else uses, and a home for the client.
pub(crate) struct Play {
    pub(crate) target: Arc<Target>,
    pub(crate) romeo: String,
    pub(crate) juliet: String,
    pub(crate) password: String,
    pub(crate) home: tempfile::TempDir,
}

impl Play {
    pub(crate) fn prepare(client: &str, target: &Arc<Target>) -> Result<Self> {
        let tag = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() % 100_000_000;
        let password = "secret".to_owned();
        let mut addresses = Vec::new();
        for who in ["romeo", "juliet"] {
            let local = format!("{who}.{client}.{tag:x}");
            Session::open(target, Via::StartTls, &target.domain)?
                .register(&target.domain, &local, &password)
                .with_context(|| format!("registering {local}"))?;
            addresses.push(format!("{local}@{}", target.domain));
        }
        Ok(Self {
            target: Arc::clone(target),
            romeo: addresses[0].clone(),
            juliet: addresses[1].clone(),
            password,
            home: tempfile::tempdir()?,
        })
    }

    /// A command that finds the server, the accounts and the certificate in its environment.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.home.path());
        for (name, value) in self.variables() {
            command.env(name, value);
        }
        command
    }

    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let home = self.home.path().display().to_string();
        let certificate = self.target.certificate.display().to_string();
        vec![
            ("HOME", home.clone()),
            ("XDG_CONFIG_HOME", format!("{home}/config")),
            ("XDG_DATA_HOME", format!("{home}/data")),
            ("SSL_CERT_FILE", certificate.clone()),
            ("XYLEM_CERTIFICATE", certificate),
            ("XYLEM_HOST", self.target.c2s.ip().to_string()),
            ("XYLEM_PORT", self.target.c2s.port().to_string()),
            ("XYLEM_DOMAIN", self.target.domain.clone()),
            ("XYLEM_ROMEO", self.romeo.clone()),
            ("XYLEM_JULIET", self.juliet.clone()),
            ("XYLEM_PASSWORD", self.password.clone()),
        ]
    }
}

/// The folder with the sources of the clients' scripts.
pub(crate) fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients")
}

/// Cargo's target folder, where `tests/clients/setup` puts what it makes.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.ancestors().nth(3).context("the test stands in no target folder")?.to_owned())
}

/// A program on the path.
pub(crate) fn on_path(program: &str, package: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    for folder in std::env::split_paths(&path) {
        let candidate = folder.join(program);
        if candidate.is_file() {
            return Ok(candidate);
        }
    }
    bail!(Missing(format!("{program} is not installed (Debian package {package})")))
}
