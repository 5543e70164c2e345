//! The table itself, and the one way to call what stands in it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::{Map, Value};
use tokio::sync::mpsc;

use crate::argument;
use crate::audit::{self, AuditLog, Change, Sparing};
use crate::backend::Backend;
use crate::caller::{Caller, Rank};
use crate::contributed::{Contributed, Nothing, Snapshot};
use crate::error::OpError;
use crate::files::Files;
use crate::kind::Kind;
use crate::operation::{Operation, Spec};
use crate::permit;
use crate::streams::{Silence, Streams, Topic};
use crate::{
    about, certificate, config, data, device, domain, federation, log, overview, plugin, server, session, stanza,
    store, token, user,
};

/// All operations over one backend.
pub struct Ops {
    table: Table,
    backend: Backend,
    files: Files,
    contributed: Arc<dyn Contributed>,
    /// What [`Contributed::specs`] said last.
    known: Mutex<Option<Arc<Snapshot>>>,
    streams: Arc<dyn Streams>,
    /// By account and address.
    refusals: Sparing<(String, String)>,
}

/// Refused requests of one account from one address that are written down in a minute.
const REFUSALS: u64 = 30;

/// The server's own operations, by name.
#[derive(Default)]
struct Table(BTreeMap<&'static str, Entry>);

struct Entry {
    spec: Arc<Spec>,
    prepare: Prepare,
}

type Prepare = fn(Value, &Caller) -> Result<Box<dyn Prepared>, OpError>;
type JsonAnswer<'a> = Pin<Box<dyn Future<Output = Result<Value, OpError>> + Send + 'a>>;

/// Decoded arguments, with their type forgotten.
trait Prepared: Send {
    fn audit(&self) -> String;
    fn state<'a>(&self, backend: &'a Backend) -> Option<JsonAnswer<'a>>;
    fn run<'a>(self: Box<Self>, backend: &'a Backend, caller: &'a Caller) -> JsonAnswer<'a>;
}

impl Table {
    fn of_the_server() -> Self {
        let mut ops = Self::default();
        ops.put::<user::Add>().put::<user::Delete>().put::<user::Password>().put::<user::List>().put::<user::Show>();
        ops.put::<user::SetRole>();
        ops.put::<token::Create>().put::<token::List>().put::<token::Revoke>();
        ops.put::<audit::list::List>().put::<audit::verify::Verify>();
        ops.put::<session::List>().put::<session::End>();
        ops.put::<device::List>().put::<device::Revoke>();
        ops.put::<plugin::List>().put::<plugin::Info>().put::<plugin::Install>().put::<plugin::Enable>();
        ops.put::<plugin::Disable>().put::<plugin::Upgrade>().put::<plugin::Remove>().put::<plugin::Chain>();
        ops.put::<data::Export>().put::<data::Import>();
        ops.put::<user::standing::Disable>().put::<user::standing::Enable>().put::<user::standing::ResetPassword>();
        ops.put::<user::standing::SignOut>().put::<user::import::ImportUsers>().put::<user::export::ExportUser>();
        ops.put::<session::message::Show>().put::<session::message::Message>();
        ops.put::<overview::Now>().put::<overview::Past>().put::<domain::List>().put::<about::Show>();
        ops.put::<plugin::package::Inspect>().put::<plugin::package::Usage>().put::<plugin::package::Rollback>();
        ops.put::<plugin::setting::Show>().put::<plugin::setting::Configure>();
        ops.put::<certificate::List>().put::<certificate::Reload>().put::<certificate::Renew>();
        ops.put::<config::Show>().put::<config::Text>().put::<config::Check>().put::<config::Try>();
        ops.put::<config::Save>().put::<config::Set>().put::<config::history::History>();
        ops.put::<config::history::ShowVersion>().put::<config::history::Rollback>();
        ops.put::<log::List>().put::<log::SetLevel>().put::<stanza::Unlock>();
        ops.put::<store::List>().put::<store::Scrub>();
        ops.put::<domain::Show>().put::<domain::change::Add>().put::<domain::change::Set>();
        ops.put::<domain::change::Remove>().put::<federation::Show>();
        ops.put::<data::Exports>().put::<data::ShowExport>().put::<data::DeleteExport>();
        ops.put::<user::factor::Show>().put::<user::factor::ResetFactors>();
        ops.put::<server::ending::Stop>().put::<server::ending::Restart>().put::<server::ending::Stay>();
        ops.put::<server::Status>().put::<server::Health>().put::<server::Reload>();
        ops
    }

    fn put<O: Operation>(&mut self) -> &mut Self {
        self.0.insert(O::NAME, Entry { spec: Arc::new(O::spec()), prepare: prepare::<O> });
        self
    }
}

/// What is known of the server's own operations, where there is no server.
#[must_use]
pub fn specs() -> Vec<Arc<Spec>> {
    Table::of_the_server().0.into_values().map(|entry| entry.spec).collect()
}

impl Ops {
    #[must_use]
    pub fn new(backend: Backend, files: Files) -> Self {
        Self {
            table: Table::of_the_server(),
            backend,
            files,
            contributed: Arc::new(Nothing),
            known: Mutex::default(),
            streams: Arc::new(Silence),
            refusals: Sparing::new(REFUSALS),
        }
    }

    /// The same with what plugins contribute.
    #[must_use]
    pub fn with_contributed(self, contributed: Arc<dyn Contributed>) -> Self {
        Self { contributed, ..self }
    }

    /// The same with topics to follow.
    #[must_use]
    pub fn with_streams(self, streams: Arc<dyn Streams>) -> Self {
        Self { streams, ..self }
    }

    /// The operations of the server itself, by name.
    pub fn own_specs(&self) -> impl Iterator<Item = &Arc<Spec>> {
        self.table.0.values().map(|entry| &entry.spec)
    }

    /// Every operation that there is now, by name.
    #[must_use]
    pub fn specs(&self) -> Vec<Arc<Spec>> {
        let contributed = self.snapshot();
        self.own_specs().chain(contributed.specs.values()).cloned().collect()
    }

    /// Those that the caller may call with some arguments or others.
    #[must_use]
    pub fn specs_for(&self, caller: &Caller) -> Vec<Arc<Spec>> {
        self.specs().into_iter().filter(|spec| permit::might(caller, spec)).collect()
    }

    /// The operation of this name, if there is one now.
    #[must_use]
    pub fn spec(&self, name: &str) -> Option<Arc<Spec>> {
        match self.table.0.get(name) {
            Some(entry) => Some(Arc::clone(&entry.spec)),
            None => self.snapshot().specs.get(name).cloned(),
        }
    }

    /// Where what happens outside of the table is written down: who signed in, and how.
    #[must_use]
    pub fn audit(&self) -> &AuditLog {
        &self.backend.audit
    }

    /// Where uploads and exports lie.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Whom a bearer token is for; none if it is none, or no longer.
    pub async fn bearer(&self, token: &str, from: String) -> Result<Option<Caller>, OpError> {
        self.backend.tokens.bearer(token.to_owned(), from).await
    }

    /// The topics that the caller may follow.
    #[must_use]
    pub fn topics_for(&self, caller: &Caller) -> Vec<Topic> {
        self.streams.topics().into_iter().filter(|topic| may_follow(caller, topic)).collect()
    }

    /// Begins to follow a topic; a token needs the scope `events.TOPIC`.
    pub fn subscribe(
        &self,
        topic: &str,
        filter: &Map<String, Value>,
        caller: &Caller,
    ) -> Result<mpsc::Receiver<Value>, OpError> {
        let topics = self.streams.topics();
        let known = topics.iter().find(|known| known.name == topic);
        let known = known.ok_or_else(|| OpError::NotFound(format!("there is no topic {topic}")))?;
        if !may_follow(caller, known) {
            return Err(OpError::Denied(format!("the topic {topic} is not for {}", caller.role)));
        }
        if let Some(wrong) = filter.keys().find(|key| known.filters.iter().all(|(name, _)| name != key)) {
            return Err(OpError::Invalid(format!("the topic {topic} has no filter {wrong}")));
        }
        self.streams.subscribe(topic, filter, caller)
    }

    /// Checks arguments and permission, runs the operation, and writes the audit line if it
    /// changes something. A change whose audit line cannot be written is not begun.
    pub async fn call(&self, caller: &Caller, name: &str, arguments: Value) -> Result<Value, OpError> {
        let spec = self.spec(name).ok_or_else(|| OpError::UnknownOperation(name.to_owned()))?;
        let mut given = object(arguments)?;
        let mut note = Change::of(&spec, caller);
        let uploads = self.files.named(&spec, &given);
        let permitted = self.permit(caller, &spec, &mut given).await;
        note.arguments = argument::without_secrets(&spec.arguments, &given);
        if let Err(error) = permitted {
            // Who may not is written down even where nothing was wrong with what he wanted.
            if spec.changes && matches!(error, OpError::Denied(_)) {
                self.note_refusal(note, &error)?;
            }
            return Err(error);
        }
        if spec.changes {
            self.backend
                .audit
                .ready()
                .map_err(|e| OpError::Unavailable(format!("the audit log cannot be written: {e}")))?;
        }
        // What only looks at a file is followed by what takes it.
        let taken = spec.changes && given.get("dry_run") != Some(&Value::Bool(true));
        let outcome = match self.table.0.get(name) {
            Some(entry) => self.run_own(entry, caller, given, note).await,
            None => self.run_contributed(&spec, caller, given, note).await,
        };
        if taken && outcome.is_ok() {
            uploads.iter().for_each(|upload| self.files.end_upload(upload));
        }
        outcome
    }

    async fn permit(&self, caller: &Caller, spec: &Spec, given: &mut Map<String, Value>) -> Result<(), OpError> {
        // What follows from the caller need not be given, so it is filled in before anything can be missing.
        let canonical = argument::canonical(&spec.arguments, given);
        permit::narrow(caller, spec, given, &self.backend.server.domains())?;
        canonical?;
        argument::complete(&spec.arguments, given)?;
        self.covers(caller, spec, given).await?;
        for argument in spec.arguments.iter().filter(|a| matches!(a.kind, Kind::Path | Kind::Upload)) {
            if let Some(Value::String(text)) = given.get_mut(&*argument.name) {
                *text = self.files.resolve(&argument.kind, caller.face, text)?;
            }
        }
        Ok(())
    }

    /// Whoever changes an account must be more than it is, or be it.
    async fn covers(&self, caller: &Caller, spec: &Spec, given: &Map<String, Value>) -> Result<(), OpError> {
        let account = spec.about.account_argument().and_then(|name| given.get(name)).and_then(Value::as_str);
        let Some(account) = account.filter(|account| spec.changes && !caller.is_all_of(account)) else {
            return Ok(());
        };
        let role = match self.backend.accounts.role(account.to_owned()).await {
            Ok(role) => role,
            // To be told by the operation itself.
            Err(OpError::NotFound(_) | OpError::Invalid(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        // What plugins keep for the own account makes nobody more.
        let is_own = caller.account.as_deref() == Some(account) && !self.table.0.contains_key(&*spec.name);
        if is_own || caller.covers(&role) {
            return Ok(());
        }
        Err(OpError::Denied(format!("{account} is {role}, and may be changed by who is as much")))
    }

    async fn run_own(
        &self,
        entry: &Entry,
        caller: &Caller,
        given: Map<String, Value>,
        mut note: Change<'_>,
    ) -> Result<Value, OpError> {
        let prepared = match (entry.prepare)(Value::Object(given), caller) {
            Err(error @ OpError::Denied(_)) if entry.spec.changes => {
                self.note_refusal(note, &error)?;
                return Err(error);
            }
            prepared => prepared?,
        };
        if !entry.spec.changes {
            return prepared.run(&self.backend, caller).await;
        }
        note.what = prepared.audit();
        // The same question again tells what came of it.
        let after = prepared.state(&self.backend);
        if let Some(before) = prepared.state(&self.backend) {
            note.before = before.await.unwrap_or_default();
        }
        let outcome = prepared.run(&self.backend, caller).await;
        if let (Some(after), Ok(_)) = (after, &outcome) {
            note.after = after.await.unwrap_or_default();
        }
        self.note_outcome(note, outcome.as_ref().err())?;
        outcome
    }

    async fn run_contributed(
        &self,
        spec: &Spec,
        caller: &Caller,
        given: Map<String, Value>,
        mut note: Change<'_>,
    ) -> Result<Value, OpError> {
        if !spec.changes {
            return self.contributed.call(&spec.name, caller, given).await;
        }
        note.what = spec.help.trim_end_matches('.').to_owned();
        note.before = self.contributed.state(&spec.name, &given).await.unwrap_or_default();
        let outcome = self.contributed.call(&spec.name, caller, given.clone()).await;
        if outcome.is_ok() {
            note.after = self.contributed.state(&spec.name, &given).await.unwrap_or_default();
        }
        self.note_outcome(note, outcome.as_ref().err())?;
        outcome
    }

    /// What mere users try in vain is as good as refused.
    fn note_outcome(&self, change: Change<'_>, error: Option<&OpError>) -> Result<(), OpError> {
        match error {
            Some(error) if change.caller.role.rank == Rank::User => self.note_refusal(change, error),
            error => self.note(change, error),
        }
    }

    /// What anybody can have refused as often as he likes: so many lines a minute.
    fn note_refusal(&self, mut change: Change<'_>, error: &OpError) -> Result<(), OpError> {
        let asked = change.caller;
        let whose = (asked.account.clone().unwrap_or_else(|| asked.who.clone()), asked.from.clone());
        match self.refusals.admit(whose, Instant::now()) {
            None => return Ok(()),
            Some(0) => {}
            Some(more) => change.what = format!("{}; and {more} refused before that are not written down", change.what),
        }
        self.note(change, Some(error))
    }

    fn note(&self, change: Change<'_>, error: Option<&OpError>) -> Result<(), OpError> {
        self.backend
            .audit
            .write(change, error)
            .map_err(|e| OpError::Failed(format!("done, but the audit log cannot be written: {e}")))
    }

    /// What plugins contribute now.
    fn snapshot(&self) -> Arc<Snapshot> {
        let generation = self.contributed.generation();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref().filter(|known| known.generation == generation) {
            return Arc::clone(known);
        }
        let is_new = |spec: &Spec| {
            let taken = self.own_specs().any(|own| own.name == spec.name || own.route == spec.route);
            if taken {
                tracing::error!(operation = &*spec.name, "a plugin's operation is left out: the server has its own");
            }
            !taken
        };
        let specs = self.contributed.specs().into_iter().filter(is_new);
        let specs = specs.map(|spec| (spec.name.clone().into_owned(), Arc::new(spec))).collect();
        let snapshot = Arc::new(Snapshot { generation, specs });
        *known = Some(Arc::clone(&snapshot));
        snapshot
    }
}

fn may_follow(caller: &Caller, topic: &Topic) -> bool {
    let in_scope = |narrowed: &crate::caller::Narrowed| narrowed.scopes.has(&format!("events.{}", topic.name));
    caller.narrowed.as_ref().is_none_or(in_scope) && caller.roles().all(|role| topic.roles.has(role.rank))
}

impl<O: Operation> Prepared for O {
    fn audit(&self) -> String {
        Operation::audit(self)
    }

    fn state<'a>(&self, backend: &'a Backend) -> Option<JsonAnswer<'a>> {
        Operation::state(self, backend)
    }

    fn run<'a>(self: Box<Self>, backend: &'a Backend, caller: &'a Caller) -> JsonAnswer<'a> {
        let answer = Operation::run(*self, backend, caller);
        Box::pin(async move {
            let output = answer.await?;
            serde_json::to_value(output).map_err(|e| OpError::Failed(e.to_string()))
        })
    }
}

fn prepare<O: Operation>(arguments: Value, caller: &Caller) -> Result<Box<dyn Prepared>, OpError> {
    let operation: O = serde_json::from_value(arguments).map_err(|e| OpError::Invalid(e.to_string()))?;
    operation.allow(caller)?;
    Ok(Box::new(operation))
}

fn object(arguments: Value) -> Result<Map<String, Value>, OpError> {
    match arguments {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        _ => Err(OpError::Invalid("the arguments must be a JSON object".into())),
    }
}
