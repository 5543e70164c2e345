//! What `xylem plugin new` writes: the SDK's template, filled in.

use std::path::Path;

use anyhow::Context as _;

const FILES: [(&str, &str); 4] = [
    ("Cargo.toml", include_str!("../../../sdk/template/Cargo.toml")),
    ("plugin.toml", include_str!("../../../sdk/template/plugin.toml")),
    ("src/lib.rs", include_str!("../../../sdk/template/src/lib.rs")),
    ("tests/stories.rs", include_str!("../../../sdk/template/tests/stories.rs")),
];

/// What differs from plugin to plugin.
pub struct Filling<'a> {
    /// The crate.
    pub name: &'a str,
    /// The plugin.
    pub id: &'a str,
    /// A checkout of the SDK's crate, the testing kit beside it; without one both come from
    /// the registry.
    pub sdk: Option<&'a Path>,
    /// Whether the folder lies inside somebody else's workspace.
    pub apart: bool,
}

/// Paths and texts.
pub fn files(filling: &Filling<'_>) -> anyhow::Result<Vec<(&'static str, String)>> {
    let sdk = dependency(filling.sdk)?;
    // It stands beside the SDK's crate.
    let testing = dependency(filling.sdk.map(|sdk| sdk.join("../testing")).as_deref())?;
    let ns = format!("urn:{}", filling.id.replace('.', ":"));
    let fill = |text: &str| {
        let text =
            text.replace("\"{{sdk}}\"", &sdk).replace("\"{{testing}}\"", &testing).replace("{{name}}", filling.name);
        text.replace("{{id}}", filling.id).replace("{{ns}}", &ns)
    };
    let mut files: Vec<_> = FILES.iter().map(|(path, text)| (*path, fill(text))).collect();
    if let Some((_, cargo)) = files.first_mut().filter(|_| filling.apart) {
        cargo.push_str("\n[workspace]\n");
    }
    Ok(files)
}

fn dependency(checkout: Option<&Path>) -> anyhow::Result<String> {
    let Some(path) = checkout else { return Ok(concat!("\"", env!("CARGO_PKG_VERSION"), "\"").to_owned()) };
    let path = path.canonicalize().with_context(|| format!("the SDK is not at {}", path.display()))?;
    Ok(format!("{{ path = {:?} }}", path.display().to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_template_is_filled_in_and_its_manifest_is_right() {
        let filling = Filling { name: "greeter", id: "example.greeter", sdk: None, apart: true };
        for (path, text) in files(&filling).unwrap() {
            assert!(!text.contains("{{"), "{path}: {text}");
            if path == "plugin.toml" {
                assert_eq!(xylem_hooks::Manifest::parse(&text).unwrap().id(), "example.greeter");
            }
            if path == "Cargo.toml" {
                assert!(text.contains("[workspace]") && text.contains("xylem-sdk = \"0.1.0\""), "{text}");
            }
        }
    }
}
