//! One TCP connection, with or without TLS, driven by readiness.
//!
//! rustls is driven directly instead of through a stream adapter: one read and one
//! write call to the system per wake-up, buffers of the thread instead of the
//! connection, and no state beyond the connection's own.

use std::cell::RefCell;
use std::io::{self, BufRead, IoSlice, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How much one call to the system may read.
const READ_SIZE: usize = 32 * 1024;

thread_local! {
    /// A connection that waits for input holds no buffer for it.
    static INPUT: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_SIZE].into_boxed_slice());
}

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filled {
    /// So many bytes came from the wire (perhaps none of them plaintext yet).
    Bytes(usize),
    /// The peer sends no more (close_notify or end of file).
    Ended,
}

/// What a client sends before the handshake is done (RFC 8446 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EarlyData {
    /// None is taken, or no more.
    Over,
    /// There may be some.
    Possible,
    /// There was some.
    Taken,
}

/// The connection.
#[derive(Debug)]
pub(crate) struct Transport {
    tcp: TcpStream,
    tls: Option<Box<ServerConnection>>,
    early: EarlyData,
    /// What the system did not take of an unencrypted stream.
    unsent: Vec<u8>,
}

impl Transport {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self { tcp, tls: None, early: EarlyData::Over, unsent: Vec::new() }
    }

    /// Lets the system give the connection up when what was sent is not acknowledged for
    /// so long (RFC 5482).
    pub(crate) fn give_up_after(&self, patience: Duration) {
        if let Err(error) = SockRef::from(&self.tcp).set_tcp_user_timeout(Some(patience)) {
            tracing::debug!(%error, "no TCP user timeout");
        }
    }

    /// Begins the server's side of a TLS handshake.
    pub(crate) fn start_tls(&mut self, config: Arc<ServerConfig>) -> Result<(), rustls::Error> {
        self.early = if config.max_early_data_size > 0 { EarlyData::Possible } else { EarlyData::Over };
        let mut tls = ServerConnection::new(config)?;
        // The driver queues one bounded batch at a time; a limit here would cut it.
        tls.set_buffer_limit(None);
        self.tls = Some(Box::new(tls));
        Ok(())
    }

    pub(crate) fn tls(&self) -> Option<&ServerConnection> {
        self.tls.as_deref()
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// Whether the client sent something before the handshake was done.
    pub(crate) fn brought_early_data(&self) -> bool {
        self.early == EarlyData::Taken
    }

    /// Reads once and hands every piece of plaintext to `sink`.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>, mut sink: impl FnMut(&[u8])) -> Poll<io::Result<Filled>> {
        INPUT.with_borrow_mut(|input| {
            let mut buffer = ReadBuf::new(input);
            ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut buffer))?;
            let bytes = buffer.filled();
            if bytes.is_empty() {
                return Poll::Ready(Ok(Filled::Ended));
            }
            let Some(tls) = &mut self.tls else {
                sink(bytes);
                return Poll::Ready(Ok(Filled::Bytes(bytes.len())));
            };
            Poll::Ready(decrypt(tls, &mut self.early, bytes, &mut sink))
        })
    }

    /// Takes plaintext to send; nothing is written before [`Transport::poll_flush`].
    pub(crate) fn queue(&mut self, plaintext: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => tls.writer().write_all(plaintext),
            None => {
                self.unsent.extend_from_slice(plaintext);
                Ok(())
            }
        }
    }

    /// Whether something waits to be written.
    pub(crate) fn wants_write(&self) -> bool {
        !self.unsent.is_empty() || self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Writes until nothing is left or the system takes no more. Returns the bytes written.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>, progress: &mut usize) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let written = ready!(Pin::new(&mut self.tcp).poll_write(cx, &self.unsent))?;
            *progress += written;
            self.unsent.drain(..written.min(self.unsent.len()));
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        self.unsent = Vec::new();
        let Some(tls) = &mut self.tls else { return Poll::Ready(Ok(())) };
        while tls.wants_write() {
            let mut socket = Socket { tcp: &mut self.tcp, cx };
            match tls.write_tls(&mut socket) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(written) => *progress += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Queues TLS' own goodbye, if there is TLS.
    pub(crate) fn close_notify(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
    }

    /// Closes the sending direction of the socket.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

fn decrypt(
    tls: &mut ServerConnection,
    early: &mut EarlyData,
    bytes: &[u8],
    sink: &mut impl FnMut(&[u8]),
) -> io::Result<Filled> {
    let mut rest = bytes;
    while !rest.is_empty() {
        tls.read_tls(&mut rest)?;
        let state = tls.process_new_packets().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        if *early != EarlyData::Over {
            *early = take_early(tls, *early, sink)?;
        }
        let mut waiting = state.plaintext_bytes_to_read();
        while waiting > 0 {
            let mut reader = tls.reader();
            let chunk = reader.fill_buf()?;
            let length = chunk.len();
            sink(chunk);
            reader.consume(length);
            waiting = waiting.saturating_sub(length);
            if length == 0 {
                break;
            }
        }
        if state.peer_has_closed() {
            return Ok(Filled::Ended);
        }
    }
    Ok(Filled::Bytes(bytes.len()))
}

fn take_early(tls: &mut ServerConnection, mut early: EarlyData, sink: &mut impl FnMut(&[u8])) -> io::Result<EarlyData> {
    if let Some(mut data) = tls.early_data() {
        let mut chunk = [0; 1024];
        loop {
            let length = data.read(&mut chunk)?;
            let Some(bytes @ [_, ..]) = chunk.get(..length) else { break };
            sink(bytes);
            early = EarlyData::Taken;
        }
    }
    Ok(if tls.is_handshaking() { early } else { EarlyData::Over })
}

/// The socket as rustls wants it: blocking in form, never in fact.
struct Socket<'a, 'c> {
    tcp: &'a mut TcpStream,
    cx: &'a mut Context<'c>,
}

impl Write for Socket<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        settled(Pin::new(&mut *self.tcp).poll_write(self.cx, bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        settled(match slices {
            [only] => Pin::new(&mut *self.tcp).poll_write(self.cx, only),
            _ => Pin::new(&mut *self.tcp).poll_write_vectored(self.cx, slices),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn settled(outcome: Poll<io::Result<usize>>) -> io::Result<usize> {
    match outcome {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}
