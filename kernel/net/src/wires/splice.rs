//! Bytes from socket to socket inside the kernel: `splice(2)` through a pipe.
//! The only unsafe code of the crate: calls of libc with plain numbers.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::AsRawFd as _;

use tokio::io::Interest;
use tokio::net::TcpStream;

/// What a pipe is asked to hold. The system counts pipes against a bound per user
/// (`pipe-user-pages-soft`, usually 64 MiB: 128 relays) and refuses to enlarge them beyond
/// it. A mebibyte was no faster (`tests/bench/bytestreams`).
const CAPACITY: i32 = 256 << 10;

/// A pipe between two sockets. It is filled only when it is empty, so that a socket
/// without data is the only reason for `WouldBlock` when filling.
#[derive(Debug)]
pub(super) struct Pipe {
    reader: PipeReader,
    writer: PipeWriter,
    capacity: usize,
    held: usize,
}

impl Pipe {
    /// # Errors
    /// The system's own: no file descriptors are left.
    pub(super) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let capacity = enlarge(&writer).unwrap_or(4096);
        Ok(Self { reader, writer, capacity, held: 0 })
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Takes what there is, `most` bytes at most; 0 at the end.
    pub(super) fn fill(&mut self, from: &TcpStream, most: usize) -> io::Result<usize> {
        let (socket, pipe) = (from.as_raw_fd(), self.writer.as_raw_fd());
        let taken = from.try_io(Interest::READABLE, || splice(socket, pipe, most))?;
        self.held += taken;
        Ok(taken)
    }

    /// Gives what it holds, as far as the socket takes it.
    pub(super) fn drain(&mut self, to: &TcpStream) -> io::Result<usize> {
        let (socket, pipe, held) = (to.as_raw_fd(), self.reader.as_raw_fd(), self.held);
        let given = to.try_io(Interest::WRITABLE, || splice(pipe, socket, held))?;
        self.held = self.held.saturating_sub(given);
        Ok(given)
    }
}

#[expect(unsafe_code, reason = "one call of libc with plain numbers")]
fn splice(from: i32, to: i32, most: usize) -> io::Result<usize> {
    let flags = libc::SPLICE_F_MOVE | libc::SPLICE_F_NONBLOCK;
    // SAFETY: the offsets are null, so the call reads and writes no memory of ours; numbers
    // that are no open files give EBADF.
    let moved = unsafe { libc::splice(from, std::ptr::null_mut(), to, std::ptr::null_mut(), most, flags) };
    usize::try_from(moved).map_err(|_| io::Error::last_os_error())
}

/// Makes a pipe larger where that is allowed; gives what it holds then.
#[expect(unsafe_code, reason = "two calls of libc with plain numbers")]
fn enlarge(pipe: &PipeWriter) -> Option<usize> {
    let fd = pipe.as_raw_fd();
    // SAFETY: both commands take and give a number and touch no memory of ours.
    let now = unsafe {
        libc::fcntl(fd, libc::F_SETPIPE_SZ, CAPACITY);
        libc::fcntl(fd, libc::F_GETPIPE_SZ)
    };
    usize::try_from(now).ok().filter(|now| *now > 0)
}
