//! `about`: what this is made of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Roles};
use crate::backend::Answer;
use crate::operation::operation;

/// Versions and licences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AboutReport {
    pub name: String,
    pub version: String,
    /// An SPDX expression.
    pub license: String,
    /// `release` or `debug`.
    pub profile: String,
    /// The machine it was built for: `x86_64 linux`.
    pub target: String,
    /// The interface that plugins are built for.
    pub plugin_api: String,
    /// What it was built from, in order of name.
    pub components: Vec<Component>,
}

/// A library or plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Component {
    pub name: String,
    pub version: String,
    /// An SPDX expression, where known.
    pub license: Option<String>,
    /// `library` or `plugin`.
    pub kind: String,
}

/// Who knows it.
pub trait Origins: Send + Sync {
    fn about(&self) -> Answer<'_, AboutReport>;
}

operation! {
    #[derive(Default)]
    Show {} -> AboutReport,
    name: "about",
    help: "Shows versions and licences of the server and what it is built from.",
    route: get "/about",
    arguments: [],
    result: "versions and licences",
    roles: Roles::ANYBODY,
    about: About::Common,
    run: |_it, backend| backend.origins.about(),
}
