//! The web console: pages that npm builds, which the server reads when it starts.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, bail};

use crate::cargo::execute;
use crate::workspace::Workspace;

/// What is neither a source of the pages nor worth looking through.
const NOT_SOURCES: [&str; 5] = ["node_modules", "dist", "unit", "browser", "test-results"];
/// The oldest Node that Vite runs with.
const NODE: (u32, u32) = (20, 19);

/// Builds the pages into `target/console`, if anything changed. None, and a line that says so, if
/// there is no Node for it: the server runs without.
pub fn build_if_possible(workspace: &Workspace) -> anyhow::Result<Option<PathBuf>> {
    match node() {
        Ok(()) => build(workspace).map(Some),
        Err(why) => {
            eprintln!("xtask: {why}; the server is built without its console. `cargo xtask console` makes it.");
            Ok(None)
        }
    }
}

/// The same; without Node it is an error.
pub fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    node().map_err(anyhow::Error::msg)?;
    let web = folder(workspace);
    let out = workspace.console();
    let built = modified(&out.join("index.html"));
    if built.is_some_and(|built| newest(&web).is_ok_and(|changed| changed <= built)) {
        return Ok(out);
    }
    prepare(&web)?;
    npm(&web, &["run", "--silent", "build", "--", "--logLevel", "warn"], &[("XYLEM_CONSOLE_OUT", &out)])?;
    eprintln!("xtask: the console is in {}", out.display());
    Ok(out)
}

/// Types, layout of the sources, unit tests.
pub fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let web = folder(workspace);
    prepare(&web)?;
    npm(&web, &["run", "--silent", "check"], &[])?;
    npm(&web, &["run", "--silent", "test"], &[])
}

/// Drives the console with a browser, against a server that each test starts. Screenshots are left
/// in `target/console-shots`. `looks`: every page in the dark, on a phone and in Chinese too, which takes
/// some minutes.
pub fn browse(workspace: &Workspace, server: &Path, looks: bool) -> anyhow::Result<()> {
    let web = folder(workspace);
    prepare(&web)?;
    let shots = workspace.target.join("console-shots");
    let (plugins, console) = (workspace.plugins(), workspace.console());
    let places =
        [("XYLEM_BIN", server), ("XYLEM_PLUGINS", &plugins), ("XYLEM_CONSOLE", &console), ("XYLEM_SHOTS", &shots)];
    npm(&web, &["run", "--silent", if looks { "browser" } else { "gate" }], &places)
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("admin-ui/web")
}

/// Installs what the lock file says, where that has not been done.
fn prepare(web: &Path) -> anyhow::Result<()> {
    let done = modified(&web.join("node_modules/.package-lock.json"));
    if done.is_some_and(|done| modified(&web.join("package-lock.json")).is_some_and(|wanted| wanted <= done)) {
        return Ok(());
    }
    npm(web, &["ci", "--silent", "--no-fund", "--no-audit"], &[])
}

fn npm(web: &Path, arguments: &[&str], places: &[(&str, &Path)]) -> anyhow::Result<()> {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(web).envs(places.iter().copied());
    execute(&mut command)
}

/// Why the pages cannot be built here, if they cannot.
fn node() -> Result<(), String> {
    let missing = |_| "there is no Node here".to_owned();
    let output = Command::new("node").arg("--version").output().map_err(missing)?;
    Command::new("npm").arg("--version").output().map_err(|_| "there is no npm here".to_owned())?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let mut parts = version.trim_start_matches('v').split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if (major, minor) < NODE {
        return Err(format!("Node is {version} and has to be {}.{} or newer", NODE.0, NODE.1));
    }
    Ok(())
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|about| about.modified()).ok()
}

/// When the sources of the pages were last changed.
fn newest(web: &Path) -> anyhow::Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut folders = vec![web.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            if NOT_SOURCES.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            let about = entry.metadata()?;
            newest = newest.max(about.modified()?);
            if about.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    if newest == SystemTime::UNIX_EPOCH {
        bail!("{} is empty", web.display());
    }
    Ok(newest)
}
