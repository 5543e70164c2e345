//! What whoever is behind the stanza may call.

use xylem_sdk::operations;
use xylem_sdk::prelude::*;

/// The operations of the server, as far as the caller may call them.
pub(crate) struct Table(Vec<Spec>);

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) arguments: Vec<Argument>,
    /// What happens, for one to be thought about twice.
    pub(crate) danger: Option<String>,
    /// The argument to be typed once more before.
    pub(crate) confirm: Option<String>,
}

/// What it takes.
#[derive(Clone, Debug)]
pub(crate) struct Argument {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) kind: String,
    pub(crate) required: bool,
    /// Longest text or biggest number.
    pub(crate) max: Option<i64>,
    pub(crate) values: Vec<String>,
}

impl Table {
    /// Asks the server.
    pub(crate) fn load() -> Result<Self, Fault> {
        let list = operations::list()?;
        Ok(Self(list.items().iter().filter_map(Spec::read).collect()))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Spec> {
        self.0.iter().find(|spec| spec.name == name)
    }

    /// Whether all of these may be called.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.find(name).is_some())
    }

    /// Those that somebody can fill in a form for: no files of the server's machine.
    pub(crate) fn offered(&self) -> impl Iterator<Item = &Spec> {
        self.0.iter().filter(|spec| spec.is_for_forms())
    }
}

impl Spec {
    fn read(json: &Json) -> Option<Self> {
        let text = |name: &str| json.get(name).and_then(Json::as_text).map(str::to_owned);
        let arguments = json.get("arguments").map(Json::items).unwrap_or_default();
        Some(Self {
            name: text("name")?,
            help: text("help").unwrap_or_default(),
            arguments: arguments.iter().filter_map(Argument::read).collect(),
            danger: text("danger"),
            confirm: text("confirm"),
        })
    }

    pub(crate) fn is_for_forms(&self) -> bool {
        self.arguments.iter().all(|argument| !matches!(argument.kind.as_str(), "path" | "upload"))
    }

    /// What people read: the sentence without its full stop.
    pub(crate) fn title(&self) -> &str {
        self.help.trim_end_matches('.')
    }
}

impl Argument {
    fn read(json: &Json) -> Option<Self> {
        let text = |name: &str| json.get(name).and_then(Json::as_text).map(str::to_owned);
        let values = json.get("values").map(Json::items).unwrap_or_default();
        Some(Self {
            name: text("name")?,
            help: text("help").unwrap_or_default(),
            kind: text("type")?,
            required: json.get("required").is_some_and(Json::is_true),
            max: json.get("max").and_then(Json::as_number),
            values: values.iter().filter_map(Json::as_text).map(str::to_owned).collect(),
        })
    }
}
