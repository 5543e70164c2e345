//! Codes on paper, for whoever has lost the authenticator: each is good once.

use subtle::ConstantTimeEq as _;

use super::totp::base32;

/// How many are given out at once.
pub(super) const CODES: usize = 10;
/// Letters of a code; with 32 different ones that are 50 bits.
const LETTERS: usize = 10;

/// Keeps what only this server can make out of a code and an account.
pub(super) trait Seal {
    fn seal(&self, code: &str) -> String;
}

impl<F: Fn(&str) -> String> Seal for F {
    fn seal(&self, code: &str) -> String {
        self(code)
    }
}

/// New codes for people, and what is to be kept of them.
/// Empty on a system without randomness.
pub(super) fn make(seal: &impl Seal) -> (Vec<String>, Vec<String>) {
    let code = |_| {
        let mut bytes = [0; LETTERS];
        getrandom::fill(&mut bytes).ok()?;
        let text: String = base32(&bytes).to_lowercase().chars().take(LETTERS).collect();
        let (one, other) = text.split_at(LETTERS / 2);
        Some(format!("{one}-{other}"))
    };
    let codes: Vec<String> = (0..CODES).map_while(code).collect();
    let kept = codes.iter().filter_map(|code| normal(code)).map(|code| seal.seal(&code)).collect();
    (codes, kept)
}

/// Takes the code out of what is kept; false if it is none of them.
pub(super) fn redeem(kept: &mut Vec<String>, code: &str, seal: &impl Seal) -> bool {
    let Some(code) = normal(code) else { return false };
    let sealed = seal.seal(&code);
    let before = kept.len();
    kept.retain(|one| !bool::from(one.as_bytes().ct_eq(sealed.as_bytes())));
    kept.len() != before
}

/// Whether the text has the form of one.
pub(super) fn is_one(text: &str) -> bool {
    normal(text).is_some()
}

/// Without what people add or leave out.
fn normal(code: &str) -> Option<String> {
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(LETTERS + 1).collect();
    (code.len() == LETTERS).then(|| code.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn each_is_good_once_however_it_is_written() {
        let seal = |code: &str| format!("sealed {code}");
        let (codes, mut kept) = make(&seal);
        assert_eq!((codes.len(), kept.len()), (CODES, CODES));
        assert!(codes.windows(2).all(|two| two.first() != two.last()));
        let code = codes.first().unwrap().to_uppercase().replace('-', " ");
        assert!(is_one(&code) && !is_one("123456"));
        assert!(redeem(&mut kept, &code, &seal));
        assert!(!redeem(&mut kept, &code, &seal));
        assert!(!redeem(&mut kept, "aaaaa-aaaa", &seal));
        assert_eq!(kept.len(), CODES - 1);
    }
}
