//! `config.*`: what the server is told, and changing it.

pub mod history;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Answer;
use crate::operation::operation;
use crate::server::ReloadReport;
use history::Version;

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigReport {
    /// The file that is read; null if there is none.
    pub file: Option<String>,
    /// Whether it can be changed here; a throw-away server has no file.
    pub writable: bool,
    /// All keys in order of section, as they would be after a reload.
    pub settings: Vec<Setting>,
    /// Keys that are written otherwise than they are in force: a restart is due.
    pub pending: Vec<Change>,
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// As it is written in the file: `limits.before_login`, `domains."example.org"`.
    pub section: String,
    pub key: String,
    /// As it is written in the file, texts in quotes; null if it is left out.
    pub value: Option<String>,
    pub default: Option<String>,
    /// What values it takes, in words.
    pub bounds: String,
    pub origin: Origin,
    /// Whether a change of it waits for a restart.
    pub restart: bool,
}

/// Who set a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "from", content = "place", rename_all = "kebab-case")]
pub enum Origin {
    /// It is built in.
    Default,
    /// `file:line:column`
    File(String),
    /// The name of the variable.
    Environment(String),
    CommandLine,
}

/// The file as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigText {
    pub file: Option<String>,
    pub text: String,
    /// To give back when it is saved, so that nobody's change is lost.
    pub mark: String,
}

/// What another text would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Preview {
    /// What is wrong with it; then it cannot be saved.
    pub problems: Vec<ConfigProblem>,
    /// Which keys it changes.
    pub changes: Vec<Change>,
    /// The text itself, as it would be saved.
    pub text: String,
}

/// Something that is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigProblem {
    /// `file:line:column`, or a variable.
    pub place: String,
    pub message: String,
}

/// A key that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    pub section: String,
    pub key: String,
    pub before: Option<String>,
    pub after: Option<String>,
    /// Whether only a restart brings it into force.
    pub restart: bool,
}

/// A text that was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Saved {
    pub file: String,
    /// What was there before, for `config.rollback`.
    pub replaced: u64,
    /// What became of it.
    #[serde(flatten)]
    pub report: ReloadReport,
}

/// Longest text of a configuration, in bytes.
pub const TEXT_BYTES: usize = 1 << 20;

/// Who has the configuration.
pub trait Settings: Send + Sync {
    fn show(&self) -> Answer<'_, ConfigReport>;
    fn text(&self) -> Answer<'_, ConfigText>;
    /// What a text would do, without doing it.
    fn preview(&self, text: String) -> Answer<'_, Preview>;
    /// The text with one key set, or taken out; comments stay.
    fn with(&self, section: String, key: String, value: Option<String>) -> Answer<'_, Preview>;
    /// Writes the file and reloads. On a problem both stay as they were. [`crate::OpError::Conflict`]
    /// if the mark is not that of the present text, or there is no file to write.
    fn save(&self, text: String, mark: Option<String>) -> Answer<'_, Saved>;
    /// The last 20 texts that were replaced, newest first.
    fn history(&self) -> Answer<'_, Vec<Version>>;
    fn version(&self, id: u64) -> Answer<'_, Preview>;
}

const TEXT: Argument = Argument::required("text", Kind::Text { max: TEXT_BYTES }, "the whole file");
const SECTION: Argument = Argument::required(
    "section",
    Kind::Text { max: 1100 },
    "as it is written in the file: limits.before_login, domains.\"example.org\"",
);
const KEY: Argument = Argument::required("key", Kind::Text { max: 256 }, "the key in that section");
const VALUE: Argument = Argument::optional(
    "value",
    Kind::Text { max: 65_536 },
    "as it is written in the file, texts in quotes; without it the key is taken out and its default holds",
);

/// For the audit log: which keys a text changes, and from what to what unless that could be a secret. Null once
/// it is there. Who reads the log need not be one who reads the configuration.
fn changed(preview: Answer<'_, Preview>) -> Answer<'_, Option<BTreeMap<String, String>>> {
    let shown = |value: Option<String>| value.unwrap_or_else(|| "—".to_owned());
    let line = move |change: Change| {
        let name = format!("[{}] {}", change.section, change.key);
        let what = match may_be_secret(&change.section, &change.key) {
            true => "(not shown)".to_owned(),
            false => format!("{} → {}", shown(change.before), shown(change.after)),
        };
        (name, what)
    };
    Box::pin(async move {
        let changes: BTreeMap<_, _> = preview.await?.changes.into_iter().map(line).collect();
        Ok(Some(changes).filter(|changes| !changes.is_empty()))
    })
}

/// Options of plugins are what their authors make of them.
fn may_be_secret(section: &str, key: &str) -> bool {
    let words = ["secret", "password", "token", "key", "credential", "hmac", "url"];
    section.starts_with("plugins") || words.iter().any(|word| key.contains(word))
}

operation! {
    #[derive(Default)]
    Show {} -> ConfigReport,
    name: "config.show",
    help: "Shows every key of the configuration, its value and who set it.",
    route: get "/config",
    arguments: [],
    result: "all keys",
    roles: Roles::OWN,
    about: About::Server,
    run: |_it, backend| backend.settings.show(),
}

operation! {
    #[derive(Default)]
    Text {} -> ConfigText,
    name: "config.text",
    help: "Gives the configuration file as it is.",
    route: get "/config/text",
    arguments: [],
    result: "the text, and a mark to save it with",
    roles: Roles::OWN,
    about: About::Server,
    run: |_it, backend| backend.settings.text(),
}

operation! {
    Check { text: String } -> Preview,
    name: "config.check",
    help: "Says what is wrong with a configuration, or what it would change; changes nothing.",
    route: post "/config/check",
    arguments: [TEXT],
    result: "problems, or changes",
    roles: Roles::OWN,
    about: About::Server,
    run: |it, backend| backend.settings.preview(it.text),
}

operation! {
    Try { section: String, key: String, value: Option<String> } -> Preview,
    name: "config.try",
    help: "Says what setting one key would change, and gives the text that it makes; changes nothing.",
    route: post "/config/try",
    arguments: [SECTION, KEY, VALUE],
    result: "problems, or changes, and the text",
    roles: Roles::OWN,
    about: About::Server,
    run: |it, backend| backend.settings.with(it.section, it.key, it.value),
}

operation! {
    Save { text: String, mark: Option<String> } -> Saved,
    name: "config.save",
    help: "Replaces the configuration file and reloads it; if that fails everything stays as it was.",
    route: put "/config/text",
    arguments: [
        TEXT,
        Argument::optional("mark", Kind::Text { max: 64 }, "that of the text it was made from; refused if another is there now"),
    ],
    result: "what was applied, and what needs a restart",
    roles: Roles::OWN,
    about: About::Server,
    danger: Danger::confirm("The configuration file is replaced and comes into force, as far as it can without a restart. The present one is kept."),
    audit: |_it| "replace the configuration file".to_owned(),
    state: |it, backend| changed(backend.settings.preview(it.text.clone())),
    run: |it, backend| backend.settings.save(it.text, it.mark),
}

operation! {
    Set { section: String, key: String, value: Option<String> } -> Saved,
    name: "config.set",
    help: "Sets one key in the configuration file, or takes it out, and reloads; comments stay.",
    route: patch "/config",
    arguments: [SECTION, KEY, VALUE],
    result: "what was applied, and what needs a restart",
    roles: Roles::OWN,
    about: About::Server,
    audit: |it| match &it.value {
        Some(_) => format!("set {} of [{}]", it.key, it.section),
        None => format!("take {} out of [{}]", it.key, it.section),
    },
    state: |it, backend| changed(backend.settings.with(it.section.clone(), it.key.clone(), it.value.clone())),
    run: |it, backend| Box::pin(async move {
        let mark = backend.settings.text().await?.mark;
        let preview = backend.settings.with(it.section, it.key, it.value).await?;
        backend.settings.save(preview.text, Some(mark)).await
    }),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[tokio::test]
    async fn changes_are_told_but_for_what_may_be_secret() {
        let change = |section: &str, key: &str| Change {
            section: section.to_owned(),
            key: key.to_owned(),
            before: None,
            after: Some("\"hush\"".to_owned()),
            restart: false,
        };
        let changes = vec![change("log", "level"), change("acme", "eab_key"), change("plugins.\"x.y\"", "greeting")];
        let preview = Preview { changes, ..Preview::default() };
        let told = changed(Box::pin(async { Ok(preview) })).await.unwrap().unwrap();
        assert_eq!(told.values().filter(|text| text.contains("hush")).count(), 1, "{told:?}");
        assert_eq!(told.get("[log] level").unwrap(), "— → \"hush\"");
        assert!(changed(Box::pin(async { Ok(Preview::default()) })).await.unwrap().is_none());
    }
}
