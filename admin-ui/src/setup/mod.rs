//! The first start, in the browser: who has the code that the terminal printed chooses domain,
//! certificate, owner, registration and plugins, and is signed in as the owner then.
//!
//! Until that has happened nobody is let in but from the machine itself ([`crate::security`]).

mod code;
mod password;
mod plan;
mod routes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use code::Code;
pub use plan::{Certificate, Choice, Installation, Installed, Owner, Plan, Proposal, Registration, Wrong};
pub use routes::routes;

use crate::sign_in::{Hash, Login};

/// How long somebody may take, once the code was right, in seconds.
const PATIENCE: u64 = 3600;

/// The wizard. A cheap handle.
#[derive(Clone)]
pub struct Setup(Arc<Inner>);

struct Inner {
    installation: Arc<dyn Installation>,
    login: Login,
    code: Mutex<Option<Code>>,
    /// The browser that had the code, and until when it is listened to.
    browser: Mutex<Option<(Hash, u64)>>,
    /// Held while the server is being set up.
    installing: tokio::sync::Mutex<()>,
}

impl Setup {
    #[must_use]
    pub fn new(installation: Arc<dyn Installation>, login: Login) -> Self {
        let (code, browser, installing) = (Mutex::default(), Mutex::default(), tokio::sync::Mutex::default());
        Self(Arc::new(Inner { installation, login, code, browser, installing }))
    }

    /// Makes a code, to be shown where only whoever runs the server sees it; earlier ones are void. None
    /// once there is an owner.
    #[must_use]
    pub fn begin(&self) -> Option<String> {
        if self.0.login.has_owner() {
            return None;
        }
        let (code, text) = Code::new(now())?;
        *lock(&self.0.code) = Some(code);
        *lock(&self.0.browser) = None;
        Some(text)
    }

    /// Nobody comes back to this.
    fn end(&self) {
        *lock(&self.0.code) = None;
        *lock(&self.0.browser) = None;
    }
}

/// Seconds since 1970 UTC.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
