//! The connected resources of the key's account. Needs the grant `sessions`.

use crate::Fault;
use crate::wit::xylem::sessions::sessions as wit;

pub use wit::Session;

/// All bound resources. Grant `read`.
pub fn all() -> Result<Vec<Session>, Fault> {
    Ok(wit::all()?)
}

/// Sets or clears a tag; it lives as long as the session, and [`crate::outbox::Pick`] chooses by it. Grant `tag`.
pub fn set_tag(resource: &str, tag: &str, on: bool) -> Result<(), Fault> {
    Ok(wit::set_tag(resource, tag, on)?)
}

/// Closes the stream of this resource, or of all, with a stream error (RFC 6120 §4.9.3). Grant `end`.
pub fn end(resource: Option<&str>, condition: &str) -> Result<(), Fault> {
    Ok(wit::end(resource, condition)?)
}
