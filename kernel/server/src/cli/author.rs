//! `xylem plugin new | build | test | check`: for those who write plugins. No server is needed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use xylem_pack::{Project, manifest_of};

use super::workbench;
use crate::plugins;
use crate::template::{self, Filling};

/// The SDK this program was built with, where its source is still there.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/rust");

/// Writes a plugin that builds and has a test.
pub(super) fn new(folder: &Path, id: Option<String>, sdk: Option<PathBuf>) -> anyhow::Result<()> {
    let name = folder.file_name().and_then(|n| n.to_str()).context("the folder needs a name")?.to_lowercase();
    if !name.starts_with(|c: char| c.is_ascii_lowercase())
        || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    {
        bail!("{name} cannot be a plugin's name: take lowercase letters, digits and -, beginning with a letter");
    }
    if folder.exists() && std::fs::read_dir(folder)?.next().is_some() {
        bail!("{} exists and is not empty", folder.display());
    }
    let sdk = sdk.or_else(|| Some(PathBuf::from(SOURCE)).filter(|path| path.exists()));
    let id = id.unwrap_or_else(|| format!("example.{name}"));
    // Cargo would otherwise look for it among the members of the workspace around it.
    let around = std::path::absolute(folder)?;
    let apart = around.ancestors().skip(1).any(|folder| folder.join("Cargo.toml").exists());
    let filling = Filling { name: &name, id: &id, sdk: sdk.as_deref(), apart };
    for (path, text) in template::files(&filling)? {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    if let Some(lock) = sdk.as_deref().map(|sdk| sdk.join("../../Cargo.lock")).filter(|lock| lock.exists()) {
        // The versions that this checkout was tested with; cargo leaves out what is not needed.
        std::fs::copy(&lock, folder.join("Cargo.lock")).with_context(|| lock.display().to_string())?;
    }
    println!("Made {}. Next: xylem plugin build {0}", folder.display());
    Ok(())
}

/// Builds the package; gives its path.
pub(super) fn build(folder: &Path, out: Option<&Path>) -> anyhow::Result<PathBuf> {
    let project = Project::open(folder)?;
    let out = out.map_or_else(|| project.folder.join("target/plugins"), Path::to_path_buf);
    ensure_target()?;
    let built = xylem_pack::build(std::slice::from_ref(&project), &out)?;
    let (path, _) = built.into_iter().next().context("nothing was built")?;
    let size = std::fs::metadata(&path)?.len();
    println!("{} ({} KiB)", path.display(), size.div_ceil(1024));
    Ok(path)
}

/// Checks a package, or builds one from a folder and checks that.
pub(super) fn check(path: &Path) -> anyhow::Result<()> {
    let package = if path.is_dir() { build(path, None)? } else { path.to_path_buf() };
    let bytes = std::fs::read(&package).with_context(|| package.display().to_string())?;
    if manifest_of(&bytes).is_none() {
        bail!("{} is not a package: it holds no manifest", package.display());
    }
    println!("{}", plugins::check_package(&bytes)?);
    Ok(())
}

/// Runs the plugin's own tests.
pub(super) fn test(folder: &Path) -> anyhow::Result<()> {
    let project = Project::open(folder)?;
    ensure_target()?;
    let mut cargo = cargo();
    cargo.arg("test").current_dir(&project.folder);
    if let Some(shared) = workbench::shared(&project.folder)? {
        if !shared.exists() {
            eprintln!(
                "The testing kit is built first, which is the server itself: once, some minutes. It is kept for all \
                 plugins in {}.",
                shared.display()
            );
        }
        cargo.env("CARGO_TARGET_DIR", shared).args(workbench::PROFILE.iter().flat_map(|says| ["--config", says]));
    }
    let status = cargo.status().context("cargo cannot be run")?;
    if !status.success() {
        bail!("tests failed");
    }
    Ok(())
}

/// The cargo that runs this, or the one in the path.
pub(super) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn ensure_target() -> anyhow::Result<()> {
    let Ok(listed) = Command::new("rustup").args(["target", "list", "--installed"]).output() else { return Ok(()) };
    if !String::from_utf8_lossy(&listed.stdout).lines().any(|line| line.trim() == xylem_pack::TARGET) {
        bail!("the compilation target is missing; install it with: rustup target add {}", xylem_pack::TARGET);
    }
    Ok(())
}
