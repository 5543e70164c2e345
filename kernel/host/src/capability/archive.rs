//! `xylem:archive/archive`: stanzas in order of time, stored and sent natively.

use bytes::Bytes;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;
use xylem_hooks::Effect;
use xylem_hooks::manifest::Shape;
use xylem_stanza::FullJid;
use xylem_store::Purge;

use super::kv::durable_if;
use super::{Answer, Fault};
use crate::guest::{Core, Guest, StoreSlot};

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut into = linker.instance("xylem:archive/archive@0.1.0")?;
    into.func_wrap(
        "append",
        |mut cx: StoreContextMut<'_, Guest>, (store, peer): (u32, String)| -> wasmtime::Result<Answer<String>> {
            Ok((append(cx.data_mut(), store, &peer),))
        },
    )?;
    into.func_wrap("count", |cx: StoreContextMut<'_, Guest>, (store,): (u32,)| -> wasmtime::Result<Answer<u64>> {
        Ok((count(cx.data(), store),))
    })?;
    into.func_wrap(
        "deliver",
        |mut cx: StoreContextMut<'_, Guest>,
         (store, to, remove): (u32, String, bool)|
         -> wasmtime::Result<Answer<()>> { Ok((deliver(cx.data_mut(), store, &to, remove),)) },
    )?;
    into.func_wrap(
        "purge",
        |mut cx: StoreContextMut<'_, Guest>, (store, keep): (u32, u64)| -> wasmtime::Result<Answer<()>> {
            Ok((purge(cx.data_mut(), store, keep),))
        },
    )
}

fn append(guest: &mut Guest, store: u32, peer: &str) -> Result<String, Fault> {
    if count(guest, store)? >= slot(&guest.core, store)?.quota_rows {
        return Err(Fault::Quota);
    }
    let core = std::sync::Arc::clone(&guest.core);
    let slot = slot(&core, store)?;
    let call = guest.call()?;
    let payload = call.current().ok_or(Fault::Missing)?.to_xml_string();
    let partition = Core::partition_name(slot, &call.cause);
    let id = call.turn.append(slot.table, partition, call.now, peer, Bytes::from(payload));
    let id = id.map_err(|error| Fault::storage(&core.id, &error))?;
    call.appended += 1;
    durable_if(call, slot.class);
    Ok(id.to_string())
}

fn count(guest: &Guest, store: u32) -> Result<u64, Fault> {
    let slot = slot(&guest.core, store)?;
    let call = guest.call.as_ref().ok_or(Fault::Denied)?;
    let archive = guest.core.services.store.archive(&slot.name);
    let stored = archive.count_now(Core::partition_name(slot, &call.cause));
    let stored = stored.map_err(|error| Fault::storage(&guest.core.id, &error))?;
    Ok(stored + call.appended)
}

fn deliver(guest: &mut Guest, store: u32, to: &str, remove: bool) -> Result<(), Fault> {
    let core = std::sync::Arc::clone(&guest.core);
    let slot = slot(&core, store)?;
    let call = guest.call()?;
    let to = FullJid::parse(to).map_err(Fault::invalid)?;
    if to.bare_str() != &*call.cause.key {
        return Err(Fault::Denied);
    }
    let partition = Core::partition_name(slot, &call.cause).to_owned();
    call.effects.push(Effect::Deliver { table: slot.name.to_string(), partition, to, remove });
    Ok(())
}

fn purge(guest: &mut Guest, store: u32, keep: u64) -> Result<(), Fault> {
    let core = std::sync::Arc::clone(&guest.core);
    let slot = slot(&core, store)?;
    let call = guest.call()?;
    let what = if keep == 0 { Purge::All } else { Purge::KeepNewest(usize::try_from(keep).unwrap_or(usize::MAX)) };
    call.turn.purge(slot.table, Core::partition_name(slot, &call.cause), what);
    durable_if(call, slot.class);
    Ok(())
}

fn slot(core: &Core, store: u32) -> Result<&StoreSlot, Fault> {
    let slot = usize::try_from(store).ok().and_then(|at| core.stores.get(at));
    slot.filter(|slot| slot.shape == Shape::Archive && slot.own).ok_or(Fault::Missing)
}
