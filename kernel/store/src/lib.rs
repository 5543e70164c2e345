//! Storage of the server: a port to an embedded database, a committer that
//! makes many small writes durable together, and the shapes that plugins see.
//!
//! Room by room, from the disk upwards: [`backend`] (the port and its
//! implementations), [`batch`] (what is written), `committer` and `staging`
//! (group commit), [`store`] (the handle), [`kv`] and [`archive`] (shapes),
//! `cache` and [`partition`] (kv partitions in memory), [`turn`] (the writes of
//! one plugin call), [`export`] and [`import`]. `../README.md` says what is
//! promised and how it was tested.

pub mod archive;
pub mod backend;
pub mod batch;
mod cache;
mod committer;
mod disk_space;
mod error;
pub mod export;
pub mod few;
pub mod health;
pub mod import;
mod keys;
pub mod kv;
#[path = "../../session/src/locks.rs"]
mod locks;
pub mod metrics;
pub mod options;
pub mod partition;
mod queue;
mod row;
mod staging;
pub mod store;
pub mod tables;
pub mod text;
pub mod ticket;
pub mod turn;
mod versions;

pub use archive::{
    Archive, ArchiveId, ArchiveMark, ArchivePage, ArchivePeer, ArchiveQuery, ArchiveRow, PeersQuery, Purge,
};
pub use backend::{Backend, BackendKind, Scan};
pub use batch::{Batch, MAX_KEY, MAX_TABLE_NAME, MAX_VALUE, Op};
pub use error::{Result, StoreError};
pub use few::Few;
pub use health::Health;
pub use kv::Kv;
#[doc(hidden)]
pub use locks::taken as locks_taken;
pub use metrics::MetricsSnapshot;
pub use options::{Class, Options};
pub use partition::{IndexHit, Partition, RowHit};
pub use row::{MAX_INDEX_NAME, MAX_INDEX_VALUE, MAX_INDEXED};
pub use store::{NewRow, Store};
pub use tables::TableId;
pub use text::{Search, Sought, TextOf};
pub use ticket::Ticket;
pub use turn::Turn;
