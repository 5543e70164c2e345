//! What a server under test is made of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Once;

use serde_json::Value;
use tracing_subscriber::EnvFilter;
use xylem_host::{Package, Settings};

use crate::operations::Ranks;
use crate::packages;
use crate::server::Server;

/// Says what to start. The order of calls does not matter.
#[derive(Debug, Clone, Default)]
pub struct Kit {
    domains: Vec<String>,
    wanted: Vec<Wanted>,
    settings: BTreeMap<String, Value>,
    ranks: Ranks,
}

#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    Id(String),
    Source(PathBuf),
    Package(PathBuf),
}

/// The same with everything found.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) domains: Vec<String>,
    pub(crate) plugins: Vec<(Package, Settings)>,
    pub(crate) ranks: Ranks,
}

impl Kit {
    /// A server of the domain `localhost` without plugins.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Hosts this domain. Without any it is `localhost`; the first is the one that
    /// names without a domain belong to.
    #[must_use]
    pub fn domain(mut self, domain: &str) -> Self {
        self.domains.push(domain.to_owned());
        self
    }

    /// A plugin by its id. The crate under test is built from its source. Others are
    /// taken from the folder in `XYLEM_PLUGINS`; without that they are built if they
    /// are the crate's neighbours, or taken from `plugins` in the target folder.
    #[must_use]
    pub fn plugin(mut self, id: &str) -> Self {
        self.wanted.push(Wanted::Id(id.to_owned()));
        self
    }

    /// A plugin's folder, to be built. Relative to the crate under test.
    #[must_use]
    pub fn source(mut self, folder: impl AsRef<Path>) -> Self {
        self.wanted.push(Wanted::Source(folder.as_ref().to_owned()));
        self
    }

    /// A package file. Relative to the crate under test.
    #[must_use]
    pub fn package(mut self, file: impl AsRef<Path>) -> Self {
        self.wanted.push(Wanted::Package(file.as_ref().to_owned()));
        self
    }

    /// A plugin's settings, as an administrator would write them: `json!({"max_messages": 2})`.
    #[must_use]
    pub fn config(mut self, id: &str, settings: Value) -> Self {
        self.settings.insert(id.to_owned(), settings);
        self
    }

    /// Makes an account, `romeo@localhost`, more than a user: `auditor`, `operator`, `administrator` or
    /// `owner`. For plugins that call operations in the name of others.
    #[must_use]
    pub fn role(mut self, account: &str, role: &str) -> Self {
        self.ranks.insert(account.to_owned(), role.to_owned());
        self
    }

    /// Starts the server.
    ///
    /// # Panics
    /// If a plugin is not found, does not build or is refused.
    #[must_use]
    pub fn start(mut self) -> Server {
        log();
        if self.domains.is_empty() {
            self.domains.push("localhost".to_owned());
        }
        let mut packages = packages::find(&self.wanted);
        let plugins = packages.drain(..).map(|package| {
            let config = self.settings.remove(package.manifest.id()).unwrap_or_default();
            (package, Settings { config, ..Settings::default() })
        });
        let plugins = plugins.collect();
        if let Some(id) = self.settings.keys().next() {
            panic!("there are settings for {id}, which is not among the plugins");
        }
        Server::start(Parts { domains: self.domains, plugins, ranks: self.ranks })
    }
}

/// What the server and the plugins log is shown with the output of a test that fails;
/// `RUST_LOG` says how much.
fn log() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
        // A test that brought its own keeps it.
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().without_time().try_init();
    });
}
