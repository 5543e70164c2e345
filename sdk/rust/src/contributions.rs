//! What all plugins of this domain declared under `[adds]`, merged: for plugins that
//! answer on behalf of all. Needs the grant `contributions`.

use crate::Fault;
use crate::wit::xylem::contributions::contributions as wit;

/// All values of a slot, sorted, without doubles.
pub fn all(slot: &str) -> Result<Vec<String>, Fault> {
    Ok(wit::all(slot)?)
}

/// Replaces what this plugin itself adds to the slot, while it runs.
pub fn publish(slot: &str, values: &[&str]) -> Result<(), Fault> {
    let values: Vec<String> = values.iter().map(|value| (*value).into()).collect();
    Ok(wit::publish(slot, &values)?)
}
