//! How a plugin is set for one domain, as calls need it.

use std::sync::Arc;

use serde_json::Value;
use xylem_hooks::Manifest;

/// The options, and what the server itself goes by.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Configured {
    /// An object, for the plugin.
    pub(crate) json: Arc<str>,
    /// Tokens in a full bucket of each `[[limit]]`; `None` for no bound.
    limits: Vec<Option<u32>>,
}

impl Configured {
    /// From options as [`ConfigSchema::resolve`](xylem_hooks::manifest::ConfigSchema::resolve) gives them.
    pub(crate) fn new(manifest: &Manifest, config: &Value) -> Self {
        let limits = manifest.limits.iter().map(|limit| limit.count(config)).collect();
        Self { json: config.to_string().into(), limits }
    }

    /// Of the limit at this place in the manifest.
    pub(crate) fn tokens(&self, limit: usize) -> Option<u32> {
        self.limits.get(limit).copied().flatten()
    }
}
