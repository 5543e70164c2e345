//! The server's log, for people or as JSON. Message bodies are never in it.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Format, Log};

/// Begins to write the log to standard error. RUST_LOG goes before the configured level.
pub fn begin(log: &Log) {
    let level = log.level.as_str().to_lowercase();
    // What the database and compiler tell belongs to their authors, unless something is wrong.
    let quiet = ["sled", "fjall", "lsm_tree", "cranelift_codegen", "wasmtime", "regalloc2"];
    let quiet: String = quiet.iter().map(|name| format!(",{name}=warn")).collect();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("{level}{quiet}")));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let done = match log.format {
        Format::Human => builder.with_target(false).with_ansi(std::io::stderr().is_terminal()).try_init(),
        Format::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
    if let Err(error) = done {
        eprintln!("xylem: the log cannot begin: {error}");
    }
}
