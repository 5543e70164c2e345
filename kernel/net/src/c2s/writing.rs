//! From the queue to the socket.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::task::{Context as Cx, Poll};

use xylem_session::{Delivery, End, Interrupt, Item, Taken};
use xylem_stream::{Event, StreamError};

use crate::c2s::driver::{Driver, Place, Stage};

/// Bytes of XML taken from the queue at once.
const BATCH: usize = 64 * 1024;
/// What a thread's buffer may keep between batches.
const KEPT: usize = 2 * BATCH;

thread_local! {
    /// Where a batch is put together.
    static PLAIN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Driver {
    /// Writes what there is; true if that may have made way for more input.
    pub(super) fn write(&mut self, cx: &mut Cx<'_>) -> bool {
        let mut changed = self.timing.is_stuck();
        while self.stage != Stage::Gone {
            match self.flush(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    self.lost(&error);
                    return false;
                }
                Poll::Pending => return self.blocked(cx),
            }
            self.written();
            let taken = self.take(cx);
            if let Err(error) = self.encode() {
                self.lost(&error);
                return false;
            }
            match taken {
                Taken::End(end) => {
                    changed = true;
                    self.end(end);
                }
                Taken::Claimed => changed |= self.hand_over(),
                Taken::Items | Taken::Empty => {}
            }
            if !self.transport.wants_write() && self.answers.is_empty() {
                self.written();
                return self.finish(cx) || changed;
            }
        }
        false
    }

    fn flush(&mut self, cx: &mut Cx<'_>) -> Poll<io::Result<()>> {
        if !self.transport.wants_write() {
            return Poll::Ready(Ok(()));
        }
        let mut progress = 0;
        let outcome = self.transport.poll_flush(cx, &mut progress);
        self.timing.wrote(progress, outcome.is_pending());
        outcome
    }

    /// Takes from the queue, unless the stream is over.
    fn take(&mut self, cx: &mut Cx<'_>) -> Taken {
        if self.stage != Stage::Open || self.is_closing() || !self.in_flight.is_empty() {
            return Taken::Empty;
        }
        if let Some(managed) = &self.managed {
            if managed.kept.has_unwritten() {
                return Taken::Empty;
            }
            if managed.is_full() {
                let interrupt = self.queue().and_then(|queue| queue.watch(cx.waker()));
                return interrupt.map_or(Taken::Empty, |interrupt| match interrupt {
                    Interrupt::End(end) => Taken::End(end),
                    Interrupt::Claimed => Taken::Claimed,
                });
            }
        }
        let mut items = VecDeque::new();
        let taken = match self.queue() {
            Some(queue) => queue.poll_take(cx.waker(), BATCH, &mut items),
            None => Taken::Empty,
        };
        self.in_flight = items;
        taken
    }

    fn is_closing(&self) -> bool {
        use xylem_stream::Phase::{Closed, Closing};
        matches!(self.phase(), Some(Closing | Closed))
    }

    /// Puts answers and items into one stretch of plaintext, so into as few TLS records
    /// as can be.
    fn encode(&mut self) -> io::Result<()> {
        let rewrites = self.managed.as_ref().is_some_and(|managed| managed.kept.has_unwritten());
        if self.answers.is_empty() && self.in_flight.is_empty() && !rewrites {
            return Ok(());
        }
        PLAIN.with_borrow_mut(|plain| {
            plain.clear();
            plain.append(&mut self.answers);
            self.answers = Vec::new();
            if rewrites {
                self.rewrite(BATCH, plain);
            }
            for item in &self.in_flight {
                match item {
                    Item::Stanza(stanza) => stanza.write_to(plain),
                    Item::Ping => plain.push(b' '),
                    Item::Barrier(_) => {}
                }
            }
            self.keep(plain);
            let queued = self.transport.queue(plain);
            if let Place::Session { session, .. } = &self.place {
                session.counters().wrote(0, plain.len() as u64);
            }
            if plain.capacity() > KEPT {
                *plain = Vec::new();
            }
            queued
        })
    }

    /// Everything taken has been handed to the system.
    fn written(&mut self) {
        if self.in_flight.is_empty() {
            return;
        }
        let mut stanzas = 0;
        let mut items = std::mem::take(&mut self.in_flight);
        for item in items.drain(..) {
            match item {
                Item::Stanza(stanza) => {
                    stanzas += 1;
                    stanza.delivered();
                }
                Item::Barrier(barrier) => barrier.fire(Delivery::Written),
                Item::Ping => {}
            }
        }
        xylem_session::give_back(items);
        if let Place::Session { session, .. } = &self.place {
            session.counters().wrote(stanzas, 0);
        }
    }

    /// The client takes no more for now.
    fn blocked(&mut self, cx: &mut Cx<'_>) -> bool {
        if self.stage != Stage::Open || self.is_closing() {
            return false;
        }
        match self.queue().and_then(|queue| queue.watch(cx.waker())) {
            Some(Interrupt::End(end)) => {
                self.end(end);
                true
            }
            Some(Interrupt::Claimed) => self.hand_over(),
            None => false,
        }
    }

    pub(super) fn end(&mut self, end: End) {
        tracing::info!(peer = %self.peer, condition = %end.condition, text = end.text, "ending a stream");
        let error = StreamError { text: end.text, ..StreamError::new(end.condition) };
        if self.stream.is_none() {
            return self.abandon();
        }
        self.handle(Event::End(error));
    }

    /// Nothing is left to write: the last steps of a stream that is over.
    fn finish(&mut self, cx: &mut Cx<'_>) -> bool {
        if self.stage != (Stage::Draining { shut: false }) {
            return false;
        }
        self.transport.close_notify();
        let mut progress = 0;
        match self.transport.poll_flush(cx, &mut progress) {
            Poll::Pending => return false,
            Poll::Ready(Err(_)) => {
                self.stage = Stage::Gone;
                return false;
            }
            Poll::Ready(Ok(())) => {}
        }
        // What the peer still sends is read, else the system would answer it with a reset,
        // and the reset might overtake our last words.
        self.stage = match self.transport.poll_shutdown(cx) {
            Poll::Ready(Ok(())) => Stage::Draining { shut: true },
            Poll::Pending => self.stage,
            Poll::Ready(Err(_)) => Stage::Gone,
        };
        self.stage == (Stage::Draining { shut: true })
    }
}
