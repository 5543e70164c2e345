use crate::workspace::Workspace;

const PRESCRIBED: [&str; 8] = ["Cargo.toml", "README.md", "admin-ui", "config", "kernel", "plugins", "sdk", "tests"];
/// Lock file, licences, changelog, tool settings; and what `.gitignore` keeps out.
const ALSO: [&str; 8] = [
    "CHANGELOG.md",
    "Cargo.lock",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "clippy.toml",
    "deny.toml",
    "rustfmt.toml",
    "rust-toolchain.toml",
];
const IGNORED: [&str; 2] = ["target", "data"];

/// The top level holds the prescribed entries and nothing else.
pub fn check(workspace: &Workspace, breaches: &mut Vec<String>) -> anyhow::Result<()> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&workspace.root)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let known = [&PRESCRIBED[..], &ALSO, &IGNORED].iter().any(|names| names.contains(&name.as_str()));
        if !known && !name.starts_with('.') {
            breaches.push(format!("{name}: does not belong at the top level"));
        }
        found.push(name);
    }
    for name in PRESCRIBED.iter().filter(|name| !found.iter().any(|f| f == *name)) {
        breaches.push(format!("{name}: missing at the top level"));
    }
    Ok(())
}
