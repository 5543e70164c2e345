//! The plugin's configuration for the domain of the call.
//!
//! [`crate::plugin!`] makes a struct `Config` of the manifest's `[config.*]` with one typed
//! field for each option: `boolean` is `bool`, `integer` is `i64`, `size` (bytes) and
//! `duration` (milliseconds) are `u64`, `string` and `enum` are `String`, `list` is
//! `Vec<String>`. `Config::load()` reads it; do so once per call at most, it is not cached.

use crate::wit::xylem::runtime::runtime as wit;

/// The options as the server hands them over, defaults filled in.
pub struct Options {
    entries: Vec<(String, Value)>,
}

enum Value {
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<String>),
}

impl Options {
    /// The configuration of this call's domain.
    #[must_use]
    pub fn load() -> Self {
        Self::parse(&wit::config())
    }

    /// From a JSON object whose values are scalars or lists of strings; anything else is left out.
    #[must_use]
    pub fn parse(json: &str) -> Self {
        let mut reader = Reader { rest: json };
        Self { entries: reader.object().unwrap_or_default() }
    }

    fn find(&self, name: &str) -> Option<&Value> {
        self.entries.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// A `boolean`.
    #[must_use]
    pub fn boolean(&self, name: &str, default: bool) -> bool {
        if let Some(Value::Bool(value)) = self.find(name) { *value } else { default }
    }

    /// An `integer`, `size` or `duration`.
    #[must_use]
    pub fn number(&self, name: &str, default: i64) -> i64 {
        if let Some(Value::Number(value)) = self.find(name) { *value } else { default }
    }

    /// A `string` or `enum`.
    #[must_use]
    pub fn string(&self, name: &str, default: &str) -> String {
        if let Some(Value::Text(value)) = self.find(name) { value.clone() } else { default.into() }
    }

    /// A `list`.
    #[must_use]
    pub fn list(&self, name: &str, default: &[&str]) -> Vec<String> {
        if let Some(Value::List(value)) = self.find(name) {
            return value.clone();
        }
        default.iter().map(|item| (*item).into()).collect()
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn object(&mut self) -> Option<Vec<(String, Value)>> {
        let mut entries = Vec::new();
        self.token('{')?;
        while self.token('}').is_none() {
            let name = self.string()?;
            self.token(':')?;
            entries.push((name, self.value()?));
            let _ = self.token(',');
        }
        Some(entries)
    }

    fn value(&mut self) -> Option<Value> {
        if self.token('[').is_some() {
            let mut items = Vec::new();
            while self.token(']').is_none() {
                items.push(self.string()?);
                let _ = self.token(',');
            }
            return Some(Value::List(items));
        }
        if self.rest.trim_start().starts_with('"') {
            return self.string().map(Value::Text);
        }
        let text = self.rest.trim_start();
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        match word {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            number => number.parse().ok().map(Value::Number),
        }
    }

    fn token(&mut self, token: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(token)?;
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        self.token('"')?;
        let mut out = String::new();
        loop {
            let at = self.rest.find(['"', '\\'])?;
            out.push_str(self.rest.get(..at)?);
            let quote = self.rest.get(at..=at)? == "\"";
            self.rest = self.rest.get(at + 1..)?;
            if quote {
                return Some(out);
            }
            out.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let first = chars.next()?;
        self.rest = chars.as_str();
        Some(match first {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let high = self.hex()?;
                if !(0xD800..0xDC00).contains(&high) {
                    return char::from_u32(high);
                }
                self.rest = self.rest.strip_prefix("\\u")?;
                let low = self.hex()?.checked_sub(0xDC00)?;
                return char::from_u32(0x10000 + ((high - 0xD800) << 10) + low);
            }
            other => other,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let code = u32::from_str_radix(self.rest.get(..4)?, 16).ok()?;
        self.rest = self.rest.get(4..)?;
        Some(code)
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
