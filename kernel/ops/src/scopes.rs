use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::OpError;

/// The operations that a token is good for: names, or `noun.*`; `*` is all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// Most patterns that one token has.
    pub const MOST: usize = 64;

    /// Takes patterns; [`OpError::Invalid`] names the first that is none.
    pub fn parse(patterns: Vec<String>) -> Result<Self, OpError> {
        if patterns.is_empty() || patterns.len() > Self::MOST {
            return Err(OpError::Invalid(format!("scopes must be a list of 1 to {}", Self::MOST)));
        }
        match patterns.iter().find(|pattern| !is_pattern(pattern)) {
            None => Ok(Self(patterns)),
            Some(wrong) => {
                Err(OpError::Invalid(format!("{wrong:?} is no scope: an operation's name, a noun with .*, or *")))
            }
        }
    }

    /// Whether the operation of this name is among them.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| match pattern.strip_suffix('*') {
            // `user.` or nothing.
            Some(noun) => name.starts_with(noun),
            None => name == pattern,
        })
    }

    /// Whether every operation is, with those that come later.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0.iter().any(|pattern| pattern == "*")
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

fn is_pattern(text: &str) -> bool {
    let name = |text: &str| {
        (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_'))
    };
    text == "*" || text.strip_suffix(".*").is_some_and(name) || name(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn scopes(patterns: &[&str]) -> Result<Scopes, OpError> {
        Scopes::parse(patterns.iter().map(|p| (*p).to_owned()).collect())
    }

    #[test]
    fn a_pattern_is_a_name_or_a_noun() {
        let some = scopes(&["user.*", "status"]).unwrap();
        assert!(some.has("user.add") && some.has("status"));
        assert!(!some.has("users.add") && !some.has("status.x") && !some.has("user"));
        assert!(scopes(&["*"]).unwrap().has("anything"));
        for wrong in [&[][..], &[""], &["u*"], &["*.add"], &["User.add"], &[".*"]] {
            assert!(scopes(wrong).is_err(), "{wrong:?}");
        }
    }
}
