//! Accounts of the domains this server hosts. Needs the grant `accounts`, verb by verb.

use crate::Fault;
use crate::wit::xylem::accounts::accounts as wit;

pub use wit::Device;

/// Whether this bare address is an account. Grant `exists`.
pub fn exists(account: &str) -> Result<bool, Fault> {
    Ok(wit::exists(account)?)
}

/// Creates an account of the call's domain: [`Fault::Conflict`] when it exists, [`Fault::Invalid`]
/// when username or password cannot be one. Grant `create`.
pub fn create(username: &str, password: &str) -> Result<(), Fault> {
    Ok(wit::create(username, password)?)
}

/// Changes the password. Grant `password`.
pub fn set_password(account: &str, password: &str) -> Result<(), Fault> {
    Ok(wit::set_password(account, password)?)
}

/// Removes the account, all its rows in all plugins' stores, and ends its sessions. Grant `delete`.
pub fn delete(account: &str) -> Result<(), Fault> {
    Ok(wit::delete(account)?)
}

/// Clients of the key's account that may log in again with a token instead of the password. Grant `devices`.
pub fn devices() -> Result<Vec<Device>, Fault> {
    Ok(wit::devices()?)
}

/// Ends the tokens of one of them, not its sessions; [`Fault::Missing`] when there is no such
/// device. Grant `devices`.
pub fn revoke_device(id: &str) -> Result<(), Fault> {
    Ok(wit::revoke_device(id)?)
}
