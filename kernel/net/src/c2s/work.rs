//! What the connection waits for before it hears its client again.

use std::sync::Arc;
use std::task::{Context as Cx, Poll};

use xylem_sasl::Lookup;
use xylem_session::{Session, Unacknowledged};
use xylem_stanza::{FullJid, Outgoing};
use xylem_stream::{Action, Event, Resume, Stream};

use crate::c2s::driver::Driver;
use crate::c2s::entry::Waiting;

/// One thing to wait for.
pub(super) enum Work {
    /// A stanza, or another word to the server behind.
    Entry(Waiting<()>),
    /// The disk, before the client is told that its stanzas are handled.
    Settle(Waiting<bool>),
    /// An account's secrets.
    Secrets { lookup: Waiting<Lookup>, costly: bool },
    /// A login that computes, on a thread for such work. `None` if that failed.
    Costly(Waiting<Option<(Box<Stream>, Vec<Action>)>>),
    /// The end of the session whose address this one takes.
    Succession { ended: Waiting<()>, jid: FullJid },
    /// What the former holder of a session leaves, so that it can go on here.
    Takeover { left: Waiting<Left>, session: Arc<Session>, request: Resume },
    /// The answer to something else that the stream asked.
    Answered(Waiting<Event>),
    /// An answer to somebody who has not logged in.
    Answer(Waiting<Option<Outgoing>>),
}

/// What was left by the former holder of a session, and whether all that its client sent there is on disk.
pub(super) type Left = (Option<Box<Unacknowledged>>, bool);

impl Driver {
    /// Goes on with what is waited for, and with what had to wait for it.
    pub(super) fn resume(&mut self, cx: &mut Cx<'_>) {
        while let Some(work) = self.work.take() {
            match self.step(work, cx) {
                Some(unfinished) => {
                    self.work = Some(unfinished);
                    return;
                }
                None => self.catch_up(),
            }
        }
    }

    /// Carries out the actions that had to wait, up to the next that waits.
    fn catch_up(&mut self) {
        while self.work.is_none()
            && let Some(action) = self.later.pop_front()
        {
            self.act(action);
        }
    }

    /// Polls it once; what is not done comes back. What it led to may be new work.
    fn step(&mut self, work: Work, cx: &mut Cx<'_>) -> Option<Work> {
        match work {
            Work::Entry(mut waiting) => match waiting.as_mut().poll(cx) {
                Poll::Ready(()) => None,
                Poll::Pending => Some(Work::Entry(waiting)),
            },
            Work::Settle(mut waiting) => match waiting.as_mut().poll(cx) {
                Poll::Ready(true) => None,
                Poll::Ready(false) => {
                    self.unsettled();
                    None
                }
                Poll::Pending => Some(Work::Settle(waiting)),
            },
            Work::Secrets { mut lookup, costly } => match lookup.as_mut().poll(cx) {
                Poll::Ready(found) => {
                    self.found(found, costly);
                    None
                }
                Poll::Pending => Some(Work::Secrets { lookup, costly }),
            },
            Work::Costly(mut waiting) => match waiting.as_mut().poll(cx) {
                Poll::Ready(outcome) => {
                    self.computed(outcome);
                    None
                }
                Poll::Pending => Some(Work::Costly(waiting)),
            },
            Work::Succession { mut ended, jid } => match ended.as_mut().poll(cx) {
                Poll::Ready(()) => {
                    self.handle(Event::Bound(Ok(jid)));
                    None
                }
                Poll::Pending => Some(Work::Succession { ended, jid }),
            },
            Work::Takeover { mut left, session, request } => match left.as_mut().poll(cx) {
                Poll::Ready(left) => {
                    self.take_over(session, left, &request);
                    None
                }
                Poll::Pending => Some(Work::Takeover { left, session, request }),
            },
            Work::Answered(mut waiting) => match waiting.as_mut().poll(cx) {
                Poll::Ready(event) => {
                    self.handle(event);
                    None
                }
                Poll::Pending => Some(Work::Answered(waiting)),
            },
            Work::Answer(mut waiting) => match waiting.as_mut().poll(cx) {
                Poll::Ready(answer) => {
                    self.answer(answer.as_ref());
                    None
                }
                Poll::Pending => Some(Work::Answer(waiting)),
            },
        }
    }

    fn found(&mut self, lookup: Lookup, costly: bool) {
        if !costly {
            return self.handle(Event::Secrets(lookup));
        }
        let Some(mut stream) = self.stream.take() else { return };
        let turns = self.context.costly.clone();
        self.work = Some(Work::Costly(Box::pin(async move {
            let _turn = turns.acquire_owned().await.ok()?;
            let computing = tokio::task::spawn_blocking(move || {
                let mut actions = Vec::new();
                stream.handle(Event::Secrets(lookup), &mut actions);
                (stream, actions)
            });
            computing.await.ok()
        })));
    }

    fn computed(&mut self, outcome: Option<(Box<Stream>, Vec<Action>)>) {
        match outcome {
            Some((stream, actions)) => {
                self.stream = Some(stream);
                self.later.extend(actions);
            }
            None => self.abandon(),
        }
    }

    fn answer(&mut self, answer: Option<&Outgoing>) {
        if let Some(answer) = answer {
            answer.write_to(&mut self.answers);
        }
    }
}
