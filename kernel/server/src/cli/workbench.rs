//! Where the tests of plugins are built: the testing kit has the whole server in it, so it is
//! built once for all plugins of a person and not once for each.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::author::cargo;

/// Of what nobody looks into with a debugger no debugging information is written, which is most
/// of a target folder.
pub(super) const PROFILE: [&str; 2] = ["profile.dev.debug='line-tables-only'", "profile.dev.package.'*'.debug=false"];

/// What `cargo metadata` says.
#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

/// The target folder that plugins share; none for a plugin whose author, or whose workspace, has
/// one already that others share.
pub(super) fn shared(plugin: &Path) -> anyhow::Result<Option<PathBuf>> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(plugin)
        .output()
        .context("cargo cannot be run")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata = serde_json::from_slice(&output.stdout).context("what cargo says of the plugin")?;
    Ok(choose(&metadata, &plugin.canonicalize()?, cache()))
}

fn choose(metadata: &Metadata, plugin: &Path, cache: Option<PathBuf>) -> Option<PathBuf> {
    let alone = metadata.workspace_root == plugin && metadata.target_directory == plugin.join("target");
    let cache = cache.filter(|_| alone)?;
    Some(cache.join(concat!("xylem/plugin-tests-", env!("CARGO_PKG_VERSION"))))
}

/// By the XDG base directory specification.
fn cache() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_by_itself_shares_and_others_do_as_they_did() {
        let chosen = |root: &str, target: &str| {
            let metadata = Metadata { workspace_root: root.into(), target_directory: target.into() };
            choose(&metadata, Path::new("/w/plugin"), Some("/cache".into()))
        };
        let shared = PathBuf::from(concat!("/cache/xylem/plugin-tests-", env!("CARGO_PKG_VERSION")));
        assert_eq!(chosen("/w/plugin", "/w/plugin/target"), Some(shared));
        assert_eq!(chosen("/w", "/w/target"), None, "a member of a workspace");
        assert_eq!(chosen("/w/plugin", "/elsewhere"), None, "CARGO_TARGET_DIR or .cargo/config.toml");
    }
}
