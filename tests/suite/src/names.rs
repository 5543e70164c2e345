//! What stands in braces in a story, and addresses that are unique on the server.

use std::collections::HashMap;

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// What the names in a story stand for while it is played.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// `romeo@localhost` → the account's real address; longest first.
    pub addresses: Vec<(String, String)>,
    /// `Romeo`, `Romeo.bare`, …
    pub known: HashMap<String, String>,
    /// What wildcards with a name caught.
    pub caught: HashMap<String, String>,
}

/// Words in braces that only make sense in what is received; `matching` reads them.
pub const WILDCARDS: [&str; 8] = ["any", "id", "stamp", "number", "optional", "absent", "delay", "..."];

impl Names {
    /// Fills in a text that is expected; wildcards stay.
    ///
    /// # Errors
    /// When a name in braces is unknown.
    pub fn expected(&self, text: &str) -> Result<String> {
        String::from_utf8(self.fill(&self.addressed(text), true)?).context("not UTF-8")
    }

    /// Fills in a text to be sent, which need not become UTF-8.
    ///
    /// # Errors
    /// When a name in braces is unknown.
    pub fn sent(&self, text: &str) -> Result<Vec<u8>> {
        self.fill(&self.addressed(text), false)
    }

    fn addressed(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut before = ' ';
        'outer: while let Some(next) = rest.chars().next() {
            let starts_word = !before.is_alphanumeric() && before != '.' && before != '-' && before != '@';
            if starts_word {
                for (written, real) in &self.addresses {
                    if let Some(after) = rest.strip_prefix(written.as_str()) {
                        out.push_str(real);
                        before = 'x';
                        rest = after;
                        continue 'outer;
                    }
                }
            }
            out.push(next);
            before = next;
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        }
        out
    }

    fn fill(&self, text: &str, expected: bool) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some((before, from)) = rest.split_once('{') {
            out.extend_from_slice(before.as_bytes());
            let end = closing(from).with_context(|| format!("no closing brace in {text:?}"))?;
            let (name, after) = from.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            let word = name.split(':').next().unwrap_or_default();
            if expected && WILDCARDS.contains(&word) {
                out.extend_from_slice(format!("{{{name}}}").as_bytes());
            } else {
                out.extend(self.value(name)?);
            }
        }
        out.extend_from_slice(rest.as_bytes());
        Ok(out)
    }

    fn value(&self, name: &str) -> Result<Vec<u8>> {
        if let Some(value) = self.known.get(name).or_else(|| self.caught.get(name)) {
            return Ok(value.clone().into_bytes());
        }
        match name.split_once(':') {
            Some(("base64", inner)) => {
                let plain = self.fill(&inner.replace("\\0", "\0"), false)?;
                Ok(BASE64.encode(plain).into_bytes())
            }
            Some(("hex", digits)) => hex(digits),
            Some(("repeat", inner)) => {
                let (count, what) = inner.split_once(':').context("{repeat:N:text}")?;
                let count: usize = count.parse().context("{repeat:N:text}")?;
                ensure!(count <= 10_000_000, "that is too often");
                Ok(self.fill(what, false)?.repeat(count))
            }
            Some(("ht", inner)) => {
                let inner = String::from_utf8(self.fill(inner, false)?).context("not UTF-8")?;
                let (user, token) = inner.split_once(':').context("{ht:user:token} or {ht:user:token:binding}")?;
                let proof = [user.as_bytes(), b"\0", &token_proof("Initiator", token)?].concat();
                Ok(BASE64.encode(proof).into_bytes())
            }
            Some(("ht-answer", inner)) => {
                let inner = String::from_utf8(self.fill(inner, false)?).context("not UTF-8")?;
                Ok(BASE64.encode(token_proof("Responder", &inner)?).into_bytes())
            }
            _ => bail!("nobody knows what {{{name}}} is"),
        }
    }
}

/// What proves a token to be known (draft-schmaus-kitten-sasl-ht §3); after the token may
/// come channel-binding data in hexadecimal digits.
fn token_proof(who: &str, token: &str) -> Result<Vec<u8>> {
    let (token, binding) = token.split_once(':').unwrap_or((token, ""));
    let pairs =
        binding.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair)?, 16).context("hex"));
    let binding: Vec<u8> = pairs.collect::<Result<_>>()?;
    let mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).context("key")?;
    Ok(mac.chain_update(who).chain_update(binding).finalize().into_bytes().to_vec())
}

fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn hex(digits: &str) -> Result<Vec<u8>> {
    digits
        .split_whitespace()
        .map(|pair| u8::from_str_radix(pair, 16).with_context(|| format!("not a byte: {pair:?}")))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn fills_in() {
        let mut names = Names::default();
        names.addresses.push(("romeo@localhost".to_owned(), "romeo.1@localhost".to_owned()));
        names.known.insert("Romeo".to_owned(), "romeo.1@localhost/x".to_owned());
        assert_eq!(
            names.expected("<a to='romeo@localhost/y' from='notromeo@localhost' by='{Romeo}' id='{id:x}'/>").unwrap(),
            "<a to='romeo.1@localhost/y' from='notromeo@localhost' by='romeo.1@localhost/x' id='{id:x}'/>"
        );
        assert_eq!(names.sent("{hex:FF 00}{repeat:2:{hex:41}}{base64:\\0a}").unwrap(), b"\xff\0AAAGE=");
        // Computed by another implementation of HMAC.
        let answer = names.expected("{ht-answer:WXZzciBwYmFmdmZnZiBqdmd1IGp2eXFhcmZm:{repeat:32:e7}}").unwrap();
        assert_eq!(answer, "NJ3UPWcW6wT1JCsu87JsQq1QbegzDXq74UZoT/ejKO0=");
        assert!(names.sent("{any}").is_err());
        assert!(names.expected("{Juliet}").is_err());
    }
}
