//! Pages that are made of something else: `plugins/README.md` of the manifests,
//! `admin-ui/openapi.json` of the table of operations.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::cargo::execute;
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

/// Writes the pages, or with `check` fails if they are not what they should be; that of the
/// OpenAPI document is checked by a test of its own.
pub fn run(workspace: &Workspace, check: bool) -> anyhow::Result<()> {
    readme(workspace, check)?;
    if check { Ok(()) } else { openapi(workspace) }
}

/// The test that compares the document writes it.
fn openapi(workspace: &Workspace) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["test", "--quiet", "--workspace", "--test", "openapi_document"]);
    execute(command.current_dir(&workspace.root).env("XYLEM_WRITE", "1"))
}

fn readme(workspace: &Workspace, check: bool) -> anyhow::Result<()> {
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
