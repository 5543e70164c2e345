//! Sets of addresses that the server holds in memory for fan-out, per key. They
//! outlive the plugin's instance, not the server. Needs the grant `groups`.

use crate::Fault;
use crate::wit::xylem::groups::groups as wit;

/// Adds a member.
pub fn put(group: &str, member: &str) -> Result<(), Fault> {
    Ok(wit::put(group, member)?)
}

/// Removes a member; true when it was one.
pub fn remove(group: &str, member: &str) -> Result<bool, Fault> {
    Ok(wit::drop(group, member)?)
}

/// Whether it is a member.
pub fn has(group: &str, member: &str) -> Result<bool, Fault> {
    Ok(wit::has(group, member)?)
}

/// All members.
pub fn members(group: &str) -> Result<Vec<String>, Fault> {
    Ok(wit::members(group)?)
}

/// Removes all members.
pub fn clear(group: &str) -> Result<(), Fault> {
    Ok(wit::clear(group)?)
}
