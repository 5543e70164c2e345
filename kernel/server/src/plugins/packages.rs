//! Where packages are: those that came with the server, and those installed later.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::config::Config;

/// What a package that somebody gives is called in messages: its path may be one of the server's own.
pub const THE_FILE: &str = "the file";

/// Where the packages that come with the server are: configured, named by the
/// environment, or beside the program. None: there are none.
pub fn bundled(config: &Config) -> Option<PathBuf> {
    if let Some(directory) = &config.plugins.directory {
        return Some(directory.clone());
    }
    if let Some(directory) = std::env::var_os("XYLEM_PLUGINS") {
        return Some(directory.into());
    }
    let program = std::env::current_exe().ok()?.canonicalize().ok()?;
    let folder = program.parent()?.parent()?;
    ["share/xylem/plugins", "plugins"].iter().map(|place| folder.join(place)).find(|place| place.is_dir())
}

/// Where packages that were installed later are kept.
pub fn installed(config: &Config) -> PathBuf {
    config.in_data(Path::new("plugins"))
}

/// Where the version before the last upgrade of a plugin is kept.
pub fn previous(config: &Config, id: &str) -> PathBuf {
    installed(config).join("previous").join(format!("{id}.wasm"))
}

/// Keeps the package in use as the one before; nothing if its file is gone.
pub fn put_aside(config: &Config, id: &str) -> anyhow::Result<()> {
    let name = format!("{id}.wasm");
    let places = [Some(installed(config)), bundled(config)];
    let Some(present) = places.into_iter().flatten().map(|folder| folder.join(&name)).find(|path| path.is_file())
    else {
        return Ok(());
    };
    let package = fs::read(&present).with_context(|| present.display().to_string())?;
    write(&previous(config, id), &package)
}

/// The package files of a folder, in order of name. A folder that is not there has none.
pub fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| folder.display().to_string()),
    };
    let mut files: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "wasm") && path.is_file())
        .collect();
    files.sort();
    Ok(files)
}

/// Keeps a package in the data folder, under its plugin's id.
pub fn keep(config: &Config, id: &str, package: &[u8]) -> anyhow::Result<()> {
    write(&installed(config).join(format!("{id}.wasm")), package)
}

fn write(path: &Path, package: &[u8]) -> anyhow::Result<()> {
    let show = || path.display().to_string();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(show)?;
    }
    let temporary = path.with_extension("new");
    fs::write(&temporary, package)
        .and_then(|()| fs::File::open(&temporary)?.sync_all())
        .and_then(|()| fs::rename(&temporary, path))
        .with_context(show)
}
