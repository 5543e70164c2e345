//! `[[limit]]`: token buckets.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::config::ConfigSchema;
use super::refusal::ManifestError;
use super::units::{MatchName, Period};

/// A token bucket for each subject; a plugin takes tokens out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSpec {
    pub name: String,
    pub count: LimitCount,
    /// In this time an empty bucket fills up.
    pub per: Duration,
}

/// How many tokens a full bucket has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimitCount {
    Fixed(u32),
    /// As many as this option of the plugin says; 0 sets no bound.
    Option(String),
}

/// Milliseconds; 30 days.
const LONGEST: u64 = 30 * 86_400_000;

impl LimitSpec {
    /// Most tokens of a bucket.
    pub const MOST: u32 = 1_000_000;

    /// The tokens of a full bucket in a plugin that is set so; `None` if there is no bound.
    #[must_use]
    pub fn count(&self, config: &Value) -> Option<u32> {
        match &self.count {
            LimitCount::Fixed(count) => Some(*count),
            LimitCount::Option(name) => {
                let count = config.get(name).and_then(Value::as_u64).and_then(|count| u32::try_from(count).ok());
                count.filter(|count| *count > 0)
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimit {
    name: MatchName,
    count: Option<Spanned<u32>>,
    option: Option<Spanned<String>>,
    per: Spanned<Period>,
}

impl RawLimit {
    /// The limit; `text` is the file, to find lines in.
    pub(super) fn check(
        self,
        text: &str,
        span: std::ops::Range<usize>,
        config: &ConfigSchema,
    ) -> Result<LimitSpec, ManifestError> {
        let refuse = |span, problem: String| Err(ManifestError::at(text, Some(span), problem));
        let (per, most) = (self.per.get_ref().0, LimitSpec::MOST);
        if !(1..=LONGEST).contains(&u64::try_from(per.as_millis()).unwrap_or(u64::MAX)) {
            return refuse(self.per.span(), format!("must be 1 ms to {LONGEST} ms"));
        }
        let count = match (self.count, self.option) {
            (Some(count), None) if (1..=most).contains(count.get_ref()) => LimitCount::Fixed(count.into_inner()),
            (Some(count), None) => {
                let problem = format!("{} is out of range; write 1 to {most}", count.get_ref());
                return refuse(count.span(), problem);
            }
            (None, Some(option)) if config.has_integer(option.get_ref(), 0..=i64::from(most)) => {
                LimitCount::Option(option.into_inner())
            }
            (None, Some(option)) => {
                let problem = "write the name of an option of type integer under [config]";
                return refuse(option.span(), format!("{problem}, with min and max in 0 to {most}"));
            }
            _ => return refuse(span, "write `count`, or `option` where the administrator sets it".to_owned()),
        };
        Ok(LimitSpec { name: self.name.into_string(), count, per })
    }
}
