//! TCP connections that carry no XMPP: the server accepts them where the manifest's
//! `[[listener]]` says, does the handshake of its framing and relays them natively; no
//! byte of them enters the plugin. Needs the grant `wires`.
//!
//! A wire waits under the label of its handshake until two of one label are spliced, its
//! peer goes away, or its time is up. Nobody tells the plugin that one has come: it asks
//! when somebody asks it.

use std::time::Duration;

use crate::Fault;
use crate::wit::exports::xylem::plugin::wire_events as wit_events;
use crate::wit::xylem::wires::wires as wit;

/// An entry of the manifest's `[[listener]]`; [`crate::plugin!`] makes a constant of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener(u32);

/// A connection whose handshake is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire(u64);

/// What a relay may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// On whose account it goes.
    pub user: String,
    /// Relays of this user at a time.
    pub per_user: u32,
    /// Relays of this plugin at a time.
    pub total: u32,
    /// Bytes a second, both directions and all relays of the user together; 0: no bound.
    pub rate: u64,
    /// Bytes, both directions together; 0: no bound.
    pub bytes: u64,
    /// How long nothing need move, a second to a day.
    pub idle: Duration,
}

impl Listener {
    #[doc(hidden)]
    #[must_use]
    pub const fn from_manifest(number: u32) -> Self {
        Self(number)
    }

    /// The ports it has now; none while the server cannot listen.
    pub fn ports(self) -> Result<Vec<u16>, Fault> {
        Ok(wit::ports(self.0)?)
    }

    /// The wires that wait under a label, in the order in which they came.
    pub fn waiting(self, label: &str) -> Result<Vec<Wire>, Fault> {
        Ok(wit::waiting(self.0, label)?.into_iter().map(Wire).collect())
    }
}

impl Wire {
    /// Relays it to another one of the same label, once this call has succeeded. The token
    /// comes back with the [`Ended`].
    ///
    /// # Errors
    /// [`Fault::Missing`] if one of them waits no longer, [`Fault::Quota`] if the bounds
    /// allow no more relays.
    pub fn splice(self, other: Self, bounds: &Bounds, token: &str) -> Result<(), Fault> {
        let bounds = wit::Bounds {
            user: bounds.user.clone(),
            per_user: bounds.per_user,
            total: bounds.total,
            rate: bounds.rate,
            bytes: bounds.bytes,
            idle: u32::try_from(bounds.idle.as_millis()).unwrap_or(u32::MAX),
        };
        Ok(wit::splice(self.0, other.0, &bounds, token)?)
    }

    /// Ends it, once this call has succeeded.
    pub fn close(self) -> Result<(), Fault> {
        Ok(wit::close(self.0)?)
    }
}

/// Why a relay is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Both sides have sent all they had.
    Closed,
    /// One side broke off.
    Broken,
    /// Nothing moved for too long.
    Idle,
    /// More bytes than the bounds allow.
    TooMuch,
    /// The listener is no more.
    Stopped,
}

/// A relay has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended<'a> {
    /// What the plugin gave along.
    pub token: &'a str,
    /// Why.
    pub reason: Reason,
    /// Bytes from the first wire to the second.
    pub forth: u64,
    /// Bytes from the second to the first.
    pub back: u64,
    /// From its beginning to its end.
    pub lasted: Duration,
}

impl<'a> Ended<'a> {
    pub(crate) fn new(token: &'a str, ended: wit_events::Ended) -> Self {
        let reason = match ended.reason {
            wit_events::Reason::Closed => Reason::Closed,
            wit_events::Reason::Broken => Reason::Broken,
            wit_events::Reason::Idle => Reason::Idle,
            wit_events::Reason::TooMuch => Reason::TooMuch,
            wit_events::Reason::Stopped => Reason::Stopped,
        };
        let lasted = Duration::from_millis(ended.lasted);
        Self { token, reason, forth: ended.forth, back: ended.back, lasted }
    }
}
