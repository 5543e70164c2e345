//! `plugins/README.md`, made of the manifests.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::plugins;
use crate::workspace::Workspace;

#[derive(Deserialize)]
struct Manifest {
    plugin: About,
    #[serde(default)]
    xep: Vec<Xep>,
}

#[derive(Deserialize)]
struct About {
    version: String,
    summary: String,
}

#[derive(Deserialize)]
struct Xep {
    number: u16,
    version: String,
    note: Option<String>,
}

/// Writes the page, or with `check` fails if it is not what it should be.
pub fn run(workspace: &Workspace, check: bool) -> anyhow::Result<()> {
    let page = page(workspace)?;
    let path = workspace.root.join("plugins/README.md");
    if std::fs::read_to_string(&path).is_ok_and(|old| old == page) {
        return Ok(());
    }
    if check {
        bail!("plugins/README.md is not what the manifests say; run `cargo xtask docs`");
    }
    std::fs::write(&path, page)?;
    eprintln!("xtask: wrote plugins/README.md");
    Ok(())
}

fn page(workspace: &Workspace) -> anyhow::Result<String> {
    let mut page = String::from(
        "# Plugins\n\n<!-- Made by `cargo xtask docs` from the manifests. -->\n\nEach folder is one feature of the server, \
         built with the public SDK and run in a sandbox.\n\n| plugin | version | what it does | specifications |\n|---|---|---|---|\n",
    );
    for project in plugins::projects(&workspace.root.join("plugins"))? {
        let manifest: Manifest =
            toml::from_str(&project.manifest).with_context(|| format!("{}/plugin.toml", project.folder.display()))?;
        let folder = project.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let xeps: Vec<_> = manifest.xep.iter().map(Xep::show).collect();
        writeln!(
            page,
            "| [`{}`]({folder}/) | {} | {} | {} |",
            project.id,
            manifest.plugin.version,
            manifest.plugin.summary,
            xeps.join("; ")
        )?;
    }
    Ok(page)
}

impl Xep {
    fn show(&self) -> String {
        let link = format!("[XEP-{0:04}](https://xmpp.org/extensions/xep-{0:04}.html) {1}", self.number, self.version);
        match &self.note {
            Some(note) => format!("{link} ({note})"),
            None => link,
        }
    }
}
