//! A plugin as it is handed around: one component file that carries its manifest
//! in a custom section, or, while it is being written, a folder of both.

use std::path::Path;

use xylem_hooks::Manifest;

use crate::error::HostError;

/// The custom section that holds the manifest's text.
pub const SECTION: &str = "xylem:manifest";
/// Biggest component in bytes.
pub const MAX_BYTES: u64 = 64 << 20;

const PREAMBLE: usize = 8;

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
        if path.is_dir() {
            let component = read(&only_component(path)?)?;
            let text = read(&path.join("plugin.toml"))?;
            return Self::new(&path.display().to_string(), component, &String::from_utf8_lossy(&text));
        }
        Self::from_bytes(&path.display().to_string(), read(path)?)
    }

    /// Reads a package from memory; `name` is for messages.
    ///
    /// # Errors
    /// As [`Package::open`].
    pub fn from_bytes(name: &str, component: Vec<u8>) -> Result<Self, HostError> {
        let Some(text) = section(&component) else {
            let problem = format!("has no `{SECTION}` section; build it with `xylem plugin build`");
            return Err(HostError::Package { name: name.to_owned(), problem });
        };
        let text = String::from_utf8_lossy(text).into_owned();
        Self::new(name, component, &text)
    }

    /// Puts a component and a manifest together.
    ///
    /// # Errors
    /// Something that is no component, or a manifest that is not right.
    pub fn new(name: &str, component: Vec<u8>, manifest: &str) -> Result<Self, HostError> {
        if !is_component(&component) {
            let problem = "is no WebAssembly component; core modules must be componentized".to_owned();
            return Err(HostError::Package { name: name.to_owned(), problem });
        }
        let parsed = Manifest::parse(manifest).map_err(|error| HostError::Manifest { name: name.to_owned(), error })?;
        Ok(Self { manifest: parsed, manifest_text: manifest.to_owned(), component })
    }

    /// The package as one file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        with_section(&self.component, &self.manifest_text)
    }
}

/// Whether these bytes begin like a component (not a core module).
#[must_use]
pub fn is_component(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm") && bytes.get(4..PREAMBLE) == Some(&[0x0d, 0, 1, 0])
}

/// The manifest's text inside a component.
#[must_use]
pub fn section(component: &[u8]) -> Option<&[u8]> {
    sections(component).find_map(|(_, name, payload)| (name == Some(SECTION.as_bytes())).then_some(payload))
}

/// The component with this manifest in place of any it had.
#[must_use]
pub fn with_section(component: &[u8], manifest: &str) -> Vec<u8> {
    let mut out: Vec<u8> = component.get(..PREAMBLE).unwrap_or_default().to_vec();
    for (whole, name, _) in sections(component) {
        if name != Some(SECTION.as_bytes()) {
            out.extend_from_slice(whole);
        }
    }
    let mut body = Vec::with_capacity(manifest.len() + SECTION.len() + 5);
    number(SECTION.len(), &mut body);
    body.extend_from_slice(SECTION.as_bytes());
    body.extend_from_slice(manifest.as_bytes());
    out.push(0);
    number(body.len(), &mut out);
    out.extend_from_slice(&body);
    out
}

/// All outer sections: whole, name if custom, payload. Ends at the first that is cut short.
fn sections(component: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>, &[u8])> {
    let mut rest = component.get(PREAMBLE..).unwrap_or_default();
    std::iter::from_fn(move || {
        let whole = rest;
        let (&id, after) = rest.split_first()?;
        let (size, after) = read_number(after)?;
        let (body, after) = after.split_at_checked(size)?;
        rest = after;
        let whole = whole.get(..whole.len() - after.len())?;
        if id != 0 {
            return Some((whole, None, body));
        }
        let (length, named) = read_number(body)?;
        let (name, payload) = named.split_at_checked(length)?;
        Some((whole, Some(name), payload))
    })
}

fn number(mut value: usize, out: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        out.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}

fn read_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0usize;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
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
    fn a_manifest_travels_in_its_component_and_is_replaced_whole() {
        let once = with_section(EMPTY, "first");
        assert_eq!(section(&once), Some(&b"first"[..]));
        let long = "x".repeat(70_000);
        let twice = with_section(&once, &long);
        assert_eq!(section(&twice), Some(long.as_bytes()));
        assert_eq!(sections(&twice).count(), 1);
        let package = Package::from_bytes("p", with_section(EMPTY, TEXT)).unwrap();
        assert_eq!(package.manifest.id(), "a.b");
        assert_eq!(section(&package.to_bytes()), Some(TEXT.as_bytes()));
    }

    #[test]
    fn what_is_no_package_is_refused_with_a_reason() {
        let problem = |bytes: Vec<u8>| Package::from_bytes("p", bytes).unwrap_err().to_string();
        assert!(problem(EMPTY.to_vec()).contains("has no `xylem:manifest`"));
        assert!(problem(with_section(b"\0asm\x01\0\0\0", TEXT)).contains("no WebAssembly component"));
        assert!(problem(with_section(EMPTY, "[plugin]\n")).contains("missing field"));
        let whole = with_section(EMPTY, TEXT);
        for cut in 0..whole.len() {
            assert!(Package::from_bytes("p", whole[..cut].to_vec()).is_err());
        }
    }
}
