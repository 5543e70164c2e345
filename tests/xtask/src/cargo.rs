//! Runs other programs and says which.

use std::process::Command;

use anyhow::{Context as _, bail};

use crate::workspace::Workspace;

/// Cargo, in the repository.
pub fn cargo(workspace: &Workspace, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(&workspace.root).env("XYLEM_PLUGINS", workspace.plugins());
    execute(&mut command)
}

/// Any program; an error if it fails.
pub fn execute(command: &mut Command) -> anyhow::Result<()> {
    let line = show(command);
    eprintln!("xtask: {line}");
    let status = command.status().with_context(|| format!("cannot run {line}"))?;
    if !status.success() {
        bail!("failed ({status}): {line}");
    }
    Ok(())
}

fn show(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut line = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
