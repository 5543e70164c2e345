//! Words of texts, so that rows of an archive can be found by them.
//!
//! Texts are folded first: compatibility forms are brought together (NFKC), case and the accents of
//! Latin, Greek and Cyrillic letters do not count. Where a script puts spaces between words, a word is what
//! Unicode calls one (UAX #29). Where it does not (Chinese, Japanese, Thai and so on, and Korean, whose
//! words carry their grammar with them), every character and every two neighbours are words, so that
//! anything can be found that stands somewhere.
//!
//! What is kept are the words of neighbouring rows together, each as a hash of 16 bits: a few hundred bytes for
//! some thirty rows, which say where it is worth looking. Who looks there asks the text itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// Bytes of a text that are looked at.
const MOST_BYTES: usize = 16 << 10;
/// Bytes of a query, and parts of it, that count.
const MOST_SOUGHT: usize = 1024;
const MOST_PARTS: usize = 32;

/// The text of a row, of which the partition and the payload are given; `None` where rows of the
/// partition are not indexed.
pub type TextOf = Arc<dyn Fn(&str, &[u8]) -> Option<String> + Send + Sync>;

/// The words of several texts.
#[derive(Debug, Default)]
pub(crate) struct Signature(BTreeSet<u16>);

impl Signature {
    pub(crate) fn add(&mut self, text: &str) {
        let folded = fold(start(text, MOST_BYTES));
        for part in parts(&folded) {
            match part {
                Part::Word(word) => {
                    self.0.insert(hash(word));
                }
                Part::Run(run) => {
                    self.0.extend(run.chars().map(|c| hash(c.encode_utf8(&mut [0; 4]))));
                    self.0.extend(pairs(run).map(hash));
                }
            }
        }
    }

    /// As it is stored: ascending, never empty.
    pub(crate) fn encode(&self) -> Vec<u8> {
        std::iter::once(FORMAT).chain(self.0.iter().flat_map(|word| word.to_be_bytes())).collect()
    }
}

const FORMAT: u8 = b'w';

/// What somebody looks for: all of these, in whatever order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    words: Vec<String>,
    /// Neighbours in a script without spaces.
    runs: Vec<String>,
}

impl Sought {
    /// Reads a query; there are no operators.
    #[must_use]
    pub fn new(query: &str) -> Self {
        let folded = fold(start(query, MOST_SOUGHT));
        let mut sought = Self::default();
        for part in parts(&folded).take(MOST_PARTS) {
            match part {
                Part::Word(word) => sought.words.push(word.to_owned()),
                Part::Run(run) => sought.runs.push(run.to_owned()),
            }
        }
        sought
    }

    /// Whether there is no word in it, so that nothing can be found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.runs.is_empty()
    }

    /// Whether a text has all of it.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        let folded = fold(start(text, MOST_BYTES));
        let has = |word: &String| parts(&folded).any(|part| matches!(part, Part::Word(own) if own == word));
        !self.is_empty() && self.runs.iter().all(|run| folded.contains(run.as_str())) && self.words.iter().all(has)
    }

    /// Whether a text with all of it may be among those of a stored signature; of what is none, anything may be.
    pub(crate) fn may_be_in(hashes: &[u16], signature: &[u8]) -> bool {
        let Some((&FORMAT, words)) = signature.split_first() else { return true };
        let (words, _) = words.as_chunks::<2>();
        hashes.iter().all(|hash| words.binary_search(&hash.to_be_bytes()).is_ok())
    }

    /// What a signature has of every such text.
    pub(crate) fn hashes(&self) -> Vec<u16> {
        let of_run = |run: &String| {
            let pairs: Vec<_> = pairs(run).map(hash).collect();
            if pairs.is_empty() { vec![hash(run)] } else { pairs }
        };
        self.runs.iter().flat_map(of_run).chain(self.words.iter().map(|word| hash(word))).collect()
    }
}

/// Whether a payload has what is sought.
type Accepts = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// A search within an archive.
#[derive(Clone)]
pub struct Search {
    pub(crate) sought: Arc<Sought>,
    pub(crate) accepts: Accepts,
}

impl Search {
    /// `accepts` looks at the payload of a row.
    pub fn new(sought: Sought, accepts: impl Fn(&[u8], &Sought) -> bool + Send + Sync + 'static) -> Self {
        let sought = Arc::new(sought);
        let of = Arc::clone(&sought);
        Self { sought, accepts: Arc::new(move |payload| accepts(payload, &of)) }
    }
}

impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.sought.fmt(f)
    }
}

enum Part<'a> {
    Word(&'a str),
    /// Characters of a script without spaces, side by side.
    Run(&'a str),
}

/// Words and runs of a folded text, in order.
fn parts(folded: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = folded;
    let pieces = std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let dense = is_dense(first);
        let end = rest.find(|c| is_dense(c) != dense).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some((piece, dense))
    });
    pieces.flat_map(|(piece, dense)| {
        let words = (!dense).then(|| piece.unicode_words().map(Part::Word));
        dense.then_some(Part::Run(piece)).into_iter().chain(words.into_iter().flatten())
    })
}

/// Every two neighbours.
fn pairs(run: &str) -> impl Iterator<Item = &str> {
    let starts = run.char_indices().map(|(at, _)| at);
    let ends = run.char_indices().skip(2).map(|(at, _)| at).chain([run.len()]);
    starts.zip(ends).filter_map(|(start, end)| run.get(start..end)).filter(|pair| pair.chars().nth(1).is_some())
}

fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Taken apart, so that accents can be dropped, and put together again.
    let apart = text.nfkd().filter(|c| !('\u{300}'..='\u{36f}').contains(c));
    apart.nfc().flat_map(char::to_lowercase).collect()
}

/// Scripts that put no spaces between words, after folding.
fn is_dense(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}'             // Thai, Lao
        | '\u{1000}'..='\u{109f}'           // Myanmar
        | '\u{1780}'..='\u{17ff}'           // Khmer
        | '\u{2e80}'..='\u{2fdf}'           // radicals
        | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{312f}'           // Kana, Bopomofo
        | '\u{31a0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'           // Han
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}'           // Hangul
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

fn hash(word: &str) -> u16 {
    let hash = crc32fast::hash(word.as_bytes());
    u16::try_from(hash >> 16).unwrap_or_default() ^ u16::try_from(hash & 0xffff).unwrap_or_default()
}

/// The first `most` bytes, without half a character.
fn start(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most.min(text.len()))).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by the index, and again by the text.
    fn finds(query: &str, text: &str) -> bool {
        let sought = Sought::new(query);
        let mut signature = Signature::default();
        signature.add(text);
        let indexed = Sought::may_be_in(&sought.hashes(), &signature.encode());
        assert!(indexed || !sought.is_in(text), "{query:?} is in {text:?} and not found by the index");
        indexed && sought.is_in(text)
    }

    #[test]
    fn words_of_scripts_with_spaces() {
        let text = "Wherefore art thou, Roméo? Καλημέρα ΚΌΣΜΕ! Don't — ПРИВЕТ １２３";
        for query in ["romeo", "ROMÉO thou", "wherefore", "καλημερα", "κόσμε", "привет", "123", "don't", "art, art!"]
        {
            assert!(finds(query, text), "{query}");
        }
        for query in ["", " ", "?!", "rome", "thou juliet", "where"] {
            assert!(!finds(query, text), "{query}");
        }
    }

    #[test]
    fn scripts_without_spaces() {
        let text = "我们明天在北京大学见面吧，OK？東京タワーで会おう 안녕하세요 สวัสดีครับ";
        for query in [
            "北京",
            "北京大学",
            "明天",
            "见",
            "学见",
            "ok",
            "北京 明天",
            "タワー",
            "ﾀﾜｰ",
            "で会",
            "안녕",
            "하세요",
            "สวัสดี",
        ] {
            assert!(finds(query, text), "{query}");
        }
        for query in ["京北", "大京", "上海", "北京上海", "明学", "猫"] {
            assert!(!finds(query, text), "{query}");
        }
        assert!(!finds("北京大学", "北京大 大学 京大"), "neighbours that stand apart are not found");
    }

    #[test]
    fn long_texts_are_bounded() {
        let text = (0..100_000).map(|n| format!("word{n} ")).collect::<String>();
        let mut signature = Signature::default();
        signature.add(&text);
        assert!(signature.encode().len() < MOST_BYTES);
        assert!(Sought::new(&text).words.len() <= MOST_PARTS);
        assert!(finds("北", &"北".repeat(MOST_BYTES)));
        assert!(Sought::may_be_in(&[1], &[]), "what is not indexed has to be looked at");
    }
}
