//! The table of bound resources.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLockReadGuard, RwLockWriteGuard};

use hashbrown::{DefaultHashBuilder, HashTable};
use smallvec::SmallVec;
use xylem_stanza::{BareJid, FullJid, StreamCondition};

use crate::error::BindError;
use crate::locks::RwLock;
use crate::queue::QueueLimits;
use crate::session::{Endpoint, Session};
use crate::tags::TagNames;

/// The sessions of one account, usually few.
pub type Sessions = SmallVec<[Arc<Session>; 4]>;

/// What an account may hold and what may wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sessions per account, default 50.
    pub sessions_per_account: usize,
    /// For each session's queue.
    pub queue: QueueLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sessions_per_account: 50, queue: QueueLimits::default() }
    }
}

/// What to do when the wanted resource is in use (RFC 6120 §7.7.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conflict {
    /// The newcomer gets it; the old session ends with `conflict`.
    #[default]
    Replace,
    /// The newcomer gets a `conflict` error and may ask for another.
    Refuse,
    /// The newcomer gets a resource of the server's making.
    Rename,
}

/// The resourcepart that a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    /// As sent by the client, not yet prepared (RFC 7622 §3.4).
    Wanted(&'a str),
    /// The server chooses.
    Generate,
}

/// A request to bind.
#[derive(Debug)]
pub struct Binding<'a> {
    /// The authenticated account.
    pub account: &'a BareJid,
    /// What it wants to be called.
    pub resource: Resource<'a>,
    /// What happens if that is taken.
    pub conflict: Conflict,
    /// Where the session comes from.
    pub endpoint: Endpoint,
}

/// The outcome of binding.
#[derive(Debug)]
#[must_use]
pub struct Bound {
    /// The new session, already in the table.
    pub session: Arc<Session>,
    /// The session that held the address before: out of the table, and told to end
    /// with `conflict`. If [`Session::retire`] returns true for it, its end is yours
    /// to tell before the new session is announced.
    pub replaced: Option<Arc<Session>>,
}

/// All bound resources of all domains, in shards by account.
pub struct SessionTable {
    shards: Box<[RwLock<Shard>]>,
    hasher: DefaultHashBuilder,
    next_id: AtomicU64,
    count: AtomicUsize,
    limits: RwLock<Limits>,
    tags: TagNames,
}

type Shard = HashTable<Account>;

/// Never without a session.
struct Account {
    jid: BareJid,
    sessions: SmallVec<[Arc<Session>; 1]>,
}

const SHARDS: usize = 64;

impl SessionTable {
    /// An empty table.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: DefaultHashBuilder::default(),
            next_id: AtomicU64::new(1),
            count: AtomicUsize::new(0),
            limits: RwLock::new(limits),
            tags: TagNames::default(),
        }
    }

    /// Binds a resource.
    ///
    /// # Errors
    /// See [`BindError`]; nothing has changed then.
    pub fn bind(&self, binding: Binding<'_>) -> Result<Bound, BindError> {
        let wanted = match binding.resource {
            Resource::Wanted(resource) => full(binding.account, resource)?,
            Resource::Generate => generated(binding.account)?,
        };
        let limits = self.limits();
        let hash = self.hash(binding.account.as_str());
        let mut shard = self.write(hash);
        let account = shard
            .entry(hash, |known| known.jid == *binding.account, |known| self.hash(known.jid.as_str()))
            .or_insert_with(|| Account { jid: binding.account.clone(), sessions: SmallVec::new() })
            .into_mut();
        let settled = account.settle(wanted, binding.conflict, limits.sessions_per_account);
        let (jid, replaced) = match settled {
            Ok(settled) => settled,
            Err(error) => {
                // A refused account that was new had a limit of 0.
                if account.sessions.is_empty()
                    && let Ok(entry) = shard.find_entry(hash, |known| known.jid == *binding.account)
                {
                    entry.remove();
                }
                return Err(error);
            }
        };
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let session = Arc::new(Session::new(jid, id, binding.endpoint, limits.queue));
        account.sessions.push(session.clone());
        drop(shard);
        if let Some(old) = &replaced {
            old.queue().end(StreamCondition::Conflict, Some("replaced by a new session"));
        } else {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Bound { session, replaced })
    }

    /// Takes a session out; false if it is not in (it was replaced, or unbound before).
    pub fn unbind(&self, session: &Session) -> bool {
        let bare = session.jid().bare_str();
        let hash = self.hash(bare);
        let mut shard = self.write(hash);
        let Ok(mut entry) = shard.find_entry(hash, |known| known.jid.as_str() == bare) else { return false };
        let sessions = &mut entry.get_mut().sessions;
        let Some(at) = sessions.iter().position(|known| known.id() == session.id()) else { return false };
        let removed = sessions.remove(at);
        if sessions.is_empty() {
            entry.remove();
        }
        drop(shard);
        drop(removed);
        self.count.fetch_sub(1, Ordering::Relaxed);
        true
    }

    /// All sessions of an account, in the order of binding. `account` is a bare
    /// address as prepared text, so that any kind of address can be asked with:
    /// `table.of(jid.bare_str())`.
    #[must_use]
    pub fn of(&self, account: &str) -> Sessions {
        self.look(account, |account| account.sessions.iter().cloned().collect()).unwrap_or_default()
    }

    /// The session of a full address.
    #[must_use]
    pub fn find(&self, jid: &FullJid) -> Option<Arc<Session>> {
        self.find_resource(jid.bare_str(), jid.resource())
    }

    /// The session of an account and a prepared resourcepart.
    #[must_use]
    pub fn find_resource(&self, account: &str, resource: &str) -> Option<Arc<Session>> {
        let same = |session: &&Arc<Session>| session.jid().resource() == resource;
        self.look(account, |account| account.sessions.iter().find(same).cloned()).flatten()
    }

    /// The available sessions of an account.
    #[must_use]
    pub fn available(&self, account: &str) -> Sessions {
        let available = |session: &&Arc<Session>| session.is_available();
        self.look(account, |account| account.sessions.iter().filter(available).cloned().collect()).unwrap_or_default()
    }

    /// Whether the account has any session.
    #[must_use]
    pub fn is_bound(&self, account: &str) -> bool {
        self.look(account, |_| ()).is_some()
    }

    /// A page of all sessions, by rising id, beginning after `after` (0 for the first page).
    /// For people: it looks at every session.
    #[must_use]
    pub fn all(&self, after: u64, most: usize) -> Vec<Arc<Session>> {
        let mut found: Vec<Arc<Session>> = Vec::new();
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            let sessions = shard.iter().flat_map(|account| account.sessions.iter());
            found.extend(sessions.filter(|session| session.id() > after).cloned());
        }
        found.sort_unstable_by_key(|session| session.id());
        found.truncate(most);
        found
    }

    /// How many resources are bound.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many accounts have one. For people: it looks at every shard.
    #[must_use]
    pub fn accounts(&self) -> usize {
        let lengths = self.shards.iter().map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner).len());
        lengths.sum()
    }

    /// Ends every session, as at shutdown.
    pub fn end_all(&self, condition: StreamCondition, text: Option<&'static str>) {
        for session in self.all(0, usize::MAX) {
            session.queue().end(condition, text);
        }
    }

    /// The marks that plugins use.
    #[must_use]
    pub fn tags(&self) -> &TagNames {
        &self.tags
    }

    /// The limits for sessions bound from now on.
    #[must_use]
    pub fn limits(&self) -> Limits {
        *self.limits.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes them.
    pub fn set_limits(&self, limits: Limits) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    fn look<R>(&self, bare: &str, then: impl FnOnce(&Account) -> R) -> Option<R> {
        let hash = self.hash(bare);
        let shard = self.read(hash)?;
        shard.find(hash, |known| known.jid.as_str() == bare).map(then)
    }

    fn hash(&self, bare: &str) -> u64 {
        self.hasher.hash_one(bare)
    }

    fn read(&self, hash: u64) -> Option<RwLockReadGuard<'_, Shard>> {
        let shard = self.shards.get(shard_of(hash))?;
        Some(shard.read().unwrap_or_else(PoisonError::into_inner))
    }

    #[allow(clippy::indexing_slicing, reason = "shard_of is below SHARDS")]
    fn write(&self, hash: u64) -> RwLockWriteGuard<'_, Shard> {
        self.shards[shard_of(hash)].write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    /// The address to use, and the session that had it, which is removed.
    fn settle(
        &mut self,
        wanted: FullJid,
        conflict: Conflict,
        most: usize,
    ) -> Result<(FullJid, Option<Arc<Session>>), BindError> {
        let taken = self.sessions.iter().position(|session| *session.jid() == wanted);
        // Nobody is there to be disturbed, and whoever comes is most likely its client.
        let away = taken.and_then(|at| self.sessions.get(at)).is_some_and(|session| session.is_hibernated());
        let conflict = if away { Conflict::Replace } else { conflict };
        match (taken, conflict) {
            (Some(at), Conflict::Replace) => Ok((wanted, Some(self.sessions.remove(at)))),
            (Some(_), Conflict::Refuse) => Err(BindError::Conflict),
            _ if self.sessions.len() >= most => Err(BindError::TooMany(most)),
            (Some(_), Conflict::Rename) => Ok((generated(&self.jid)?, None)),
            (None, _) => Ok((wanted, None)),
        }
    }
}

/// The hash table takes the lowest bits for the place and the highest seven for the tag.
fn shard_of(hash: u64) -> usize {
    usize::try_from(hash >> 40).unwrap_or(0) % SHARDS
}

fn full(account: &BareJid, resource: &str) -> Result<FullJid, BindError> {
    account.with_resource(resource).map_err(|_| BindError::BadResource)
}

/// 80 random bits, so that nobody guesses an address he was not told (RFC 6120 §13.10.2).
fn generated(account: &BareJid) -> Result<FullJid, BindError> {
    const ALPHABET: [char; 32] = [
        'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y',
        'z', '2', '3', '4', '5', '6', '7', '8', '9', '0',
    ];
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| BindError::BadResource)?;
    let resource: String = random.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32))).collect();
    full(account, &resource)
}

impl std::fmt::Debug for SessionTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionTable").field("count", &self.count()).finish_non_exhaustive()
    }
}
