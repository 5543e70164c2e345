use std::process::Command;

use crate::cargo::{cargo, execute};
use crate::plugins;
use crate::workspace::Workspace;

/// The long form of the crash tests: first a writing process, then the whole server under its
/// clients' load is killed at random, and what is then there is compared with a model.
pub fn run(workspace: &Workspace, rounds: u32) -> anyhow::Result<()> {
    plugins::build(workspace)?;
    // The suite starts it and does not depend on it.
    cargo(workspace, &["build", "--package", "xylem"])?;
    torture(workspace, "xylem-store", "torture", "XYLEM_TORTURE_CYCLES", rounds)?;
    torture(workspace, "xylem-suite", "durability", "XYLEM_TORTURE_ROUNDS", rounds)
}

fn torture(workspace: &Workspace, package: &str, test: &str, variable: &str, rounds: u32) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["test", "--package", package, "--test", test, "--", "--nocapture"]);
    command.current_dir(&workspace.root).env("XYLEM_PLUGINS", workspace.plugins()).env(variable, rounds.to_string());
    execute(&mut command)
}
