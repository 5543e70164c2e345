//! Operations that come and go while the server runs: those of plugins.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::backend::Answer;
use crate::caller::Caller;
use crate::operation::Spec;

/// Where they come from. The table asks for specs again whenever the generation is another, and
/// has checked caller and arguments before it calls.
pub trait Contributed: Send + Sync {
    /// Another number whenever [`Self::specs`] would answer something else. Asked at each call:
    /// it must cost nothing.
    fn generation(&self) -> u64;

    /// All of them; [`Spec::route`] is best made by [`crate::Route::of_plugin`]. One whose name or route
    /// is that of the server's own is passed over.
    fn specs(&self) -> Vec<Spec>;

    /// Runs one. The arguments are those of its spec, checked.
    fn call<'a>(&'a self, name: &'a str, caller: &'a Caller, arguments: Map<String, Value>) -> Answer<'a, Value>;

    /// What the operation is about to change, or has changed, as it is now; for the audit log. Null if it cannot be told.
    fn state<'a>(&'a self, name: &'a str, arguments: &'a Map<String, Value>) -> Answer<'a, Value> {
        let _ = (name, arguments);
        Box::pin(async { Ok(Value::Null) })
    }
}

/// No plugins, no operations of theirs.
pub struct Nothing;

impl Contributed for Nothing {
    fn generation(&self) -> u64 {
        0
    }

    fn specs(&self) -> Vec<Spec> {
        Vec::new()
    }

    fn call<'a>(&'a self, name: &'a str, _: &'a Caller, _: Map<String, Value>) -> Answer<'a, Value> {
        Box::pin(async move { Err(crate::OpError::UnknownOperation(name.to_owned())) })
    }
}

/// The specs of one generation.
pub(crate) struct Snapshot {
    pub(crate) generation: u64,
    pub(crate) specs: BTreeMap<String, Arc<Spec>>,
}
