//! The sessions that are under way. No clock, no dice, no disk.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::cookie::Hash;

/// Sessions altogether; of more, those unused longest end.
pub(super) const MOST: usize = 10_000;
/// Sessions of one account.
const MOST_OF_ONE: usize = 20;
/// How stale the time of last use may be on disk, in seconds.
const SEEN_STEP: u64 = 300;

/// How long sessions live, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Without use.
    pub idle: u64,
    /// Altogether.
    pub lifetime: u64,
}

impl Default for Terms {
    fn default() -> Self {
        Self { idle: 3600, lifetime: 12 * 3600 }
    }
}

/// Somebody who is signed in with one browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Names it to people; is no secret.
    pub id: String,
    /// Bare address.
    pub account: String,
    /// The account's at sign-in.
    pub stamp: [u8; 16],
    /// Seconds since 1970 UTC, as the next.
    pub began: u64,
    pub seen: u64,
    /// Where it was last used from.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
    /// With which second factor it began: `none`, `totp`, `recovery` or `passkey`.
    pub factor: String,
}

/// Sessions by the hash of their ticket.
#[derive(Default)]
pub(super) struct Table {
    sessions: HashMap<Hash, Held>,
}

struct Held {
    session: Session,
    /// The time of last use that is on disk.
    written: u64,
}

/// What a use of a session leads to.
pub(super) struct Used {
    pub(super) session: Session,
    /// Whether it should be written again.
    pub(super) stale: bool,
}

impl Table {
    /// Takes one in; those that had to make room.
    pub(super) fn begin(&mut self, hash: Hash, session: Session, terms: Terms) -> Vec<Hash> {
        let now = session.seen;
        let mut gone: Vec<Hash> = self.sweep(now, terms);
        let of_account: Vec<Hash> = self.of(&session.account).map(|(hash, _)| *hash).collect();
        if of_account.len() >= MOST_OF_ONE {
            gone.extend(self.drop_oldest(of_account));
        }
        if self.sessions.len() >= MOST {
            let all = self.sessions.keys().copied().collect();
            gone.extend(self.drop_oldest(all));
        }
        self.sessions.insert(hash, Held { written: now, session });
        gone
    }

    /// The session, if it is still good; it counts as used now.
    pub(super) fn use_one(&mut self, hash: &Hash, address: &str, now: u64, terms: Terms) -> Option<Used> {
        let held = self.sessions.get_mut(hash).filter(|held| held.is_good(now, terms))?;
        held.session.seen = held.session.seen.max(now);
        if held.session.address != address {
            address.clone_into(&mut held.session.address);
        }
        let stale = held.written.saturating_add(SEEN_STEP) <= now;
        if stale {
            held.written = now;
        }
        Some(Used { session: held.session.clone(), stale })
    }

    /// The session, if it is still good, without its counting as used.
    pub(super) fn look(&self, hash: &Hash, now: u64, terms: Terms) -> Option<Session> {
        let held = self.sessions.get(hash).filter(|held| held.is_good(now, terms))?;
        Some(held.session.clone())
    }

    pub(super) fn end(&mut self, hash: &Hash) -> Option<Session> {
        self.sessions.remove(hash).map(|held| held.session)
    }

    /// Ends the sessions of an account that `which` says; their hashes.
    pub(super) fn end_where(&mut self, account: &str, which: impl Fn(&Hash, &Session) -> bool) -> Vec<Hash> {
        let ended: Vec<Hash> =
            self.of(account).filter(|(hash, held)| which(hash, &held.session)).map(|(hash, _)| *hash).collect();
        for hash in &ended {
            self.sessions.remove(hash);
        }
        ended
    }

    /// The sessions of an account, newest use first.
    pub(super) fn list(&self, account: &str, now: u64, terms: Terms) -> Vec<(Hash, Session)> {
        let good = self.of(account).filter(|(_, held)| held.is_good(now, terms));
        let mut list: Vec<_> = good.map(|(hash, held)| (*hash, held.session.clone())).collect();
        list.sort_by_key(|(_, session)| std::cmp::Reverse(session.seen));
        list
    }

    /// Ends what is past its time.
    pub(super) fn sweep(&mut self, now: u64, terms: Terms) -> Vec<Hash> {
        let over = self.sessions.iter().filter(|(_, held)| !held.is_good(now, terms));
        let over: Vec<Hash> = over.map(|(hash, _)| *hash).collect();
        for hash in &over {
            self.sessions.remove(hash);
        }
        over
    }

    fn of<'a>(&'a self, account: &'a str) -> impl Iterator<Item = (&'a Hash, &'a Held)> {
        self.sessions.iter().filter(move |(_, held)| held.session.account == account)
    }

    fn drop_oldest(&mut self, of: Vec<Hash>) -> Option<Hash> {
        let seen = |hash: &Hash| self.sessions.get(hash).map_or(0, |held| held.session.seen);
        let oldest = of.into_iter().min_by_key(seen)?;
        self.sessions.remove(&oldest);
        Some(oldest)
    }
}

impl Held {
    fn is_good(&self, now: u64, terms: Terms) -> bool {
        let Session { began, seen, .. } = self.session;
        now < seen.saturating_add(terms.idle) && now < began.saturating_add(terms.lifetime)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const TERMS: Terms = Terms { idle: 100, lifetime: 1000 };

    fn session(account: &str, now: u64) -> Session {
        let stamp = [0; 16];
        let (id, account) = (now.to_string(), account.to_owned());
        let (address, agent, factor) = ("::1".to_owned(), String::new(), "none".to_owned());
        Session { id, account, stamp, began: now, seen: now, address, agent, factor }
    }

    fn hash(number: u16) -> Hash {
        let mut hash = [0; 32];
        hash[..2].copy_from_slice(&number.to_be_bytes());
        hash
    }

    #[test]
    fn a_session_ends_idle_and_at_the_end() {
        let mut table = Table::default();
        table.begin(hash(1), session("a", 1000), TERMS);
        assert!(table.use_one(&hash(1), "::1", 1099, TERMS).is_some());
        assert!(table.use_one(&hash(1), "::1", 1199, TERMS).is_none(), "idle");
        for now in (1100..2000).step_by(50).filter(|now| *now < 1199) {
            assert!(table.use_one(&hash(1), "::1", now, TERMS).is_some());
        }
        table.begin(hash(4), session("a", 1000), TERMS);
        assert!((1000..1100).all(|now| table.look(&hash(4), now, TERMS).is_some()));
        assert!(table.look(&hash(4), 1100, TERMS).is_none(), "being looked at is no use");
        table.begin(hash(2), session("a", 1000), TERMS);
        for now in (1000..2000).step_by(50) {
            assert!(table.use_one(&hash(2), "::1", now, TERMS).is_some(), "{now}");
        }
        assert!(table.use_one(&hash(2), "::1", 2000, TERMS).is_none(), "its lifetime is over");
        assert_eq!(table.sweep(2000, TERMS).len(), 3);
        assert!(table.use_one(&hash(3), "::1", 1000, TERMS).is_none(), "never was");
    }

    #[test]
    fn an_account_has_so_many_and_the_oldest_goes() {
        let mut table = Table::default();
        for number in 0..20_u16 {
            assert!(table.begin(hash(number), session("a", 1000 + u64::from(number)), TERMS).is_empty());
        }
        table.begin(hash(100), session("b", 1000), TERMS);
        assert_eq!(table.begin(hash(101), session("a", 1030), TERMS), [hash(0)]);
        assert_eq!(table.list("a", 1030, TERMS).len(), 20);
        assert_eq!(table.list("a", 1030, TERMS).first().unwrap().0, hash(101));
        assert_eq!(table.end_where("a", |hash, _| *hash != self::hash(5)).len(), 19);
        assert_eq!((table.list("a", 1030, TERMS).len(), table.list("b", 1030, TERMS).len()), (1, 1));
    }

    #[test]
    fn last_use_is_written_now_and_then() {
        let terms = Terms { idle: 10_000, lifetime: 10_000 };
        let mut table = Table::default();
        table.begin(hash(1), session("a", 1000), terms);
        let stale = |table: &mut Table, now| table.use_one(&hash(1), "::2", now, terms).unwrap().stale;
        assert!(!stale(&mut table, 1299));
        assert!(stale(&mut table, 1300));
        assert!(!stale(&mut table, 1301));
        assert_eq!(table.list("a", 1301, terms).first().unwrap().1.address, "::2");
    }
}
