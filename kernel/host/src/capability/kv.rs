//! `xylem:kv/kv`: rows of the key of the call, read from memory, written with the turn.

mod sizes;
mod volatile;

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, Lower, WasmStr};
use xylem_hooks::manifest::Class;
use xylem_store::{Partition, Scan};

use super::{Answer, Fault};
use crate::guest::{Call, Core, Guest, StoreSlot};
use sizes::Size;
pub(crate) use sizes::Sizes;

/// Biggest value in bytes.
const VALUE: usize = 512 << 10;
/// Most rows at once.
const ROWS: u32 = 1000;

#[derive(ComponentType, Lower)]
#[component(record)]
struct Row {
    #[component(name = "key")]
    key: String,
    #[component(name = "value")]
    value: Vec<u8>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct IndexEntry {
    #[component(name = "index")]
    index: String,
    #[component(name = "value")]
    value: String,
}

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut into = linker.instance("xylem:kv/kv@0.1.0")?;
    into.func_wrap(
        "get",
        |cx: StoreContextMut<'_, Guest>, (store, key): (u32, WasmStr)| -> wasmtime::Result<Answer<Option<Vec<u8>>>> {
            let key = key.to_str(&cx)?;
            Ok((get(cx.data(), store, &key),))
        },
    )?;
    into.func_wrap(
        "put",
        |mut cx: StoreContextMut<'_, Guest>,
         (store, key, value, indexed): (u32, String, Vec<u8>, Vec<IndexEntry>)|
         -> wasmtime::Result<Answer<()>> { Ok((put(cx.data_mut(), store, &key, value, &indexed),)) },
    )?;
    into.func_wrap(
        "delete",
        |mut cx: StoreContextMut<'_, Guest>, (store, key): (u32, String)| -> wasmtime::Result<Answer<bool>> {
            Ok((delete(cx.data_mut(), store, &key),))
        },
    )?;
    into.func_wrap(
        "scan",
        |cx: StoreContextMut<'_, Guest>,
         (store, prefix, after, limit): (u32, String, Option<String>, u32)|
         -> wasmtime::Result<Answer<Vec<Row>>> { Ok((scan(cx.data(), store, &prefix, after, limit),)) },
    )?;
    into.func_wrap(
        "by-index",
        |cx: StoreContextMut<'_, Guest>,
         (store, index, value, limit): (u32, String, String, u32)|
         -> wasmtime::Result<Answer<Vec<Row>>> { Ok((by_index(cx.data(), store, &index, &value, limit),)) },
    )
}

fn get(guest: &Guest, store: u32, key: &str) -> Result<Option<Vec<u8>>, Fault> {
    let call = guest.call.as_ref().ok_or(Fault::Denied)?;
    if let Some(open) = volatile::open(&guest.core, call, store) {
        return Ok(open.get(call, key));
    }
    let (rows, _) = call.rows(&guest.core, store)?;
    let found = call.turn.get(rows, key.as_bytes()).map_err(|error| Fault::storage(&guest.core.id, &error))?;
    Ok(found.map(|value| value.to_vec()))
}

fn put(guest: &mut Guest, store: u32, key: &str, value: Vec<u8>, indexed: &[IndexEntry]) -> Result<(), Fault> {
    if value.len() > VALUE {
        return Err(Fault::Invalid(format!("value of {} bytes; {VALUE} at most", value.len())));
    }
    let core = std::sync::Arc::clone(&guest.core);
    let call = guest.call()?;
    if let Some(open) = volatile::open(&core, call, store) {
        return open.put(&core, call, key, value, indexed);
    }
    let (rows, at) = call.rows(&core, store)?;
    let slot = core.stores.get(at).filter(|slot| slot.own).ok_or(Fault::Denied)?;
    let fault = |error| Fault::storage(&core.id, &error);
    let fresh = call.turn.get(rows, key.as_bytes()).map_err(fault)?.is_none();
    let more = Size { rows: u64::from(fresh), bytes: length(value.len()) };
    if !has_room(&core, call, rows, slot, more).map_err(fault)? {
        return Err(Fault::Quota);
    }
    let indexed: Vec<(&str, &[u8])> =
        indexed.iter().map(|entry| (entry.index.as_str(), entry.value.as_bytes())).collect();
    let partition = Core::partition_name(slot, &call.cause);
    call.turn.put(slot.table, partition, key.as_bytes(), value, &indexed).map_err(fault)?;
    durable_if(call, slot.class);
    Ok(())
}

/// Whether the quota allows so much more, beside this turn's writes; a little too strict where rows are replaced.
fn has_room(core: &Core, call: &Call, rows: &Partition, slot: &StoreSlot, more: Size) -> xylem_store::Result<bool> {
    let quota = Size { rows: slot.quota_rows, bytes: slot.quota_bytes };
    if rows.is_held() {
        let rows = Size {
            rows: length(rows.len()? + call.turn.len()).saturating_add(more.rows),
            bytes: length(rows.bytes() + call.turn.bytes()).saturating_add(more.bytes),
        };
        // A row that takes the place of another does not make them more.
        return Ok(if more.rows == 0 { rows.bytes <= quota.bytes } else { rows.is_within(quota) });
    }
    // Too big for memory: looked at as far as the quota reaches.
    let count = || {
        let scan = Scan::all().limit(usize::try_from(quota.rows).unwrap_or(usize::MAX));
        let stored = call.turn.scan(rows, &scan)?;
        let bytes = stored.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        Ok(Size { rows: length(stored.len()), bytes: length(bytes) })
    };
    core.services.sizes.take((slot.table, rows.name()), more, quota, count)
}

fn length(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn delete(guest: &mut Guest, store: u32, key: &str) -> Result<bool, Fault> {
    let core = std::sync::Arc::clone(&guest.core);
    let call = guest.call()?;
    if let Some(open) = volatile::open(&core, call, store) {
        return Ok(open.delete(call, key));
    }
    let (rows, at) = call.rows(&core, store)?;
    let slot = core.stores.get(at).filter(|slot| slot.own).ok_or(Fault::Denied)?;
    let found = call.turn.get(rows, key.as_bytes()).map_err(|error| Fault::storage(&core.id, &error))?;
    if found.is_none() {
        return Ok(false);
    }
    call.turn.delete(slot.table, Core::partition_name(slot, &call.cause), key.as_bytes());
    durable_if(call, slot.class);
    Ok(true)
}

fn scan(guest: &Guest, store: u32, prefix: &str, after: Option<String>, limit: u32) -> Result<Vec<Row>, Fault> {
    let call = guest.call.as_ref().ok_or(Fault::Denied)?;
    let limit = usize::try_from(limit.min(ROWS)).unwrap_or(0);
    if let Some(open) = volatile::open(&guest.core, call, store) {
        return Ok(open.scan(call, prefix, after.as_deref(), limit));
    }
    let (rows, _) = call.rows(&guest.core, store)?;
    let mut scan = Scan::prefix(prefix.as_bytes()).limit(limit);
    if let Some(after) = after {
        scan = scan.after(after.into_bytes());
    }
    let found = call.turn.scan(rows, &scan).map_err(|error| Fault::storage(&guest.core.id, &error))?;
    Ok(found.into_iter().map(|(key, value)| row(&key, &value)).collect())
}

fn by_index(guest: &Guest, store: u32, index: &str, value: &str, limit: u32) -> Result<Vec<Row>, Fault> {
    let call = guest.call.as_ref().ok_or(Fault::Denied)?;
    let found = indexed(&guest.core, call, store, index, value, usize::try_from(limit.min(ROWS)).unwrap_or(0))?;
    Ok(found.into_iter().map(|(_, key, value)| row(&key, &value)).collect())
}

/// Rows that carry this index value, as the turn sees them.
pub(super) fn indexed(
    core: &Core,
    call: &Call,
    store: u32,
    index: &str,
    value: &str,
    limit: usize,
) -> Result<Vec<xylem_store::partition::IndexHit>, Fault> {
    if let Some(open) = volatile::open(core, call, store) {
        return Ok(open.indexed(call, index, value, limit));
    }
    let (rows, _) = call.rows(core, store)?;
    // Nothing but the value itself stands before the value with a NUL behind it.
    let end = [value.as_bytes(), &[0]].concat();
    let values = Scan::range(value.as_bytes(), end).limit(limit);
    call.turn.by_index(rows, index, &values).map_err(|error| Fault::storage(&core.id, &error))
}

pub(super) fn durable_if(call: &mut Call, class: Class) {
    if class == Class::Durable {
        call.class = Class::Durable;
    }
}

fn row(key: &[u8], value: &[u8]) -> Row {
    Row { key: String::from_utf8_lossy(key).into_owned(), value: value.to_vec() }
}
