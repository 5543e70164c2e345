//! Who is asked through an interface between plugins.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::order::{self, Node};
use super::{ManifestEntry, PlanError};
use crate::call::PluginIndex;
use crate::manifest::{Extend, Interface};
use crate::point::Phase;

/// A plugin that takes part in an interface.
#[derive(Debug, Clone)]
pub struct Subscriber {
    pub plugin: PluginIndex,
    pub plugin_id: Arc<str>,
    pub phase: Phase,
}

/// By interface, in the order of asking.
pub(super) type Extensions = BTreeMap<Interface, Vec<Subscriber>>;

/// Sorts the subscribers and makes sure that no plugin can come to wait for itself:
/// an instance is locked while it asks.
pub(super) fn compile(entries: &[ManifestEntry]) -> Result<Extensions, PlanError> {
    let mut owners: BTreeMap<&Interface, &str> = BTreeMap::new();
    for entry in entries {
        let Some(interface) = &entry.manifest.extension else { continue };
        if let Some(first) = owners.insert(interface, entry.manifest.id()) {
            let (first, second) = (first.to_owned(), entry.manifest.id().to_owned());
            return Err(PlanError::ExtensionClash { first, second, interface: interface.to_string() });
        }
    }
    let mut asked: BTreeMap<&Interface, Vec<(&ManifestEntry, &Extend)>> = BTreeMap::new();
    for entry in entries {
        for extend in &entry.manifest.extends {
            asked.entry(&extend.interface).or_default().push((entry, extend));
        }
    }
    for (interface, owner) in &owners {
        let mut path = vec![*owner];
        refuse_circle(interface, &asked, &mut path)?;
    }
    asked.into_iter().map(|(interface, takers)| Ok((interface.clone(), sorted(interface, &takers)?))).collect()
}

/// Follows who asks whom, from the plugin at the end of the path.
fn refuse_circle<'a>(
    interface: &Interface,
    asked: &BTreeMap<&Interface, Vec<(&'a ManifestEntry, &'a Extend)>>,
    path: &mut Vec<&'a str>,
) -> Result<(), PlanError> {
    for (entry, extend) in asked.get(interface).into_iter().flatten() {
        let id = entry.manifest.id();
        if let Some(start) = path.iter().position(|known| *known == id) {
            let circle: Vec<&str> = path.iter().skip(start).copied().chain([id]).collect();
            return Err(PlanError::ExtensionCircle {
                plugin: id.to_owned(),
                line: extend.line,
                interface: interface.to_string(),
                circle: circle.join(" → "),
            });
        }
        if let Some(next) = &entry.manifest.extension {
            path.push(id);
            refuse_circle(next, asked, path)?;
            path.pop();
        }
    }
    Ok(())
}

fn sorted(interface: &Interface, takers: &[(&ManifestEntry, &Extend)]) -> Result<Vec<Subscriber>, PlanError> {
    let mut phases: Vec<Phase> = takers.iter().map(|(_, extend)| extend.phase).collect();
    phases.sort_unstable();
    phases.dedup();
    let mut ordered = Vec::with_capacity(takers.len());
    for phase in phases {
        let of_phase: Vec<_> = takers.iter().filter(|(_, extend)| extend.phase == phase).collect();
        let node =
            |(entry, extend): &&(&'_ ManifestEntry, &'_ Extend)| (entry.manifest.id().to_owned(), (*extend).clone());
        let named: Vec<(String, Extend)> = of_phase.iter().map(node).collect();
        let nodes: Vec<Node<'_>> = named
            .iter()
            .map(|(id, extend)| Node {
                id,
                before: extend.before.iter().map(|id| id.as_str()).collect(),
                after: extend.after.iter().map(|id| id.as_str()).collect(),
            })
            .collect();
        let order = order::order(&nodes).map_err(|circle| PlanError::Circle {
            point: "[[extend]]",
            phase: phase.name(),
            circle: format!("{interface}: {circle}"),
        })?;
        let subscriber = |(entry, _): &&(&ManifestEntry, &Extend)| Subscriber {
            plugin: entry.plugin,
            plugin_id: entry.manifest.id().into(),
            phase,
        };
        ordered.extend(order.into_iter().filter_map(|at| of_phase.get(at).map(subscriber)));
    }
    // Who declares it twice is asked once.
    let mut seen = std::collections::BTreeSet::new();
    ordered.retain(|subscriber| seen.insert(subscriber.plugin));
    Ok(ordered)
}
