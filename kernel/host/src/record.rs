//! Appending to an archive without a call, as a hook's `record` says.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use xylem_hooks::Manifest;
use xylem_hooks::call::{Parties, Recorded, Stamp};
use xylem_hooks::manifest::{Class, KeyKind, Native, Scope, Test};
use xylem_stanza::Stanza;
use xylem_store::NewRow;

use crate::guest::{Core, StoreSlot};

/// Of a row's marks: the key itself sent it.
pub(crate) const OWN: u8 = 1 << 7;

/// Appends the stanza. The plugin is to be asked where there is more to do: for the first
/// row of a key, once in so many, and where there is no room.
pub(crate) fn record(core: &Core, entry: u32, bits: u64, parties: Parties<'_>, stanza: &Stanza) -> Recorded {
    appended(core, entry, bits, parties, stanza).unwrap_or(Recorded::Ask)
}

fn appended(core: &Core, entry: u32, bits: u64, parties: Parties<'_>, stanza: &Stanza) -> Option<Recorded> {
    let hook = core.manifest.hooks.get(usize::try_from(entry).ok()?)?;
    let Some(Native::Record(record)) = &hook.native else { return None };
    let slot = core.stores.get(record.store).filter(|slot| slot.own)?;
    let of_domain = slot.scope == Scope::Domain || core.manifest.key() == KeyKind::Domain;
    let partition = if of_domain { parties.domain } else { parties.key };
    let services = &core.services;
    let payload = stanza.to_bytes();
    let row = NewRow {
        at_ms: services.clock.now_ms(),
        peer: parties.peer,
        marks: marked(slot, parties.key, stanza, bits),
        payload: &payload,
        class: if slot.class == Class::Durable { xylem_store::Class::Durable } else { xylem_store::Class::Relaxed },
    };
    let takes = |rows: u64| rows > 0 && rows < slot.quota_rows && !rows.is_multiple_of(record.every);
    let id = services.store.append_unheard(slot.table, partition, row, takes).ok()??;
    core.counters.writes.fetch_add(1, Ordering::Relaxed);
    let stamp = |child: &Arc<_>| Stamp { child: Arc::clone(child), by: parties.key.into(), id: id.to_u64() };
    Some(Recorded::Kept(record.stamp.as_ref().map(stamp)))
}

/// What is noted of a stanza in this store.
pub(crate) fn marks(manifest: &Manifest, slot: &StoreSlot, key: &str, stanza: &Stanza) -> u8 {
    let mut bits = 0_u64;
    if slot.marks.is_empty() {
        return marked(slot, key, stanza, bits);
    }
    for child in stanza.root().children() {
        for (bit, known) in manifest.matches.iter().enumerate().take(64) {
            if let Test::Child { ns, name } = &known.test
                && name.as_deref().is_none_or(|name| name == child.name())
                && *ns == *child.ns()
            {
                bits |= 1 << bit;
            }
        }
    }
    marked(slot, key, stanza, bits)
}

/// The same where it is known which matches of the manifest hold.
fn marked(slot: &StoreSlot, key: &str, stanza: &Stanza, bits: u64) -> u8 {
    let own = stanza.from().is_some_and(|from| from.bare_str() == key);
    let mut marks = if own { OWN } else { 0 };
    for (bit, when) in slot.marks.iter().enumerate().take(7) {
        marks |= u8::from(when.holds(bits)) << bit;
    }
    marks
}
