//! Localparts (RFC 7622 §3.3).

use std::borrow::Cow;

use precis_core::profile::PrecisFastInvocation;
use precis_profiles::UsernameCaseMapped;

use super::{JidError, Part, bounded, plausible, until_stable};

/// Prepares a localpart: the profile UsernameCaseMapped of RFC 8265 §3.3,
/// without the characters that RFC 7622 §3.3.1 takes out.
pub(super) fn prepare(raw: &str) -> Result<Cow<'_, str>, JidError> {
    const BAD: JidError = JidError::Forbidden(Part::Local);
    plausible(raw, Part::Local)?;
    let mut upper = false;
    let mut wide = false;
    for b in raw.bytes() {
        upper |= b.is_ascii_uppercase();
        wide |= !b.is_ascii();
        if b.is_ascii() && !(b.is_ascii_graphic() && allowed(b)) {
            return Err(BAD);
        }
    }
    let local = if wide {
        let enforce = |s: &str| UsernameCaseMapped::enforce(s).ok().map(Cow::into_owned);
        let local = until_stable(raw, Part::Local, enforce)?;
        // A wide `＠` has become a narrow one by now.
        if !local.bytes().all(allowed) {
            return Err(BAD);
        }
        Cow::Owned(local)
    } else if upper {
        Cow::Owned(raw.to_ascii_lowercase())
    } else {
        Cow::Borrowed(raw)
    };
    bounded(local.len(), Part::Local)?;
    Ok(local)
}

fn allowed(b: u8) -> bool {
    !matches!(b, b'"' | b'&' | b'\'' | b'/' | b':' | b'<' | b'>' | b'@' | b' ')
}
