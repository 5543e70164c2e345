//! The program `xylem`. Everything is in the modules; this file only names them.

#![allow(unreachable_pub, reason = "a program: nothing is reachable from outside")]

mod accounts;
mod acme;
mod admin;
mod backend;
mod brake;
mod check;
mod cli;
mod config;
mod console;
mod dev;
mod devices;
mod ending;
mod entry;
mod folder;
mod history;
mod hosts;
mod http;
mod inspector;
mod instance;
mod logs;
mod metrics;
mod plugins;
mod reload;
mod run;
mod serve;
mod settings;
mod signals;
mod template;
mod tokens;
mod wires;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
