//! The table of operations of the server under test: those of its plugins, and nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use serde_json::{Map, Value, json};
use xylem_hooks::manifest::{ArgumentKind, LeastRole, OperationArgument, OperationSpec};
use xylem_host::{Host, OperationActor, OperationAnswer, OperationCaller, OperationRefusal, OperationTable};

/// Accounts that are more than users, by address: the word for their role.
pub(crate) type Ranks = BTreeMap<String, String>;

const ROLES: [&str; 5] = ["user", "auditor", "operator", "administrator", "owner"];

pub(crate) struct Table {
    host: Weak<Host>,
    ranks: Ranks,
}

impl Table {
    pub(crate) fn new(host: &Arc<Host>, ranks: Ranks) -> Self {
        Self { host: Arc::downgrade(host), ranks }
    }

    fn specs(&self) -> Vec<OperationSpec> {
        let Some(host) = self.host.upgrade() else { return Vec::new() };
        host.operations().iter().filter_map(|one| one.spec().cloned()).collect()
    }

    fn role(&self, account: &str) -> &str {
        self.ranks.get(account).map_or("user", String::as_str)
    }
}

impl OperationTable for Table {
    fn list(&self, actor: &OperationActor) -> Value {
        let role = self.role(actor.session.bare().as_str()).to_owned();
        self.specs().iter().filter(|spec| may(&role, spec)).map(described).collect()
    }

    fn call(&self, actor: OperationActor, name: String, arguments: Value) -> OperationAnswer {
        let who = actor.session.bare().as_str().to_owned();
        let role = self.role(&who).to_owned();
        let (host, specs, ranks) = (self.host.upgrade(), self.specs(), self.ranks.clone());
        Box::pin(async move {
            let spec = specs.iter().find(|spec| spec.name == name).ok_or(OperationRefusal::Unknown)?;
            let host = host.ok_or_else(|| OperationRefusal::Unavailable("the server has ended".to_owned()))?;
            check(spec, &arguments)?;
            let own = spec.key_argument().and_then(|key| arguments.get(&key.name)) == Some(&Value::from(who.as_str()));
            if !may(&role, spec) || (role == "user" && !own) {
                return Err(OperationRefusal::Denied(format!("{name} is not for {who}")));
            }
            let arguments = resolved(spec, arguments, &ranks);
            host.operate(&name, &arguments, OperationCaller { who, role }).await
        })
    }
}

/// With the accounts that have a role in place of its word; whoever is not said to be more is a user, and not listed.
pub(crate) fn resolved(spec: &OperationSpec, mut given: Value, ranks: &Ranks) -> Value {
    for argument in spec.arguments.iter().filter(|argument| argument.kind == ArgumentKind::Role) {
        if let Some(value) = given.get_mut(&argument.name) {
            let people = ranks.iter().filter(|(_, role)| value.as_str() == Some(role.as_str()));
            *value = people.map(|(account, _)| account.as_str()).collect();
        }
    }
    given
}

/// Makes sure that the arguments are those of the manifest.
pub(crate) fn check(spec: &OperationSpec, given: &Value) -> Result<(), OperationRefusal> {
    let empty = Map::new();
    let given = given.as_object().unwrap_or(&empty);
    if let Some(unknown) = given.keys().find(|key| spec.arguments.iter().all(|known| known.name != **key)) {
        return Err(OperationRefusal::Invalid(format!("{} does not take {unknown}", spec.name)));
    }
    for argument in &spec.arguments {
        match given.get(&argument.name) {
            None if argument.required => {
                return Err(OperationRefusal::Invalid(format!("{} is missing", argument.name)));
            }
            Some(value) if !fits(&argument.kind, value) => {
                return Err(OperationRefusal::Invalid(format!("{} cannot be {value}", argument.name)));
            }
            _ => {}
        }
    }
    Ok(())
}

fn fits(kind: &ArgumentKind, value: &Value) -> bool {
    let text = |max: usize| value.as_str().is_some_and(|text| (1..=max).contains(&text.len()));
    match kind {
        ArgumentKind::Text { max } => text(*max),
        ArgumentKind::Secret | ArgumentKind::Domain => text(1023),
        ArgumentKind::Account => text(2047) && value.as_str().is_some_and(|text| text.contains('@')),
        ArgumentKind::Address => text(3071),
        ArgumentKind::Number { min, max } => value.as_u64().is_some_and(|number| (*min..=*max).contains(&number)),
        ArgumentKind::Time => value.is_u64(),
        ArgumentKind::Flag => value.is_boolean(),
        ArgumentKind::Choice(words) => value.as_str().is_some_and(|word| words.iter().any(|known| known == word)),
        ArgumentKind::Role => value.as_str().is_some_and(|word| ROLES.contains(&word)),
        ArgumentKind::List { max } => {
            value.as_array().is_some_and(|items| items.len() <= *max && items.iter().all(Value::is_string))
        }
    }
}

fn may(role: &str, spec: &OperationSpec) -> bool {
    match (role, spec.least) {
        ("owner", _) | ("user" | "administrator", LeastRole::User) => true,
        ("administrator", least) => least != LeastRole::Owner,
        ("operator", least) => {
            !spec.changes && matches!(least, LeastRole::User | LeastRole::Operator | LeastRole::Auditor)
        }
        ("auditor", least) => least == LeastRole::Auditor,
        _ => false,
    }
}

/// As `xylem:admin/table.list` shows an operation.
fn described(spec: &OperationSpec) -> Value {
    let arguments: Vec<Value> = spec.arguments.iter().map(argument).collect();
    json!({
        "name": spec.name,
        "help": spec.help,
        "arguments": arguments,
        "result": spec.result,
        "changes": spec.changes,
        "danger": spec.danger,
        "confirm": spec.confirm_argument().map(|argument| &argument.name),
    })
}

fn argument(argument: &OperationArgument) -> Value {
    let mut shown = json!({ "name": argument.name, "help": argument.help, "required": argument.required });
    let (word, more) = match &argument.kind {
        ArgumentKind::Text { max } => ("text", json!({ "max": max })),
        ArgumentKind::Secret => ("secret", json!({})),
        ArgumentKind::Number { min, max } => ("number", json!({ "min": min, "max": max })),
        ArgumentKind::Flag => ("flag", json!({})),
        ArgumentKind::Account => ("account", json!({})),
        ArgumentKind::Domain => ("domain", json!({})),
        ArgumentKind::Address => ("address", json!({})),
        ArgumentKind::Choice(words) => ("choice", json!({ "values": words })),
        ArgumentKind::List { max } => ("list", json!({ "max": max })),
        ArgumentKind::Time => ("time", json!({})),
        ArgumentKind::Role => ("choice", json!({ "values": ROLES })),
    };
    if let (Some(shown), Value::Object(more)) = (shown.as_object_mut(), more) {
        shown.insert("type".to_owned(), word.into());
        shown.extend(more);
    }
    shown
}
