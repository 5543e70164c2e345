//! What a turn asks the kernel to do, after what it wrote is durable.

use std::sync::Arc;

use xylem_stanza::{BareJid, FullJid, Jid, Stanza};

use crate::page::{PageForm, PageOrder, Template};
use crate::recipients::Recipients;

/// Which sessions of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pick {
    /// Only those that sent available presence.
    pub available: bool,
    /// Only those with at least this priority.
    pub min_priority: Option<i8>,
    /// Only those with this tag.
    pub tag: Option<String>,
    /// Not this resource.
    pub except: Option<String>,
    /// Only this resource.
    pub only: Option<String>,
}

impl Effect {
    /// Whether what follows under the same key has to wait for work that it needs.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        matches!(self, Self::Page(order) if matches!(order.form, PageForm::Restored { .. }))
    }
}

/// One effect; those of a turn are released in order. Addresses are checked
/// against the plugin's grants before an effect is made.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Route this stanza: `from` and `to` are set.
    Send(Stanza),
    /// The same stanza to each address, `to` filled in.
    ToAddresses {
        stanza: Stanza,
        to: Recipients,
    },
    /// One copy to each picked session, past the account's in chain.
    ToSessions {
        account: BareJid,
        stanza: Stanza,
        pick: Pick,
    },
    /// A copy, inside something, to each picked session that does not get the stanza itself.
    Copies {
        account: BareJid,
        stanza: Stanza,
        wrapping: Arc<Template>,
        pick: Pick,
    },
    /// The last broadcast presence of each available session of the account.
    PresenceTo {
        account: BareJid,
        to: Jid,
    },
    /// All rows of an archive partition to a session, as they were stored.
    Deliver {
        table: String,
        partition: String,
        to: FullJid,
        remove: bool,
    },
    /// A page of an archive.
    Page(Box<PageOrder>),
    /// End sessions with a stream error; no resource means all.
    EndSessions {
        account: BareJid,
        resource: Option<String>,
        condition: xylem_stanza::StreamCondition,
    },
    /// The account was removed by a plugin: end its sessions and tell everybody.
    AccountDeleted(BareJid),
    AccountCreated(BareJid),
    PasswordChanged(BareJid),
}
