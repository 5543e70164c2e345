//! Whom a fan-out goes to.

use std::any::Any;
use std::sync::{Arc, OnceLock, Weak};

use xylem_stanza::Jid;

/// A list of addresses that is shared with whoever keeps it, less a few. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct Recipients {
    all: Arc<Vec<Recipient>>,
    /// Sorted.
    except: Vec<String>,
}

/// One address, and what was found behind it the first time.
#[derive(Clone, Debug)]
pub struct Recipient {
    jid: Jid,
    found: OnceLock<Weak<dyn Any + Send + Sync>>,
}

impl Recipient {
    /// The address.
    #[must_use]
    pub fn jid(&self) -> &Jid {
        &self.jid
    }

    /// What [`Recipient::remember`] was told, if that is still there.
    #[must_use]
    pub fn found<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.found.get()?.upgrade()?.downcast().ok()
    }

    /// Remembers what the address stands for, for as long as it is in the list. Once; whether that
    /// is still right is for the caller to judge.
    pub fn remember<T: Any + Send + Sync>(&self, found: &Arc<T>) {
        let found: Weak<T> = Arc::downgrade(found);
        self.found.get_or_init(|| found);
    }
}

impl From<Jid> for Recipient {
    fn from(jid: Jid) -> Self {
        Self { jid, found: OnceLock::new() }
    }
}

impl FromIterator<Jid> for Recipients {
    fn from_iter<I: IntoIterator<Item = Jid>>(jids: I) -> Self {
        Self::new(Arc::new(jids.into_iter().map(Recipient::from).collect()), Vec::new())
    }
}

impl Recipients {
    /// All of these but those whose address is in `except`, as prepared text.
    #[must_use]
    pub fn new(all: Arc<Vec<Recipient>>, mut except: Vec<String>) -> Self {
        except.sort_unstable();
        Self { all, except }
    }

    /// Whether these are the same, as far as can be said without looking at each.
    #[must_use]
    pub fn are(&self, others: &Self) -> bool {
        Arc::ptr_eq(&self.all, &others.all) && self.except == others.except
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Recipient> {
        let excepted =
            |one: &Recipient| self.except.binary_search_by(|known| known.as_str().cmp(one.jid.as_str())).is_ok();
        self.all.iter().filter(move |one| self.except.is_empty() || !excepted(one))
    }

    /// How many there are at most, those left out included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is nobody at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}
