use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::cargo::cargo;
use crate::workspace::Workspace;
use crate::{console, plugins};

/// Builds with optimisations and lays out what a system needs below `root`.
pub fn run(workspace: &Workspace, root: &Path) -> anyhow::Result<()> {
    plugins::build(workspace)?;
    cargo(workspace, &["build", "--release", "--workspace", "--bin", "xylem"])?;
    let root = workspace.root.join(root);
    let (bin, share) = (root.join("bin"), root.join("share/xylem"));
    fs::create_dir_all(&bin)?;
    fs::create_dir_all(share.join("plugins"))?;
    copy(&workspace.target.join("release/xylem"), &bin.join("xylem"))?;
    copy(&workspace.root.join("config/xylem.toml"), &share.join("xylem.toml"))?;
    for entry in fs::read_dir(workspace.plugins())? {
        let path = entry?.path();
        if let (Some("wasm"), Some(name)) = (path.extension().and_then(|e| e.to_str()), path.file_name()) {
            copy(&path, &share.join("plugins").join(name))?;
        }
    }
    if let Some(pages) = console::build_if_possible(workspace)? {
        copy_folder(&pages, &share.join("console"))?;
    }
    eprintln!("xtask: installed below {}", root.display());
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    // A running program's file can be replaced, but not written to.
    let temporary = to.with_extension("new");
    fs::copy(from, &temporary).with_context(|| format!("cannot copy {}", from.display()))?;
    fs::rename(&temporary, to).with_context(|| format!("cannot write {}", to.display()))
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            copy(&entry.path(), &target)?;
        }
    }
    Ok(())
}
