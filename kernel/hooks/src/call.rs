//! Where router and plugin host meet. The router calls [`Plugins`]; the host
//! hands the effects of finished turns to [`Release`], which the router implements.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use xylem_stanza::{FullJid, Stanza};

use crate::effect::Effect;
use crate::manifest::ElementName;
use crate::page::{PageEnd, PageError};
use crate::verdict::Verdict;
use xylem_xml::escape_attr;

/// A result that is mostly there at once; only the rare wait allocates.
pub enum Done<T> {
    Ready(T),
    Later(Pin<Box<dyn Future<Output = T> + Send>>),
}

impl<T> Done<T> {
    /// The result, waiting if it must.
    pub async fn get(self) -> T {
        match self {
            Self::Ready(value) => value,
            Self::Later(future) => future.await,
        }
    }
}

/// On whose behalf a call is made.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The hosted domain.
    pub domain: Arc<str>,
    /// Bare JID or domain whose rows the plugin sees; calls for one key run one at a time.
    pub key: Arc<str>,
    /// The session behind it, if one is.
    pub actor: Option<FullJid>,
    /// Its network address.
    pub peer: Option<IpAddr>,
    /// How many plugins this was passed on by; the router stops at [`Cause::MAX_HOPS`].
    pub hops: u8,
    /// The stanza's entry in [`NOTES`], which goes in the turn that stops the stanza: who keeps
    /// it keeps it from that commit on.
    pub note: Option<Arc<[u8]>>,
}

/// The table of messages that are in the memory of sessions only.
pub const NOTES: &str = "kernel/notes";

impl Cause {
    /// Sends of plugins that answer each other end here.
    pub const MAX_HOPS: u8 = 8;
}

/// After a hook.
#[derive(Debug)]
pub struct HookOutcome {
    pub verdict: Verdict,
    /// The stanza, if the plugin edited it.
    pub edited: Option<Stanza>,
}

/// What a hook's `record` did.
#[derive(Debug)]
pub enum Recorded {
    /// The stanza is in the archive, as far as the plugin's rules go; the stamp belongs into it.
    Kept(Option<Stamp>),
    /// The plugin is to be called.
    Ask,
}

/// An empty child that names a row of an archive.
#[derive(Debug, Clone)]
pub struct Stamp {
    pub child: Arc<ElementName>,
    /// Whose archive.
    pub by: Arc<str>,
    /// Written as 16 hexadecimal digits.
    pub id: u64,
}

impl Stamp {
    /// As it is put into the stanza.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut xml = String::with_capacity(self.child.name.len() + self.child.ns.len() + self.by.len() + 48);
        self.write_to(&mut xml);
        xml
    }

    /// Appends it.
    pub fn write_to(&self, xml: &mut String) {
        let Self { child, by, id } = self;
        for part in ["<", &child.name, " xmlns='", &child.ns, "' by='", &escape_attr(by), "' id='"] {
            xml.push_str(part);
        }
        let digit = |shift: u32| char::from_digit(u32::try_from(id >> shift & 0xF).unwrap_or(0), 16).unwrap_or('0');
        xml.extend((0..16).rev().map(|place| digit(place * 4)));
        xml.push_str("'/>");
    }
}

/// Between whom a recorded stanza passes.
#[derive(Debug, Clone, Copy)]
pub struct Parties<'a> {
    /// The hosted domain.
    pub domain: &'a Arc<str>,
    /// Whose archive.
    pub key: &'a str,
    /// By which it is found there later.
    pub peer: &'a str,
}

/// After an IQ claim. The answer itself is an effect of the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IqOutcome {
    /// Answered, or will be.
    Handled,
    /// The plugin does not want it.
    Unhandled,
    /// The plugin failed; the log says how. Answer `internal-server-error`.
    Failed,
    /// The plugin is disabled or backing off. Answer `service-unavailable`.
    Unavailable,
}

/// A version of a plugin, numbered by the host. The number is never given again, so
/// that whoever still walks an older plan reaches the version that plan means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PluginIndex(pub u32);

/// The plugin host, as the router sees it. `entry` counts the manifest's
/// `[[hook]]`, `[[iq]]` or `[[event]]` entries. A plugin that fails is logged,
/// counted and backed off by the host: hooks then answer as its failure mode says.
pub trait Plugins: Send + Sync + 'static {
    fn hook(&self, plugin: PluginIndex, entry: u32, bits: u64, cause: &Cause, stanza: &Stanza) -> Done<HookOutcome>;
    /// Appends to an archive as the hook's `record` says, without a call and without a wait.
    fn record(&self, plugin: PluginIndex, entry: u32, bits: u64, parties: Parties<'_>, stanza: &Stanza) -> Recorded {
        let _ = (plugin, entry, bits, parties, stanza);
        Recorded::Ask
    }
    fn iq(&self, plugin: PluginIndex, entry: u32, cause: &Cause, stanza: &Stanza) -> Done<IqOutcome>;
    /// Queued behind what the key has under way; never waited for.
    fn event(&self, plugin: PluginIndex, entry: u32, cause: &Cause, subject: &str, detail: &str);
    /// The same, for who must not go on before the call is over and what it wrote is on its way.
    fn event_heard(&self, plugin: PluginIndex, entry: u32, cause: &Cause, subject: &str, detail: &str) -> Done<()>;
    /// This account is about to log in: its rows will be asked for.
    fn expect(&self, account: &str) {
        let _ = account;
    }
    /// An IQ result or error that a plugin may be waiting for (`outbox.ask`); true when one was.
    fn answer(&self, stanza: &Stanza) -> bool;
    /// A page that a plugin asked for was sent; told under the key it was asked under.
    fn page(&self, plugin: &str, cause: &Cause, token: &str, sent: Result<PageEnd, PageError>) -> Done<()>;
}

/// The router, as the plugin host sees it.
pub trait Release: Send + Sync + 'static {
    /// Carries out the effects of one turn, in order.
    fn release(&self, cause: Cause, effects: Vec<Effect>) -> Done<()>;

    /// The same for several turns, one behind the other. What they send to the same addresses may go out
    /// together.
    fn release_all(&self, turns: Vec<(Cause, Vec<Effect>)>) -> Done<()>;
}
