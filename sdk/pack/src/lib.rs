//! From a plugin's folder to its package: builds the crate for WebAssembly, makes
//! a component of the module, and puts the manifest inside it. `xylem plugin
//! build`, `cargo xtask plugins` and the testing kit all go this way.
//!
//! A package is one file: a component without WASI imports, with `plugin.toml` in
//! the custom section [`MANIFEST_SECTION`].
//!
//! The host takes packages apart and builds none: without the feature `build` there is
//! only what concerns the section.

#[cfg(feature = "build")]
mod build;
#[cfg(feature = "build")]
mod component;
#[cfg(feature = "build")]
mod error;
mod section;

#[cfg(feature = "build")]
pub use build::{PROFILE, Project, TARGET, build};
#[cfg(feature = "build")]
pub use component::component;
#[cfg(feature = "build")]
pub use error::PackError;
pub use section::{MANIFEST_SECTION, is_component, manifest_of, pack};
