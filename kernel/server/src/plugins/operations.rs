//! What plugins contribute to the table of operations, and the table for those that are a face of it.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};

use serde_json::{Map, Value, json};
use xylem_hooks::manifest::{ArgumentKind, LeastRole, OperationArgument, OperationSpec};
use xylem_host::{Host, OperationActor, OperationAnswer, OperationCaller, OperationRefusal, OperationTable};
use xylem_ops::{
    About, Answer, Argument, Caller, Contributed, Danger, Face, Kind, OpError, Ops, Output, Rank, Role, Roles, Route,
    Spec, Words,
};
use xylem_stanza::BareJid;

use super::PluginService;
use crate::accounts::Accounts;

impl PluginService {
    /// What the installed plugins contribute to the table.
    pub fn contributed(&self, accounts: &Accounts) -> Arc<dyn Contributed> {
        Arc::new(Contributions { host: Arc::clone(&self.host), accounts: accounts.clone() })
    }

    /// Gives the table to plugins that are granted it.
    pub fn attach_table(&self, ops: &Arc<Ops>, accounts: &Accounts, factors: Factors) {
        self.host.attach_table(Arc::new(Table { ops: Arc::downgrade(ops), accounts: accounts.clone(), factors }));
    }
}

/// Says whether an account, made at that time, has something to prove itself with beside its password.
pub type Factors = Arc<dyn Fn(String, u64) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

struct Contributions {
    host: Arc<Host>,
    accounts: Accounts,
}

impl Contributions {
    fn spec(&self, name: &str) -> Option<OperationSpec> {
        self.host.operations().iter().filter_map(|one| one.spec()).find(|spec| spec.name == name).cloned()
    }

    /// Puts the accounts that have a role in place of its word.
    async fn with_people(&self, name: &str, mut arguments: Map<String, Value>) -> Result<Map<String, Value>, OpError> {
        let Some(spec) = self.spec(name) else { return Ok(arguments) };
        for argument in spec.arguments.iter().filter(|argument| argument.kind == ArgumentKind::Role) {
            let word = arguments.get(&argument.name).and_then(Value::as_str).map(str::to_owned);
            let key = spec.key_argument().and_then(|key| arguments.get(&key.name)).and_then(Value::as_str);
            let domain = key.and_then(|key| key.rsplit('@').next()).map(str::to_owned);
            if let (Some(word), Some(domain)) = (word, domain) {
                arguments.insert(argument.name.clone(), self.people(&domain, &word).await?.into());
            }
        }
        Ok(arguments)
    }

    async fn people(&self, domain: &str, role: &str) -> Result<Vec<String>, OpError> {
        let mut people = Vec::new();
        let visit = self.accounts.visit(Some(domain), |account, summary| {
            if summary.role.rank.word() == role && people.len() <= ArgumentKind::PEOPLE {
                people.push(account);
            }
        });
        visit.await.map_err(|error| OpError::Unavailable(error.to_string()))?;
        if people.len() > ArgumentKind::PEOPLE {
            return Err(OpError::Invalid(format!(
                "more than {} accounts of {domain} are {role}s",
                ArgumentKind::PEOPLE
            )));
        }
        Ok(people)
    }
}

impl Contributed for Contributions {
    fn generation(&self) -> u64 {
        self.host.generation()
    }

    fn specs(&self) -> Vec<Spec> {
        self.host.operations().iter().filter_map(|one| one.spec().map(spec)).collect()
    }

    fn call<'a>(&'a self, name: &'a str, caller: &'a Caller, arguments: Map<String, Value>) -> Answer<'a, Value> {
        let role = caller.role.rank.word().to_owned();
        let caller = OperationCaller { who: caller.account.clone().unwrap_or_else(|| caller.who.clone()), role };
        Box::pin(async move {
            let arguments = self.with_people(name, arguments).await?;
            let answer = self.host.operate(name, &Value::Object(arguments), caller).await;
            answer.map_err(|refusal| refused(name, refusal))
        })
    }

    fn state<'a>(&'a self, name: &'a str, arguments: &'a Map<String, Value>) -> Answer<'a, Value> {
        Box::pin(async move {
            let spec = self.spec(name);
            let spec = spec.as_ref();
            let shown = spec.and_then(|spec| Some((spec.state.as_ref()?, &spec.key_argument()?.name)));
            let Some((state, key)) = shown else { return Ok(Value::Null) };
            let about: Map<String, Value> =
                arguments.get(key).map(|key_value| (key.clone(), key_value.clone())).into_iter().collect();
            let audit = OperationCaller { who: "audit".to_owned(), role: Rank::Owner.word().to_owned() };
            self.host.operate(state, &Value::Object(about), audit).await.map_err(|refusal| refused(state, refusal))
        })
    }
}

/// A manifest's operation as the table has it.
fn spec(of: &OperationSpec) -> Spec {
    let text = |text: &str| Cow::Owned(text.to_owned());
    let key = of.key_argument();
    let name = text(key.map_or("", |key| &key.name));
    let about = match key.map(|key| &key.kind) {
        Some(ArgumentKind::Account) => About::Account(name),
        Some(ArgumentKind::Domain) => About::Domain(name),
        _ => About::Address(name),
    };
    let danger = match (&of.danger, of.confirm_argument()) {
        (None, _) => Danger::None,
        (Some(says), None) => Danger::Confirm { says: text(says) },
        (Some(says), Some(argument)) => Danger::Type { says: text(says), argument: text(&argument.name) },
    };
    Spec {
        name: text(&of.name),
        help: text(&of.help),
        route: Route::of_plugin(&of.name, of.changes),
        arguments: of.arguments.iter().map(argument).collect(),
        result: text(&of.result),
        output: Output::Given(of.result_schema()),
        roles: roles(of),
        about,
        changes: of.changes,
        danger,
    }
}

fn roles(of: &OperationSpec) -> Roles {
    match of.least {
        LeastRole::User if of.changes => Roles::ADMINISTER.and_own(),
        LeastRole::User => Roles::SEE.and_own(),
        LeastRole::Auditor => Roles::OVERSEE,
        LeastRole::Operator => Roles::SEE,
        LeastRole::Administrator => Roles::ADMINISTER,
        LeastRole::Owner => Roles::OWN,
    }
}

fn argument(of: &OperationArgument) -> Argument {
    let kind = match &of.kind {
        ArgumentKind::Text { max } => Kind::Text { max: *max },
        ArgumentKind::Secret => Kind::Secret,
        ArgumentKind::Number { min, max } => Kind::Number { min: *min, max: *max },
        ArgumentKind::Flag => Kind::Flag,
        ArgumentKind::Account => Kind::Account,
        ArgumentKind::Domain => Kind::Domain,
        ArgumentKind::Address => Kind::Address,
        ArgumentKind::Choice(words) => Kind::Choice { words: Words::Made(words.clone()) },
        ArgumentKind::List { max } => Kind::List { items: *max, max: 1023 },
        ArgumentKind::Time => Kind::Time,
        ArgumentKind::Role => Kind::choice(&Rank::WORDS),
    };
    Argument { name: of.name.clone().into(), help: of.help.clone().into(), kind, required: of.required }
}

/// Weak: the table knows the plugins, too.
struct Table {
    ops: Weak<Ops>,
    accounts: Accounts,
    factors: Factors,
}

impl OperationTable for Table {
    fn list(&self, actor: &OperationActor) -> Value {
        let Some(ops) = self.ops.upgrade() else { return Value::Array(Vec::new()) };
        let account = actor.session.bare();
        let caller = caller(actor, &account, self.accounts.role_now(&account).unwrap_or_default());
        ops.specs_for(&caller).iter().map(|spec| described(spec)).collect()
    }

    fn call(&self, actor: OperationActor, name: String, arguments: Value) -> OperationAnswer {
        let (ops, accounts, factors) = (self.ops.clone(), self.accounts.clone(), Arc::clone(&self.factors));
        Box::pin(async move {
            let ops = ops.upgrade();
            let ops = ops.ok_or_else(|| OperationRefusal::Unavailable("the server is stopping".to_owned()))?;
            let account = actor.session.bare();
            let record = accounts.find(&account).await;
            let record = record.map_err(|error| OperationRefusal::Failed(error.to_string()))?;
            // Who was removed or locked out in the meantime has no say.
            let Some(record) = record.filter(|record| !record.disabled) else {
                return Err(OperationRefusal::Denied(format!("{account} is no account any more")));
            };
            if record.role.rank == Rank::User || !factors(account.to_string(), record.created).await {
                let caller = caller(&actor, &account, record.role.clone());
                return ops.call(&caller, &name, arguments).await.map_err(told);
            }
            // XMPP has asked for the password alone, which is not enough for more than the own account.
            let caller = caller(&actor, &account, Role::default());
            ops.call(&caller, &name, arguments).await.map_err(|error| match error {
                OpError::Denied(_) => OperationRefusal::Denied(format!(
                    "{account} has a second factor, which cannot be asked for here: administer in the console"
                )),
                other => told(other),
            })
        })
    }
}

fn caller(actor: &OperationActor, account: &BareJid, role: Role) -> Caller {
    let from = actor.peer.map_or_else(|| actor.session.to_string(), |peer| peer.to_string());
    Caller::account(account.as_str(), role, Face::AdHoc, from)
}

/// As `xylem:admin/table.list` shows an operation.
fn described(spec: &Spec) -> Value {
    let (danger, confirm) = match &spec.danger {
        Danger::None => (None, None),
        Danger::Confirm { says } => (Some(says), None),
        Danger::Type { says, argument } => (Some(says), Some(argument)),
    };
    json!({
        "name": spec.name,
        "help": spec.help,
        "arguments": spec.arguments.iter().map(shown).collect::<Vec<_>>(),
        "result": spec.result,
        "changes": spec.changes,
        "danger": danger,
        "confirm": confirm,
    })
}

fn shown(argument: &Argument) -> Value {
    let mut shown = Map::new();
    let (word, bound) = match &argument.kind {
        Kind::Text { max } => ("text", Some(("max", json!(max)))),
        Kind::Secret => ("secret", None),
        Kind::Cursor => ("text", Some(("max", json!(4096)))),
        Kind::Account => ("account", None),
        Kind::Address => ("address", None),
        Kind::Domain => ("domain", None),
        Kind::Path => ("path", None),
        Kind::Upload => ("upload", None),
        Kind::Number { min, max } => {
            shown.insert("min".to_owned(), json!(min));
            ("number", Some(("max", json!(max))))
        }
        Kind::Time => ("time", None),
        Kind::Flag => ("flag", None),
        Kind::Choice { words } => ("choice", Some(("values", words.iter().collect()))),
        Kind::List { items, .. } => ("list", Some(("max", json!(items)))),
        Kind::Json { max } => ("json", Some(("max", json!(max)))),
    };
    shown.insert("name".to_owned(), json!(argument.name));
    shown.insert("help".to_owned(), json!(argument.help));
    shown.insert("required".to_owned(), json!(argument.required));
    shown.insert("type".to_owned(), json!(word));
    shown.extend(bound.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(shown)
}

fn refused(name: &str, refusal: OperationRefusal) -> OpError {
    match refusal {
        OperationRefusal::Unknown => OpError::UnknownOperation(name.to_owned()),
        OperationRefusal::Invalid(text) => OpError::Invalid(text),
        OperationRefusal::Denied(text) => OpError::Denied(text),
        OperationRefusal::Missing(text) => OpError::NotFound(text),
        OperationRefusal::Conflict(text) => OpError::Conflict(text),
        OperationRefusal::Unavailable(text) => OpError::Unavailable(text),
        other => OpError::Failed(other.to_string()),
    }
}

fn told(error: OpError) -> OperationRefusal {
    let text = error.to_string();
    match error {
        OpError::UnknownOperation(_) => OperationRefusal::Unknown,
        OpError::Invalid(_) => OperationRefusal::Invalid(text),
        OpError::Denied(_) => OperationRefusal::Denied(text),
        OpError::NotFound(_) => OperationRefusal::Missing(text),
        OpError::Conflict(_) => OperationRefusal::Conflict(text),
        OpError::Unavailable(_) => OperationRefusal::Unavailable(text),
        _ => OperationRefusal::Failed(text),
    }
}
