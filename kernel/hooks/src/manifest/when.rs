//! The `when` expression of a hook: and, or, not and parentheses over the names of `[match]`.

/// A condition over match bits. Evaluated with what is known so far, so that
/// costly bits are only looked up when they can still change the answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum When {
    /// No condition.
    #[default]
    Always,
    /// Bit n is set.
    Bit(u8),
    Not(Box<When>),
    All(Vec<When>),
    Any(Vec<When>),
}

impl When {
    /// Deepest nesting of parentheses and `not`.
    const DEPTH: usize = 32;

    /// Reads an expression; `bit` finds the number of a name.
    ///
    /// # Errors
    /// What is wrong and what would be right.
    pub fn parse(text: &str, bit: &dyn Fn(&str) -> Option<u8>) -> Result<Self, String> {
        if text.len() > 4096 {
            return Err("longer than 4,096 bytes".to_owned());
        }
        let words = words(text)?;
        let mut reader = Reader { words: &words, bit, depth: 0 };
        let when = reader.any()?;
        match reader.words.first() {
            None => Ok(when),
            Some(word) => {
                Err(format!("`{word}` stands where `and`, `or` or the end should; `when` knows and, or, not and ( )"))
            }
        }
    }

    /// `Some` when the known bits decide it; `known` has a bit for each that was evaluated.
    #[must_use]
    pub fn decide(&self, bits: u64, known: u64) -> Option<bool> {
        match self {
            Self::Always => Some(true),
            Self::Bit(n) => (known >> n & 1 == 1).then_some(bits >> n & 1 == 1),
            Self::Not(inner) => inner.decide(bits, known).map(|holds| !holds),
            Self::All(parts) => fold(parts, bits, known, false),
            Self::Any(parts) => fold(parts, bits, known, true),
        }
    }

    /// Whether it holds, all bits being known.
    #[must_use]
    pub fn holds(&self, bits: u64) -> bool {
        self.decide(bits, u64::MAX).unwrap_or(false)
    }

    /// The bits it mentions.
    #[must_use]
    pub fn mentions(&self) -> u64 {
        match self {
            Self::Always => 0,
            Self::Bit(n) => 1 << n,
            Self::Not(inner) => inner.mentions(),
            Self::All(parts) | Self::Any(parts) => parts.iter().fold(0, |all, part| all | part.mentions()),
        }
    }
}

/// One part that is `decisive` settles it; an unknown part leaves it open.
fn fold(parts: &[When], bits: u64, known: u64, decisive: bool) -> Option<bool> {
    let mut open = false;
    for part in parts {
        match part.decide(bits, known) {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => open = true,
        }
    }
    (!open).then_some(!decisive)
}

fn words(text: &str) -> Result<Vec<&str>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => 1,
            c if is_name(c) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
            c => return Err(format!("`{c}` means nothing here; `when` knows names, and, or, not and ( )")),
        };
        let (word, after) = rest.split_at(length);
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

struct Reader<'a> {
    words: &'a [&'a str],
    bit: &'a dyn Fn(&str) -> Option<u8>,
    depth: usize,
}

impl Reader<'_> {
    fn any(&mut self) -> Result<When, String> {
        let mut parts = vec![self.all()?];
        while self.take("or") {
            parts.push(self.all()?);
        }
        Ok(single(parts, When::Any))
    }

    fn all(&mut self) -> Result<When, String> {
        let mut parts = vec![self.unit()?];
        while self.take("and") {
            parts.push(self.unit()?);
        }
        Ok(single(parts, When::All))
    }

    fn unit(&mut self) -> Result<When, String> {
        self.depth += 1;
        if self.depth > When::DEPTH {
            return Err(format!("nested deeper than {}", When::DEPTH));
        }
        let unit = self.inner();
        self.depth -= 1;
        unit
    }

    fn inner(&mut self) -> Result<When, String> {
        if self.take("not") {
            return Ok(When::Not(Box::new(self.unit()?)));
        }
        if self.take("(") {
            let inner = self.any()?;
            return if self.take(")") { Ok(inner) } else { Err("a `)` is missing".to_owned()) };
        }
        let Some((&name, rest)) = self.words.split_first() else {
            return Err("ends too early; a name is missing".to_owned());
        };
        if matches!(name, "and" | "or" | ")") {
            return Err(format!("`{name}` stands where a name should"));
        }
        self.words = rest;
        let bit = (self.bit)(name).ok_or_else(|| format!("`{name}` is not defined; add it under [match]"))?;
        Ok(When::Bit(bit))
    }

    fn take(&mut self, word: &str) -> bool {
        match self.words.split_first() {
            Some((&first, rest)) if first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }
}

fn single(mut parts: Vec<When>, join: fn(Vec<When>) -> When) -> When {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            join(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn parse(text: &str) -> Result<When, String> {
        When::parse(text, &|name| ["a", "b", "c"].iter().position(|known| *known == name).map(|n| n as u8))
    }

    #[test]
    fn and_binds_closer_than_or_and_not_closest() {
        let when = parse("a or not b and (c or a)").unwrap();
        for bits in 0..8u64 {
            let [a, b, c] = [0, 1, 2].map(|n| bits >> n & 1 == 1);
            assert_eq!(when.holds(bits), a || (!b & (c | a)), "{bits:03b}");
        }
    }

    #[test]
    fn unknown_bits_leave_it_open_only_where_they_matter() {
        let when = parse("a and b").unwrap();
        assert_eq!(when.decide(0, 0b01), Some(false));
        assert_eq!(when.decide(0b01, 0b01), None);
        assert_eq!(parse("a or b").unwrap().decide(0b01, 0b01), Some(true));
        assert_eq!(parse("not a").unwrap().decide(0, 0), None);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, hint) in [
            ("boddy", "`boddy` is not defined"),
            ("a and", "ends too early"),
            ("a b", "`b` stands where"),
            ("(a", "`)` is missing"),
            ("a && b", "`&` means nothing"),
            ("", "ends too early"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(hint), "{text}: {error}");
        }
        assert!(parse(&"not ".repeat(100)).unwrap_err().contains("nested deeper"));
        assert!(parse(&"(".repeat(100)).unwrap_err().contains("nested deeper"));
    }
}
