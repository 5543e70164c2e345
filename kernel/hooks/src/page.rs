//! Pages of an archive that are read and sent without the plugin: what to read, and
//! how the rows are written.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use xylem_stanza::Jid;

use crate::manifest::TextSpec;

/// Which rows. All conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// Of this peer; a bare address stands for all its resources.
    pub peer: Option<String>,
    /// Milliseconds since 1970, the first included.
    pub start: Option<u64>,
    /// Milliseconds since 1970, the last included.
    pub end: Option<u64>,
    /// After the latest of these rows, each of which must exist.
    pub after: Vec<u64>,
    /// Before the earliest of these rows, each of which must exist.
    pub before: Vec<u64>,
    /// Only these rows, each of which must exist.
    pub ids: Option<Vec<u64>>,
    /// Only what is found so.
    pub text: Option<TextQuery>,
    /// At most so many.
    pub limit: usize,
    /// The last ones that match instead of the first.
    pub last: bool,
    /// Newest first.
    pub flip: bool,
}

impl PageQuery {
    /// Whether every row of the archive matches, so that their number is that of the archive.
    #[must_use]
    pub fn is_unfiltered(&self) -> bool {
        self.peer.is_none() && self.start.is_none() && self.end.is_none() && self.ids.is_none() && self.text.is_none()
    }
}

/// A search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextQuery {
    /// What somebody wrote.
    pub sought: String,
    /// Where it must be.
    pub of: TextSpec,
}

/// A page to be read and sent.
#[derive(Clone, Debug)]
pub struct PageOrder {
    /// Name of the archive.
    pub table: String,
    /// Whose rows.
    pub partition: String,
    pub query: PageQuery,
    /// Who gets the rows.
    pub to: Jid,
    pub form: PageForm,
}

/// How a row is sent.
#[derive(Clone, Debug)]
pub enum PageForm {
    /// Inside another stanza, which has its addresses; the plugin is told when all are sent.
    Wrapped { template: Template, asked: Asked },
    /// As it was stored, to another address, with these children. Sends of the same key wait for it.
    Restored {
        children: Vec<Template>,
        /// Only the newest ones that have no more characters together.
        characters: Option<usize>,
    },
}

/// Who is told about a page that was sent.
#[derive(Clone, Debug)]
pub struct Asked {
    pub plugin: Arc<str>,
    pub token: String,
    pub place: PagePlace,
}

/// Kept as long as a page is under way, so that their number can be bounded.
#[derive(Clone)]
pub struct PagePlace(pub Arc<dyn Any + Send + Sync>);

impl fmt::Debug for PagePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PagePlace")
    }
}

/// What was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageEnd {
    /// Earliest and latest row sent.
    pub ends: Option<(String, String)>,
    pub sent: u32,
    /// Rows that match in all, where that is known at no cost.
    pub count: Option<u64>,
    /// Nothing more matches in that direction.
    pub complete: bool,
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageError {
    /// A row that the query names does not exist.
    Missing,
    /// The archive cannot be read; the log says why.
    Storage,
}

/// Text with places for what differs from row to row, found once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    text: String,
    /// Where in the text what is put; ascending.
    places: Vec<(usize, Place)>,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The row's id.
    Id,
    /// Its time (XEP-0082), UTC.
    Stamp,
    /// What was stored.
    Stanza,
}

impl Template {
    /// Finds the places: these texts stand for them.
    #[must_use]
    pub fn find(text: &str, marks: &[(&str, Place)]) -> Self {
        let mut template = Self::default();
        let mut rest = text;
        while let Some((at, mark, place)) = first(rest, marks) {
            template.text.push_str(rest.get(..at).unwrap_or_default());
            template.places.push((template.text.len(), place));
            rest = rest.get(at + mark..).unwrap_or_default();
        }
        template.text.push_str(rest);
        template
    }

    /// Writes it for a row.
    pub fn write(&self, id: &str, stamp: &str, stanza: &str, out: &mut String) {
        let row = if self.places.iter().any(|(_, place)| *place == Place::Stanza) { stanza.len() } else { 0 };
        out.reserve(self.text.len() + row + 64);
        let mut done = 0;
        for (at, place) in &self.places {
            out.push_str(self.text.get(done..*at).unwrap_or_default());
            out.push_str(match place {
                Place::Id => id,
                Place::Stamp => stamp,
                Place::Stanza => stanza,
            });
            done = *at;
        }
        out.push_str(self.text.get(done..).unwrap_or_default());
    }

    /// Whether it has a place for this.
    #[must_use]
    pub fn holds(&self, wanted: Place) -> bool {
        self.places.iter().any(|(_, place)| *place == wanted)
    }
}

/// The first mark in a text: where, how long, which.
fn first(text: &str, marks: &[(&str, Place)]) -> Option<(usize, usize, Place)> {
    let found = marks.iter().filter_map(|(mark, place)| Some((text.find(mark)?, mark.len(), *place)));
    found.min_by_key(|(at, _, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::{Place, Template};

    #[test]
    fn places_are_filled_and_what_is_filled_in_is_not_looked_at() {
        let marks = [("{i}", Place::Id), ("{t}", Place::Stamp), ("{x}", Place::Stanza)];
        let template = Template::find("<a b='{i}'>{t}{x}</a>", &marks);
        let mut out = String::new();
        template.write("{x}", "now", "<m>{i}</m>", &mut out);
        assert_eq!(out, "<a b='{x}'>now<m>{i}</m></a>");
        assert!(template.holds(Place::Stanza));
        let plain = Template::find("", &marks);
        out.clear();
        plain.write("1", "2", "3", &mut out);
        assert_eq!(out, "");
    }
}
