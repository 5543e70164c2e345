//! From the socket to the stream.

use std::task::{Context as Cx, Poll};

use xylem_session::QueueLimits;
use xylem_stream::Event;

use crate::c2s::driver::{Driver, Place, Stage};
use crate::transport::Filled;

/// Frames of one turn; then other connections get theirs.
const FRAMES_PER_TURN: usize = 64;

impl Driver {
    /// Reads and works off what there is; true if there may be more.
    pub(super) fn read(&mut self, cx: &mut Cx<'_>) -> bool {
        let mut budget = FRAMES_PER_TURN;
        loop {
            self.take_frames(cx, &mut budget);
            if budget == 0 {
                return true;
            }
            if self.ended && self.stage == Stage::Open && self.work.is_none() && !self.yielding {
                self.handle(Event::Disconnected);
            }
            if !self.may_read() {
                return false;
            }
            match self.fill(cx) {
                Poll::Pending => return false,
                Poll::Ready(Ok(Filled::Bytes(bytes))) => self.received(bytes),
                Poll::Ready(Ok(Filled::Ended)) => self.peer_ended(),
                Poll::Ready(Err(error)) => {
                    self.failed(&error);
                    return false;
                }
            }
        }
    }

    fn fill(&mut self, cx: &mut Cx<'_>) -> Poll<std::io::Result<Filled>> {
        let framer = &mut self.framer;
        match self.stage {
            Stage::Draining { .. } => self.transport.poll_fill(cx, |_| {}),
            _ => self.transport.poll_fill(cx, |plaintext| framer.feed(plaintext)),
        }
    }

    fn received(&mut self, bytes: usize) {
        self.timing.heard();
        if let Some(pace) = &mut self.pace {
            pace.spend(bytes);
        }
        if let Place::Session { session, .. } = &self.place {
            session.counters().read(0, bytes as u64);
        }
        if self.stage == Stage::Handshake && (!self.transport.is_handshaking() || self.transport.brought_early_data()) {
            self.secured();
        } else if self.stream.as_ref().is_some_and(|stream| stream.is_early()) && !self.transport.is_handshaking() {
            self.handle(Event::TlsConfirmed);
        }
    }

    /// Passes whole frames to the stream, as long as it wants them.
    fn take_frames(&mut self, cx: &mut Cx<'_>, budget: &mut usize) {
        while *budget > 0 {
            if self.work.is_some() {
                self.resume(cx);
            }
            let wanted = self.stage == Stage::Open
                && self.work.is_none()
                && !self.yielding
                && self.later.is_empty()
                && self.stream.as_ref().is_some_and(|stream| stream.wants_frames());
            if !wanted {
                return;
            }
            match self.framer.next_frame() {
                Ok(None) => return,
                Ok(Some(frame)) => {
                    self.count(*budget == FRAMES_PER_TURN);
                    *budget -= 1;
                    self.handle(Event::Frame(frame));
                }
                Err(error) => {
                    tracing::info!(peer = %self.peer, %error, "bad XML");
                    self.handle(Event::XmlError(error));
                }
            }
        }
    }

    /// While it works off input, the session needs no bell for its own queue.
    fn count(&self, first: bool) {
        if let Place::Session { session, .. } = &self.place {
            session.counters().read(1, 0);
            if first {
                session.queue().disarm();
            }
        }
    }

    /// Whether more input would find room: a client is read no faster than it is worked
    /// off, and not at all while it leaves half a queue of answers unread.
    fn may_read(&self) -> bool {
        let stage = match self.stage {
            Stage::Handshake | Stage::Draining { shut: true } => true,
            Stage::Open => self.work.is_none() && !self.ended,
            Stage::Draining { shut: false } | Stage::Gone => false,
        };
        stage && self.pace.as_ref().is_none_or(|pace| pace.allows()) && !self.is_choked()
    }

    fn is_choked(&self) -> bool {
        self.transport.wants_write()
            && self.session().is_some_and(|session| {
                let most: QueueLimits = session.queue().limits();
                let (stanzas, bytes) = session.queue().depth();
                stanzas > most.stanzas / 2 || bytes > most.bytes / 2
            })
    }

    fn peer_ended(&mut self) {
        match self.stage {
            Stage::Handshake => self.abandon(),
            Stage::Draining { .. } => self.stage = Stage::Gone,
            Stage::Open | Stage::Gone => self.ended = true,
        }
    }

    fn failed(&mut self, error: &std::io::Error) {
        if self.stage == Stage::Handshake {
            tracing::info!(peer = %self.peer, %error, "TLS handshake failed");
            // Its alert, if there is one, says why.
            self.stage = Stage::Draining { shut: false };
            self.timing.draining();
            self.leave(&xylem_stream::Ending::Lost);
        } else {
            self.lost(error);
        }
    }
}
