//! Interfaces between plugins: `[extension]` of the one that asks, `[[extend]]` of
//! those that are asked.

use super::units::PluginId;
use crate::point::Phase;

/// A package of interfaces and the version of it: `xylem:muc-ext@0.1`. Patch versions
/// are compatible with each other and not named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interface {
    package: String,
    version: String,
}

/// `[[extend]]`.
#[derive(Debug, Clone)]
pub struct Extend {
    pub line: usize,
    pub interface: Interface,
    /// What fails in [`Phase::Screen`] refuses; elsewhere it is left out.
    pub phase: Phase,
    pub before: Vec<PluginId>,
    pub after: Vec<PluginId>,
}

impl Interface {
    /// Reads `namespace:package@0.1`.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no interface; write namespace:package@0.1, such as `xylem:muc-ext@0.1`");
        let (package, version) = text.split_once('@').ok_or_else(wrong)?;
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let number = |number: &str| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        let named = package.split_once(':').is_some_and(|(namespace, name)| word(namespace) && word(name));
        let numbered = version.split_once('.').is_some_and(|(major, minor)| number(major) && number(minor));
        if !named || !numbered || text.starts_with("xylem:plugin@") {
            return Err(wrong());
        }
        Ok(Self { package: package.to_owned(), version: version.to_owned() })
    }

    /// Whether an import or export of a component, such as `xylem:muc-ext/extension@0.1.0`, is of it.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        let parts = name.split_once('/').and_then(|(package, rest)| Some((package, rest.split_once('@')?.1)));
        parts.is_some_and(|(package, version)| {
            package == self.package
                && version.strip_prefix(&*self.version).is_some_and(|patch| patch.is_empty() || patch.starts_with('.'))
        })
    }
}

impl std::fmt::Display for Interface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.package, self.version)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn an_interface_covers_its_patch_versions() {
        let interface = Interface::parse("xylem:muc-ext@0.1").unwrap();
        for (name, covered) in [
            ("xylem:muc-ext/extension@0.1.0", true),
            ("xylem:muc-ext/other@0.1.7", true),
            ("xylem:muc-ext/extension@0.10.0", false),
            ("xylem:muc-ext/extension@0.2.0", false),
            ("xylem:muc/extension@0.1.0", false),
            ("xylem:muc-ext/extension", false),
        ] {
            assert_eq!(interface.covers(name), covered, "{name}");
        }
        for wrong in ["", "muc-ext@0.1", "xylem:muc-ext", "xylem:muc-ext@1", "xylem:Muc@0.1", "xylem:plugin@0.1"] {
            assert!(Interface::parse(wrong).is_err(), "{wrong}");
        }
    }
}
