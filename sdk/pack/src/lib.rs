//! From a plugin's folder to its package: builds the crate for WebAssembly, makes
//! a component of the module, and puts the manifest inside it. `xylem plugin
//! build`, `cargo xtask plugins` and the testing kit all go this way.
//!
//! A package is one file: a component without WASI imports, with `plugin.toml` in
//! the custom section [`MANIFEST_SECTION`].

mod build;
mod error;
mod package;

pub use build::{PROFILE, Project, TARGET, build};
pub use error::PackError;
pub use package::{MANIFEST_SECTION, component, manifest_of, pack};
