//! Namespace declarations that reach into an element from its stream.

use std::sync::{Arc, LazyLock, OnceLock};

/// The namespace the prefix `xml` is bound to.
pub const NS_XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of declarations themselves.
pub const NS_XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// How many prefixes a stream header may bind for its stanzas; a policy of
/// ours, one bit of the index each.
pub(crate) const MAX_OUTER: usize = 63;

/// The default namespace and the prefixes in force around an element.
#[derive(Debug, Default)]
pub struct Scope {
    pub(crate) default: Box<str>,
    pub(crate) prefixes: Vec<(Box<str>, Box<str>)>,
    /// Namespace names inside the element whose spelling held references.
    pub(crate) resolved: Vec<Box<str>>,
    /// The same with another default namespace: on a server's stream every
    /// stanza asks for it.
    moved: OnceLock<Arc<Scope>>,
}

impl Scope {
    /// Only a default namespace; empty for none.
    #[must_use]
    pub fn with_default(ns: &str) -> Arc<Self> {
        static EMPTY: LazyLock<Arc<Scope>> = LazyLock::new(|| Arc::new(Scope::default()));
        static CLIENT: LazyLock<Arc<Scope>> =
            LazyLock::new(|| Arc::new(Scope { default: "jabber:client".into(), ..Scope::default() }));
        match ns {
            "" => EMPTY.clone(),
            "jabber:client" => CLIENT.clone(),
            _ => Arc::new(Self { default: ns.into(), ..Self::default() }),
        }
    }

    /// A default namespace and prefixes.
    #[must_use]
    pub fn new(default: &str, prefixes: &[(&str, &str)]) -> Arc<Self> {
        Arc::new(Self {
            default: default.into(),
            prefixes: prefixes.iter().map(|(p, ns)| ((*p).into(), (*ns).into())).collect(),
            ..Self::default()
        })
    }

    /// The same with another default namespace.
    pub(crate) fn moved(&self, default_ns: &str) -> Arc<Self> {
        let moved = self.moved.get_or_init(|| Arc::new(Self { default: default_ns.into(), ..self.clone() }));
        if moved.default_ns() == default_ns {
            return moved.clone();
        }
        Arc::new(Self { default: default_ns.into(), ..self.clone() })
    }

    /// The default namespace; empty if there is none.
    #[must_use]
    pub fn default_ns(&self) -> &str {
        &self.default
    }

    /// Prefix and namespace of every prefix bound here.
    pub fn prefixes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.prefixes.iter().map(|(p, ns)| (&**p, &**ns))
    }

    /// Number of the binding of a prefix, as [`crate::record::NsRef::Outer`]
    /// counts.
    pub(crate) fn position(&self, prefix: &[u8]) -> Option<u32> {
        let at = self.prefixes.iter().position(|(p, _)| p.as_bytes() == prefix)?;
        u32::try_from(at + 1).ok()
    }

    pub(crate) fn name(&self, number: u32) -> &str {
        match (number as usize).checked_sub(1) {
            None => &self.default,
            Some(i) => self.prefixes.get(i).map_or("", |(_, ns)| ns),
        }
    }

    pub(crate) fn resolved(&self, number: u32) -> &str {
        self.resolved.get(number as usize).map_or("", |ns| ns)
    }
}

impl Clone for Scope {
    fn clone(&self) -> Self {
        Self {
            default: self.default.clone(),
            prefixes: self.prefixes.clone(),
            resolved: self.resolved.clone(),
            moved: OnceLock::new(),
        }
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.default == other.default && self.prefixes == other.prefixes && self.resolved == other.resolved
    }
}

impl Eq for Scope {}
