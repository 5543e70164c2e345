//! Who has rows, and the newest of each.

use std::sync::Arc;

use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower};
use xylem_store::{ArchiveMark, ArchivePeer, PeersQuery};

use super::{Answer, Cx, Fault, readable};
use crate::guest::{Core, Guest};
use crate::wait::block_on;

/// Most peers, and most rows of each, in one answer.
const PEERS: usize = 10_000;
const ROWS: usize = 1_000;

/// `xylem:archive/archive.newest`.
#[derive(ComponentType, Lift)]
#[component(record)]
struct NewestRecord {
    #[component(name = "looked-at")]
    looked_at: u8,
    #[component(name = "last")]
    last: u8,
    #[component(name = "rows")]
    rows: u32,
    #[component(name = "peers")]
    peers: u32,
}

/// `xylem:archive/archive.mark`.
#[derive(ComponentType, Lower)]
#[component(record)]
struct MarkRecord {
    #[component(name = "id")]
    id: String,
    #[component(name = "marks")]
    marks: u8,
    #[component(name = "part")]
    part: String,
}

/// `xylem:archive/archive.peer`.
#[derive(ComponentType, Lower)]
#[component(record)]
struct PeerRecord {
    #[component(name = "address")]
    address: String,
    #[component(name = "rows")]
    rows: Vec<MarkRecord>,
}

pub(super) fn link(into: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    into.func_wrap(
        "peers",
        |mut cx: Cx<'_>, (store, newest): (u32, NewestRecord)| -> wasmtime::Result<Answer<Vec<PeerRecord>>> {
            Ok((peers(cx.data_mut(), store, &newest),))
        },
    )
}

fn peers(guest: &mut Guest, store: u32, newest: &NewestRecord) -> Result<Vec<PeerRecord>, Fault> {
    let core = Arc::clone(&guest.core);
    let slot = readable(&core, store)?;
    let partition = Core::partition_name(slot, &guest.call()?.cause).to_owned();
    let within = |number: u32, most: usize| usize::try_from(number).unwrap_or(most).min(most);
    let query = PeersQuery {
        looked_at: newest.looked_at,
        last: newest.last,
        rows: within(newest.rows, ROWS),
        peers: within(newest.peers, PEERS),
    };
    let archive = core.services.store.archive(&slot.name);
    let found = block_on(archive.peers(&partition, query)).map_err(|error| Fault::storage(&core.id, &error))?;
    Ok(found.into_iter().map(peer).collect())
}

fn peer(peer: ArchivePeer) -> PeerRecord {
    PeerRecord { address: peer.name.into(), rows: peer.rows.into_iter().map(mark).collect() }
}

fn mark(row: ArchiveMark) -> MarkRecord {
    MarkRecord { id: row.id.to_string(), marks: row.marks, part: row.part.into() }
}
