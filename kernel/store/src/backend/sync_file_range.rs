//! Makes sled's flush real. The only unsafe code of the crate.
//!
//! sled 0.34.7 calls `sync_file_range(2)` where it means "this is on the disk
//! now". That call writes neither the file's size, nor its block allocation,
//! nor the drive's cache. The symbol below stands before the one of libc when
//! the binary is linked, so that sled calls `fdatasync(2)` instead: in the
//! strictest fault model nothing but this kept all acknowledged writes
//! (`README.md`, "sled").
//!
//! Whether the linker really did so is proved each time a database is opened:
//! sled writes and flushes one entry, and [`calls`] must have grown
//! (`sled.rs`, `prove_sync`).

use std::sync::atomic::{AtomicU64, Ordering};

static CALLS: AtomicU64 = AtomicU64::new(0);

/// How often sled has synced through this file.
pub(super) fn calls() -> u64 {
    CALLS.load(Ordering::Relaxed)
}

/// Stands in for the function of the same name in libc: syncs data, size and
/// allocation of the whole file. Returns -1 and leaves the reason in `errno`,
/// as the original does.
#[unsafe(no_mangle)]
#[expect(unsafe_code, reason = "a symbol for the linker, and one call of libc with a plain number")]
extern "C" fn sync_file_range(
    fd: libc::c_int,
    _offset: libc::off64_t,
    _length: libc::off64_t,
    _flags: libc::c_uint,
) -> libc::c_int {
    CALLS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: fdatasync takes a number and touches no memory of ours; a number
    // that is no open file gives EBADF.
    unsafe { libc::fdatasync(fd) }
}
