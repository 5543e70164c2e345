//! What rows of an archive are found by.

use serde::Deserialize;
use xylem_stanza::Stanza;

use super::Shape;
use super::native::ElementName;

/// `text` of a `[[store]]`: which words of a stanza it is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSpec {
    /// The children whose text counts.
    pub of: Vec<ElementName>,
    /// The setting, true or false, that decides for a domain; without one they are always indexed.
    pub setting: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawText {
    of: Vec<String>,
    setting: Option<String>,
}

/// Children that one archive may name.
const MOST: usize = 8;

pub(super) fn text(raw: Option<RawText>, shape: Shape) -> Result<Option<TextSpec>, &'static str> {
    let Some(RawText { of, setting }) = raw else { return Ok(None) };
    if shape != Shape::Archive {
        return Err("`text` goes with `shape = \"archive\"`; take it away");
    }
    let of = of.iter().map(|name| ElementName::parse(name)).collect::<Option<Vec<_>>>();
    let of = of.filter(|of| (1..=MOST).contains(&of.len()));
    let of = of.ok_or("`of` under `text` names children of a stanza as `{namespace}name`, 8 at most")?;
    Ok(Some(TextSpec { of, setting }))
}

impl TextSpec {
    /// The text that counts.
    #[must_use]
    pub fn of_stanza(&self, stanza: &Stanza) -> String {
        let children = self.of.iter().filter_map(|child| stanza.child(&child.ns, &child.name));
        children.map(|child| child.text().into_owned()).collect::<Vec<_>>().join("\n")
    }

    /// Whether the plugin's configuration for a domain, as [`crate::manifest`] resolves it and
    /// `serde_json` writes it, has the setting on.
    #[must_use]
    pub fn is_on(&self, config: &str) -> bool {
        // Quotes within a text are escaped, so this cannot stand inside one.
        self.setting.as_ref().is_none_or(|setting| config.contains(&format!("\"{setting}\":true")))
    }
}
