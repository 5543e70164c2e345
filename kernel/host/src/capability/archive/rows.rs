//! Single rows, read and changed inside a call.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime::component::{ComponentType, LinkerInstance, Lower};
use xylem_stanza::Stanza;
use xylem_store::{Archive, ArchiveId, ArchivePage, ArchiveQuery, ArchiveRow, Purge};

use super::{Answer, Cx, Fault, purge, readable, slot};
use crate::capability::kv::durable_if;
use crate::guest::{Core, Guest};
use crate::wait::block_on;

/// `xylem:archive/archive.row`.
#[derive(ComponentType, Lower)]
#[component(record)]
struct RowRecord {
    #[component(name = "id")]
    id: String,
    #[component(name = "at")]
    at: u64,
    #[component(name = "peer")]
    peer: String,
    #[component(name = "stanza")]
    stanza: String,
}

/// `xylem:archive/archive.place`.
#[derive(ComponentType, Lower)]
#[component(record)]
struct PlaceRecord {
    #[component(name = "id")]
    id: String,
    #[component(name = "at")]
    at: u64,
}

/// How many rows [`find`] looks at, and how many bytes of them.
const LOOKED_AT: usize = 500;
const LOOKED_THROUGH: usize = 4 << 20;
/// How many rows, and bytes of them, [`latest`] gives.
const SHOWN: usize = 100;
const SHOWN_BYTES: usize = 256 << 10;

pub(super) fn link(into: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    into.func_wrap(
        "get",
        |mut cx: Cx<'_>, (store, id): (u32, String)| -> wasmtime::Result<Answer<Option<RowRecord>>> {
            Ok((get(cx.data_mut(), store, &id),))
        },
    )?;
    into.func_wrap(
        "find",
        |mut cx: Cx<'_>,
         (store, peer, id, carriers): (u32, String, String, Vec<String>)|
         -> wasmtime::Result<Answer<Option<RowRecord>>> {
            Ok((find(cx.data_mut(), store, &peer, &id, &carriers),))
        },
    )?;
    into.func_wrap(
        "ends",
        |mut cx: Cx<'_>, (store,): (u32,)| -> wasmtime::Result<Answer<Option<(PlaceRecord, PlaceRecord)>>> {
            Ok((ends(cx.data_mut(), store),))
        },
    )?;
    into.func_wrap(
        "latest",
        |mut cx: Cx<'_>,
         (store, before, limit): (u32, Option<String>, u32)|
         -> wasmtime::Result<Answer<Vec<RowRecord>>> {
            Ok((latest(cx.data_mut(), store, before.as_deref(), limit),))
        },
    )?;
    into.func_wrap(
        "replace",
        |mut cx: Cx<'_>, (store, id, stanza): (u32, String, String)| -> wasmtime::Result<Answer<()>> {
            Ok((replace(cx.data_mut(), store, &id, &stanza),))
        },
    )?;
    into.func_wrap("remove", |mut cx: Cx<'_>, (store, ids): (u32, Vec<String>)| -> wasmtime::Result<Answer<()>> {
        let ids = ids.iter().filter_map(|id| id.parse().ok()).collect();
        Ok((purge(cx.data_mut(), store, Purge::Ids(ids)),))
    })
}

fn get(guest: &mut Guest, store: u32, id: &str) -> Result<Option<RowRecord>, Fault> {
    let Ok(id) = id.parse::<ArchiveId>() else { return Ok(None) };
    let core = Arc::clone(&guest.core);
    let slot = readable(&core, store)?;
    let partition = Core::partition_name(slot, &guest.call()?.cause).to_owned();
    let archive = core.services.store.archive(&slot.name);
    let row = block_on(archive.get(&partition, id)).map_err(|error| Fault::storage(&guest.core.id, &error))?;
    Ok(row.map(record))
}

fn find(guest: &mut Guest, store: u32, peer: &str, id: &str, carriers: &[String]) -> Result<Option<RowRecord>, Fault> {
    let query = ArchiveQuery {
        peer: Some(peer.into()),
        limit: LOOKED_AT,
        bytes: LOOKED_THROUGH,
        newest_first: true,
        ..ArchiveQuery::default()
    };
    let page = read(guest, store, query)?;
    Ok(page.rows.into_iter().find(|row| is_called(row, id, carriers)).map(record))
}

/// Whether the stanza of a row, or one of these children of it, has this `id`.
fn is_called(row: &ArchiveRow, id: &str, carriers: &[String]) -> bool {
    let Ok(xml) = std::str::from_utf8(&row.payload) else { return false };
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'));
    if plain && !xml.contains(id) {
        return false;
    }
    let Ok(stanza) = Stanza::parse(xml) else { return false };
    let carried = |carrier: &String| {
        let Some((ns, name)) = carrier.strip_prefix('{').and_then(|carrier| carrier.split_once('}')) else {
            return false;
        };
        stanza.child(ns, name).and_then(|child| child.attr("id")).is_some_and(|carried| carried == id)
    };
    stanza.id().is_some_and(|own| own == id) || carriers.iter().any(carried)
}

fn ends(guest: &mut Guest, store: u32) -> Result<Option<(PlaceRecord, PlaceRecord)>, Fault> {
    let one = ArchiveQuery { limit: 1, ..ArchiveQuery::default() };
    let first = read(guest, store, one.clone())?;
    let last = read(guest, store, ArchiveQuery { newest_first: true, ..one })?;
    let place = |page: ArchivePage| page.rows.first().map(|row| PlaceRecord { id: row.id.to_string(), at: row.at_ms });
    Ok(place(first).zip(place(last)))
}

fn latest(guest: &mut Guest, store: u32, before: Option<&str>, limit: u32) -> Result<Vec<RowRecord>, Fault> {
    let before = before.map(|id| id.parse::<ArchiveId>().map_err(|_| Fault::Missing)).transpose()?;
    let limit = usize::try_from(limit).unwrap_or(SHOWN).min(SHOWN);
    let query = ArchiveQuery { before, limit, bytes: SHOWN_BYTES, newest_first: true, ..ArchiveQuery::default() };
    Ok(read(guest, store, query)?.rows.into_iter().map(record).collect())
}

fn replace(guest: &mut Guest, store: u32, id: &str, stanza: &str) -> Result<(), Fault> {
    let id = id.parse::<ArchiveId>().map_err(|_| Fault::Missing)?;
    let stanza = Stanza::parse(stanza).map_err(Fault::invalid)?.to_xml_string();
    let core = Arc::clone(&guest.core);
    let slot = slot(&core, store)?;
    let call = guest.call()?;
    let replaced = call.turn.replace(slot.table, Core::partition_name(slot, &call.cause), id, Bytes::from(stanza));
    replaced.map_err(|error| Fault::storage(&core.id, &error))?;
    durable_if(call, slot.class);
    Ok(())
}

fn read(guest: &mut Guest, store: u32, query: ArchiveQuery) -> Result<ArchivePage, Fault> {
    let (archive, partition) = opened(guest, store)?;
    block_on(archive.page(&partition, query)).map_err(|error| Fault::storage(&guest.core.id, &error))
}

fn opened(guest: &mut Guest, store: u32) -> Result<(Archive, String), Fault> {
    let core = Arc::clone(&guest.core);
    let slot = readable(&core, store)?;
    let partition = Core::partition_name(slot, &guest.call()?.cause).to_owned();
    Ok((core.services.store.archive(&slot.name), partition))
}

fn record(row: ArchiveRow) -> RowRecord {
    let stanza = String::from_utf8_lossy(&row.payload).into_owned();
    RowRecord { id: row.id.to_string(), at: row.at_ms, peer: row.peer.to_string(), stanza }
}
