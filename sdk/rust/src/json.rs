//! JSON, as operations take and give it. Small: no floating point, no borrowed forms.

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true`, `false`.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A number that is not whole, as it was written.
    Fraction(String),
    /// Text.
    Text(String),
    /// `[…]`.
    List(Vec<Json>),
    /// `{…}`, in the order it was written.
    Object(Vec<(String, Json)>),
}

/// Deepest nesting that is read.
const DEPTH: u32 = 64;

impl Json {
    /// An empty object, to be filled with [`Json::with`].
    #[must_use]
    pub fn object() -> Self {
        Self::Object(Vec::new())
    }

    /// Adds to an object.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        if let Self::Object(entries) = &mut self {
            entries.push((name.into(), value.into()));
        }
        self
    }

    /// A page of a list, as an operation with `list = true` answers: the cursor of the next page, if there
    /// is one, and how many there are in all, where that is known.
    #[must_use]
    pub fn page(items: Vec<Json>, next: Option<&str>, total: Option<u64>) -> Self {
        Self::object().with("items", items).with("next", next).with("total", total)
    }

    /// Reads JSON; `None` when it is not.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { rest: text, depth: 0 };
        let value = reader.value()?;
        reader.rest.trim_start().is_empty().then_some(value)
    }

    /// Writes it.
    #[must_use]
    pub fn build(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// The value under a name of an object, unless it is null.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let found = self.entries().iter().find(|(known, _)| known == name)?;
        (found.1 != Self::Null).then_some(&found.1)
    }

    /// The entries of an object; none of anything else.
    #[must_use]
    pub fn entries(&self) -> &[(String, Json)] {
        if let Self::Object(entries) = self { entries } else { &[] }
    }

    /// The items of a list; none of anything else.
    #[must_use]
    pub fn items(&self) -> &[Json] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if it is a whole one.
    #[must_use]
    pub fn as_number(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// Whether it is `true`.
    #[must_use]
    pub fn is_true(&self) -> bool {
        *self == Self::Flag(true)
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Flag(true) => out.push_str("true"),
            Self::Flag(false) => out.push_str("false"),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Fraction(number) => out.push_str(number),
            Self::Text(text) => write_text(out, text),
            Self::List(items) => {
                out.push('[');
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(entries) => {
                out.push('{');
                for (n, (name, value)) in entries.iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    write_text(out, name);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let digit = |n: u32| DIGITS.get(n as usize & 15).map_or('0', |digit| char::from(*digit));
                let code = u32::from(control);
                out.push_str("\\u00");
                out.push(digit(code >> 4));
                out.push(digit(code));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Json {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<bool> for Json {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Json {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Json {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Json {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: u32,
}

impl Reader<'_> {
    fn value(&mut self) -> Option<Json> {
        match self.rest.trim_start().as_bytes().first()? {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::list),
            b'"' => self.string().map(Json::Text),
            _ => self.word(),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Option<Json>) -> Option<Json> {
        self.depth += 1;
        let value = if self.depth > DEPTH { None } else { read(self) };
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Option<Json> {
        let mut entries = Vec::new();
        self.token('{')?;
        if self.token('}').is_some() {
            return Some(Json::Object(entries));
        }
        loop {
            let name = self.string()?;
            self.token(':')?;
            entries.push((name, self.value()?));
            if self.token(',').is_none() {
                self.token('}')?;
                return Some(Json::Object(entries));
            }
        }
    }

    fn list(&mut self) -> Option<Json> {
        let mut items = Vec::new();
        self.token('[')?;
        if self.token(']').is_some() {
            return Some(Json::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.token(',').is_none() {
                self.token(']')?;
                return Some(Json::List(items));
            }
        }
    }

    fn word(&mut self) -> Option<Json> {
        let text = self.rest.trim_start();
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        match word {
            "null" => Some(Json::Null),
            "true" => Some(Json::Flag(true)),
            "false" => Some(Json::Flag(false)),
            number if !number.starts_with(|c: char| c.is_ascii_digit() || c == '-') => None,
            number => Some(number.parse().map_or_else(|_| Json::Fraction(number.into()), Json::Number)),
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
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::Json;

    #[test]
    fn what_is_built_is_read() {
        let json = Json::object()
            .with("text", "a \"b\"\\\n\u{1}é😀")
            .with("list", vec![1_u64, 2])
            .with("none", None::<u64>)
            .with("deep", Json::object().with("flag", true));
        let text = json.build();
        assert_eq!(text, r#"{"text":"a \"b\"\\\n\u0001é😀","list":[1,2],"none":null,"deep":{"flag":true}}"#);
        assert_eq!(Json::parse(&text), Some(json));
    }

    #[test]
    fn reads_what_servers_write() {
        let json = Json::parse(r#" {"a" : [ true, -12, 1.5e3, "\u00e9\ud83d\ude00" ] , "b":{} } "#).unwrap();
        let items = json.get("a").unwrap().items();
        assert_eq!(items.first().map(Json::is_true), Some(true));
        assert_eq!(items.get(1).and_then(Json::as_number), Some(-12));
        assert_eq!(items.get(2), Some(&Json::Fraction("1.5e3".into())));
        assert_eq!(items.get(3).and_then(Json::as_text), Some("é😀"));
        assert_eq!(json.get("c"), None);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "{", "[1 2]", "{\"a\":}", "{\"a\" 1}", "\"\\u12\"", "nil", "1 2", "[1,]", "{,}"] {
            assert_eq!(Json::parse(text), None, "{text}");
        }
        assert_eq!(Json::parse(&"[".repeat(100_000)), None);
    }
}
