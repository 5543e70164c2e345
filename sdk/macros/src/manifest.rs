//! The part of `plugin.toml` that decides what is generated. The server checks
//! the whole of it; here only what cannot be generated is refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
pub(crate) struct Manifest {
    #[serde(default, rename = "match")]
    matches: BTreeMap<Spanned<String>, toml::Value>,
    #[serde(default)]
    pub(crate) hook: Vec<Hook>,
    #[serde(default)]
    pub(crate) iq: Vec<Entry>,
    #[serde(default)]
    pub(crate) event: Vec<Entry>,
    #[serde(default)]
    pub(crate) operation: Vec<Entry>,
    #[serde(default)]
    pub(crate) replies: Replies,
    #[serde(default)]
    pub(crate) lifecycle: Lifecycle,
    #[serde(default)]
    pub(crate) store: Vec<Store>,
    #[serde(default)]
    pub(crate) limit: Vec<Limit>,
    #[serde(default)]
    pub(crate) listener: Vec<Listener>,
    #[serde(default)]
    pub(crate) needs: Needs,
    #[serde(default)]
    pub(crate) config: BTreeMap<String, ConfigOption>,
}

#[derive(Deserialize)]
pub(crate) struct Hook {
    /// None where the server does it all.
    #[serde(default)]
    pub(crate) handler: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Entry {
    pub(crate) handler: String,
}

#[derive(Deserialize, Default)]
pub(crate) struct Replies {
    pub(crate) answer: Option<String>,
    pub(crate) wake: Option<String>,
    pub(crate) page: Option<String>,
    pub(crate) operation: Option<String>,
}

#[derive(Deserialize, Default)]
pub(crate) struct Lifecycle {
    pub(crate) start: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Store {
    pub(crate) name: String,
    pub(crate) shape: Shape,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    Kv,
    Archive,
}

#[derive(Deserialize)]
pub(crate) struct Limit {
    pub(crate) name: String,
}

#[derive(Deserialize)]
pub(crate) struct Listener {
    pub(crate) name: String,
    pub(crate) ended: Option<String>,
}

#[derive(Deserialize, Default)]
pub(crate) struct Needs {
    #[serde(default)]
    pub(crate) views: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct ConfigOption {
    #[serde(rename = "type")]
    pub(crate) kind: ConfigKind,
    pub(crate) default: toml::Value,
    #[serde(default)]
    pub(crate) help: String,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ConfigKind {
    Boolean,
    Integer,
    String,
    Duration,
    Size,
    List,
    Enum,
}

impl Manifest {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| format!("plugin.toml: {error}"))
    }

    /// Match names in the order of the file: the n-th is bit n.
    pub(crate) fn matches(&self) -> Vec<&str> {
        let mut names: Vec<&Spanned<String>> = self.matches.keys().collect();
        names.sort_by_key(|name| name.span().start);
        names.into_iter().map(|name| name.get_ref().as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::Manifest;

    #[test]
    fn matches_keep_the_order_of_the_file() {
        let manifest = Manifest::parse("[match]\nzebra = '{a}b'\nant = '{a}c'\n\n[match.mule]\nx = 1").unwrap();
        assert_eq!(manifest.matches(), ["zebra", "ant", "mule"]);
    }

    #[test]
    fn mistakes_name_the_line() {
        let error = Manifest::parse("[plugin]\n[[iq]]\nns = 'a'\n").err().unwrap();
        assert!(error.contains("line 2") && error.contains("handler"), "{error}");
    }
}
