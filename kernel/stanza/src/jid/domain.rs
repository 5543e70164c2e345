//! Domainparts (RFC 7622 §3.2).

use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::sync::Arc;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use super::{JidError, Part, bounded, plausible};

const BAD: JidError = JidError::Forbidden(Part::Domain);

/// A prepared domainpart: a name in lower case with U-labels, or an address
/// literal.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(Arc<str>);

impl Domain {
    /// Prepares a domainpart.
    ///
    /// # Errors
    /// See [`JidError`].
    pub fn parse(raw: &str) -> Result<Self, JidError> {
        Ok(Self(prepare(raw)?.into()))
    }

    /// The domain as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name with A-labels, as DNS and certificates have it. An address
    /// literal stays as it is.
    #[must_use]
    pub fn to_ascii(&self) -> Cow<'_, str> {
        if self.0.is_ascii() {
            return Cow::Borrowed(&self.0);
        }
        idna::domain_to_ascii(&self.0).map_or(Cow::Borrowed(&self.0), Cow::Owned)
    }

    /// For a text that has been prepared already.
    pub(super) fn prepared(text: &str) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Debug for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Domain({})", self.0)
    }
}

impl std::borrow::Borrow<str> for Domain {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Domain {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Domain {
    type Err = JidError;

    fn from_str(raw: &str) -> Result<Self, JidError> {
        Self::parse(raw)
    }
}

/// Prepares a domainpart: a trailing dot goes (RFC 7622 §3.2), names become
/// U-labels in lower case, address literals take their canonical form.
pub(super) fn prepare(raw: &str) -> Result<Cow<'_, str>, JidError> {
    plausible(raw, Part::Domain)?;
    if let Some(literal) = raw.strip_prefix('[') {
        let literal = literal.strip_suffix(']').ok_or(BAD)?;
        let address: Ipv6Addr = literal.parse().map_err(|_| BAD)?;
        return Ok(Cow::Owned(format!("[{address}]")));
    }
    let name = raw.strip_suffix('.').unwrap_or(raw);
    let domain = match ascii(name) {
        Ascii::Canonical => Cow::Borrowed(name),
        Ascii::UpperCase => Cow::Owned(name.to_ascii_lowercase()),
        // One full stop at the end may go, whatever it looks like.
        Ascii::No => Cow::Owned(international(raw)?),
    };
    bounded(domain.len(), Part::Domain)?;
    Ok(domain)
}

enum Ascii {
    Canonical,
    UpperCase,
    /// Not a plain ASCII name: for UTS 46 to decide.
    No,
}

/// Recognises names of letters, digits and inner hyphens. A-labels, and
/// whatever is malformed, are not among them.
fn ascii(name: &str) -> Ascii {
    let (mut start, mut previous, mut upper) = (0usize, b'.', false);
    for (at, b) in name.bytes().enumerate() {
        match b {
            b'a'..=b'z' | b'0'..=b'9' => {}
            b'A'..=b'Z' => upper = true,
            // Position 3 and 4 may mark an A-label.
            b'-' if previous != b'.' && at != start + 3 => {}
            b'.' if previous != b'.' && previous != b'-' && at - start <= 63 => start = at + 1,
            _ => return Ascii::No,
        }
        previous = b;
    }
    if matches!(previous, b'.' | b'-') || name.len() - start > 63 {
        return Ascii::No;
    }
    if upper { Ascii::UpperCase } else { Ascii::Canonical }
}

/// IDNA 2008 by way of UTS 46, non-transitional, with the checks of RFC 5891.
fn international(name: &str) -> Result<String, JidError> {
    let uts46 = Uts46::new();
    let (unicode, valid) = uts46.to_unicode(name.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    valid.map_err(|_| BAD)?;
    // Other full stops have been mapped to this one.
    let unicode = unicode.strip_suffix('.').unwrap_or(&unicode);
    if unicode.split('.').any(str::is_empty) {
        return Err(BAD);
    }
    let mut labels = unicode.split('.');
    let fits =
        |label: &str| uts46.to_ascii(label.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify).is_ok();
    if labels.all(fits) { Ok(unicode.to_owned()) } else { Err(BAD) }
}
