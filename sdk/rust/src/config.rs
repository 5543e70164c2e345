//! The plugin's configuration for the domain of the call.
//!
//! [`crate::plugin!`] makes a struct `Config` of the manifest's `[config.*]` with one typed
//! field for each option: `boolean` is `bool`, `integer` is `i64`, `size` (bytes) and
//! `duration` (milliseconds) are `u64`, `string` and `enum` are `String`, `list` is
//! `Vec<String>`. `Config::load()` reads it; do so once per call at most, it is not cached.

use crate::json::Json;
use crate::wit::xylem::runtime::runtime as wit;

/// The options as the server hands them over, defaults filled in.
pub struct Options(Json);

impl Options {
    /// The configuration of this call's domain.
    #[must_use]
    pub fn load() -> Self {
        Self::parse(&wit::config())
    }

    /// From a JSON object; anything else has no options.
    #[must_use]
    pub fn parse(json: &str) -> Self {
        Self(Json::parse(json).unwrap_or(Json::Null))
    }

    /// A `boolean`.
    #[must_use]
    pub fn boolean(&self, name: &str, default: bool) -> bool {
        if let Some(Json::Flag(value)) = self.0.get(name) { *value } else { default }
    }

    /// An `integer`, `size` or `duration`.
    #[must_use]
    pub fn number(&self, name: &str, default: i64) -> i64 {
        self.0.get(name).and_then(Json::as_number).unwrap_or(default)
    }

    /// A `string` or `enum`.
    #[must_use]
    pub fn string(&self, name: &str, default: &str) -> String {
        self.0.get(name).and_then(Json::as_text).unwrap_or(default).into()
    }

    /// A `list`.
    #[must_use]
    pub fn list(&self, name: &str, default: &[&str]) -> Vec<String> {
        if let Some(Json::List(items)) = self.0.get(name) {
            return items.iter().filter_map(Json::as_text).map(Into::into).collect();
        }
        default.iter().map(|item| (*item).into()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn reads_what_the_server_writes() {
        let options = Options::parse(
            r#"{"open": true,"max":-12, "name":"a\"\u00e9\ud83d\ude00\n","list":["x","y, ]"],"none":[] }"#,
        );
        assert!(options.boolean("open", false));
        assert_eq!(options.number("max", 0), -12);
        assert_eq!(options.string("name", ""), "a\"é😀\n");
        assert_eq!(options.list("list", &[]), ["x", "y, ]"]);
        assert_eq!(options.list("none", &["d"]), Vec::<String>::new());
        assert_eq!(options.list("missing", &["d"]), ["d"]);
        assert_eq!(options.number("open", 7), 7);
    }

    #[test]
    fn nonsense_gives_defaults() {
        for json in ["", "{", "[1]", "{\"a\":{}}", "{\"a\":\"\\u12", "{\"a\" 1}"] {
            assert_eq!(Options::parse(json).number("a", 3), 3, "{json}");
        }
    }
}
