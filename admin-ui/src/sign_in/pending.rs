//! What was begun and waits for its second half: in memory alone, for minutes.

use std::collections::HashMap;

use super::cookie::Hash;
use super::passkey::Challenge;

/// Things that may wait at once; of more, what would end soonest is dropped. To begin one takes a
/// password or a session.
const MOST: usize = 1000;
/// How long one waits, in seconds.
pub(super) const PATIENCE: u64 = 300;

/// One thing that waits.
#[derive(Clone)]
pub(super) struct Step {
    pub(super) account: String,
    /// The account's when it was begun.
    pub(super) stamp: [u8; 16],
    /// Seconds since 1970 UTC.
    pub(super) until: u64,
    pub(super) what: What,
}

/// What for.
#[derive(Clone)]
pub(super) enum What {
    /// The password was right; the challenge is there once a passkey was asked for.
    Factor { challenge: Option<Challenge> },
    /// An app was shown its secret and is to show a code.
    App { salt: [u8; 16] },
    /// A passkey is being made.
    Passkey { challenge: Challenge },
}

/// By the ticket that the browser has: that of the step, or of the session.
#[derive(Default)]
pub(super) struct Pending {
    held: HashMap<Hash, Step>,
}

impl Pending {
    pub(super) fn put(&mut self, hash: Hash, step: Step, now: u64) {
        self.held.retain(|_, step| now < step.until);
        if self.held.len() >= MOST
            && let Some(soonest) = self.held.iter().min_by_key(|(_, step)| step.until).map(|(hash, _)| *hash)
        {
            self.held.remove(&soonest);
        }
        self.held.insert(hash, step);
    }

    pub(super) fn get(&mut self, hash: &Hash, now: u64) -> Option<&mut Step> {
        self.held.get_mut(hash).filter(|step| now < step.until)
    }

    /// The same, and it waits no longer.
    pub(super) fn take(&mut self, hash: &Hash, now: u64) -> Option<Step> {
        self.held.remove(hash).filter(|step| now < step.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_waits_for_minutes_and_is_taken_once() {
        let step = |until| Step { account: String::new(), stamp: [0; 16], until, what: What::App { salt: [0; 16] } };
        let mut pending = Pending::default();
        pending.put([1; 32], step(100), 0);
        assert!(pending.get(&[1; 32], 99).is_some() && pending.get(&[1; 32], 100).is_none());
        assert!(pending.take(&[1; 32], 99).is_some() && pending.take(&[1; 32], 99).is_none());
        for number in 0..=u64::try_from(MOST).unwrap_or(0) {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_be_bytes());
            pending.put(hash, step(1000 + number), 0);
        }
        assert_eq!(pending.held.len(), MOST);
        assert!(pending.get(&[0; 32], 0).is_none(), "the first had to go");
    }
}
