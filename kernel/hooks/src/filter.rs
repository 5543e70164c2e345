//! What a hook asks of a stanza beside `when`: its type and the form of its `to`.

use std::fmt;

use serde::Deserialize;
use xylem_stanza::{Jid, Kind, Type};

/// A `type` as a manifest names it: `available` is presence without a type,
/// `normal` a message without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct TypeName(pub(crate) Type);

/// In the order of the manifest's documentation.
const NAMES: [(&str, Type); 15] = [
    ("normal", Type::Normal),
    ("chat", Type::Chat),
    ("groupchat", Type::Groupchat),
    ("headline", Type::Headline),
    ("error", Type::Error),
    ("available", Type::Available),
    ("unavailable", Type::Unavailable),
    ("subscribe", Type::Subscribe),
    ("subscribed", Type::Subscribed),
    ("unsubscribe", Type::Unsubscribe),
    ("unsubscribed", Type::Unsubscribed),
    ("probe", Type::Probe),
    ("get", Type::Get),
    ("set", Type::Set),
    ("result", Type::Result),
];

impl TryFrom<String> for TypeName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let known = NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, kind)| Self(*kind)).ok_or_else(|| {
            let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("`{text}` is no type; known: {}", names.join(", "))
        })
    }
}

impl TypeName {
    pub(crate) fn name(self) -> &'static str {
        NAMES.iter().find(|(_, kind)| *kind == self.0).map_or("", |(name, _)| name)
    }
}

/// A set of types; empty in a manifest means all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Types(u16);

impl Types {
    pub const ALL: Self = Self(u16::MAX);
    pub const NONE: Self = Self(0);

    /// The types that stanzas of this kind can have.
    #[must_use]
    pub fn of_kind(kind: Kind) -> Self {
        let of_kind = |kind_of: &Type| match kind {
            Kind::Message => matches!(kind_of, Type::Normal | Type::Chat | Type::Groupchat | Type::Headline),
            Kind::Iq => matches!(kind_of, Type::Get | Type::Set | Type::Result),
            Kind::Presence => {
                matches!(kind_of, Type::Available | Type::Unavailable | Type::Probe) || kind_of.is_subscription()
            }
        };
        NAMES.iter().map(|(_, kind)| *kind).filter(|kind| of_kind(kind) || *kind == Type::Error).collect()
    }

    #[must_use]
    pub fn contains(self, kind: Type) -> bool {
        self.0 >> (kind as u8) & 1 == 1
    }

    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn bit(self, at: usize) -> bool {
        self.0 >> at & 1 == 1
    }

    /// Whether all of these are among the others.
    #[must_use]
    pub fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

impl FromIterator<Type> for Types {
    fn from_iter<I: IntoIterator<Item = Type>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |set, kind| set | 1 << (kind as u8)))
    }
}

/// The form of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum AddressForm {
    /// No `to` at all.
    None,
    /// local@domain.
    Bare,
    /// local@domain/resource.
    Full,
    /// A domain, with or without resource.
    Domain,
}

impl AddressForm {
    /// The form of a `to`.
    #[must_use]
    pub fn of(to: Option<&Jid>) -> Self {
        match to {
            None => Self::None,
            Some(jid) if jid.local().is_none() => Self::Domain,
            Some(jid) if jid.resource().is_some() => Self::Full,
            Some(_) => Self::Bare,
        }
    }
}

/// A set of address forms; empty in a manifest means all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressForms(u8);

impl AddressForms {
    pub const ALL: Self = Self(u8::MAX);

    #[must_use]
    pub fn contains(self, form: AddressForm) -> bool {
        self.0 >> (form as u8) & 1 == 1
    }

    pub(crate) fn bit(self, at: usize) -> bool {
        self.0 >> at & 1 == 1
    }
}

impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, NAMES.iter().filter(|(_, kind)| self.contains(*kind)).map(|(name, _)| *name))
    }
}

impl fmt::Display for AddressForms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["none", "bare", "full", "domain"];
        list(f, names.into_iter().enumerate().filter(|(at, _)| self.bit(*at)).map(|(_, name)| name))
    }
}

fn list<'a>(f: &mut fmt::Formatter<'_>, names: impl Iterator<Item = &'a str>) -> fmt::Result {
    for (n, name) in names.enumerate() {
        if n > 0 {
            f.write_str(",")?;
        }
        f.write_str(name)?;
    }
    Ok(())
}

impl FromIterator<AddressForm> for AddressForms {
    fn from_iter<I: IntoIterator<Item = AddressForm>>(forms: I) -> Self {
        Self(forms.into_iter().fold(0, |set, form| set | 1 << (form as u8)))
    }
}
