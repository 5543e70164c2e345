//! Which crate may depend on which of ours.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use crate::plugins;
use crate::workspace::Workspace;

/// A crate of the kernel and what of ours it may use, in the order of a stanza's
/// path. A new arrow is a change of its own: it needs a reason, and an entry here.
const ARROWS: [(&str, &[&str]); 13] = [
    ("xml", &[]),
    ("stanza", &["xml"]),
    ("sasl", &[]),
    ("stream", &["xml", "stanza", "sasl"]),
    ("hooks", &["stanza", "xml"]),
    ("session", &["stanza", "xml"]),
    ("store", &[]),
    ("net", &["xml", "stanza", "sasl", "stream", "session"]),
    ("router", &["xml", "stanza", "hooks", "session", "store", "stream", "net", "sasl"]),
    ("host", &["xml", "stanza", "hooks", "session", "store", "pack"]),
    ("ops", &["stanza"]),
    ("acme", &[]),
    (
        "server",
        &[
            "net", "xml", "stanza", "sasl", "stream", "hooks", "router", "session", "store", "host", "ops", "pack",
            "acme", "admin",
        ],
    ),
];
/// Crates without sockets, clock and disk, and what would bring them in.
const PURE: [&str; 5] = ["xml", "stanza", "sasl", "stream", "hooks"];
const IMPURE: [&str; 7] = ["tokio", "wasmtime", "sled", "fjall", "socket2", "rustix", "tokio-rustls"];

#[derive(Deserialize)]
struct CargoToml {
    #[serde(default)]
    dependencies: BTreeMap<String, toml::Value>,
}

/// Crates depend on what they may; plugins on the SDK alone.
pub fn check(workspace: &Workspace, breaches: &mut Vec<String>) -> anyhow::Result<()> {
    for (name, allowed) in ARROWS {
        let dependencies = dependencies(&workspace.root.join("kernel").join(name))?;
        for other in dependencies.iter().filter_map(|d| d.strip_prefix("xylem-")) {
            if !allowed.contains(&other) {
                breaches.push(format!("kernel/{name}/Cargo.toml: may not depend on xylem-{other}"));
            }
        }
        if PURE.contains(&name) {
            for other in dependencies.iter().filter(|d| IMPURE.contains(&d.as_str())) {
                breaches.push(format!("kernel/{name}/Cargo.toml: does no I/O, so it may not depend on {other}"));
            }
        }
    }
    for project in plugins::projects(&workspace.root.join("plugins"))? {
        for other in dependencies(&project.folder)? {
            if other.starts_with("xylem-") && other != "xylem-sdk" {
                breaches.push(format!("plugin {}: depends on {other}; plugins use xylem-sdk alone", project.id));
            }
        }
    }
    Ok(())
}

fn dependencies(folder: &Path) -> anyhow::Result<Vec<String>> {
    let path = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let parsed: CargoToml = toml::from_str(&text).with_context(|| path.display().to_string())?;
    Ok(parsed.dependencies.into_keys().collect())
}
