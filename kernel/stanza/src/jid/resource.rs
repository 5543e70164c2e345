//! Resourceparts (RFC 7622 §3.4).

use std::borrow::Cow;

use precis_core::profile::PrecisFastInvocation;
use precis_profiles::OpaqueString;

use super::{JidError, Part, bounded, plausible, until_stable};

/// Prepares a resourcepart: the profile OpaqueString of RFC 8265 §4.2.
pub(super) fn prepare(raw: &str) -> Result<Cow<'_, str>, JidError> {
    plausible(raw, Part::Resource)?;
    let resource = if !raw.is_ascii() {
        let enforce = |s: &str| OpaqueString::enforce(s).ok().map(Cow::into_owned);
        Cow::Owned(until_stable(raw, Part::Resource, enforce)?)
    } else if raw.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
        Cow::Borrowed(raw)
    } else {
        return Err(JidError::Forbidden(Part::Resource));
    };
    bounded(resource.len(), Part::Resource)?;
    Ok(resource)
}
