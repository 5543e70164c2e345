use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The repository, and where its build results go.
pub struct Workspace {
    pub root: PathBuf,
    /// `target`, unless CARGO_TARGET_DIR says otherwise.
    pub target: PathBuf,
}

impl Workspace {
    pub fn open() -> anyhow::Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.ancestors().nth(2).context("xtask must stand in tests/xtask")?.to_path_buf();
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        Ok(Self { root, target })
    }

    /// Where built packages are.
    pub fn plugins(&self) -> PathBuf {
        self.target.join("plugins")
    }

    /// Where the pages of the console are, once they are built.
    pub fn console(&self) -> PathBuf {
        self.target.join("console")
    }
}
