//! What a turn sends: collected during the call, released in order after it
//! succeeded and what it wrote is durable. A call that traps sends nothing.
//!
//! Where a template is asked for, `None` means the current stanza as it is. Sends
//! pass the in chains of those they are addressed to, never an out chain.

use crate::kv::Rows;
use crate::wit::xylem::outbox::outbox as wit;
use crate::{Fault, Xml};

/// Which sessions of an account; all of them by default.
#[derive(Clone, Debug, Default)]
pub struct Pick<'a> {
    /// Only sessions that sent available presence.
    pub available: bool,
    /// Only sessions with at least this priority.
    pub min_priority: Option<i8>,
    /// Only sessions that carry this tag.
    pub tag: Option<&'a str>,
    /// Not this resource.
    pub except: Option<&'a str>,
    /// Only this resource.
    pub only: Option<&'a str>,
}

impl<'a> Pick<'a> {
    /// Sessions that sent available presence.
    #[must_use]
    pub fn available() -> Self {
        Self { available: true, ..Self::default() }
    }

    /// Sessions with this tag.
    #[must_use]
    pub fn tagged(tag: &'a str) -> Self {
        Self { tag: Some(tag), ..Self::default() }
    }

    /// One resource.
    #[must_use]
    pub fn only(resource: &'a str) -> Self {
        Self { only: Some(resource), ..Self::default() }
    }

    fn into_wit(self) -> wit::Pick {
        wit::Pick {
            available: self.available,
            min_priority: self.min_priority,
            tag: self.tag.map(Into::into),
            except: self.except.map(Into::into),
            only: self.only.map(Into::into),
        }
    }

    /// The same without this resource.
    #[must_use]
    pub fn except(mut self, resource: Option<&'a str>) -> Self {
        self.except = resource;
        self
    }
}

/// Sends a stanza. `from` must be within the grant `outbox.from`; without it it is the key of this call.
pub fn send(stanza: Xml) -> Result<(), Fault> {
    Ok(wit::send(&stanza.build())?)
}

/// Sends the current stanza on, to another address (none: its own `to`), from another one (none: its own `from`).
pub fn forward(from: Option<&str>, to: Option<&str>) -> Result<(), Fault> {
    Ok(wit::forward(from, to)?)
}

/// One copy to each available session of the call's domain, whoever's it is; gives how many there
/// are. Needs `everybody` in the grant `outbox.to`.
pub fn to_everybody(template: Xml) -> Result<u32, Fault> {
    Ok(wit::to_everybody(&template.build())?)
}

/// One copy to each picked session of the key's account, past the account's in chain. The
/// template's `from` may be any address; without one it is the account.
pub fn to_sessions(template: Option<Xml>, pick: Pick<'_>) -> Result<(), Fault> {
    Ok(wit::to_sessions(template.map(Xml::build).as_deref(), &pick.into_wit())?)
}

/// A copy of the current stanza, inside this wrapping, to each picked session of the key's account that the
/// stanza itself is not delivered to (RFC 6121 §8.5). The wrapping is a message with
/// [`crate::archive::STANZA`] in it that holds nothing of the stanza; it is checked once. Costs nothing
/// when nobody is picked.
pub fn copy_to_sessions(wrapping: &str, pick: Pick<'_>) -> Result<(), Fault> {
    Ok(wit::copy_to_sessions(wrapping, &pick.into_wit())?)
}

/// One copy to each row key (an address) of a store or view whose index has this value.
pub fn to_index(template: Option<Xml>, rows: impl Rows, index: &str, value: &str) -> Result<(), Fault> {
    Ok(wit::to_index(template.map(Xml::build).as_deref(), rows.number(), index, value)?)
}

/// One copy to each member of a group, less these. `sender` replaces `from` and must be within the grant
/// `outbox.from`. Without a template: the current stanza as edited so far, so that a room reflects a
/// message to thousands without building it anew.
pub fn to_group(template: Option<Xml>, sender: Option<&str>, group: &str, except: &[&str]) -> Result<(), Fault> {
    let except: Vec<String> = except.iter().map(|member| (*member).into()).collect();
    Ok(wit::to_group(template.map(Xml::build).as_deref(), sender, group, &except)?)
}

/// Sends the last broadcast presence of each available session of the key's account to this address.
pub fn presence_to(to: &str) -> Result<(), Fault> {
    Ok(wit::presence_to(to)?)
}

/// Sends an IQ request; its answer comes to the `answer` handler under the same key, with this token.
/// The timeout is in milliseconds, 1 to 300,000. Needs the grant `ask`.
pub fn ask(request: Xml, timeout: u32, token: &str) -> Result<(), Fault> {
    Ok(wit::ask(&request.build(), timeout, token)?)
}

/// Calls the `wake` handler under the same key at this time (milliseconds since 1970) and replaces an
/// earlier one of the same name. Survives restarts. Needs the grant `wake`.
pub fn wake(name: &str, at: u64, token: &str) -> Result<(), Fault> {
    Ok(wit::wake(name, at, token)?)
}

/// Forgets a wake-up.
pub fn cancel_wake(name: &str) -> Result<(), Fault> {
    Ok(wit::cancel_wake(name)?)
}
