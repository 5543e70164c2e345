use std::process::Command;

use crate::cargo::execute;
use crate::workspace::Workspace;

/// The long form of the crash test: a writing process is killed at random, and what
/// the database then holds is compared with a model.
pub fn run(workspace: &Workspace, rounds: u32) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["test", "--package", "xylem-store", "--test", "torture", "--", "--nocapture"]);
    command.current_dir(&workspace.root).env("XYLEM_TORTURE_CYCLES", rounds.to_string());
    execute(&mut command)
}
