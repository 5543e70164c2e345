//! The code that lets somebody set a new server up: who reads the terminal it was started on.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// How long it is good, in seconds.
const LIFETIME: u64 = 3600;
/// Wrong ones after which no more are taken. 40 bits in ten guesses are safe.
const TRIES: u8 = 10;
/// Letters of a code: none that is taken for another.
const LETTERS: [char; 32] = [
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z',
    '2', '3', '4', '5', '6', '7', '8', '9', '1',
];
/// Letters of one.
const LENGTH: usize = 8;

/// What is kept of it. The code itself is printed and forgotten.
pub(super) struct Code {
    hash: [u8; 32],
    until: u64,
    tries: u8,
}

/// What became of a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// It was right and is good no more.
    Right,
    Wrong,
    /// There is no code: used, too old, or guessed at too often.
    Over,
}

impl Code {
    /// A new one, as it is to be printed; none on a system without randomness. `now` in seconds.
    pub(super) fn new(now: u64) -> Option<(Self, String)> {
        let mut random = [0; LENGTH];
        getrandom::fill(&mut random).ok()?;
        let text: String = random.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32))).collect();
        let code = Self { hash: hash(&text), until: now.saturating_add(LIFETIME), tries: TRIES };
        let (one, other) = text.split_at(LENGTH / 2);
        Some((code, format!("{one}-{other}")))
    }

    pub(super) fn is_over(&self, now: u64) -> bool {
        self.tries == 0 || self.until <= now
    }

    pub(super) fn guess(&mut self, text: &str, now: u64) -> Guess {
        if self.is_over(now) {
            return Guess::Over;
        }
        self.tries -= 1;
        let text: String = text.chars().filter(char::is_ascii_alphanumeric).take(LENGTH + 1).collect();
        if bool::from(hash(&text.to_ascii_uppercase()).ct_eq(&self.hash)) {
            self.tries = 0;
            return Guess::Right;
        }
        Guess::Wrong
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_code_is_good_once_for_an_hour_and_not_to_be_guessed() {
        let (mut code, text) = Code::new(1000).unwrap();
        assert_eq!(code.guess("AAAA-AAAA", 1000), Guess::Wrong);
        assert_eq!(code.guess(&text.to_lowercase().replace('-', " "), 1000), Guess::Right);
        assert_eq!(code.guess(&text, 1000), Guess::Over);
        let (mut code, text) = Code::new(1000).unwrap();
        assert_eq!(code.guess(&text, 4600), Guess::Over);
        for _ in 0..TRIES {
            assert_eq!(code.guess("", 1000), Guess::Wrong);
        }
        assert_eq!(code.guess(&text, 1000), Guess::Over);
    }
}
