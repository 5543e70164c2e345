//! What every plugin may use without a grant.

use crate::wit::xylem::runtime::runtime as wit;

pub use wit::Level;

/// The server this plugin runs in.
pub struct Server {
    /// Its name, `Xylem` unless the operator says otherwise.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Milliseconds since it started.
    pub uptime: u64,
}

/// Writes to the server's log, rate-limited. Never write message bodies.
pub fn log(level: Level, message: &str) {
    wit::log(level, message);
}

/// [`log`] at this level.
pub fn debug(message: &str) {
    log(Level::Debug, message);
}

/// [`log`] at this level.
pub fn info(message: &str) {
    log(Level::Info, message);
}

/// [`log`] at this level.
pub fn warn(message: &str) {
    log(Level::Warn, message);
}

/// [`log`] at this level.
pub fn error(message: &str) {
    log(Level::Error, message);
}

/// Milliseconds since 1970-01-01 UTC. Stands still within one call.
#[must_use]
pub fn now() -> u64 {
    wit::now()
}

/// The key this call runs under: the bare address or domain whose rows the stores show.
#[must_use]
pub fn key() -> String {
    wit::key()
}

/// Unpredictable bytes, 1024 at most.
#[must_use]
pub fn random(count: u32) -> Vec<u8> {
    wit::random(count)
}

/// An unpredictable name of 16 letters, for stanza ids.
#[must_use]
pub fn random_id() -> String {
    random(16).into_iter().map(|byte| char::from(b'a' + byte % 26)).collect()
}

/// The server's name, version and uptime.
#[must_use]
pub fn server() -> Server {
    let info = wit::server_info();
    Server { name: info.name, version: info.version, uptime: info.uptime }
}

/// Shown beside the plugin in the console; the last one stays.
pub fn status(level: Level, text: &str) {
    wit::status(level, text);
}
