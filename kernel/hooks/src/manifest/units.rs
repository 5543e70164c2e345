//! Values with a form of their own: names, sizes, times.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

/// Lowercase words of letters, digits and `-`, joined by dots; 64 bytes at most.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct PluginId(String);

/// Where the kernel keeps what is its own; tables are called after whose they are.
const KERNEL: &str = "kernel";

impl PluginId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PluginId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let word = |word: &str| {
            word.starts_with(|first: char| first.is_ascii_lowercase())
                && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        };
        if text == KERNEL {
            return Err(format!("`{KERNEL}` is no plugin id: the kernel's own tables are called so"));
        }
        if text.len() <= 64 && text.split('.').all(word) {
            return Ok(Self(text));
        }
        Err(format!(
            "`{text}` is no plugin id; write lowercase words of letters, digits and - joined by dots, 64 bytes at most, such as `xylem.blocking`"
        ))
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One line of text: not empty, no control characters, 1,024 bytes at most.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Text(String);

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Text {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.trim().is_empty() || text.len() > 1024 || text.chars().any(char::is_control) {
            return Err("write one line of text, 1 to 1,024 bytes".to_owned());
        }
        Ok(Self(text))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name of letters, digits, `-` and `_`, beginning with a letter; 64 bytes at most.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct MatchName(String);

impl MatchName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl TryFrom<String> for MatchName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let reserved = matches!(text.as_str(), "and" | "or" | "not");
        let formed = text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if formed && !reserved && text.len() <= 64 {
            return Ok(Self(text));
        }
        Err(format!(
            "`{text}` is no name; write letters, digits, - and _, beginning with a letter, 64 bytes at most, and not `and`, `or`, `not`"
        ))
    }
}

/// Bytes, written as a number or as `512KiB`, `4MiB`, `1GiB`, `100kB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// Reads `16MiB` and the like.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (number, unit) = split(text)?;
        let factor = match unit {
            "" | "B" => 1,
            "kB" => 1000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(format!("unknown unit in `{text}`; write B, KiB, MiB, GiB, kB, MB or GB")),
        };
        number.checked_mul(factor).map(Self).ok_or_else(|| format!("`{text}` is too big"))
    }
}

/// A time, written as `20ms`, `2s`, `5m`, `1h`, `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

impl Period {
    /// Reads `20ms` and the like.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (number, unit) = split(text)?;
        let factor: u64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(format!("`{text}` has no known unit; write ms, s, m, h or d, such as `20ms`")),
        };
        let millis = number.checked_mul(factor).ok_or_else(|| format!("`{text}` is too long"))?;
        Ok(Self(Duration::from_millis(millis)))
    }
}

fn split(text: &str) -> Result<(u64, &str), String> {
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let number = number.parse().map_err(|_| format!("`{text}` does not begin with a whole number"))?;
    Ok((number, unit.trim()))
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "write a size such as `16MiB`")]
        enum Form {
            Number(u64),
            Text(String),
        }
        match Form::deserialize(source)? {
            Form::Number(bytes) => Ok(Self(bytes)),
            Form::Text(text) => Self::parse(&text).map_err(serde::de::Error::custom),
        }
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = String::deserialize(source)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
