//! Why a manifest was refused.

use std::ops::Range;

/// The author's mistake: where it is and what would be right. The plugin is not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("plugin.toml line {line}: {key}: {problem}")]
pub struct ManifestError {
    /// Counted from 1.
    pub line: usize,
    /// Table and key, for instance `[[hook]] when`.
    pub key: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl ManifestError {
    pub(crate) fn at(text: &str, span: Option<Range<usize>>, problem: impl Into<String>) -> Self {
        let start = span.map_or(0, |span| span.start);
        Self { line: line_of(text, start), key: key_at(text, start), problem: problem.into() }
    }
}

pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The table header above the offset and the key on its line.
fn key_at(text: &str, offset: usize) -> String {
    let line = line_of(text, offset);
    let header = text.lines().take(line).map(str::trim).filter(|line| line.starts_with('[')).last();
    let header = header.map(|line| line.split('#').next().unwrap_or(line).trim());
    let own = text.lines().nth(line - 1).map_or("", str::trim);
    let key = match own.split_once('=') {
        Some((key, _)) if !own.starts_with('[') => key.trim(),
        _ => "",
    };
    match (header.filter(|_| !text.is_empty()), key) {
        (Some(header), "") => header.to_owned(),
        (Some(header), key) => format!("{header} {key}"),
        (None, "") => "the file".to_owned(),
        (None, key) => key.to_owned(),
    }
}
