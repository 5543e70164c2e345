//! The connection's clock: one timer, moved only when it rings.

use std::future::Future;
use std::pin::Pin;
use std::task::Context as Cx;

use tokio::time::{Instant, Sleep, sleep_until};
use xylem_stream::Event;

use crate::c2s::driver::{Driver, Stage};
use crate::config::Timeouts;

/// What the clock has to remember.
pub(super) struct Timing {
    timer: Pin<Box<Sleep>>,
    /// Whether the timer knows whom to wake; it is the same task for ever.
    armed: bool,
    limits: Timeouts,
    /// When the present stage or phase must be over; none while stanzas flow.
    ends: Option<Instant>,
    /// When resource binding must be done.
    login_ends: Instant,
    heard: Instant,
    pinged: Instant,
    /// Since when the client has taken nothing of what it should.
    stuck: Option<Instant>,
    closing: bool,
}

impl Timing {
    pub(super) fn new(limits: Timeouts) -> Self {
        let now = Instant::now();
        let login_ends = now + limits.login;
        Self {
            timer: Box::pin(sleep_until(login_ends)),
            armed: false,
            limits,
            ends: Some(login_ends),
            login_ends,
            heard: now,
            pinged: now,
            stuck: None,
            closing: false,
        }
    }

    /// A TLS handshake begins.
    pub(super) fn handshake(&mut self) {
        self.ends = Some(self.login_ends.min(Instant::now() + self.limits.handshake));
    }

    /// It is over.
    pub(super) fn login(&mut self) {
        self.ends = Some(self.login_ends);
    }

    /// The session begins.
    pub(super) fn session(&mut self) {
        self.ends = None;
    }

    /// Our end of the stream is sent, the client's awaited.
    pub(super) fn closing(&mut self) {
        if !self.closing {
            self.closing = true;
            self.ends = Some(Instant::now() + self.limits.close);
        }
    }

    /// The stream is over, the socket is to follow.
    pub(super) fn draining(&mut self) {
        self.ends = Some(Instant::now() + self.limits.close);
    }

    /// The client sent something.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// So many bytes were written, and whether some are left.
    pub(super) fn wrote(&mut self, bytes: usize, blocked: bool) {
        if !blocked {
            self.stuck = None;
        } else if bytes > 0 || self.stuck.is_none() {
            self.stuck = Some(Instant::now());
        }
    }

    /// Whether the client leaves something unread.
    pub(super) fn is_stuck(&self) -> bool {
        self.stuck.is_some()
    }

    fn set(&mut self, due: Instant) {
        self.timer.as_mut().reset(due);
        self.armed = false;
    }

    fn idle_ends(&self) -> Instant {
        self.heard.max(self.pinged) + self.limits.idle
    }

    fn due(&self) -> Instant {
        let due = self.ends.unwrap_or_else(|| self.idle_ends());
        self.stuck.map_or(due, |since| due.min(since + self.limits.stalled))
    }
}

impl Driver {
    /// True if time brought something that is to be acted upon.
    pub(super) fn keep_time(&mut self, cx: &mut Cx<'_>) -> bool {
        if self.stage == Stage::Gone {
            return false;
        }
        let mut due = self.timing.due();
        if let Some(until) = self.pace.as_ref().and_then(|pace| pace.until()) {
            due = due.min(until);
        }
        if let Some(at) = self.management_due() {
            due = due.min(at);
        }
        let timing = &mut self.timing;
        if due < timing.timer.deadline() {
            timing.set(due);
        }
        // Every turn comes by here, and hardly ever is there anything to do.
        if timing.armed && !timing.timer.is_elapsed() {
            return false;
        }
        if timing.timer.as_mut().poll(cx).is_pending() {
            timing.armed = true;
            return false;
        }
        if due <= Instant::now() {
            self.ring(due);
            return true;
        }
        // What was due has moved on meanwhile.
        timing.set(due);
        timing.armed = timing.timer.as_mut().poll(cx).is_pending();
        !timing.armed
    }

    fn ring(&mut self, due: Instant) {
        let now = Instant::now();
        let timing = &mut self.timing;
        if timing.stuck.is_some_and(|since| since + timing.limits.stalled <= now) {
            tracing::info!(peer = %self.peer, "the client takes nothing any more");
            self.handle(Event::Disconnected);
            self.abandon();
        } else if timing.ends.is_some_and(|ends| ends <= now) {
            self.phase_over();
        } else if self.management_rings(now) {
            // What it wanted to say is among the answers.
        } else if self.timing.ends.is_none() && self.timing.idle_ends() <= now {
            self.timing.pinged = now;
            self.answers.push(b' ');
        }
        // Otherwise the pace allows reading again. Either way a time to come is due next.
        let next = self.timing.due().max(due);
        self.timing.set(next);
    }

    fn phase_over(&mut self) {
        match self.stage {
            Stage::Open if self.stream.is_some() => {
                let closing = self.timing.closing;
                self.timing.ends = None;
                self.handle(Event::TimedOut);
                if closing && self.stage == Stage::Open {
                    self.abandon();
                }
            }
            Stage::Open | Stage::Handshake => {
                tracing::info!(peer = %self.peer, "the client took too long");
                self.abandon();
            }
            Stage::Draining { .. } | Stage::Gone => self.stage = Stage::Gone,
        }
    }
}
