//! What waits to be written to one session.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{MutexGuard, PoisonError};
use std::task::Waker;

use xylem_stanza::{Outgoing, StreamCondition};

use crate::barrier::Barrier;
use crate::bell;
use crate::error::Refused;
use crate::held::{HELD, Held};
use crate::locks::Mutex;
use crate::management::Claim;
use crate::spare;

/// How much may wait for one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Stanzas, default 1,000.
    pub stanzas: usize,
    /// Bytes of XML, default 1 MiB. The newest stanza may exceed it if nothing else waits.
    pub bytes: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { stanzas: 1000, bytes: 1 << 20 }
    }
}

/// One thing to do for the session's task, in order.
#[derive(Debug)]
pub enum Item {
    /// Write a stanza.
    Stanza(Outgoing),
    /// Tell somebody that everything before it was written.
    Barrier(Barrier),
    /// Write one space (RFC 6120 §4.6.1), to see whether anybody is there.
    Ping,
}

/// Why the server ends a stream (RFC 6120 §4.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The stream error's condition.
    pub condition: StreamCondition,
    /// Its text for people.
    pub text: Option<&'static str>,
    /// Whether what is queued before it is still to be written. A reader that is
    /// too slow gets none of it; it comes back as undelivered.
    pub flush: bool,
}

/// What [`Queue::poll_take`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// Items were appended to the caller's list.
    Items,
    /// Nothing waits; the waker is remembered.
    Empty,
    /// Nothing waits any more, and nothing more will: end the stream so.
    End(End),
    /// Another connection wants the session: see [`Queue::take_claim`].
    Claimed,
}

/// What cannot wait for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// The session is to end.
    End(End),
    /// Another connection wants the session.
    Claimed,
}

/// A bounded queue from many threads to one session's task.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    /// Whether the state has something held back, so that senders need not look.
    inactive: AtomicBool,
}

#[derive(Debug)]
struct State {
    items: VecDeque<Item>,
    stanzas: usize,
    bytes: usize,
    limits: QueueLimits,
    waker: Option<Waker>,
    phase: Phase,
    held: Option<Box<Held>>,
}

#[derive(Debug)]
enum Phase {
    Open,
    /// Open as well.
    Claimed(Claim),
    Ending(End),
    Closed,
}

impl Queue {
    /// An empty queue; it allocates nothing until something is pushed.
    #[must_use]
    pub fn new(limits: QueueLimits) -> Self {
        let phase = Phase::Open;
        let state = State { items: VecDeque::new(), stanzas: 0, bytes: 0, limits, waker: None, phase, held: None };
        Self { state: Mutex::new(state), inactive: AtomicBool::new(false) }
    }

    /// Queues a stanza.
    ///
    /// # Errors
    /// [`Refused::Full`] ends the session with `resource-constraint` (the reader is
    /// too slow); [`Refused::Closed`] when it is ending anyway. The stanza is not queued.
    pub fn push(&self, stanza: Outgoing) -> Result<(), Refused> {
        self.push_with(stanza, None)
    }

    /// Queues a stanza and a barrier behind it, so that nobody takes the one without the other.
    ///
    /// # Errors
    /// As [`Self::push`]; the barrier has fired then.
    pub fn push_followed(&self, stanza: Outgoing, barrier: Barrier) -> Result<(), Refused> {
        self.push_with(stanza, Some(barrier))
    }

    /// A barrier that is refused fires as it is dropped, which is when no lock is held any more.
    fn push_with(&self, stanza: Outgoing, barrier: Option<Barrier>) -> Result<(), Refused> {
        let size = size(&stanza);
        let mut state = self.lock();
        state.open()?;
        let over =
            state.stanzas >= state.limits.stanzas || (state.stanzas > 0 && state.bytes + size > state.limits.bytes);
        if over {
            let (waker, claim) = state.end(End {
                condition: StreamCondition::ResourceConstraint,
                text: Some("stanzas are not read as fast as they arrive"),
                flush: false,
            });
            drop(state);
            drop(claim);
            wake(waker);
            return Err(Refused::Full);
        }
        state.stanzas += 1;
        state.bytes += size;
        let waker = state.append(Item::Stanza(stanza));
        if let Some(barrier) = barrier {
            state.items.push_back(Item::Barrier(barrier));
        }
        drop(state);
        wake(waker);
        Ok(())
    }

    /// Queues a stanza that can wait while the client is [inactive](Self::set_active). With
    /// a `key` it replaces what waits under the same one.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_held(&self, stanza: Outgoing, key: Option<&str>) -> Result<(), Refused> {
        let mut state = self.lock();
        if !state.may_hold(size(&stanza)) {
            drop(state);
            return self.push(stanza);
        }
        state.open()?;
        let replaced = state.hold(stanza, key);
        drop(state);
        drop(replaced);
        Ok(())
    }

    /// For the session's task: whether anybody looks at the client (XEP-0352). While nobody
    /// does, what was queued by [`Self::push_held`] waits until something else comes, until
    /// there is much of it, or until the client is active again.
    pub fn set_active(&self, active: bool) {
        let mut state = self.lock();
        let begins = !state.items.is_empty();
        match (active, &state.held) {
            (true, _) => state.held = None,
            (false, None) => state.held = Some(Box::new(Held::new(begins))),
            (false, Some(_)) => {}
        }
        self.inactive.store(!active, Ordering::Relaxed);
    }

    /// Whether the client said that nobody looks at it.
    pub fn is_inactive(&self) -> bool {
        self.inactive.load(Ordering::Relaxed)
    }

    /// Queues a barrier; it fires at once with [`Delivery::Lost`](crate::Delivery::Lost) if the session has ended.
    ///
    /// # Errors
    /// [`Refused::Closed`]; the barrier has fired then.
    pub fn barrier(&self, barrier: Barrier) -> Result<(), Refused> {
        self.control(Item::Barrier(barrier))
    }

    /// Asks for a whitespace ping.
    ///
    /// # Errors
    /// [`Refused::Closed`].
    pub fn ping(&self) -> Result<(), Refused> {
        self.control(Item::Ping)
    }

    /// Ends the session once what is queued is written; what comes later is refused.
    /// Does nothing if it is ending already.
    pub fn end(&self, condition: StreamCondition, text: Option<&'static str>) {
        let mut state = self.lock();
        if state.open().is_err() {
            return;
        }
        let (waker, claim) = state.end(End { condition, text, flush: true });
        drop(state);
        drop(claim);
        wake(waker);
    }

    /// Tells whoever has the session that another connection wants it. An earlier wish
    /// that is not yet answered is answered with no.
    ///
    /// # Errors
    /// [`Refused::Closed`]; the claim is answered with no then.
    pub fn claim(&self, claim: Claim) -> Result<(), Refused> {
        let mut state = self.lock();
        if let Err(refused) = state.open() {
            drop(state);
            drop(claim);
            return Err(refused);
        }
        let before = std::mem::replace(&mut state.phase, Phase::Claimed(claim));
        let waker = state.waker.take();
        drop(state);
        drop(before);
        wake(waker);
        Ok(())
    }

    /// For whoever has the session: the wish, to be answered.
    pub fn take_claim(&self) -> Option<Claim> {
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Claimed(_)) {
            return None;
        }
        match std::mem::replace(&mut state.phase, Phase::Open) {
            Phase::Claimed(claim) => Some(claim),
            Phase::Open | Phase::Ending(_) | Phase::Closed => None,
        }
    }

    /// For whoever has a session without connection: says so if anything is to be done
    /// with it, else remembers the waker.
    pub fn rest(&self, waker: &Waker) -> Option<Interrupt> {
        let mut state = self.lock();
        let interrupt = state.interrupt();
        if interrupt.is_none() {
            state.remember(waker);
        }
        interrupt
    }

    /// Stanzas and bytes that wait now.
    pub fn depth(&self) -> (usize, usize) {
        let state = self.lock();
        (state.stanzas, state.bytes)
    }

    /// The messages that wait and would be lost with this process, see [`Outgoing::to_note`].
    pub fn to_note(&self) -> Vec<Outgoing> {
        to_note(&mut self.lock().items)
    }

    /// The messages that wait, in order.
    pub fn messages(&self) -> Vec<Outgoing> {
        let message = |item: &Item| match item {
            Item::Stanza(stanza) if stanza.is_message() => Some(stanza.clone()),
            _ => None,
        };
        self.lock().items.iter().filter_map(message).collect()
    }

    /// Its bounds.
    pub fn limits(&self) -> QueueLimits {
        self.lock().limits
    }

    /// Whether stanzas are still accepted.
    pub fn is_open(&self) -> bool {
        self.lock().open().is_ok()
    }

    /// For the session's task: moves items worth about `bytes` to `into`, or
    /// remembers the waker.
    pub fn poll_take(&self, waker: &Waker, bytes: usize, into: &mut VecDeque<Item>) -> Taken {
        let mut state = self.lock();
        match state.interrupt() {
            Some(Interrupt::End(end)) if state.items.is_empty() || !end.flush => return Taken::End(end),
            Some(Interrupt::Claimed) => return Taken::Claimed,
            Some(Interrupt::End(_)) | None => {}
        }
        if state.items.is_empty() || state.is_held() {
            state.remember(waker);
            return Taken::Empty;
        }
        state.take(bytes, into);
        Taken::Items
    }

    /// For the session's task: while it runs it looks here before it rests, so nobody
    /// needs to wake it.
    pub fn disarm(&self) {
        self.lock().waker = None;
    }

    /// For the session's task, while the client takes no more: remembers the waker, and
    /// says so if there is something to do that does not wait for the client.
    pub fn watch(&self, waker: &Waker) -> Option<Interrupt> {
        let mut state = self.lock();
        match state.interrupt() {
            Some(Interrupt::End(end)) if end.flush => {}
            Some(interrupt) => return Some(interrupt),
            None => {}
        }
        state.remember(waker);
        None
    }

    /// For the session's task: refuses everything from now on and hands back what
    /// was never taken.
    pub fn close(&self) -> VecDeque<Item> {
        let mut state = self.lock();
        let phase = std::mem::replace(&mut state.phase, Phase::Closed);
        state.waker = None;
        state.stanzas = 0;
        state.bytes = 0;
        let items = std::mem::take(&mut state.items);
        drop(state);
        drop(phase);
        items
    }

    fn control(&self, item: Item) -> Result<(), Refused> {
        let mut state = self.lock();
        if let Err(refused) = state.open() {
            // A barrier fires as it is dropped: not under the lock.
            drop(state);
            drop(item);
            return Err(refused);
        }
        let waker = state.append(item);
        drop(state);
        wake(waker);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn open(&self) -> Result<(), Refused> {
        match self.phase {
            Phase::Open | Phase::Claimed(_) => Ok(()),
            Phase::Ending(_) | Phase::Closed => Err(Refused::Closed),
        }
    }

    fn remember(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
    }

    /// The bell is rung for the first item only: whoever comes for it finds the rest.
    fn append(&mut self, item: Item) -> Option<Waker> {
        let first = self.items.is_empty();
        if self.items.capacity() == 0 {
            self.items = spare::take();
        }
        self.items.push_back(item);
        let rings = self.held.as_mut().map_or(first, |held| held.release());
        if rings { self.waker.take() } else { None }
    }

    fn is_held(&self) -> bool {
        let ending = matches!(self.phase, Phase::Ending(_));
        !ending && self.held.as_ref().is_some_and(|held| held.holds())
    }

    /// Whether one more stanza of this size may wait for something urgent.
    fn may_hold(&self, size: usize) -> bool {
        let room = self.stanzas < HELD.min(self.limits.stanzas / 2) && self.bytes + size <= self.limits.bytes / 2;
        room && self.is_held()
    }

    /// Nobody is woken. What it replaces is to be dropped outside the lock.
    fn hold(&mut self, stanza: Outgoing, key: Option<&str>) -> Option<Item> {
        let place = key.and_then(|key| self.held.as_mut()?.replace(key.into(), self.items.len()));
        let replaced = place.and_then(|place| self.items.remove(place));
        if let Some(Item::Stanza(old)) = &replaced {
            self.stanzas -= 1;
            self.bytes -= size(old);
        }
        self.stanzas += 1;
        self.bytes += size(&stanza);
        self.items.push_back(Item::Stanza(stanza));
        replaced
    }

    /// What was before is to be dropped outside the lock.
    fn end(&mut self, end: End) -> (Option<Waker>, Phase) {
        let before = std::mem::replace(&mut self.phase, Phase::Ending(end));
        (self.waker.take(), before)
    }

    fn interrupt(&self) -> Option<Interrupt> {
        match self.phase {
            Phase::Ending(end) => Some(Interrupt::End(end)),
            Phase::Claimed(_) => Some(Interrupt::Claimed),
            Phase::Open | Phase::Closed => None,
        }
    }

    fn take(&mut self, bytes: usize, into: &mut VecDeque<Item>) {
        if self.bytes <= bytes && into.is_empty() {
            // The list itself goes along: an idle queue holds no memory.
            *into = std::mem::take(&mut self.items);
            self.stanzas = 0;
            self.bytes = 0;
            self.emptied();
            return;
        }
        let mut taken = 0;
        // Barriers go with what they stand behind.
        while (taken < bytes || matches!(self.items.front(), Some(Item::Barrier(_))))
            && let Some(item) = self.items.pop_front()
        {
            if let Item::Stanza(stanza) = &item {
                taken += size(stanza);
                self.stanzas -= 1;
                self.bytes -= size(stanza);
            }
            into.push_back(item);
        }
        if self.items.is_empty() {
            self.items = VecDeque::new();
            self.emptied();
        }
    }

    fn emptied(&mut self) {
        if let Some(held) = &mut self.held {
            held.emptied();
        }
    }
}

pub(crate) fn to_note(items: &mut VecDeque<Item>) -> Vec<Outgoing> {
    let message = |item: &mut Item| if let Item::Stanza(stanza) = item { Outgoing::to_note(stanza) } else { None };
    items.iter_mut().filter_map(message).collect()
}

pub(crate) fn size(stanza: &Outgoing) -> usize {
    stanza.len()
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        bell::ring(waker);
    }
}
