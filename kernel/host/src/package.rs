//! A plugin as it is handed around: one component file that carries its manifest
//! in a custom section, or, while it is being written, a folder of both.

use std::path::Path;

use xylem_hooks::Manifest;
use xylem_pack::{MANIFEST_SECTION, is_component, manifest_of, pack};

use crate::error::HostError;

/// Biggest component in bytes.
pub const MAX_BYTES: u64 = 64 << 20;

/// A component and its checked manifest.
#[derive(Debug, Clone)]
pub struct Package {
    pub manifest: Manifest,
    /// `plugin.toml` as written.
    pub manifest_text: String,
    /// The component, manifest section included if it has one.
    pub component: Vec<u8>,
}

impl Package {
    /// Reads a package file, or a folder with `plugin.toml` and one `.wasm` component.
    ///
    /// # Errors
    /// Files that cannot be read, packages without manifest, manifests that are not right.
    pub fn open(path: &Path) -> Result<Self, HostError> {
        Self::open_as(&path.display().to_string(), path)
    }

    /// The same with a `name` for messages: where the path is nothing to whoever gave the file.
    ///
    /// # Errors
    /// As [`Package::open`].
    pub fn open_as(name: &str, path: &Path) -> Result<Self, HostError> {
        if path.is_dir() {
            let component = read(&only_component(path)?)?;
            let text = read(&path.join("plugin.toml"))?;
            return Self::new(name, component, &String::from_utf8_lossy(&text));
        }
        Self::from_bytes(name, read(path)?)
    }

    /// Reads a package from memory; `name` is for messages.
    ///
    /// # Errors
    /// As [`Package::open`].
    pub fn from_bytes(name: &str, component: Vec<u8>) -> Result<Self, HostError> {
        let Some(text) = manifest_of(&component).map(str::to_owned) else {
            let problem = format!(
                "is no Xylem plugin: it has no section `{MANIFEST_SECTION}`; build it with `xylem plugin build`"
            );
            return Err(HostError::Package { name: name.to_owned(), problem });
        };
        Self::new(name, component, &text)
    }

    /// Puts a component and a manifest together.
    ///
    /// # Errors
    /// Something that is no component, or a manifest that is not right.
    pub fn new(name: &str, component: Vec<u8>, manifest: &str) -> Result<Self, HostError> {
        if !is_component(&component) {
            let problem =
                "is no Xylem plugin: it is no WebAssembly component; core modules must be componentized".to_owned();
            return Err(HostError::Package { name: name.to_owned(), problem });
        }
        let parsed = Manifest::parse(manifest).map_err(|error| HostError::Manifest { name: name.to_owned(), error })?;
        Ok(Self { manifest: parsed, manifest_text: manifest.to_owned(), component })
    }

    /// The package as one file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        pack(&self.component, &self.manifest_text)
    }
}

fn only_component(folder: &Path) -> Result<std::path::PathBuf, HostError> {
    let entries = std::fs::read_dir(folder).map_err(|error| HostError::File { path: folder.to_owned(), error })?;
    let wasm = |path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
    let found: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(wasm).collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        found => {
            let problem = format!("holds {} .wasm files; one is needed", found.len());
            Err(HostError::Package { name: folder.display().to_string(), problem })
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, HostError> {
    let failed = |error| HostError::File { path: path.to_owned(), error };
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_BYTES {
        let problem = format!("is bigger than {} MiB", MAX_BYTES >> 20);
        return Err(HostError::Package { name: path.display().to_string(), problem });
    }
    std::fs::read(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
    const TEXT: &str =
        "[plugin]\nid = \"a.b\"\nversion = \"1\"\napi = \"xylem:plugin@0.1\"\nsummary = \"s\"\nlicense = \"MIT\"\n";

    #[test]
    fn a_manifest_travels_in_its_component() {
        let package = Package::from_bytes("p", pack(EMPTY, TEXT)).unwrap();
        assert_eq!(package.manifest.id(), "a.b");
        assert_eq!(manifest_of(&package.to_bytes()), Some(TEXT));
    }

    #[test]
    fn what_is_no_package_is_refused_with_a_reason() {
        let problem = |bytes: Vec<u8>| Package::from_bytes("p", bytes).unwrap_err().to_string();
        assert!(problem(EMPTY.to_vec()).contains("p is no Xylem plugin: it has no section `xylem:manifest`"));
        assert!(problem(pack(b"\0asm\x01\0\0\0", TEXT)).contains("no WebAssembly component"));
        assert!(problem(pack(EMPTY, "[plugin]\n")).contains("missing field"));
        let whole = pack(EMPTY, TEXT);
        for cut in 0..whole.len() {
            assert!(Package::from_bytes("p", whole[..cut].to_vec()).is_err());
        }
    }
}
