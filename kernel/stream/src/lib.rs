//! The client's side of a stream (RFC 6120 §4–§7) as a state machine: no
//! sockets, no clock, no randomness.
//!
//! A [`Stream`] is given [`Event`]s and answers with [`Action`]s. Its states
//! follow each other like this, and a state that needs a proof cannot be made
//! without it:
//!
//! ```text
//! header ─► features ─► starttls ─► header ─► features ─► auth ─► header ─► bind ─► session
//!                          │                                │                │
//!                    TlsEstablished                    Authenticated       Bound
//! every state ─► closing ─► closed
//! ```
//!
//! With XEP-0388 the stream is not begun anew after the login, and binding can be part of it:
//!
//! ```text
//! features ─► auth | fast ─► entering ─► bind | session
//!                 │              │
//!           Authenticated      Bound
//! ```
//!
//! # What the driver does
//!
//! One driver owns one socket, one [`xylem_xml::Framer`] and one [`Stream`].
//! The framer begins with the limits for peers that have not logged in.
//!
//! - While [`Stream::wants_frames`] holds, it takes frames from the framer and
//!   passes each as [`Event::Frame`], an XML error as [`Event::XmlError`]. While
//!   it does not hold, frames stay in the framer; whatever the stream waits for
//!   comes first.
//! - After every event it carries out **all** actions, in order, before it asks
//!   the framer again: some of them change the framer.
//! - It keeps time. [`Stream::phase`] says what the stream is at, so that each
//!   phase can have its own limit; [`Event::TimedOut`] says that one ran out.
//! - When the socket ends without a closing tag, it says [`Event::Disconnected`].
//!
//! | action | what the driver must do |
//! |---|---|
//! | [`Write`](Action::Write) | Send these bytes, before anything that a session queues later. |
//! | [`StartTls`](Action::StartTls) | Flush; `framer.discard()` and `framer.restart()`, also dropping what it read itself; handshake; then [`Event::TlsEstablished`]. If the handshake fails, drop the connection. |
//! | [`Restart`](Action::Restart) | `framer.restart()`: the client begins a new stream on the same connection. |
//! | [`SetLimits`](Action::SetLimits) | `framer.set_limits()`. |
//! | [`LookUp`](Action::LookUp) | Ask the [`Throttle`](xylem_sasl::Throttle); read the account; answer with [`Event::Secrets`]. Where `costly`, that event takes milliseconds of computing: handle it on a thread for such work. |
//! | [`LoggedIn`](Action::LoggedIn), [`LoginFailed`](Action::LoginFailed) | Tell log, metrics and throttle. |
//! | [`PreAuthIq`](Action::PreAuthIq) | Give it to whoever owns its namespace and send the answer, or `service-unavailable`. |
//! | [`CheckToken`](Action::CheckToken) | Ask the throttle; hold the proof against the client's tokens and note that one was used, durably where it has a count; answer with [`Event::TokenChecked`]. |
//! | [`IssueToken`](Action::IssueToken) | Make one and keep it durably; answer with [`Event::TokenIssued`]. |
//! | [`BindClient`](Action::BindClient) | As [`Bind`](Action::Bind); whoever has the address loses it. |
//! | [`Inline`](Action::Inline) | The session is in place, but nothing is sent to it yet; answer with [`Event::Inlined`]. |
//! | [`Bind`](Action::Bind) | Enter the session under the address asked for, or one of the server's making; answer with [`Event::Bound`]. Send nothing to the session before the actions of that event are carried out. |
//! | [`Established`](Action::Established) | The client may now be sent to. |
//! | [`Reply`](Action::Reply) | Send it like [`Write`](Action::Write); it counts as a stanza. |
//! | [`Stanza`](Action::Stanza) | Route it; `from` is the session's full address, proved. |
//! | [`Manage`](Action::Manage) | Count and keep the stanzas that are written from now on, after the bytes of the same event. |
//! | [`Settle`](Action::Settle) | Wait until all that was worked off before is on disk; only then carry out what follows. If it will not be, leave out the [`Write`](Action::Write) that follows. |
//! | [`Acknowledged`](Action::Acknowledged) | Let go of them; if there never were so many, [`Event::AcknowledgedTooMany`]. |
//! | [`Resume`](Action::Resume) | Take the session over from whoever has it; answer with [`Event::Resumed`]. What its old connection was working off must be done by then. |
//! | [`Reestablished`](Action::Reestablished) | Send what was not acknowledged, then what waits. |
//! | [`ClientState`](Action::ClientState) | Hold back what can wait, or stop doing so. |
//! | [`Close`](Action::Close) | Send what waits, close TLS and the socket; the stream is over and wants no more events. |
//!
//! The next frame is passed in when the work that the last stanza made is done: then
//! that stanza is handled (XEP-0198 §4), and what the stream answers to `<r/>` is right.
//! [`Stream::handled`] tells the same number when the connection is lost.
//!
//! Between [`Event::End`] and [`Action::Close`] lies the closing handshake; the
//! driver sends what the session still has queued *before* it passes the event,
//! because nothing may follow the closing tag.

mod action;
mod auth;
mod bind;
mod closing;
mod config;
mod conversation;
mod entering;
mod error;
mod event;
mod fast;
mod features;
mod header;
mod management;
mod profile;
mod session;
mod starttls;
mod stream;
mod upgrade;
mod wishes;

pub use action::{Action, Ending};
pub use auth::Authenticated;
pub use bind::{BindRefusal, Bound};
pub use config::{Environment, HostConfig, HostLookup, Management, StartTls};
pub use error::StreamError;
pub use event::{Event, Tls};
pub use fast::{Token, TokenClaim, TokenLogin};
pub use management::{Enable, Resume, ResumeRefusal, Resumed, Terms};
pub use starttls::TlsEstablished;
pub use stream::{Phase, Stream};
pub use wishes::UserAgent;
