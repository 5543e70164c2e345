use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::component::component;
use crate::error::PackError;
use crate::section::pack;

/// What plugins are compiled for.
pub const TARGET: &str = "wasm32-unknown-unknown";
/// The cargo profile they are compiled with, and what it says where the plugin's own
/// workspace does not: small, and a panic is a trap.
pub const PROFILE: &str = "plugin";
const PROFILE_SAYS: [&str; 6] =
    ["inherits='release'", "opt-level='s'", "lto=true", "codegen-units=1", "panic='abort'", "strip=true"];

/// A plugin's folder: `Cargo.toml` and `plugin.toml` side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    pub folder: PathBuf,
    /// The cargo package.
    pub package: String,
    /// The plugin's id.
    pub id: String,
    pub version: String,
    /// The text of `plugin.toml`.
    pub manifest: String,
}

impl Project {
    /// Reads what is needed of both files; `plugin.toml` is checked in full
    /// when the package is loaded.
    pub fn open(folder: &Path) -> Result<Self, PackError> {
        let folder = folder.canonicalize().map_err(|source| PackError::File { path: folder.to_path_buf(), source })?;
        let cargo: CargoToml = read(&folder.join("Cargo.toml"))?.1;
        let (manifest, plugin): (_, PluginToml) = read(&folder.join("plugin.toml"))?;
        let PluginToml { plugin: About { id, version } } = plugin;
        Ok(Self { folder, package: cargo.package.name, id, version, manifest })
    }
}

/// Compiles the projects in one go (they must share a workspace, or be one) and
/// writes `<out>/<id>.wasm` for each whose package changed. Gives the packages
/// in the order of the projects, and whether each was written anew.
pub fn build(projects: &[Project], out: &Path) -> Result<Vec<(PathBuf, bool)>, PackError> {
    let Some(first) = projects.first() else { return Ok(Vec::new()) };
    std::fs::create_dir_all(out).map_err(|source| PackError::File { path: out.to_path_buf(), source })?;
    let modules = compile(&first.folder, projects)?;
    let mut packages = Vec::new();
    for project in projects {
        let module = modules.get(&project.folder).ok_or_else(|| PackError::Project {
            path: project.folder.join("Cargo.toml"),
            problem: "gives no module; it needs `[lib] crate-type = [\"cdylib\"]`".to_owned(),
        })?;
        packages.push(write(project, module, out)?);
    }
    Ok(packages)
}

fn write(project: &Project, module: &Path, out: &Path) -> Result<(PathBuf, bool), PackError> {
    let module = std::fs::read(module).map_err(|source| PackError::File { path: module.to_path_buf(), source })?;
    let package = pack(&component(&module)?, &project.manifest);
    let path = out.join(format!("{}.wasm", project.id));
    if std::fs::read(&path).is_ok_and(|old| old == package) {
        return Ok((path, false));
    }
    // A server that looks into the folder must never see half a package.
    let temporary = out.join(format!(".{}.wasm.new", project.id));
    std::fs::write(&temporary, &package)
        .and_then(|()| std::fs::rename(&temporary, &path))
        .map_err(|source| PackError::File { path: path.clone(), source })?;
    Ok((path, true))
}

/// Runs cargo; gives the module of each folder.
fn compile(directory: &Path, projects: &[Project]) -> Result<BTreeMap<PathBuf, PathBuf>, PackError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(directory).args(["build", "--lib", "--quiet", "--profile", PROFILE, "--target", TARGET]);
    command.args(["--message-format", "json-render-diagnostics"]);
    for setting in PROFILE_SAYS {
        command.args(["--config", &format!("profile.{PROFILE}.{setting}")]);
    }
    for project in projects {
        command.args(["--package", &project.package]);
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(PackError::Cargo)?;
    let mut modules = BTreeMap::new();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            modules.extend(module_in(&line));
        }
    }
    let status = child.wait().map_err(PackError::Cargo)?;
    if status.success() { Ok(modules) } else { Err(PackError::Compile) }
}

/// The folder and module that a line of cargo's messages tells of.
fn module_in(line: &str) -> Option<(PathBuf, PathBuf)> {
    let message: Message = serde_json::from_str(line).ok()?;
    let module = message.filenames.into_iter().find(|file| file.extension().is_some_and(|e| e == "wasm"))?;
    Some((message.manifest_path.parent()?.to_path_buf(), module))
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<(String, T), PackError> {
    let text = std::fs::read_to_string(path).map_err(|source| PackError::File { path: path.to_path_buf(), source })?;
    let value = toml::from_str(&text)
        .map_err(|e| PackError::Project { path: path.to_path_buf(), problem: e.to_string().trim().to_owned() })?;
    Ok((text, value))
}

#[derive(Deserialize)]
struct Message {
    manifest_path: PathBuf,
    filenames: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct CargoToml {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    name: String,
}

#[derive(Deserialize)]
struct PluginToml {
    plugin: About,
}

#[derive(Deserialize)]
struct About {
    id: String,
    version: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_folder_without_a_manifest_is_refused_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"a\"").unwrap();
        let error = Project::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("plugin.toml"), "{error}");
        std::fs::write(folder.path().join("plugin.toml"), "[plugin]\nid = 3\n").unwrap();
        let error = Project::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn modules_are_found_in_cargos_messages() {
        let line =
            r#"{"reason":"compiler-artifact","manifest_path":"/p/Cargo.toml","filenames":["/t/x.rlib","/t/x.wasm"]}"#;
        assert_eq!(module_in(line), Some(("/p".into(), "/t/x.wasm".into())));
        assert_eq!(module_in(r#"{"reason":"build-finished","success":true}"#), None);
        assert_eq!(module_in("warning"), None);
    }
}
