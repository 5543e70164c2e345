use std::process::Command;

use crate::cargo::{cargo, execute};
use crate::workspace::Workspace;
use crate::{docs, plugins, tidy};

/// Everything that can be tested on this machine, cheapest first.
pub fn run(workspace: &Workspace, clients: bool) -> anyhow::Result<()> {
    tidy::run(workspace)?;
    docs::run(workspace, true)?;
    plugins::build(workspace)?;
    if clients {
        prepare_clients(workspace)?;
        // One command builds everything once, the server that the suite starts included.
        return cargo(workspace, &["test", "--workspace"]);
    }
    cargo(workspace, &["test", "--workspace", "--exclude", "xylem-suite"])?;
    cargo(workspace, &["test", "--package", "xylem-suite", "--lib", "--test", "transcripts", "--test", "durability"])
}

/// Foreign clients in Python need an environment of their own.
fn prepare_clients(workspace: &Workspace) -> anyhow::Result<()> {
    let folder = workspace.target.join("clients-venv");
    let setup = workspace.root.join("tests/clients/setup");
    if folder.join("bin/pip").exists() || !setup.exists() {
        return Ok(());
    }
    execute(Command::new(setup).arg(folder))
}
