use std::path::PathBuf;

use xylem_hooks::manifest::ConfigError;
use xylem_hooks::{ManifestError, PlanError};

/// Why a plugin was not taken. What ran before goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The package is not one: the packager's mistake.
    #[error("{name} {problem}")]
    Package {
        /// File or id.
        name: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// The manifest is not right: the author's mistake.
    #[error("{name}: {error}")]
    Manifest {
        /// File or id.
        name: String,
        /// Line, key and fix.
        error: ManifestError,
    },
    /// The plugins do not go together.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// What the administrator set for a plugin is not right.
    #[error("{plugin}: {error}")]
    Config {
        /// The plugin.
        plugin: String,
        /// Option and fix.
        error: ConfigError,
    },
    /// There is no such plugin.
    #[error("no plugin {0} is installed")]
    Unknown(String),
    /// The component cannot be compiled or does not fit this server.
    #[error("{plugin}: {problem}")]
    Component {
        /// The plugin.
        plugin: String,
        /// What is wrong.
        problem: String,
    },
    /// The engine cannot be started on this machine.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// A file cannot be read or written.
    #[error("{path}: {error}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

impl HostError {
    pub(crate) fn component(plugin: &str, problem: impl std::fmt::Display) -> Self {
        Self::Component { plugin: plugin.to_owned(), problem: problem.to_string() }
    }
}
