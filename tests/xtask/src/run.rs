use std::process::Command;

use crate::cargo::{cargo, execute};
use crate::plugins;
use crate::workspace::Workspace;

/// Builds everything and starts a server in the foreground.
pub fn run(workspace: &Workspace, release: bool, arguments: &[String]) -> anyhow::Result<()> {
    plugins::build(workspace)?;
    // The whole workspace decides on features, as in tests: dependencies are built once.
    let mut build = vec!["build", "--workspace", "--bin", "xylem"];
    if release {
        build.push("--release");
    }
    cargo(workspace, &build)?;
    let server = workspace.target.join(if release { "release" } else { "debug" }).join("xylem");
    let mut command = Command::new(server);
    command.arg("run").args(arguments).current_dir(&workspace.root);
    if std::env::var_os("XYLEM_PLUGINS").is_none() {
        command.env("XYLEM_PLUGINS", workspace.plugins());
    }
    execute(&mut command)
}
