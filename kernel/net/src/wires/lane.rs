//! One direction of a relay: what is on its way between two sockets.

use std::io;

use tokio::net::TcpStream;

#[cfg(target_os = "linux")]
use super::splice::Pipe;

/// Bytes copied at once where they cannot be spliced.
const BUFFER: usize = 64 << 10;

/// What holds the bytes on their way.
#[derive(Debug)]
pub(super) enum Lane {
    #[cfg(target_os = "linux")]
    Pipe(Pipe),
    Buffer(Buffer),
}

impl Lane {
    /// A pipe where the system has `splice(2)`, else a buffer.
    pub(super) fn new() -> Self {
        #[cfg(target_os = "linux")]
        match Pipe::new() {
            Ok(pipe) => return Self::Pipe(pipe),
            Err(error) => tracing::warn!(%error, "no pipe to be had; a relay copies"),
        }
        Self::Buffer(Buffer::new())
    }

    /// How much it takes at once.
    pub(super) fn capacity(&self) -> usize {
        match self {
            #[cfg(target_os = "linux")]
            Self::Pipe(pipe) => pipe.capacity(),
            Self::Buffer(_) => BUFFER,
        }
    }

    /// How much it has taken and not given.
    pub(super) fn held(&self) -> usize {
        match self {
            #[cfg(target_os = "linux")]
            Self::Pipe(pipe) => pipe.held(),
            Self::Buffer(buffer) => buffer.held(),
        }
    }

    /// Takes what there is, `most` bytes at most; 0 at the end. Only when it is empty.
    pub(super) fn fill(&mut self, from: &TcpStream, most: usize) -> io::Result<usize> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Pipe(pipe) => pipe.fill(from, most),
            Self::Buffer(buffer) => buffer.fill(from, most),
        }
    }

    /// Gives what it holds, as far as the socket takes it.
    pub(super) fn drain(&mut self, to: &TcpStream) -> io::Result<usize> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Pipe(pipe) => pipe.drain(to),
            Self::Buffer(buffer) => buffer.drain(to),
        }
    }
}

/// Memory of our own.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Box<[u8]>,
    from: usize,
    to: usize,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; BUFFER].into_boxed_slice(), from: 0, to: 0 }
    }

    fn held(&self) -> usize {
        self.to.saturating_sub(self.from)
    }

    fn fill(&mut self, from: &TcpStream, most: usize) -> io::Result<usize> {
        let room = self.bytes.get_mut(..most.min(BUFFER)).unwrap_or_default();
        let taken = from.try_read(room)?;
        (self.from, self.to) = (0, taken);
        Ok(taken)
    }

    fn drain(&mut self, to: &TcpStream) -> io::Result<usize> {
        let given = to.try_write(self.bytes.get(self.from..self.to).unwrap_or_default())?;
        self.from += given;
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::{Buffer, Lane};

    async fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    /// Spliced or copied makes no difference but in speed.
    #[tokio::test]
    async fn what_is_taken_is_given_in_order() {
        for mut lane in [Lane::new(), Lane::Buffer(Buffer::new())] {
            let ((mut source, from), (to, mut sink)) = (connected().await, connected().await);
            source.write_all(b"0123456789").await.unwrap();
            from.readable().await.unwrap();
            assert_eq!((lane.fill(&from, 6).unwrap(), lane.held()), (6, 6));
            to.writable().await.unwrap();
            while lane.held() > 0 {
                lane.drain(&to).unwrap();
            }
            assert_eq!(lane.fill(&from, lane.capacity()).unwrap(), 4);
            lane.drain(&to).unwrap();
            assert_eq!(lane.fill(&from, 6).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
            drop((source, to));
            from.readable().await.unwrap();
            assert_eq!(lane.fill(&from, 6).unwrap(), 0);
            let mut given = Vec::new();
            sink.read_to_end(&mut given).await.unwrap();
            assert_eq!(given, b"0123456789");
        }
    }
}
