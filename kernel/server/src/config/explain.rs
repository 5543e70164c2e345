//! What every key is set to, and by whom.

use super::plugins::PluginTable;
use super::reader::{Asked, Reader};
use super::tree::Place;
use super::{Config, Problems};

/// One key of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `limits.before_login`, or `plugins."ID"`.
    pub section: String,
    pub key: String,
    /// As it would be written in the file; none if it is left out and nothing stands for it.
    pub value: Option<String>,
    /// Likewise.
    pub default: Option<String>,
    /// What values it takes, in words; empty for plugins, whose manifests say it.
    pub bounds: String,
    pub origin: Origin,
}

/// Who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody: it is built in.
    Default,
    /// `file:line:column`
    File(String),
    /// The name of a variable.
    Environment(String),
    /// Whoever started the server.
    CommandLine,
}

impl Config {
    /// Reads a text as [`Config::load`] reads a file, and says of each key where it is from.
    /// Keys stand in the order of the sections.
    pub fn explain(
        name: &str,
        text: &str,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<Setting>), Problems> {
        let mut reader = Reader::new(name, text, env)?;
        let config = Self::from_reader(&mut reader);
        let asked = std::mem::take(&mut reader.asked);
        let mut settings: Vec<_> = asked.into_iter().map(|asked| setting(&reader, asked)).collect();
        reader.finish()?;
        for (id, table) in &config.plugins.tables {
            settings.extend(of_plugin(&format!("plugins.{id:?}"), table));
        }
        for domain in &config.domains {
            for (id, table) in &domain.settings {
                settings.extend(of_plugin(&format!("domains.{:?}.settings.{id:?}", domain.name), table));
            }
        }
        Ok((config, settings))
    }
}

fn setting(reader: &Reader, asked: Asked) -> Setting {
    let Asked { section, key, bounds, default, written } = asked;
    // As it has to be written: names of domains have dots.
    let section = section.strip_prefix("domains.").map_or(section.clone(), |name| format!("domains.{name:?}"));
    let (value, origin) = match written {
        None => (default.clone(), Origin::Default),
        Some((value, place @ Place::File(_))) => (Some(value), Origin::File(reader.show(&place))),
        Some((value, Place::Environment(variable))) => (Some(value), Origin::Environment(variable)),
    };
    Setting { section, key: key.to_owned(), value, default, bounds, origin }
}

fn of_plugin<'t>(section: &str, table: &'t PluginTable) -> impl Iterator<Item = Setting> + use<'t> {
    let section = section.to_owned();
    table.values.iter().map(move |(key, value)| {
        let place = table.places.get(key).unwrap_or(&table.place).clone();
        // A place in a file has a line; the name of a variable has no colon.
        let origin = if place.contains(':') { Origin::File(place) } else { Origin::Environment(place) };
        let (section, key) = (section.clone(), key.clone());
        Setting { section, key, value: Some(value.to_string()), default: None, bounds: String::new(), origin }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn every_key_says_where_it_is_from() {
        let env = [("XYLEM__LOG__LEVEL".to_owned(), "debug".to_owned())];
        let text = "[limits]\ndepth = 20\n[plugins.\"a.b\"]\nquota = 5\n";
        let (config, settings) = Config::explain("x.toml", text, env.into_iter()).unwrap();
        assert_eq!(config.limits.stanza.depth, 20);
        let of = |section: &str, key: &str| {
            let found = settings.iter().find(|setting| setting.section == section && setting.key == key).unwrap();
            (found.value.clone().unwrap_or_default(), found.origin.clone())
        };
        assert_eq!(of("limits", "depth"), ("20".into(), Origin::File("x.toml:2:1".into())));
        assert_eq!(of("log", "level"), ("\"debug\"".into(), Origin::Environment("XYLEM__LOG__LEVEL".into())));
        assert_eq!(of("log", "format"), ("\"human\"".into(), Origin::Default));
        assert_eq!(of("plugins.\"a.b\"", "quota"), ("5".into(), Origin::File("x.toml:4:1".into())));
        assert!(settings.iter().all(|setting| setting.origin != Origin::Default || setting.value == setting.default));
        assert!(Config::explain("x.toml", "[limit]", std::iter::empty()).is_err());
    }
}
