use std::process::Command;

use crate::cargo::{cargo, execute};
use crate::workspace::Workspace;
use crate::{console, plugins};

/// Builds everything and starts a server in the foreground.
pub fn run(workspace: &Workspace, release: bool, arguments: &[String]) -> anyhow::Result<()> {
    plugins::build(workspace)?;
    let pages = console::build_if_possible(workspace)?;
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
    if let (Some(pages), None) = (pages, std::env::var_os("XYLEM_CONSOLE")) {
        command.env("XYLEM_CONSOLE", pages);
    }
    execute(&mut command)
}
