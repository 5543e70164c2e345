//! Compiled plugins on disk.
//!
//! Compiled code is machine code: who can write it owns the server. So it is only
//! read from a folder that belongs to this user and that nobody else can enter,
//! and from files of the same kind. It is named by the component's digest and by
//! everything about the engine that the code depends on.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// A folder of compiled components.
pub(crate) struct CodeCache {
    folder: PathBuf,
}

impl CodeCache {
    /// Opens or makes the folder; nothing if it could be somebody else's.
    pub(crate) fn open(folder: &Path) -> Option<Self> {
        if let Err(error) = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder) {
            tracing::warn!(folder = %folder.display(), %error, "compiled plugins are not kept");
            return None;
        }
        if !is_private(folder, fs::FileType::is_dir) {
            tracing::warn!(folder = %folder.display(), "compiled plugins are not kept: the folder must belong to this user and have mode 0700");
            return None;
        }
        Some(Self { folder: folder.to_owned() })
    }

    pub(crate) fn load(&self, engine: &Engine, component: &[u8]) -> Option<Component> {
        let path = self.path(engine, component);
        if !is_private(&self.folder, fs::FileType::is_dir) || !is_private(&path, fs::FileType::is_file) {
            return None;
        }
        match deserialize(engine, &path) {
            Ok(found) => Some(found),
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "compiled plugin is not usable; compiling again");
                None
            }
        }
    }

    /// Failing only costs the next start some time.
    pub(crate) fn save(&self, engine: &Engine, component: &[u8], compiled: &Component) {
        let path = self.path(engine, component);
        let written = compiled.serialize().map_err(|error| error.to_string()).and_then(|code| {
            let partial = path.with_extension("partial");
            let _ = fs::remove_file(&partial);
            let mut options = fs::OpenOptions::new();
            let mut file =
                options.write(true).create_new(true).mode(0o600).open(&partial).map_err(|e| e.to_string())?;
            file.write_all(&code).and_then(|()| file.sync_all()).map_err(|e| e.to_string())?;
            fs::rename(&partial, &path).map_err(|e| e.to_string())
        });
        if let Err(error) = written {
            tracing::warn!(file = %path.display(), error, "compiled plugin is not kept");
        }
    }

    fn path(&self, engine: &Engine, component: &[u8]) -> PathBuf {
        let mut name = String::new();
        for byte in Sha256::digest(component) {
            name.push_str(&format!("{byte:02x}"));
        }
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.folder.join(format!("{name}-{:016x}.cwasm", hasher.finish()))
    }
}

#[allow(unsafe_code, reason = "deserializing compiled code; the caller has checked that only this user could write it")]
fn deserialize(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file is private to this user and was written by `save`; wasmtime
    // itself refuses code of another version or other settings.
    unsafe { Component::deserialize_file(engine, path) }
}

/// Ours, of this type and no symbolic link, closed to group and others.
fn is_private(path: &Path, of_type: fn(&fs::FileType) -> bool) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| {
        of_type(&found.file_type()) && found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0
    })
}
