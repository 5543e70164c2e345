use std::collections::HashMap;
use std::hash::Hash as Key;
use std::net::IpAddr;
use std::time::Duration;

/// How many failures are forgiven, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Failures allowed at once, at least 1.
    pub burst: u32,
    /// Time after which one failure is forgotten.
    pub forgive: Duration,
}

/// The bounds of a [`Throttle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleConfig {
    /// Per address; an IPv6 address counts as its /64.
    pub address: Rate,
    /// Per account, whatever address the failures came from. Addresses from
    /// which the account logged in before are exempt, so that guessing does
    /// not lock the owner out.
    pub account: Rate,
    /// Addresses, accounts and known pairs remembered, each.
    pub entries: usize,
}

impl Default for ThrottleConfig {
    fn default() -> Self {
        Self {
            address: Rate { burst: 20, forgive: Duration::from_secs(30) },
            account: Rate { burst: 30, forgive: Duration::from_secs(60) },
            entries: 16_384,
        }
    }
}

/// Too many failures; the next attempt is possible after `retry_after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocked {
    pub retry_after: Duration,
}

/// The brake on guessing passwords (RFC 6120 §13.11): counts failures by
/// address and by account.
///
/// Pure: `now` is the time since any fixed moment and must not run backwards.
/// Memory is bounded; where it runs out, what was least guilty is forgotten.
pub struct Throttle {
    config: ThrottleConfig,
    addresses: HashMap<IpAddr, Bucket>,
    accounts: HashMap<String, Bucket>,
    /// Accounts and addresses that logged in, with the time they last did.
    known: HashMap<(String, IpAddr), Duration>,
}

/// The moment at which all failures will be forgiven.
#[derive(Clone, Copy)]
struct Bucket {
    clean_at: Duration,
}

impl Throttle {
    pub fn new(config: ThrottleConfig) -> Self {
        Self { config, addresses: HashMap::new(), accounts: HashMap::new(), known: HashMap::new() }
    }

    /// Whether an attempt may be made. Ask with no account before the user
    /// name is known and again when it is.
    pub fn check(&self, address: IpAddr, account: Option<&str>, now: Duration) -> Result<(), Blocked> {
        let address = network(address);
        test(self.config.address, self.addresses.get(&address), now)?;
        match account {
            Some(account) if !self.known.contains_key(&(account.to_owned(), address)) => {
                test(self.config.account, self.accounts.get(account), now)
            }
            _ => Ok(()),
        }
    }

    /// Counts a failure that [`Failure::counts_as_guess`](crate::Failure::counts_as_guess).
    pub fn failed(&mut self, address: IpAddr, account: Option<&str>, now: Duration) {
        let ThrottleConfig { address: by_address, account: by_account, entries } = self.config;
        count(&mut self.addresses, network(address), by_address, entries, now);
        if let Some(account) = account {
            count(&mut self.accounts, account.to_owned(), by_account, entries, now);
        }
    }

    /// Remembers that the account logged in from the address. Failures of the
    /// address stay counted: somebody's own account must not wash it clean.
    pub fn succeeded(&mut self, address: IpAddr, account: &str, now: Duration) {
        let pair = (account.to_owned(), network(address));
        if !self.known.contains_key(&pair) {
            make_room(&mut self.known, self.config.entries, |seen| *seen);
        }
        self.known.insert(pair, now);
    }
}

fn test(rate: Rate, bucket: Option<&Bucket>, now: Duration) -> Result<(), Blocked> {
    let debt = bucket.map_or(Duration::ZERO, |b| b.clean_at.saturating_sub(now));
    // One more failure must fit below the burst.
    let allowed = rate.forgive.saturating_mul(rate.burst.max(1) - 1);
    match debt.checked_sub(allowed) {
        Some(over) if !over.is_zero() => Err(Blocked { retry_after: over }),
        _ => Ok(()),
    }
}

fn count<K: Key + Eq + Clone>(buckets: &mut HashMap<K, Bucket>, key: K, rate: Rate, entries: usize, now: Duration) {
    if !buckets.contains_key(&key) {
        if buckets.len() >= entries {
            buckets.retain(|_, bucket| bucket.clean_at > now);
        }
        make_room(buckets, entries, |bucket| bucket.clean_at);
    }
    let bucket = buckets.entry(key).or_insert(Bucket { clean_at: now });
    let most = now.saturating_add(rate.forgive.saturating_mul(rate.burst.max(1)));
    bucket.clean_at = bucket.clean_at.max(now).saturating_add(rate.forgive).min(most);
}

/// Drops the lower quarter by `rank`, so that the cost is spread over many calls.
fn make_room<K: Key + Eq, V>(map: &mut HashMap<K, V>, entries: usize, rank: impl Fn(&V) -> Duration) {
    if map.len() < entries.max(1) {
        return;
    }
    let mut ranks: Vec<Duration> = map.values().map(&rank).collect();
    let quarter = ranks.len() / 4;
    let (_, &mut bound, _) = ranks.select_nth_unstable(quarter);
    let mut left = quarter + 1;
    map.retain(|_, value| {
        let drop = left > 0 && rank(value) <= bound;
        left -= usize::from(drop);
        !drop
    });
}

/// Whoever has one IPv6 address has the other 2^64 of its network as well.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 => v4,
    }
}
