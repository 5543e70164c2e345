//! The server's log, for people or as JSON, and the newest of it in memory. Message bodies
//! are never in it.

mod journal;
mod layer;
mod one_line;

use std::io::IsTerminal as _;
use std::sync::{Arc, LazyLock, OnceLock};

use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use crate::config::{Format, Log};
pub use journal::{Journal, Line, Wanted};

/// Modules of others that tell what belongs to their authors, unless something is wrong.
const QUIET: [&str; 6] = ["sled", "fjall", "lsm_tree", "cranelift_codegen", "wasmtime", "regalloc2"];

static JOURNAL: LazyLock<Arc<Journal>> = LazyLock::new(Arc::default);
static FILTER: OnceLock<Filter> = OnceLock::new();

type Filter = reload::Handle<EnvFilter, Registry>;

/// Begins to write the log to standard error. RUST_LOG goes before the configured level.
pub fn begin(log: &Log) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| filter(log.level));
    let (filter, handle) = reload::Layer::new(filter);
    let written = match log.format {
        Format::Human => for_people(std::io::stderr, std::io::stderr().is_terminal()).boxed(),
        Format::Json => {
            let written = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
            written.json().flatten_event(true).with_current_span(false).boxed()
        }
    };
    let kept = layer::Keeper(journal());
    match tracing_subscriber::registry().with(filter).with(written).with(kept).try_init() {
        Ok(()) => drop(FILTER.set(handle)),
        Err(error) => eprintln!("xylem: the log cannot begin: {error}"),
    }
}

/// One event a line, with its colours where a terminal is.
fn for_people<S, W>(writer: W, terminal: bool) -> impl Layer<S> + Send + Sync + 'static
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let written = tracing_subscriber::fmt::layer().with_writer(writer).fmt_fields(one_line::OneLine);
    written.with_target(false).with_ansi(terminal)
}

/// The newest lines.
pub fn journal() -> Arc<Journal> {
    Arc::clone(&JOURNAL)
}

/// What is written from now on, until the next start or the next change. None: the log never began.
pub fn set_level(level: Level) -> Option<()> {
    FILTER.get()?.reload(filter(level)).ok()
}

/// What is written now, in the words of RUST_LOG.
pub fn filter_in_force() -> String {
    FILTER.get().and_then(|handle| handle.with_current(ToString::to_string).ok()).unwrap_or_default()
}

fn filter(level: Level) -> EnvFilter {
    let quiet: String = QUIET.iter().map(|name| format!(",{name}=warn")).collect();
    EnvFilter::new(format!("{}{quiet}", level.as_str().to_lowercase()))
}
