//! `cargo xtask`: builds plugins, runs the server, runs every test, packages.

#![allow(unreachable_pub, reason = "a program: nothing is reachable from outside")]

mod cargo;
mod console;
mod docs;
mod install;
mod licences;
mod plugins;
mod run;
mod test;
mod tidy;
mod torture;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, runs, tests and packages Xylem")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build kernel and plugins, and start a server with its data in ./data.
    Run {
        /// Build with optimisations.
        #[arg(long)]
        release: bool,
        /// Passed on to `xylem run`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Run every test: crates, plugins, transcripts, clients, the repository's own rules.
    Test {
        /// Leave out the tests with foreign clients.
        #[arg(long)]
        no_clients: bool,
    },
    /// Build all plugins into target/plugins.
    Plugins {
        /// Folders under plugins/: these alone, the others stay as they are.
        only: Vec<String>,
    },
    /// Build the web console into target/console; needs Node.
    Console {
        /// Check types and layout of its sources and run its unit tests, too.
        #[arg(long)]
        check: bool,
        /// Drive it with Chromium as well; the server has to be built.
        #[arg(long)]
        browse: bool,
    },
    /// Kill the server at random under load, hundreds of times, and compare what it kept.
    Torture {
        /// How often.
        #[arg(long, default_value_t = 300)]
        rounds: u32,
    },
    /// Build with optimisations and install: bin/xylem, share/xylem/plugins.
    #[command(alias = "package")]
    Install {
        /// Where to.
        #[arg(long, default_value = "target/package")]
        root: PathBuf,
    },
    /// Write plugins/README.md from the manifests, admin-ui/openapi.json from the table of operations, and
    /// the list of libraries from Cargo.lock.
    Docs {
        /// Write nothing; fail if it is not up to date.
        #[arg(long)]
        check: bool,
    },
    /// Check the repository's own rules.
    Tidy,
}

fn main() -> ExitCode {
    match perform(Args::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> anyhow::Result<()> {
    let workspace = Workspace::open()?;
    match task {
        Task::Run { release, arguments } => run::run(&workspace, release, &arguments),
        Task::Test { no_clients } => test::run(&workspace, !no_clients),
        Task::Plugins { only } if only.is_empty() => plugins::build(&workspace).map(drop),
        Task::Plugins { only } => plugins::build_only(&workspace, &only),
        Task::Console { check, browse } => {
            console::build(&workspace)?;
            if check {
                console::check(&workspace)?;
            }
            if browse {
                console::browse(&workspace, &workspace.target.join("debug/xylem"), true)?;
            }
            Ok(())
        }
        Task::Torture { rounds } => torture::run(&workspace, rounds),
        Task::Install { root } => install::run(&workspace, &root),
        Task::Docs { check } => docs::run(&workspace, check).and_then(|()| licences::run(&workspace, check)),
        Task::Tidy => tidy::run(&workspace),
    }
}
