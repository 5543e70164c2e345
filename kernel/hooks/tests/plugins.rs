//! The plugins of this repository go together.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use xylem_hooks::call::PluginIndex;
use xylem_hooks::{HookPoint, Manifest, ManifestEntry, Plan};

#[test]
fn all_manifests_are_right_and_make_one_plan() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    let Ok(plugins) = std::fs::read_dir(&folder) else { return };
    let mut entries = Vec::new();
    for plugin in plugins {
        let path = plugin.unwrap().path().join("plugin.toml");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let manifest = Manifest::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let plugin = PluginIndex(u32::try_from(entries.len()).unwrap());
        entries.push(ManifestEntry::new(plugin, Arc::new(manifest)));
    }
    let plan = Plan::compile(&entries, "example.org").unwrap_or_else(|error| panic!("{error}"));
    for point in HookPoint::ALL {
        print!("{}\n{}", point.name(), plan.describe(point));
    }
}
