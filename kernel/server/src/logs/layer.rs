//! From an event to a line of the journal.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::journal::{Entry, Journal};

/// Longest text of a line or field that is kept, in bytes.
const LONGEST: usize = 4096;
/// Fields kept of one line.
const FIELDS: usize = 16;

/// Keeps what is told.
pub(super) struct Keeper(pub(super) Arc<Journal>);

impl<S: Subscriber> Layer<S> for Keeper {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut told = Told::default();
        event.record(&mut told);
        let meta = event.metadata();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.0.keep(Entry {
            at: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            level: *meta.level(),
            target: meta.target().to_owned(),
            message: told.message,
            fields: told.fields,
        });
    }
}

#[derive(Default)]
struct Told {
    message: String,
    fields: BTreeMap<String, String>,
}

impl Told {
    fn take(&mut self, field: &Field, mut text: String) {
        if text.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
            text.push('…');
        }
        if field.name() == "message" {
            self.message = text;
        } else if self.fields.len() < FIELDS {
            self.fields.insert(field.name().to_owned(), text);
        }
    }
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, format!("{value:?}"));
    }
}
