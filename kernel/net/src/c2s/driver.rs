//! The connection's task.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Cx, Poll};

use tokio::net::TcpStream;
use xylem_session::{Item, Queue, Session, bell};
use xylem_stream::{Action, Ending, Event, Phase, Stream};
use xylem_xml::{Framer, Limits};

use crate::admission::Permit;
use crate::c2s::Context;
use crate::c2s::entry::Waiting;
use crate::c2s::managing::Managed;
use crate::c2s::pace::Pace;
use crate::c2s::timing::Timing;
use crate::c2s::work::Work;
use crate::config::C2sConfig;
use crate::listen::Security;
use crate::lobby::Guest;
use crate::transport::Transport;

/// One connection. It is its own future: the smaller it is, the more fit in memory.
pub(crate) struct Driver {
    pub(super) context: Arc<Context>,
    pub(super) config: Arc<C2sConfig>,
    pub(super) peer: SocketAddr,
    pub(super) transport: Transport,
    pub(super) framer: Framer,
    /// Not there before TLS that comes first is established, and while it is lent to
    /// a thread for costly work.
    pub(super) stream: Option<Box<Stream>>,
    pub(super) stage: Stage,
    pub(super) place: Place,
    pub(super) login: Option<Login>,
    /// What must be done before the client is heard again.
    pub(super) work: Option<Work>,
    /// Actions that wait for it.
    pub(super) later: VecDeque<Action>,
    /// Telling others that the session is over.
    pub(super) farewell: Option<Waiting<()>>,
    /// The peer sends no more; what it sent is still worked off.
    pub(super) ended: bool,
    /// The stream's own answers, written before anything queued.
    pub(super) answers: Vec<u8>,
    /// Taken from the queue and not yet written altogether.
    pub(super) in_flight: VecDeque<Item>,
    pub(super) timing: Timing,
    /// Stream management, if the client enabled it.
    pub(super) managed: Option<Box<Managed>>,
    /// Another connection gets the session as soon as nothing is being worked off.
    pub(super) yielding: bool,
    pub(super) pace: Option<Box<Pace>>,
    _permit: Permit,
}

/// What the connection is at, beside the stream's own phases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// TLS is being negotiated.
    Handshake,
    /// The stream runs.
    Open,
    /// The stream is over: the rest is written, then the peer's end is awaited.
    Draining { shut: bool },
    /// The socket is of no more use.
    Gone,
}

/// Where the connection gets told things.
pub(super) enum Place {
    /// Nobody yet.
    Lobby(Guest),
    /// In the table; `open` once the client knows its address.
    Session { session: Arc<Session>, open: bool },
    /// Out of the table again.
    Left,
}

/// What the client logged in with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Login {
    pub mechanism: &'static str,
    pub anonymous: bool,
}

impl Driver {
    pub(super) fn new(
        tcp: TcpStream,
        peer: SocketAddr,
        security: Security,
        context: Arc<Context>,
        permit: Permit,
    ) -> Self {
        let config = context.config.load_full();
        let limits = context.environment.default_host().limits_before_auth.unwrap_or_else(Limits::before_auth);
        let mut driver = Self {
            peer,
            transport: Transport::new(tcp),
            framer: Framer::new(limits),
            stream: None,
            stage: Stage::Open,
            place: Place::Lobby(context.lobby.enter()),
            login: None,
            work: None,
            later: VecDeque::new(),
            farewell: None,
            ended: false,
            answers: Vec::new(),
            in_flight: VecDeque::new(),
            timing: Timing::new(config.timeouts),
            managed: None,
            yielding: false,
            pace: config.rate.map(|rate| Box::new(Pace::new(rate))),
            context,
            config,
            _permit: permit,
        };
        driver.transport.give_up_after(driver.config.timeouts.stalled);
        match security {
            Security::DirectTls => driver.begin_tls(),
            Security::StartTls => driver.stream = Some(Box::new(Stream::new(driver.context.environment.clone(), None))),
        }
        driver
    }

    /// One turn: read and work off, write, look at the clock.
    fn turn(&mut self, cx: &mut Cx<'_>) -> Poll<()> {
        self.resume(cx);
        loop {
            let more = self.read(cx);
            let changed = self.write(cx);
            let rang = self.keep_time(cx);
            if more {
                // Others get their turn first.
                cx.waker().wake_by_ref();
                break;
            }
            if !changed && !rang {
                break;
            }
        }
        if let Some(farewell) = &mut self.farewell
            && farewell.as_mut().poll(cx).is_ready()
        {
            self.farewell = None;
        }
        match (self.stage, &self.farewell) {
            (Stage::Gone, None) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }

    pub(super) fn session(&self) -> Option<&Arc<Session>> {
        match &self.place {
            Place::Session { session, .. } => Some(session),
            Place::Lobby(_) | Place::Left => None,
        }
    }

    /// The queue to take from now, if any.
    pub(super) fn queue(&self) -> Option<&Queue> {
        match &self.place {
            Place::Lobby(guest) => Some(guest.queue()),
            Place::Session { session, open: true } => Some(session.queue()),
            Place::Session { open: false, .. } | Place::Left => None,
        }
    }

    pub(super) fn phase(&self) -> Option<Phase> {
        self.stream.as_ref().map(|stream| stream.phase())
    }

    /// The socket failed: nothing can be said any more.
    pub(super) fn lost(&mut self, error: &std::io::Error) {
        tracing::debug!(peer = %self.peer, %error, "connection lost");
        self.handle(Event::Disconnected);
        self.abandon();
    }

    /// Drops the connection without a word.
    pub(super) fn abandon(&mut self) {
        self.later.clear();
        self.stage = Stage::Gone;
        self.leave(&Ending::Lost);
        self.work = None;
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<()> {
        let driver = self.get_mut();
        bell::hold(|| driver.turn(cx))
    }
}

impl Drop for Driver {
    /// The ordinary way out has left already; this one is for panics and for a runtime
    /// that stops.
    fn drop(&mut self) {
        self.leave(&Ending::Lost);
        if let Some(farewell) = self.farewell.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(farewell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every connection pays for it. rustls' own state lies outside.
    #[test]
    fn a_connection_is_small() {
        let (task, stream) = (size_of::<Driver>(), size_of::<Stream>());
        println!("task {task}, stream {stream}, framer {}, session {}", size_of::<Framer>(), size_of::<Session>());
        assert!(task <= 768, "{task}");
        assert!(stream <= 512, "{stream}");
    }
}
