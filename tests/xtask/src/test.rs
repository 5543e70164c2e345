use std::process::Command;

use crate::cargo::{cargo, execute};
use crate::workspace::Workspace;
use crate::{console, docs, plugins, tidy};

/// Everything that can be tested on this machine, cheapest first.
pub fn run(workspace: &Workspace, clients: bool) -> anyhow::Result<()> {
    tidy::run(workspace)?;
    docs::run(workspace, true)?;
    plugins::build(workspace)?;
    let console = console::build_if_possible(workspace)?.is_some();
    if console {
        console::check(workspace)?;
    }
    if clients {
        prepare_clients(workspace)?;
        // One command builds everything once, the server that the suite starts included.
        cargo(workspace, &["test", "--workspace"])?;
        if console {
            console::browse(workspace, &workspace.target.join("debug/xylem"), false)?;
        }
        return rest(workspace);
    }
    cargo(workspace, &["test", "--workspace", "--exclude", "xylem-suite"])?;
    let suite = [
        "--lib",
        "--test",
        "transcripts",
        "--test",
        "durability",
        "--test",
        "descriptors",
        "--test",
        "purge",
        "--test",
        "bytestreams",
        "--test",
        "rest",
    ];
    cargo(workspace, &[&["test", "--package", "xylem-suite"], &suite[..]].concat())
}

/// REST, held against its document by schemathesis.
fn rest(workspace: &Workspace) -> anyhow::Result<()> {
    let check = workspace.root.join("tests/rest/check");
    execute(Command::new(check).arg(&workspace.target).env("XYLEM_PLUGINS", workspace.plugins()))
}

/// Foreign clients that are no Debian packages are prepared in the target folder.
fn prepare_clients(workspace: &Workspace) -> anyhow::Result<()> {
    let made = ["clients-venv/bin/pip", "clients-tokio-xmpp", "clients-xmppjs"];
    let ready = made.iter().all(|made| workspace.target.join(made).exists());
    let setup = workspace.root.join("tests/clients/setup");
    if ready || !setup.exists() {
        return Ok(());
    }
    execute(Command::new(setup).arg(&workspace.target))
}
