//! Looking at stanzas as they pass: who looks at which, and what of them is shown.

mod keys;
mod redact;
mod viewer;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use serde_json::Value;
use tokio::sync::mpsc;
use xylem_router::{Router, Watcher, Way};
use xylem_session::Session;
use xylem_stanza::Stanza;

pub use keys::Keys;
use viewer::Viewer;
pub use viewer::Wanted;

/// How many look at once.
const VIEWERS: usize = 16;

/// All who look.
pub struct Inspector {
    router: Router,
    pub keys: Keys,
    viewers: ArcSwap<Vec<Arc<Viewer>>>,
    /// Held while somebody comes or goes.
    changing: Mutex<()>,
}

impl Inspector {
    /// Nobody looks yet.
    pub fn attach(router: &Router) -> Arc<Self> {
        let inspector = Arc::new(Self {
            router: router.clone(),
            keys: Keys::default(),
            viewers: ArcSwap::default(),
            changing: Mutex::new(()),
        });
        router.attach_watcher(Arc::clone(&inspector) as Arc<dyn Watcher>);
        inspector
    }

    /// Somebody looks, until the receiver is dropped. None: too many do.
    pub fn look(self: &Arc<Self>, wanted: Wanted, depth: usize) -> Option<mpsc::Receiver<Value>> {
        let (sender, receiver) = mpsc::channel(depth);
        let viewer = Arc::new(Viewer::new(wanted, sender.clone()));
        {
            let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
            let mut viewers = self.viewers.load_full().to_vec();
            if viewers.len() >= VIEWERS {
                return None;
            }
            viewers.push(Arc::clone(&viewer));
            self.viewers.store(Arc::new(viewers));
            self.router.open_tap(true);
        }
        let inspector = Arc::clone(self);
        tokio::spawn(async move {
            sender.closed().await;
            inspector.leave(&viewer);
        });
        Some(receiver)
    }

    fn leave(&self, viewer: &Arc<Viewer>) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut viewers = self.viewers.load_full().to_vec();
        viewers.retain(|other| !Arc::ptr_eq(other, viewer));
        self.router.open_tap(!viewers.is_empty());
        self.viewers.store(Arc::new(viewers));
    }
}

impl Watcher for Inspector {
    fn saw(&self, way: Way, session: &Session, stanza: &Stanza) {
        for viewer in self.viewers.load().iter() {
            viewer.show(way, session.jid(), stanza);
        }
    }
}

/// Milliseconds since 1970 UTC.
fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
