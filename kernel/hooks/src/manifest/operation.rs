//! `[[operation]]`: what administrators can ask of a plugin. The server's table of operations shows it
//! on every face: command line, REST, console and ad-hoc commands.

mod check;

pub(super) use check::RawOperation;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationSpec {
    pub line: usize,
    /// `noun.verb`.
    pub name: String,
    /// One sentence.
    pub help: String,
    /// In the order of the file; those of a list (`limit`, `after`, `search`) come last.
    pub arguments: Vec<OperationArgument>,
    /// Place of the argument whose address is the key of the call. The caller must be
    /// allowed to work on it.
    pub key: usize,
    /// What comes back, in words.
    pub result: String,
    /// What the answer consists of, or each of its `items` if it is a list.
    pub fields: Vec<OperationField>,
    /// Answers `{"items": […], "next": cursor or null, "total": number or null}`.
    pub list: bool,
    pub least: LeastRole,
    /// Whether it changes something; then it is written to the audit log.
    pub changes: bool,
    /// What happens, for one that should be thought about twice.
    pub danger: Option<String>,
    /// Place of the argument whose value is to be typed once more before.
    pub confirm: Option<usize>,
    /// Another operation of the plugin, which shows what this one changes: for the audit log.
    pub state: Option<String>,
    /// Function name.
    pub handler: String,
}

/// An argument of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationArgument {
    pub name: String,
    pub help: String,
    pub kind: ArgumentKind,
    pub required: bool,
}

/// What values an argument takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArgumentKind {
    /// 1 to `max` bytes.
    Text {
        max: usize,
    },
    /// 1 to 1,023 bytes, never shown nor logged.
    Secret,
    /// A whole number within bounds, both included.
    Number {
        min: u64,
        max: u64,
    },
    Flag,
    /// A bare address of an account, `name@domain`.
    Account,
    /// A domain that the server hosts.
    Domain,
    /// Any bare or full address.
    Address,
    /// One of these.
    Choice(Vec<String>),
    /// Texts of 1 to 1,023 bytes, so many at most.
    List {
        max: usize,
    },
    /// A moment, in seconds since 1970 UTC.
    Time,
    /// The word for a role. The plugin gets a list: the accounts of the key's domain that have the role.
    Role,
}

impl ArgumentKind {
    /// Most accounts that stand for a role.
    pub const PEOPLE: usize = 10_000;
}

/// Part of what comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationField {
    pub name: String,
    pub help: String,
    pub kind: FieldKind,
}

/// What a part of an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    Text,
    Number,
    Flag,
    Account,
    Domain,
    Address,
    /// Seconds since 1970 UTC.
    Time,
    /// Texts.
    List,
    /// Anything.
    Json,
}

/// Who may call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LeastRole {
    /// Everybody about the own account, and administrators; operators, too, if it changes nothing.
    User,
    /// All but mere users: it shows numbers, and nobody's address.
    Auditor,
    /// Operators, administrators of the domain and owners.
    Operator,
    /// Administrators of the domain and owners.
    #[default]
    Administrator,
    Owner,
}

impl OperationSpec {
    /// The argument that holds the key of the call.
    #[must_use]
    pub fn key_argument(&self) -> Option<&OperationArgument> {
        self.arguments.get(self.key)
    }

    /// The argument to be typed once more before.
    #[must_use]
    pub fn confirm_argument(&self) -> Option<&OperationArgument> {
        self.arguments.get(self.confirm?)
    }

    /// JSON Schema of what comes back.
    #[must_use]
    pub fn result_schema(&self) -> Value {
        let properties: Map<String, Value> =
            self.fields.iter().map(|field| (field.name.clone(), field.schema())).collect();
        let object = if properties.is_empty() {
            json!({ "type": "object" })
        } else {
            json!({ "type": "object", "properties": properties })
        };
        if !self.list {
            return object;
        }
        json!({
            "type": "object",
            "properties": {
                "items": { "type": "array", "items": object },
                "next": { "type": ["string", "null"] },
                "total": { "type": ["integer", "null"], "minimum": 0 },
            },
            "required": ["items", "next", "total"],
        })
    }
}

/// Makes sure that what an operation says it shows its changes by does so.
pub(super) fn shown(operations: &[OperationSpec]) -> Result<(), (usize, String)> {
    for operation in operations {
        let Some(state) = &operation.state else { continue };
        let key = operation.key_argument().map(|key| &key.name);
        let fits = operations.iter().any(|other| {
            let only_key =
                other.arguments.iter().enumerate().all(|(at, argument)| at == other.key || !argument.required);
            other.name == *state && !other.changes && only_key && other.key_argument().map(|key| &key.name) == key
        });
        if !fits {
            let problem = format!(
                "`{state}` is no operation of this plugin that changes nothing and needs only the same key argument"
            );
            return Err((operation.line, problem));
        }
    }
    Ok(())
}

/// The format in a schema of numbers that are seconds since 1970 UTC.
const UNIX_TIME: &str = "unix-time";

impl OperationField {
    fn schema(&self) -> Value {
        let mut schema = match self.kind {
            FieldKind::Text | FieldKind::Account | FieldKind::Domain | FieldKind::Address => {
                json!({ "type": ["string", "null"] })
            }
            FieldKind::Number => json!({ "type": ["integer", "null"] }),
            FieldKind::Time => json!({ "type": ["integer", "null"], "format": UNIX_TIME }),
            FieldKind::Flag => json!({ "type": ["boolean", "null"] }),
            FieldKind::List => json!({ "type": "array", "items": { "type": "string" } }),
            FieldKind::Json => json!({}),
        };
        if let Some(object) = schema.as_object_mut() {
            object.insert("description".to_owned(), self.help.clone().into());
        }
        schema
    }
}
