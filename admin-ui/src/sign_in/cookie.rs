//! Cookies, and the secrets in them (RFC 6265).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};

/// The session. The prefix makes browsers insist on `Secure`, `Path=/` and no `Domain` (RFC 6265bis §4.1.3.2).
pub(crate) const SESSION: &str = "__Host-xylem";
/// A sign-in that waits for its second factor.
pub(crate) const STEP: &str = "__Host-xylem-step";
/// The first-run wizard, once the code was right.
pub(crate) const SETUP: &str = "__Host-xylem-setup";

/// 256 random bits that a browser keeps and shows.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Ticket([u8; 32]);

/// What the server keeps of a [`Ticket`]: who reads it cannot make the ticket from it.
pub(crate) type Hash = [u8; 32];

impl Ticket {
    /// A new one. A system without randomness cannot keep a secret; `None` then.
    pub(crate) fn new() -> Option<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The one in a request; none if there is none, or two.
    #[must_use]
    pub(crate) fn of(headers: &HeaderMap, name: &str) -> Option<Self> {
        let mut found = None;
        for pair in headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(';')) {
            let Some((key, value)) = pair.trim().split_once('=') else { continue };
            if key == name {
                let bytes = BASE64.decode(value).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
                if found.replace(Self(bytes?)).is_some() {
                    return None;
                }
            }
        }
        found
    }

    #[must_use]
    pub(crate) fn hash(&self) -> Hash {
        self.digest("session")
    }

    /// What unsafe requests have to repeat in a header (`X-CSRF-Token`). It follows from the
    /// secret, so nothing is kept of it, and nothing that is kept makes it.
    #[must_use]
    pub(crate) fn csrf(&self) -> String {
        BASE64.encode(self.digest("csrf"))
    }

    /// The header that sets it, for so many seconds.
    pub(crate) fn set(&self, name: &str, seconds: u64) -> Option<HeaderValue> {
        cookie(name, &BASE64.encode(self.0), seconds)
    }

    fn digest(&self, purpose: &str) -> [u8; 32] {
        Sha256::new().chain_update(purpose).chain_update([0]).chain_update(self.0).finalize().into()
    }
}

/// The header that makes a browser forget one.
pub(crate) fn forget(name: &str) -> Option<HeaderValue> {
    cookie(name, "", 0)
}

fn cookie(name: &str, value: &str, seconds: u64) -> Option<HeaderValue> {
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}");
    let mut header = HeaderValue::try_from(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket(..)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn headers(cookies: &[&str]) -> HeaderMap {
        cookies.iter().map(|cookie| (COOKIE, HeaderValue::from_str(cookie).unwrap())).collect()
    }

    #[test]
    fn a_cookie_comes_back_and_is_strict() {
        let ticket = Ticket::new().unwrap();
        let set = ticket.set(SESSION, 60).unwrap();
        let set = set.to_str().unwrap();
        for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=60"] {
            assert!(set.contains(attribute), "{set}");
        }
        let pair = set.split(';').next().unwrap();
        let found = Ticket::of(&headers(&[&format!("a=b; {pair}; c=d")]), SESSION).unwrap();
        assert!(found == ticket && found.hash() == ticket.hash());
        assert_ne!(ticket.csrf(), BASE64.encode(ticket.hash()));
        assert!(Ticket::of(&headers(&[pair, pair]), SESSION).is_none(), "two of them");
        assert!(Ticket::of(&headers(&[pair]), STEP).is_none());
        for broken in ["__Host-xylem=", "__Host-xylem=AAAA", "__Host-xylem=%%%", "__Host-xylem"] {
            assert!(Ticket::of(&headers(&[broken]), SESSION).is_none(), "{broken}");
        }
    }
}
