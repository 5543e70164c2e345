//! Builds what stands in `plugins/` and `sdk/examples/`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use xylem_pack::{Project, TARGET};

use crate::cargo::execute;
use crate::workspace::Workspace;

/// Builds all plugins into `target/plugins`; gives the packages' paths.
/// Packages of plugins that are gone are removed.
pub fn build(workspace: &Workspace) -> anyhow::Result<Vec<PathBuf>> {
    ensure_target()?;
    let out = workspace.plugins();
    let examples = workspace.target.join("examples");
    let mut all = Vec::new();
    for (folder, out) in [("plugins", &out), ("sdk/examples", &examples)] {
        let projects = projects(&workspace.root.join(folder))?;
        let built = xylem_pack::build(&projects, out)?;
        remove_others(out, &built)?;
        for (path, new) in &built {
            if *new {
                eprintln!("xtask: packed {}", path.strip_prefix(&workspace.root).unwrap_or(path).display());
            }
        }
        all.extend(built.into_iter().map(|(path, _)| path));
    }
    eprintln!("xtask: {} plugins in {}", all.len(), out.display());
    Ok(all)
}

/// Builds these folders of `plugins/` and touches no other package.
pub fn build_only(workspace: &Workspace, folders: &[String]) -> anyhow::Result<()> {
    ensure_target()?;
    let place = workspace.root.join("plugins");
    let projects: Result<Vec<_>, _> = folders.iter().map(|folder| Project::open(&place.join(folder))).collect();
    xylem_pack::build(&projects?, &workspace.plugins())?;
    Ok(())
}

/// The plugins of a folder, in order of name.
pub fn projects(folder: &Path) -> anyhow::Result<Vec<Project>> {
    let mut projects = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(projects) };
    let mut folders: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    folders.sort();
    for folder in folders {
        if folder.join("plugin.toml").is_file() && folder.join("Cargo.toml").is_file() {
            projects.push(Project::open(&folder)?);
        }
    }
    Ok(projects)
}

/// Installs the WebAssembly target if rustup lacks it.
pub fn ensure_target() -> anyhow::Result<()> {
    let listed = Command::new("rustup").args(["target", "list", "--installed"]).output();
    let Ok(listed) = listed else {
        eprintln!("xtask: no rustup here; taking it that {TARGET} is installed");
        return Ok(());
    };
    if String::from_utf8_lossy(&listed.stdout).lines().any(|line| line.trim() == TARGET) {
        return Ok(());
    }
    eprintln!("xtask: installing the compilation target {TARGET}, which plugins are built for");
    execute(Command::new("rustup").args(["target", "add", TARGET])).context("install it by hand and try again")
}

fn remove_others(out: &Path, built: &[(PathBuf, bool)]) -> anyhow::Result<()> {
    let Ok(entries) = std::fs::read_dir(out) else { return Ok(()) };
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        let package = path.extension().is_some_and(|e| e == "wasm");
        if package && !built.iter().any(|(other, _)| *other == path) {
            eprintln!("xtask: removing {}, which has no source any more", path.display());
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}
