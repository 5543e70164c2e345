//! Sets of addresses held in memory for fan-out, by plugin, key and name.
//!
//! A group is a sorted list that is shared: whoever fans out takes it as it is, and a
//! change while somebody still has it makes a new one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use xylem_hooks::Recipient;
use xylem_stanza::Jid;
use xylem_store::Few;

/// Most members of one group.
pub(crate) const MEMBERS: usize = 100_000;

/// Members of a group in order of their text.
pub(crate) type Members = Arc<Vec<Recipient>>;

type Key = (Arc<str>, Arc<str>);
type Named = Few<Box<str>, Members>;

/// All groups.
#[derive(Default)]
pub(crate) struct Groups {
    keys: Mutex<HashMap<Key, Named>>,
}

/// Changes of one turn.
#[derive(Default)]
pub(crate) struct GroupEdits(BTreeMap<String, Edit>);

#[derive(Default)]
struct Edit {
    cleared: bool,
    members: BTreeMap<Jid, bool>,
}

impl Groups {
    /// The members as a turn sees them; copied only if the turn has changed them.
    pub(crate) fn members(&self, plugin: &Arc<str>, key: &Arc<str>, group: &str, edits: &GroupEdits) -> Members {
        let edit = edits.0.get(group);
        let mut members = match edit {
            Some(edit) if edit.cleared => Members::default(),
            _ => self.settled(plugin, key, group),
        };
        if let Some(edit) = edit {
            edit.apply(&mut members);
        }
        members
    }

    /// How many there are as a turn sees them; a few too many where it adds one that is there.
    pub(crate) fn count(&self, plugin: &Arc<str>, key: &Arc<str>, group: &str, edits: &GroupEdits) -> usize {
        let edit = edits.0.get(group);
        let added = edit.map_or(0, |edit| edit.members.len());
        let settled = if edit.is_some_and(|edit| edit.cleared) { 0 } else { self.settled(plugin, key, group).len() };
        settled + added
    }

    pub(crate) fn has(&self, plugin: &Arc<str>, key: &Arc<str>, group: &str, member: &str, edits: &GroupEdits) -> bool {
        if let Some(edit) = edits.0.get(group) {
            match edit.members.get(member) {
                Some(on) => return *on,
                None if edit.cleared => return false,
                None => {}
            }
        }
        find(&self.settled(plugin, key, group), member).is_ok()
    }

    /// Carries out the changes of a turn.
    pub(crate) fn apply(&self, plugin: &Arc<str>, key: &Arc<str>, edits: GroupEdits) {
        let mut keys = self.lock();
        let groups = keys.entry((Arc::clone(plugin), Arc::clone(key))).or_default();
        for (name, edit) in edits.0 {
            edit.apply(groups.or_default(name.into()));
        }
        groups.retain(|_, members| !members.is_empty());
        if groups.is_empty() {
            keys.remove(&(Arc::clone(plugin), Arc::clone(key)));
        }
    }

    /// The keys under which a plugin has groups, in no order.
    pub(crate) fn keys_of(&self, plugin: &str) -> Vec<Arc<str>> {
        self.lock().keys().filter(|(of, _)| **of == *plugin).map(|(_, key)| Arc::clone(key)).collect()
    }

    /// Forgets all groups of a key, or of a plugin.
    pub(crate) fn forget(&self, matches: impl Fn(&str, &str) -> bool) {
        self.lock().retain(|(plugin, key), _| !matches(plugin, key));
    }

    fn settled(&self, plugin: &Arc<str>, key: &Arc<str>, group: &str) -> Members {
        let keys = self.lock();
        let groups = keys.get(&(Arc::clone(plugin), Arc::clone(key)));
        groups.and_then(|groups| groups.get(group)).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Named>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(members: &[Recipient], member: &str) -> Result<usize, usize> {
    members.binary_search_by(|known| known.jid().as_str().cmp(member))
}

impl Edit {
    fn apply(&self, members: &mut Members) {
        if self.cleared {
            *members = Members::default();
        }
        for (member, on) in &self.members {
            match (find(members, member.as_str()), on) {
                (Err(at), true) => {
                    let members = Arc::make_mut(members);
                    // Most have one.
                    if members.is_empty() {
                        members.reserve_exact(1);
                    }
                    members.insert(at, member.clone().into());
                }
                (Ok(at), false) => drop(Arc::make_mut(members).remove(at)),
                _ => {}
            }
        }
    }
}

impl GroupEdits {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn set(&mut self, group: &str, member: Jid, on: bool) {
        self.0.entry(group.to_owned()).or_default().members.insert(member, on);
    }

    pub(crate) fn clear(&mut self, group: &str) {
        self.0.insert(group.to_owned(), Edit { cleared: true, members: BTreeMap::new() });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn jid(text: &str) -> Jid {
        Jid::parse(text).unwrap()
    }

    fn jids(members: &Members) -> Vec<Jid> {
        members.iter().map(|member| member.jid().clone()).collect()
    }

    #[test]
    fn a_turn_sees_its_changes_and_others_do_not_until_it_is_done() {
        let (groups, plugin, key): (_, Arc<str>, Arc<str>) = (Groups::default(), "p".into(), "k".into());
        let none = GroupEdits::default();
        let mut edits = GroupEdits::default();
        edits.set("g", jid("a"), true);
        assert!(groups.has(&plugin, &key, "g", "a", &edits) && !groups.has(&plugin, &key, "g", "a", &none));
        groups.apply(&plugin, &key, edits);
        assert!(groups.has(&plugin, &key, "g", "a", &none));
        let mut edits = GroupEdits::default();
        edits.clear("g");
        edits.set("g", jid("b"), true);
        assert_eq!(jids(&groups.members(&plugin, &key, "g", &edits)), [jid("b")]);
        assert_eq!(groups.count(&plugin, &key, "g", &edits), 1);
        assert!(!groups.has(&plugin, &key, "g", "a", &edits));
        groups.forget(|_, key| key == "k");
        assert!(groups.members(&plugin, &key, "g", &none).is_empty());
    }

    #[test]
    fn a_fan_out_copies_nothing_and_keeps_what_it_has() {
        let (groups, plugin, key): (_, Arc<str>, Arc<str>) = (Groups::default(), "p".into(), "k".into());
        let none = GroupEdits::default();
        let mut edits = GroupEdits::default();
        for name in ["c", "a", "b"] {
            edits.set("g", jid(name), true);
        }
        groups.apply(&plugin, &key, edits);
        let taken = groups.members(&plugin, &key, "g", &none);
        assert!(Arc::ptr_eq(&taken, &groups.members(&plugin, &key, "g", &none)));
        assert_eq!(jids(&taken), [jid("a"), jid("b"), jid("c")]);
        let mut edits = GroupEdits::default();
        edits.set("g", jid("b"), false);
        groups.apply(&plugin, &key, edits);
        assert_eq!((taken.len(), groups.members(&plugin, &key, "g", &none).len()), (3, 2));
    }
}
