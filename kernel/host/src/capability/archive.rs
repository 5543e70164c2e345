//! `xylem:archive/archive`: stanzas in order of time, stored and sent natively.

mod pages;
mod peers;
mod rows;

use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;
use xylem_hooks::Effect;
use xylem_hooks::manifest::Shape;
use xylem_stanza::{FullJid, Jid, Stanza};
use xylem_store::Purge;

use self::pages::QueryRecord;
use super::kv::durable_if;
use super::{Answer, Fault};
use crate::guest::{Core, Guest, StoreSlot};
use crate::record;

type Cx<'a> = StoreContextMut<'a, Guest>;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut into = linker.instance("xylem:archive/archive@0.1.0")?;
    into.func_wrap("append", |mut cx: Cx<'_>, (store, peer): (u32, String)| -> wasmtime::Result<Answer<String>> {
        Ok((append(cx.data_mut(), store, &peer),))
    })?;
    into.func_wrap(
        "append-as",
        |mut cx: Cx<'_>, (store, peer, sender): (u32, String, String)| -> wasmtime::Result<Answer<String>> {
            Ok((append_as(cx.data_mut(), store, &peer, &sender),))
        },
    )?;
    into.func_wrap("count", |cx: Cx<'_>, (store,): (u32,)| -> wasmtime::Result<Answer<u64>> {
        Ok((count(cx.data(), store),))
    })?;
    into.func_wrap(
        "deliver",
        |mut cx: Cx<'_>, (store, to, remove): (u32, String, bool)| -> wasmtime::Result<Answer<()>> {
            Ok((deliver(cx.data_mut(), store, &to, remove),))
        },
    )?;
    into.func_wrap(
        "page",
        |mut cx: Cx<'_>,
         (store, query, template, token): (u32, QueryRecord, String, String)|
         -> wasmtime::Result<Answer<()>> { Ok((pages::page(cx.data_mut(), store, query, &template, token),)) },
    )?;
    into.func_wrap(
        "search",
        |mut cx: Cx<'_>,
         (store, query, text, template, token): (u32, QueryRecord, String, String, String)|
         -> wasmtime::Result<Answer<()>> {
            Ok((pages::search(cx.data_mut(), store, query, text, &template, token),))
        },
    )?;
    into.func_wrap(
        "replay",
        |mut cx: Cx<'_>,
         (store, query, to, children, characters): (u32, QueryRecord, String, Vec<String>, Option<u64>)|
         -> wasmtime::Result<Answer<()>> {
            Ok((pages::replay(cx.data_mut(), store, query, &to, &children, characters),))
        },
    )?;
    into.func_wrap(
        "append-stanza",
        |mut cx: Cx<'_>, (store, peer, stanza): (u32, String, String)| -> wasmtime::Result<Answer<String>> {
            Ok((append_stanza(cx.data_mut(), store, &peer, &stanza),))
        },
    )?;
    into.func_wrap("purge", |mut cx: Cx<'_>, (store, keep): (u32, u64)| -> wasmtime::Result<Answer<()>> {
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        Ok((purge(cx.data_mut(), store, if keep == 0 { Purge::All } else { Purge::KeepNewest(keep) }),))
    })?;
    into.func_wrap("purge-before", |mut cx: Cx<'_>, (store, time): (u32, u64)| -> wasmtime::Result<Answer<()>> {
        Ok((purge(cx.data_mut(), store, Purge::OlderThan(time)),))
    })?;
    peers::link(&mut into)?;
    rows::link(&mut into)
}

fn append(guest: &mut Guest, store: u32, peer: &str) -> Result<String, Fault> {
    let stanza = guest.call()?.current().ok_or(Fault::Missing)?.clone();
    add(guest, store, peer, &stanza)
}

fn append_as(guest: &mut Guest, store: u32, peer: &str, sender: &str) -> Result<String, Fault> {
    let sender = Jid::parse(sender).map_err(Fault::invalid)?;
    let stanza = guest.call()?.current().ok_or(Fault::Missing)?.readdressed(Some(sender), None);
    add(guest, store, peer, &stanza)
}

fn append_stanza(guest: &mut Guest, store: u32, peer: &str, xml: &str) -> Result<String, Fault> {
    let stanza = Stanza::parse(xml).map_err(Fault::invalid)?;
    add(guest, store, peer, &stanza)
}

fn add(guest: &mut Guest, store: u32, peer: &str, stanza: &Stanza) -> Result<String, Fault> {
    if count(guest, store)? >= slot(&guest.core, store)?.quota_rows {
        return Err(Fault::Quota);
    }
    let core = Arc::clone(&guest.core);
    let slot = slot(&core, store)?;
    let call = guest.call()?;
    let partition = Core::partition_name(slot, &call.cause);
    let marks = record::marks(&core.manifest, slot, partition, stanza);
    let id = call.turn.append_marked(slot.table, partition, call.now, (peer, marks), stanza.to_bytes());
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
    let core = Arc::clone(&guest.core);
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

fn purge(guest: &mut Guest, store: u32, what: Purge) -> Result<(), Fault> {
    let core = Arc::clone(&guest.core);
    let slot = slot(&core, store)?;
    let call = guest.call()?;
    call.turn.purge(slot.table, Core::partition_name(slot, &call.cause), what);
    durable_if(call, slot.class);
    Ok(())
}

fn slot(core: &Core, store: u32) -> Result<&StoreSlot, Fault> {
    readable(core, store).and_then(|slot| if slot.own { Ok(slot) } else { Err(Fault::Missing) })
}

/// An own archive, or another plugin's that this one may read.
fn readable(core: &Core, store: u32) -> Result<&StoreSlot, Fault> {
    let slot = usize::try_from(store).ok().and_then(|at| core.stores.get(at));
    // What shape a view has only its owner knows; in a store of the other shape nothing is found.
    slot.filter(|slot| slot.shape == Shape::Archive || !slot.own).ok_or(Fault::Missing)
}
