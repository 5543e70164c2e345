use std::path::PathBuf;

use super::reader::Reader;

/// `[admin]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// The socket the command line talks to; in the data folder, unless absolute.
    pub socket: PathBuf,
}

impl Admin {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self { socket: reader.section("admin").path("socket", "admin.sock") }
    }
}
