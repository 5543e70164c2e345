use std::path::PathBuf;

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The author's fault: the folder is not a plugin.
    #[error("{path}: {problem}")]
    Project { path: PathBuf, problem: String },
    /// The author's fault: the compiler has said why.
    #[error("the plugin does not compile; see above")]
    Compile,
    /// The target is not installed, or cargo is not there.
    #[error("cargo cannot be run: {0}")]
    Cargo(std::io::Error),
    /// The module does not fit the plugin interface.
    #[error("the module cannot be made a component: {0}")]
    Component(String),
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
}
