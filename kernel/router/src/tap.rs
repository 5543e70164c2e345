//! Somebody looking at stanzas as they pass. While nobody does it costs one relaxed load.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use xylem_session::Session;
use xylem_stanza::Stanza;

use crate::router::Router;

/// Whoever looks. It is called while the stanza waits: it must neither block nor take long.
pub trait Watcher: Send + Sync {
    /// A stanza that the session's client sent (`from` stamped), or that was queued for it.
    fn saw(&self, way: Way, session: &Session, stanza: &Stanza);
}

/// Which way a stanza goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    FromClient,
    /// What is sent to many may not say to whom; the session does.
    ToClient,
}

#[derive(Default)]
pub(crate) struct Tap {
    open: AtomicBool,
    watcher: OnceLock<Arc<dyn Watcher>>,
}

impl Tap {
    #[inline]
    pub(crate) fn pass(&self, way: Way, session: &Session, stanza: &Stanza) {
        if self.open.load(Ordering::Relaxed) {
            self.show(way, session, stanza);
        }
    }

    #[cold]
    fn show(&self, way: Way, session: &Session, stanza: &Stanza) {
        if let Some(watcher) = self.watcher.get() {
            watcher.saw(way, session, stanza);
        }
    }
}

impl Router {
    /// Names whoever looks at stanzas. Once; nothing is shown until [`Router::open_tap`].
    pub fn attach_watcher(&self, watcher: Arc<dyn Watcher>) {
        if self.0.tap.watcher.set(watcher).is_err() {
            tracing::error!("somebody looks at stanzas already; the second one is ignored");
        }
    }

    /// Begins or ends to show stanzas.
    pub fn open_tap(&self, open: bool) {
        self.0.tap.open.store(open, Ordering::Relaxed);
    }
}
