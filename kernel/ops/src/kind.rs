//! What values an argument takes, on every face.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use xylem_stanza::{BareJid, Domain, Jid};

/// The values of an argument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// Text of 1 to `max` bytes; where that is at most 1023, as of names and ids, of one line.
    Text {
        max: usize,
    },
    /// Text of 1 to 1023 bytes that is never shown nor logged.
    Secret,
    /// Where a page goes on: what the one before gave as `next`, base64 of at most 4096 bytes.
    Cursor,
    /// A bare address, `name@domain`; at most 2047 bytes (RFC 7622 §3.1).
    Account,
    /// Any address: a domain, an account, a resource, a room.
    Address,
    /// A domain's name; at most 1023 bytes (RFC 7622 §3.2).
    Domain,
    /// An absolute path on the server's machine; from elsewhere than the command line the name of
    /// a file among the server's exports.
    Path,
    /// A file: an absolute path on the command line, elsewhere what the upload was called.
    Upload,
    /// A whole number within bounds, both included.
    Number {
        min: u64,
        max: u64,
    },
    /// A moment, in seconds since 1970 UTC.
    Time,
    Flag,
    /// One of several words.
    Choice {
        words: Words,
    },
    /// Up to `items` texts of 1 to `max` bytes, of one line as above.
    List {
        items: usize,
        max: usize,
    },
    /// Any JSON of at most `max` bytes.
    Json {
        max: usize,
    },
}

/// The words to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Words {
    Fixed(&'static [&'static str]),
    Made(Vec<String>),
}

impl Words {
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (fixed, made): (&[&str], &[String]) = match self {
            Self::Fixed(words) => (words, &[]),
            Self::Made(words) => (&[], words),
        };
        fixed.iter().copied().chain(made.iter().map(String::as_str))
    }
}

/// The last second of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// Texts that are no longer than this have one line, in bytes.
const LINE: usize = 1023;

impl Kind {
    #[must_use]
    pub const fn choice(words: &'static [&'static str]) -> Self {
        Self::Choice { words: Words::Fixed(words) }
    }

    /// What is right, in words: `a number from 1 to 10`.
    #[must_use]
    pub fn right(&self) -> Cow<'static, str> {
        match self {
            Self::Text { max: max @ ..=LINE } => format!("text of 1 to {max} bytes, in one line").into(),
            Self::Text { max } => format!("text of 1 to {max} bytes").into(),
            Self::Secret => "text of 1 to 1023 bytes".into(),
            Self::Cursor => "what a page gave as `next`".into(),
            Self::Account => "an address of the form name@domain".into(),
            Self::Address => "an address".into(),
            Self::Domain => "a domain's name".into(),
            Self::Path => "an absolute path, or from elsewhere the plain name of a file".into(),
            Self::Upload => "a file's absolute path, or from elsewhere the name of an upload".into(),
            Self::Number { min, max } => format!("a number from {min} to {max}").into(),
            Self::Time => "a moment in seconds since 1970".into(),
            Self::Flag => "true or false".into(),
            Self::Choice { words } => format!("one of {}", words.iter().collect::<Vec<_>>().join(", ")).into(),
            Self::List { items, max } => format!("a list of up to {items} texts of 1 to {max} bytes").into(),
            Self::Json { max } => format!("JSON of at most {max} bytes").into(),
        }
    }

    /// The value in its canonical form; none if it is not one of this kind.
    #[must_use]
    pub fn canonical(&self, value: Value) -> Option<Value> {
        let max = match self {
            Self::Text { max } => *max,
            Self::Secret | Self::Domain => 1023,
            Self::Path | Self::Upload | Self::Cursor => 4096,
            Self::Account => 2047,
            Self::Address => 3071,
            Self::Choice { .. } => 256,
            Self::Number { .. } | Self::Time | Self::Flag | Self::List { .. } | Self::Json { .. } => {
                return self.is(&value).then_some(value);
            }
        };
        let given = text(&value, max)?;
        match self {
            Self::Text { max } => in_its_lines(given, *max).then_some(value),
            Self::Account => {
                BareJid::parse(given).ok().filter(|jid| jid.local().is_some()).map(|jid| jid.as_str().into())
            }
            Self::Address => Jid::parse(given).ok().map(|jid| jid.to_string().into()),
            Self::Domain => Domain::parse(given).ok().map(|domain| domain.as_str().into()),
            Self::Choice { words } => words.iter().any(|word| word == given).then_some(value),
            _ => Some(value),
        }
    }

    /// Of those kinds that are no single text.
    fn is(&self, value: &Value) -> bool {
        match self {
            Self::Number { min, max } => value.as_u64().is_some_and(|n| (*min..=*max).contains(&n)),
            Self::Time => value.as_u64().is_some_and(|n| n <= LAST_SECOND),
            Self::Flag => value.is_boolean(),
            Self::List { items, max } => value.as_array().is_some_and(|list| {
                list.len() <= *items
                    && list.iter().all(|item| text(item, *max).is_some_and(|text| in_its_lines(text, *max)))
            }),
            Self::Json { max } => serde_json::to_vec(value).is_ok_and(|bytes| bytes.len() <= *max),
            _ => false,
        }
    }

    /// A value from text, as it stands in a query or on a command line. Several texts make a list;
    /// so does one with commas.
    #[must_use]
    pub fn from_text(&self, given: &[&str]) -> Option<Value> {
        if let Self::List { .. } = self {
            let items = given.iter().flat_map(|text| text.split(',')).filter(|item| !item.is_empty());
            return Some(items.collect());
        }
        let [given] = given else { return None };
        match self {
            Self::Number { .. } | Self::Time => given.parse::<u64>().ok().map(Value::from),
            Self::Flag => given.parse::<bool>().ok().map(Value::from),
            Self::Json { .. } => serde_json::from_str(given).ok(),
            _ => Some(Value::from(*given)),
        }
    }

    /// Whether its values are never to be seen.
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        matches!(self, Self::Secret)
    }

    /// Its JSON Schema (draft 2020-12).
    #[must_use]
    pub fn schema(&self) -> Value {
        let text = |max: usize| json!({"type": "string", "minLength": 1, "maxLength": max});
        match self {
            Self::Text { max } => text(*max),
            Self::Secret => json!({"type": "string", "minLength": 1, "maxLength": 1023, "format": "password"}),
            Self::Cursor => {
                json!({"type": "string", "minLength": 1, "maxLength": 4096, "pattern": "^[A-Za-z0-9_=+/-]+$"})
            }
            Self::Account => {
                json!({"type": "string", "minLength": 3, "maxLength": 2047, "examples": ["juliet@example.org"]})
            }
            Self::Address => json!({"type": "string", "minLength": 1, "maxLength": 3071}),
            Self::Domain => text(1023),
            // As they are named from elsewhere; paths are for the machine itself.
            Self::Path | Self::Upload => {
                json!({"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]*$"})
            }
            Self::Number { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
            Self::Time => json!({"type": "integer", "minimum": 0, "maximum": LAST_SECOND}),
            Self::Flag => json!({"type": "boolean"}),
            Self::Choice { words } => json!({"type": "string", "enum": words.iter().collect::<Vec<_>>()}),
            Self::List { items, max } => json!({"type": "array", "maxItems": items, "items": text(*max)}),
            Self::Json { .. } => json!({}),
        }
    }
}

/// Text that XML can carry, so that it can go wherever an operation takes it.
fn text(value: &Value, max: usize) -> Option<&str> {
    value.as_str().filter(|text| (1..=max).contains(&text.len()) && text.chars().all(is_char))
}

/// Names and ids have no second line, in which they could pass for something else.
fn in_its_lines(text: &str, max: usize) -> bool {
    max > LINE || !text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// XML 1.0 §2.2, production 2.
const fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}
