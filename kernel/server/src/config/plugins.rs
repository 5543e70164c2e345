use std::collections::BTreeMap;
use std::path::PathBuf;

use super::reader::Reader;
use super::section::Section;

/// `[plugins]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugins {
    /// Where the packages that come with the server are; none: found beside the program.
    pub directory: Option<PathBuf>,
    /// Compiled code; in the data folder, unless absolute.
    pub cache: PathBuf,
    /// `[plugins."ID"]`, checked against each plugin's manifest when it is loaded.
    pub tables: BTreeMap<String, PluginTable>,
}

/// The configuration of one plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginTable {
    /// Where it stands: `file:line:column`.
    pub place: String,
    pub values: serde_json::Map<String, serde_json::Value>,
    /// Where each key stands.
    pub places: BTreeMap<String, String>,
}

impl Plugins {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("plugins");
        let tables = tables(&mut section);
        Self { directory: section.optional_path("directory"), cache: section.path("cache", "cache"), tables }
    }
}

/// The tables in a section, one for each plugin.
pub(super) fn tables(section: &mut Section<'_>) -> BTreeMap<String, PluginTable> {
    let mut tables = BTreeMap::new();
    for (id, place, table) in section.take_tables() {
        let places = table.iter().map(|(key, (place, _))| (key.clone(), section.show(place))).collect();
        let values = table.iter().map(|(key, (_, item))| (key.clone(), item.value.to_json())).collect();
        tables.insert(id, PluginTable { place: section.show(&place), values, places });
    }
    tables
}
