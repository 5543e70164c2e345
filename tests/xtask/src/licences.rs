//! `kernel/server/licences.txt`: the libraries that the server is built from, for `xylem about`.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::workspace::Workspace;

/// Writes the list, or with `check` fails if it is not what it should be.
pub fn run(workspace: &Workspace, check: bool) -> anyhow::Result<()> {
    let list = list(workspace)?;
    let path = workspace.root.join("kernel/server/licences.txt");
    if std::fs::read_to_string(&path).is_ok_and(|old| old == list) {
        return Ok(());
    }
    if check {
        bail!("kernel/server/licences.txt is not what Cargo.lock says; run `cargo xtask docs`");
    }
    std::fs::write(&path, list)?;
    eprintln!("xtask: wrote kernel/server/licences.txt");
    Ok(())
}

/// Name, version and licence of each library on a line, in order of name, whatever the machine.
fn list(workspace: &Workspace) -> anyhow::Result<String> {
    let told = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--package", "xylem", "--edges", "normal", "--target", "all", "--locked"])
        .args(["--prefix", "none", "--format", "{p}|{l}"])
        .current_dir(&workspace.root)
        .output()
        .context("cargo tree cannot be run")?;
    if !told.status.success() {
        bail!("cargo tree: {}", String::from_utf8_lossy(&told.stderr));
    }
    let text = String::from_utf8(told.stdout)?;
    let lines: BTreeSet<_> = text.lines().filter_map(line).collect();
    Ok(lines.into_iter().map(|line| line + "\n").collect())
}

/// `name v1.2.3 (where)|MIT OR Apache-2.0` in short. Our own crates have the licence of the server.
fn line(told: &str) -> Option<String> {
    let (package, license) = told.trim_end_matches(" (*)").split_once('|')?;
    let mut words = package.split_whitespace();
    let (name, version) = (words.next()?, words.next()?.trim_start_matches('v'));
    let own = words.next().is_some_and(|place| place.starts_with("(/"));
    (!own).then(|| format!("{name} {version} {}", license.trim_end_matches(" (*)")).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn libraries_are_listed_and_own_crates_are_not() {
        assert_eq!(line("bytes v1.2.3|MIT (*)").as_deref(), Some("bytes 1.2.3 MIT"));
        assert_eq!(
            line("serde_derive v1.0.0 (proc-macro)|MIT OR Apache-2.0").as_deref(),
            Some("serde_derive 1.0.0 MIT OR Apache-2.0")
        );
        assert_eq!(line("xylem-xml v0.1.0 (/somewhere/kernel/xml)|MIT"), None);
    }
}
