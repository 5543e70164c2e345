use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::argument::Argument;
use crate::backend::{Answer, Backend};
use crate::caller::Permission;

/// What is known of an operation without running it.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// `noun.verb`, or one word.
    pub name: &'static str,
    /// One sentence.
    pub help: &'static str,
    pub arguments: &'static [Argument],
    /// The JSON that comes back, in words.
    pub result: &'static str,
    pub permission: Permission,
    /// Whether it changes something; if so it is written to the audit log.
    pub changes: bool,
}

/// One operation: the type holds its arguments.
pub trait Operation: DeserializeOwned + Serialize + Send + 'static {
    const SPEC: Spec;
    type Output: Serialize + DeserializeOwned + Send;

    /// For the audit log: what is done, without secrets.
    /// Operations that change nothing are not asked.
    fn audit(&self) -> String {
        Self::SPEC.name.to_owned()
    }

    fn run(self, backend: &Backend) -> Answer<'_, Self::Output>;
}
