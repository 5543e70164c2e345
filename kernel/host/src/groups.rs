//! Sets of addresses held in memory for fan-out, by plugin, key and name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;

/// Most members of one group.
pub(crate) const MEMBERS: usize = 100_000;

type Key = (Arc<str>, Arc<str>);

/// All groups.
#[derive(Default)]
pub(crate) struct Groups {
    keys: Mutex<HashMap<Key, BTreeMap<String, BTreeSet<String>>>>,
}

/// Changes of one turn.
#[derive(Default)]
pub(crate) struct GroupEdits(BTreeMap<String, Edit>);

#[derive(Default)]
struct Edit {
    cleared: bool,
    members: BTreeMap<String, bool>,
}

impl Groups {
    /// The members as a turn sees them.
    pub(crate) fn members(
        &self,
        plugin: &Arc<str>,
        key: &Arc<str>,
        group: &str,
        edits: &GroupEdits,
    ) -> BTreeSet<String> {
        let edit = edits.0.get(group);
        let mut members = match edit {
            Some(edit) if edit.cleared => BTreeSet::new(),
            _ => {
                let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
                let groups = keys.get(&(Arc::clone(plugin), Arc::clone(key)));
                groups.and_then(|groups| groups.get(group)).cloned().unwrap_or_default()
            }
        };
        for (member, on) in edit.into_iter().flat_map(|edit| &edit.members) {
            if *on {
                members.insert(member.clone());
            } else {
                members.remove(member);
            }
        }
        members
    }

    pub(crate) fn has(&self, plugin: &Arc<str>, key: &Arc<str>, group: &str, member: &str, edits: &GroupEdits) -> bool {
        if let Some(edit) = edits.0.get(group) {
            match edit.members.get(member) {
                Some(on) => return *on,
                None if edit.cleared => return false,
                None => {}
            }
        }
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let groups = keys.get(&(Arc::clone(plugin), Arc::clone(key)));
        groups.and_then(|groups| groups.get(group)).is_some_and(|members| members.contains(member))
    }

    /// Carries out the changes of a turn.
    pub(crate) fn apply(&self, plugin: &Arc<str>, key: &Arc<str>, edits: GroupEdits) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let groups = keys.entry((Arc::clone(plugin), Arc::clone(key))).or_default();
        for (name, edit) in edits.0 {
            let members = groups.entry(name).or_default();
            if edit.cleared {
                members.clear();
            }
            for (member, on) in edit.members {
                if on {
                    members.insert(member);
                } else {
                    members.remove(&member);
                }
            }
        }
        groups.retain(|_, members| !members.is_empty());
        if groups.is_empty() {
            keys.remove(&(Arc::clone(plugin), Arc::clone(key)));
        }
    }

    /// Forgets all groups of a key, or of a plugin.
    pub(crate) fn forget(&self, matches: impl Fn(&str, &str) -> bool) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|(plugin, key), _| !matches(plugin, key));
    }
}

impl GroupEdits {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn set(&mut self, group: &str, member: String, on: bool) {
        self.0.entry(group.to_owned()).or_default().members.insert(member, on);
    }

    pub(crate) fn clear(&mut self, group: &str) {
        self.0.insert(group.to_owned(), Edit { cleared: true, members: BTreeMap::new() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_sees_its_changes_and_others_do_not_until_it_is_done() {
        let (groups, plugin, key): (_, Arc<str>, Arc<str>) = (Groups::default(), "p".into(), "k".into());
        let none = GroupEdits::default();
        let mut edits = GroupEdits::default();
        edits.set("g", "a".into(), true);
        assert!(groups.has(&plugin, &key, "g", "a", &edits) && !groups.has(&plugin, &key, "g", "a", &none));
        groups.apply(&plugin, &key, edits);
        assert!(groups.has(&plugin, &key, "g", "a", &none));
        let mut edits = GroupEdits::default();
        edits.clear("g");
        edits.set("g", "b".into(), true);
        assert_eq!(groups.members(&plugin, &key, "g", &edits), BTreeSet::from(["b".to_owned()]));
        assert!(!groups.has(&plugin, &key, "g", "a", &edits));
        groups.forget(|_, key| key == "k");
        assert!(groups.members(&plugin, &key, "g", &none).is_empty());
    }
}
