//! What goes on, as it goes on: topics that a caller may follow.

use serde_json::{Map, Value};
use tokio::sync::mpsc;

use crate::access::Roles;
use crate::caller::Caller;
use crate::error::OpError;

/// How many events may wait for a follower before the source drops what is newest.
pub const DEPTH: usize = 256;

/// One thing to follow.
#[derive(Clone, Debug)]
pub struct Topic {
    /// One word: `overview`.
    pub name: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// Who may follow it. Who is limited to domains is given what concerns those; see to it in
    /// [`Streams::subscribe`].
    pub roles: Roles,
    /// The keys of its filter, with one sentence each.
    pub filters: &'static [(&'static str, &'static str)],
}

/// Where topics come from. [`crate::Ops::subscribe`] has checked role and scope of the caller before it asks.
pub trait Streams: Send + Sync {
    fn topics(&self) -> Vec<Topic>;

    /// Begins to follow. The values end up as the data of events named after the topic. A source
    /// must neither wait for a follower nor keep more than [`DEPTH`] values for it: it drops and
    /// says so in a later value. It stops when the receiver is dropped.
    ///
    /// # Errors
    /// [`OpError::Invalid`] for a filter that cannot be one, [`OpError::NotFound`] for no such
    /// topic, [`OpError::Denied`] for a caller whose domains the filter leaves.
    fn subscribe(
        &self,
        topic: &str,
        filter: &Map<String, Value>,
        caller: &Caller,
    ) -> Result<mpsc::Receiver<Value>, OpError>;
}

/// Nothing goes on.
pub struct Silence;

impl Streams for Silence {
    fn topics(&self) -> Vec<Topic> {
        Vec::new()
    }

    fn subscribe(&self, topic: &str, _: &Map<String, Value>, _: &Caller) -> Result<mpsc::Receiver<Value>, OpError> {
        Err(OpError::NotFound(format!("there is no topic {topic}")))
    }
}
