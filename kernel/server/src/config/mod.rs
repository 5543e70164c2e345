//! The configuration: one file per section, each key read once with its bounds
//! and default. `config/xylem.toml` in the repository shows every key; a test
//! keeps it equal to what stands here.

mod acme;
mod admin;
mod audit;
mod console;
mod domains;
mod environment;
mod explain;
mod http;
mod limits;
mod listen;
mod log;
mod management;
mod plugins;
mod problem;
mod reader;
mod sasl;
mod section;
mod server;
mod store;
mod timeouts;
mod tree;
mod units;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use acme::Acme;
pub use admin::Admin;
pub use console::Console;
pub use domains::{Certificate, Domain};
pub use explain::{Origin, Setting};
pub use http::Http;
pub use limits::{Limits, StanzaLimits};
pub use listen::Listen;
pub use log::{Format, Log};
pub use management::StreamManagement;
pub use plugins::{PluginTable, Plugins};
pub use problem::{Problem, Problems};
use reader::Reader;
pub use sasl::Sasl;
pub use server::Server;
pub use store::{Backend, Store};
pub use timeouts::Timeouts;
use xylem_ops::Retention;

pub const DEV: &str = include_str!("../../../../config/dev.toml");

/// The whole configuration, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file it was read from; none means built-in defaults.
    pub file: Option<PathBuf>,
    pub server: Server,
    pub domains: Vec<Domain>,
    pub acme: Acme,
    pub listen: Listen,
    pub limits: Limits,
    pub timeouts: Timeouts,
    pub management: StreamManagement,
    pub sasl: Sasl,
    pub store: Store,
    pub plugins: Plugins,
    pub http: Http,
    pub console: Console,
    pub log: Log,
    pub admin: Admin,
    pub audit: Retention,
}

impl Config {
    /// Reads a file, or takes the defaults, and lays the environment over it.
    pub fn load(file: Option<&Path>) -> Result<Self, Problems> {
        let (name, text) = match file {
            None => (String::new(), String::new()),
            Some(path) => {
                let name = path.display().to_string();
                let text = std::fs::read_to_string(path).map_err(|e| Problems::unreadable(&name, &e))?;
                (name, text)
            }
        };
        let mut config = Self::read(&name, &text, std::env::vars())?;
        config.file = file.map(Path::to_path_buf);
        Ok(config)
    }

    /// What `xylem dev` starts with; the environment goes over it.
    pub fn dev() -> Result<Self, Problems> {
        Self::read("config/dev.toml", DEV, std::env::vars())
    }

    /// The file to read when none is named: `xylem.toml` here, in `config`, or in `/etc/xylem`.
    #[must_use]
    pub fn find() -> Option<PathBuf> {
        ["xylem.toml", "config/xylem.toml", "/etc/xylem/xylem.toml"].iter().map(PathBuf::from).find(|p| p.is_file())
    }

    /// Where something is kept: in the data folder, unless the path is absolute.
    #[must_use]
    pub fn in_data(&self, path: &Path) -> PathBuf {
        self.server.data.join(path)
    }

    fn read(name: &str, text: &str, env: impl Iterator<Item = (String, String)>) -> Result<Self, Problems> {
        let mut reader = Reader::new(name, text, env)?;
        let config = Self::from_reader(&mut reader);
        reader.finish()?;
        Ok(config)
    }

    fn from_reader(reader: &mut Reader) -> Self {
        Self {
            file: None,
            server: Server::read(reader),
            domains: domains::read(reader),
            // After the domains: it knows which of them want it.
            acme: Acme::read(reader),
            listen: Listen::read(reader),
            limits: Limits::read(reader),
            timeouts: Timeouts::read(reader),
            management: StreamManagement::read(reader),
            sasl: Sasl::read(reader),
            store: Store::read(reader),
            plugins: Plugins::read(reader),
            http: Http::read(reader),
            console: Console::read(reader),
            log: Log::read(reader),
            admin: Admin::read(reader),
            audit: audit::read(reader),
        }
    }
}
