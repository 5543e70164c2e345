//! Who owns which IQ request.

use std::sync::Arc;

use hashbrown::HashMap;
use xylem_stanza::Type;

use super::{IqClash, ManifestEntry, PlanError};
use crate::call::PluginIndex;
use crate::filter::Types;
use crate::manifest::{AtBinding, KeyKind};
use crate::point::EntityClass;

/// An `[[iq]]` entry that owns a request.
#[derive(Debug, Clone)]
pub struct Claim {
    pub plugin: PluginIndex,
    pub plugin_id: Arc<str>,
    pub entry: u32,
    /// Only from the account's own sessions; others get `service-unavailable` (RFC 6121 §8.5.1).
    pub own: bool,
    /// Also before authentication.
    pub before_auth: bool,
    /// Also together with a binding.
    pub inline: bool,
    pub key: KeyKind,
    line: usize,
}

#[derive(Debug, Default)]
pub(super) struct IqTable {
    by_ns: HashMap<Box<str>, Vec<Owned>>,
}

#[derive(Debug)]
struct Owned {
    name: Box<str>,
    class: EntityClass,
    types: Types,
    claim: Arc<Claim>,
}

impl IqTable {
    pub(super) fn compile(entries: &[ManifestEntry]) -> Result<Self, PlanError> {
        let mut table = Self::default();
        for entry in entries {
            let plugin_id: Arc<str> = entry.manifest.id().into();
            for (n, iq) in (0..).zip(&entry.manifest.iqs) {
                let claim = Arc::new(Claim {
                    plugin: entry.plugin,
                    plugin_id: Arc::clone(&plugin_id),
                    entry: n,
                    own: iq.own,
                    before_auth: iq.before_auth,
                    inline: iq.bind == Some(AtBinding::Asked),
                    key: entry.manifest.key(),
                    line: iq.line,
                });
                for name in &iq.names {
                    let claim = Arc::clone(&claim);
                    table.add(&iq.ns, Owned { name: name.as_str().into(), class: iq.to, types: iq.types, claim })?;
                }
            }
        }
        Ok(table)
    }

    /// Namespace and name of what is asked at every binding, in order.
    pub(super) fn at_every_binding(entries: &[ManifestEntry]) -> Vec<(String, String)> {
        let iqs = entries.iter().flat_map(|entry| &entry.manifest.iqs);
        let always = iqs.filter(|iq| iq.bind == Some(AtBinding::Always));
        let mut asked: Vec<_> =
            always.flat_map(|iq| iq.names.iter().map(|name| (iq.ns.clone(), name.clone()))).collect();
        asked.sort();
        asked
    }

    /// Namespaces that clients may ask for together with a binding, in order.
    pub(super) fn offered_at_binding(entries: &[ManifestEntry]) -> Vec<String> {
        let iqs = entries.iter().flat_map(|entry| &entry.manifest.iqs);
        let mut offered: Vec<_> = iqs.filter(|iq| iq.bind == Some(AtBinding::Asked)).map(|iq| iq.ns.clone()).collect();
        offered.sort();
        offered.dedup();
        offered
    }

    fn add(&mut self, ns: &str, owned: Owned) -> Result<(), PlanError> {
        let list = self.by_ns.entry_ref(ns).or_default();
        let clash = list.iter().find(|other| {
            let same_place = owned.class != EntityClass::Domain || other.claim.plugin == owned.claim.plugin;
            other.name == owned.name && other.class == owned.class && other.types.intersects(owned.types) && same_place
        });
        if let Some(other) = clash {
            let both = |kind| other.types.contains(kind) && owned.types.contains(kind);
            let kinds = match (both(Type::Get), both(Type::Set)) {
                (true, true) => "get and set",
                (true, false) => "get",
                _ => "set",
            };
            return Err(PlanError::IqClash(Box::new(IqClash {
                first: other.claim.plugin_id.to_string(),
                first_line: other.claim.line,
                second: owned.claim.plugin_id.to_string(),
                second_line: owned.claim.line,
                ns: ns.to_owned(),
                name: owned.name.to_string(),
                kinds,
                to: match owned.class {
                    EntityClass::Server => "the server",
                    EntityClass::Account => "an account",
                    EntityClass::Domain => "its domain",
                },
            })));
        }
        list.push(owned);
        Ok(())
    }

    pub(super) fn find(
        &self,
        class: EntityClass,
        ns: &str,
        name: &str,
        kind: Type,
        of: Option<PluginIndex>,
    ) -> Option<&Claim> {
        let list = self.by_ns.get(ns)?;
        let owned = list.iter().find(|owned| {
            *owned.name == *name
                && owned.class == class
                && owned.types.contains(kind)
                && of.is_none_or(|plugin| owned.claim.plugin == plugin)
        })?;
        Some(&owned.claim)
    }
}
