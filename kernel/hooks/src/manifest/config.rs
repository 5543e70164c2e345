//! `[config.*]`: what an administrator can set, and the check of what was set.

use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::units::{ByteSize, Period};

/// The options in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigSchema {
    pub options: Vec<ConfigOption>,
}

/// One option.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigOption {
    pub name: String,
    pub kind: ConfigKind,
    /// As handed to the plugin: sizes in bytes, durations in milliseconds.
    pub default: Value,
    /// Bounds, in the same units.
    pub min: Option<i64>,
    pub max: Option<i64>,
    /// The choices of an `enum`.
    pub values: Vec<String>,
    pub help: String,
}

/// The type of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConfigKind {
    Boolean,
    Integer,
    String,
    /// `20ms`, `5m`; the plugin sees milliseconds.
    Duration,
    /// `512KiB`; the plugin sees bytes.
    Size,
    /// Strings.
    List,
    /// One of `values`.
    Enum,
}

/// The administrator's mistake: an option that does not exist or a value that is not right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option}: {problem}")]
pub struct ConfigError {
    pub option: String,
    pub problem: String,
}

impl ConfigSchema {
    /// Whether there is an option of this name, of type list.
    pub(super) fn has_list(&self, name: &str) -> bool {
        self.options.iter().any(|option| option.name == name && option.kind == ConfigKind::List)
    }

    /// Whether there is an option of this name, of type integer and with bounds within these.
    pub(super) fn has_integer(&self, name: &str, range: RangeInclusive<i64>) -> bool {
        let within = |bound: Option<i64>| bound.is_some_and(|bound| range.contains(&bound));
        let fits =
            |option: &ConfigOption| option.kind == ConfigKind::Integer && within(option.min) && within(option.max);
        self.options.iter().any(|option| option.name == name && fits(option))
    }

    /// The defaults, overlaid with what was set: an object for the plugin.
    ///
    /// # Errors
    /// Unknown options and wrong values, with what would be right.
    pub fn resolve(&self, set: &Value) -> Result<Value, ConfigError> {
        let empty = Map::new();
        let set = match set {
            Value::Null => &empty,
            Value::Object(set) => set,
            _ => return Err(refusal("config", "write a table of options".to_owned())),
        };
        if let Some(unknown) = set.keys().find(|name| self.options.iter().all(|option| option.name != **name)) {
            let known: Vec<_> = self.options.iter().map(|option| option.name.as_str()).collect();
            let known = if known.is_empty() { "there are none".to_owned() } else { known.join(", ") };
            return Err(refusal(unknown, format!("no such option; known: {known}")));
        }
        let entries = self.options.iter().map(|option| {
            let value = match set.get(&option.name) {
                None => option.default.clone(),
                Some(value) => option.check(value).map_err(|problem| refusal(&option.name, problem))?,
            };
            Ok((option.name.clone(), value))
        });
        Ok(Value::Object(entries.collect::<Result<_, ConfigError>>()?))
    }
}

impl ConfigOption {
    /// The value as the plugin sees it.
    pub(crate) fn check(&self, value: &Value) -> Result<Value, String> {
        match (self.kind, value) {
            (ConfigKind::Boolean, Value::Bool(_)) => Ok(value.clone()),
            (ConfigKind::Integer, Value::Number(number)) => self.bounded(number.as_i64()),
            (ConfigKind::Size, Value::Number(number)) => self.bounded(number.as_i64()),
            (ConfigKind::Size, Value::String(text)) => self.bounded(i64::try_from(ByteSize::parse(text)?.0).ok()),
            (ConfigKind::Duration, Value::String(text)) => {
                self.bounded(i64::try_from(Period::parse(text)?.0.as_millis()).ok())
            }
            (ConfigKind::String, Value::String(_)) => Ok(value.clone()),
            (ConfigKind::List, Value::Array(items)) if items.iter().all(Value::is_string) => Ok(value.clone()),
            (ConfigKind::Enum, Value::String(text)) if self.values.contains(text) => Ok(value.clone()),
            _ => Err(self.expected()),
        }
    }

    fn bounded(&self, number: Option<i64>) -> Result<Value, String> {
        let number = number.ok_or_else(|| self.expected())?;
        if self.min.is_some_and(|min| number < min) || self.max.is_some_and(|max| number > max) {
            return Err(self.expected());
        }
        Ok(Value::from(number))
    }

    fn expected(&self) -> String {
        let what = match self.kind {
            ConfigKind::Boolean => "write true or false".to_owned(),
            ConfigKind::Integer => "write a whole number".to_owned(),
            ConfigKind::String => "write a text in quotes".to_owned(),
            ConfigKind::Duration => "write a time such as \"20ms\", \"5m\" or \"30d\"".to_owned(),
            ConfigKind::Size => "write a size such as \"512KiB\"".to_owned(),
            ConfigKind::List => "write a list of texts".to_owned(),
            ConfigKind::Enum => format!("write one of {}", self.values.join(", ")),
        };
        match (self.min, self.max) {
            (None, None) => what,
            (Some(min), None) => format!("{what}, at least {min}{}", self.unit()),
            (None, Some(max)) => format!("{what}, at most {max}{}", self.unit()),
            (Some(min), Some(max)) => format!("{what}, {min} to {max}{}", self.unit()),
        }
    }

    fn unit(&self) -> &'static str {
        match self.kind {
            ConfigKind::Duration => " ms",
            ConfigKind::Size => " bytes",
            _ => "",
        }
    }
}

fn refusal(option: &str, problem: String) -> ConfigError {
    ConfigError { option: option.to_owned(), problem }
}

/// As written in the manifest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawOption {
    #[serde(rename = "type")]
    kind: ConfigKind,
    default: Value,
    min: Option<Value>,
    max: Option<Value>,
    #[serde(default)]
    values: Vec<String>,
    help: String,
}

impl RawOption {
    pub(crate) fn check(self, name: String) -> Result<ConfigOption, String> {
        let mut option = ConfigOption {
            name,
            kind: self.kind,
            default: Value::Null,
            min: None,
            max: None,
            values: self.values,
            help: self.help,
        };
        let numeric = matches!(option.kind, ConfigKind::Integer | ConfigKind::Size | ConfigKind::Duration);
        if !numeric && (self.min.is_some() || self.max.is_some()) {
            return Err("min and max are for integer, size and duration".to_owned());
        }
        if (option.kind == ConfigKind::Enum) == option.values.is_empty() {
            return Err("`values` lists the choices of an enum, and of nothing else".to_owned());
        }
        let number = |option: &ConfigOption, value: &Value| option.check(value).map(|checked| checked.as_i64());
        let min = self.min.map(|min| number(&option, &min)).transpose()?.flatten();
        let max = self.max.map(|max| number(&option, &max)).transpose()?.flatten();
        if min.zip(max).is_some_and(|(min, max)| min > max) {
            return Err("min is above max".to_owned());
        }
        (option.min, option.max) = (min, max);
        option.default =
            option.check(&self.default).map_err(|problem| format!("the default does not fit: {problem}"))?;
        Ok(option)
    }
}
