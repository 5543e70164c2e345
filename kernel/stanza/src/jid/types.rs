//! The three types of address.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{Domain, JidError, domain, local, resource};

/// The text of an address and where its parts lie. `text` may be longer than
/// the address: a bare JID shares the text of the full one it was taken from.
#[derive(Clone)]
struct Parts {
    text: Arc<str>,
    /// Bytes of the localpart; 0 if there is none.
    local: u16,
    /// Where the domain ends.
    bare: u16,
    /// Where the address ends.
    end: u16,
}

impl Parts {
    fn parse(raw: &str) -> Result<Self, JidError> {
        // RFC 7622 §3.1: the first slash ends the domain, before it the first
        // at-sign ends the localpart.
        let (bare, res) = split(raw, b'/');
        let (first, second) = split(bare, b'@');
        let (loc, dom) = match second {
            Some(dom) => (Some(local::prepare(first)?), dom),
            None => (None, first),
        };
        let dom = domain::prepare(dom)?;
        let res = res.map(resource::prepare).transpose()?;
        let same = loc.as_ref().is_none_or(borrowed)
            && res.as_ref().is_none_or(borrowed)
            && loc.as_ref().map_or(0, |l| l.len() + 1) + dom.len() + res.as_ref().map_or(0, |r| r.len() + 1)
                == raw.len();
        if same && borrowed(&dom) {
            let local = loc.map_or(0, |l| l.len());
            return Ok(Self::of(raw.into(), local, bare.len()));
        }
        Ok(Self::join(loc.as_deref(), &dom, res.as_deref()))
    }

    /// Puts prepared parts together.
    fn join(local: Option<&str>, domain: &str, resource: Option<&str>) -> Self {
        let mut text = String::with_capacity(
            local.map_or(0, |l| l.len() + 1) + domain.len() + resource.map_or(0, |r| r.len() + 1),
        );
        if let Some(local) = local {
            text.push_str(local);
            text.push('@');
        }
        text.push_str(domain);
        let bare = text.len();
        if let Some(resource) = resource {
            text.push('/');
            text.push_str(resource);
        }
        Self::of(text.into(), local.map_or(0, str::len), bare)
    }

    fn of(text: Arc<str>, local: usize, bare: usize) -> Self {
        // Three parts of at most 1023 bytes and two separators.
        let end = text.len() as u16;
        Self { text, local: local as u16, bare: bare as u16, end }
    }

    fn as_str(&self) -> &str {
        self.text.get(..usize::from(self.end)).unwrap_or_default()
    }

    fn bare_str(&self) -> &str {
        self.text.get(..usize::from(self.bare)).unwrap_or_default()
    }

    fn local(&self) -> Option<&str> {
        match self.local {
            0 => None,
            n => self.text.get(..usize::from(n)),
        }
    }

    fn domain(&self) -> &str {
        let start = match self.local {
            0 => 0,
            n => usize::from(n) + 1,
        };
        self.text.get(start..usize::from(self.bare)).unwrap_or_default()
    }

    fn resource(&self) -> Option<&str> {
        self.text.get(usize::from(self.bare) + 1..usize::from(self.end))
    }

    fn is_full(&self) -> bool {
        self.end > self.bare
    }

    fn bare(&self) -> Self {
        Self { end: self.bare, ..self.clone() }
    }
}

fn split(text: &str, at: u8) -> (&str, Option<&str>) {
    match text.split_once(at as char) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

#[expect(clippy::ptr_arg, reason = "which kind of Cow it is is the question")]
fn borrowed(part: &Cow<'_, str>) -> bool {
    matches!(part, Cow::Borrowed(_))
}

macro_rules! address {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Parts);

        impl $name {
            /// The address as text, prepared.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The address without its resource. Shares the text.
            #[must_use]
            pub fn bare(&self) -> BareJid {
                BareJid(self.0.bare())
            }

            /// The text of the address without its resource.
            #[must_use]
            pub fn bare_str(&self) -> &str {
                self.0.bare_str()
            }

            /// The localpart.
            #[must_use]
            pub fn local(&self) -> Option<&str> {
                self.0.local()
            }

            /// The domainpart.
            #[must_use]
            pub fn domain(&self) -> &str {
                self.0.domain()
            }

            /// The domainpart, typed.
            #[must_use]
            pub fn to_domain(&self) -> Domain {
                Domain::prepared(self.0.domain())
            }

            /// The same with this resource instead of any other.
            ///
            /// # Errors
            /// If it is no resourcepart (RFC 7622 §3.4).
            pub fn with_resource(&self, resource: &str) -> Result<FullJid, JidError> {
                let resource = resource::prepare(resource)?;
                let text = format!("{}/{resource}", self.bare_str());
                Ok(FullJid(Parts::of(
                    text.into(),
                    usize::from(self.0.local),
                    usize::from(self.0.bare),
                )))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str()
            }
        }

        impl Eq for $name {}

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        /// Maps keyed by addresses can be asked with prepared text.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = JidError;

            fn from_str(raw: &str) -> Result<Self, JidError> {
                Self::parse(raw)
            }
        }
    };
}

address! {
    /// Any address: `[local@]domain[/resource]`.
    Jid
}

address! {
    /// An address without a resource: an account or a domain.
    BareJid
}

address! {
    /// An address with a resource: a session.
    FullJid
}

impl Jid {
    /// Parses and prepares an address.
    ///
    /// # Errors
    /// See [`JidError`].
    pub fn parse(raw: &str) -> Result<Self, JidError> {
        Parts::parse(raw).map(Self)
    }

    /// The resourcepart.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.0.resource()
    }

    /// Whether there is a resource.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.is_full()
    }

    /// Whether there is no resource.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        !self.0.is_full()
    }

    /// Whether there is only a domain.
    #[must_use]
    pub fn is_domain(&self) -> bool {
        self.0.local == 0 && !self.0.is_full()
    }

    /// The address as one with a resource, if it has one.
    #[must_use]
    pub fn full(&self) -> Option<FullJid> {
        self.is_full().then(|| FullJid(self.0.clone()))
    }
}

impl BareJid {
    /// Parses and prepares an address without a resource.
    ///
    /// # Errors
    /// See [`JidError`]; `NotBare` if there is a resource.
    pub fn parse(raw: &str) -> Result<Self, JidError> {
        let parts = Parts::parse(raw)?;
        if parts.is_full() {
            return Err(JidError::NotBare);
        }
        Ok(Self(parts))
    }

    /// The address of an account.
    ///
    /// # Errors
    /// If `local` is no localpart.
    pub fn new(local: &str, domain: &Domain) -> Result<Self, JidError> {
        let local = local::prepare(local)?;
        Ok(Self(Parts::join(Some(&local), domain.as_str(), None)))
    }

    /// Whether there is only a domain.
    #[must_use]
    pub fn is_domain(&self) -> bool {
        self.0.local == 0
    }
}

impl FullJid {
    /// Parses and prepares an address with a resource.
    ///
    /// # Errors
    /// See [`JidError`]; `NotFull` if there is no resource.
    pub fn parse(raw: &str) -> Result<Self, JidError> {
        let parts = Parts::parse(raw)?;
        if !parts.is_full() {
            return Err(JidError::NotFull);
        }
        Ok(Self(parts))
    }

    /// The resourcepart.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.0.resource().unwrap_or_default()
    }
}

impl From<&Jid> for Jid {
    fn from(jid: &Jid) -> Self {
        jid.clone()
    }
}

impl From<BareJid> for Jid {
    fn from(jid: BareJid) -> Self {
        Self(jid.0)
    }
}

impl From<&BareJid> for Jid {
    fn from(jid: &BareJid) -> Self {
        Self(jid.0.clone())
    }
}

impl From<FullJid> for Jid {
    fn from(jid: FullJid) -> Self {
        Self(jid.0)
    }
}

impl From<&FullJid> for Jid {
    fn from(jid: &FullJid) -> Self {
        Self(jid.0.clone())
    }
}

impl From<&Domain> for BareJid {
    fn from(domain: &Domain) -> Self {
        Self(Parts::join(None, domain.as_str(), None))
    }
}

impl From<&Domain> for Jid {
    fn from(domain: &Domain) -> Self {
        BareJid::from(domain).into()
    }
}

impl TryFrom<Jid> for FullJid {
    type Error = JidError;

    fn try_from(jid: Jid) -> Result<Self, JidError> {
        if jid.is_full() { Ok(Self(jid.0)) } else { Err(JidError::NotFull) }
    }
}

impl TryFrom<Jid> for BareJid {
    type Error = JidError;

    fn try_from(jid: Jid) -> Result<Self, JidError> {
        if jid.is_full() { Err(JidError::NotBare) } else { Ok(Self(jid.0)) }
    }
}
