//! The topics `overview`, `logs` and `stanzas`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::{broadcast, mpsc};
use tokio::time::MissedTickBehavior;
use xylem_ops::streams::DEPTH;
use xylem_ops::{Caller, OpError, Rank, Roles, Streams, Topic};
use xylem_stanza::Kind;

use super::logs::{event, wanted};
use super::overview::OverviewBackend;
use crate::history::{Totals, measure};
use crate::inspector::Wanted;
use crate::instance::Instance;
use crate::logs;

/// How often the overview is told to whoever follows it.
const EVERY: Duration = Duration::from_secs(1);

/// What goes on in one server.
pub struct InstanceStreams {
    instance: Arc<Instance>,
    overview: Source,
}

/// One for all who follow the overview; it ends with the last of them.
type Source = Arc<Mutex<Option<broadcast::Sender<Value>>>>;

impl InstanceStreams {
    pub fn new(instance: Arc<Instance>) -> Self {
        Self { instance, overview: Source::default() }
    }

    fn overview(&self) -> mpsc::Receiver<Value> {
        let mut source = self.overview.lock().unwrap_or_else(PoisonError::into_inner);
        let follower = match &*source {
            Some(running) => running.subscribe(),
            None => {
                let (sender, follower) = broadcast::channel(4);
                *source = Some(sender.clone());
                tokio::spawn(tell(Arc::clone(&self.instance), sender, Arc::clone(&self.overview)));
                follower
            }
        };
        drop(source);
        forward(follower, Some)
    }

    fn logs(filter: &Map<String, Value>) -> Result<mpsc::Receiver<Value>, OpError> {
        let plugin = text(filter, "plugin")?.map(str::to_owned);
        let wanted = wanted(text(filter, "level")?, plugin, text(filter, "search")?)?;
        let lines = logs::journal().follow();
        Ok(forward(lines, move |line| wanted.takes(&line.entry).then(|| event(&line))))
    }

    fn stanzas(&self, filter: &Map<String, Value>, caller: &Caller) -> Result<mpsc::Receiver<Value>, OpError> {
        let inspector = &self.instance.inspector;
        let unlocked = match text(filter, "unlock")? {
            None => 0,
            Some(_) if caller.roles().any(|role| role.rank != Rank::Owner) => {
                return Err(OpError::Denied("text is shown to owners alone".into()));
            }
            Some(key) => inspector.keys.until(key, &caller.who).ok_or_else(|| {
                OpError::Denied("this does not unlock anything for you, or not any more: ask stanza.unlock".into())
            })?,
        };
        let wanted = Wanted {
            jid: text(filter, "jid")?.map(str::to_owned),
            kind: text(filter, "kind")?.map(kind).transpose()?,
            ns: text(filter, "ns")?.map(str::to_owned),
            domains: domains(caller),
            unlocked,
        };
        inspector.look(wanted, DEPTH).ok_or_else(|| OpError::Unavailable("too many look at stanzas already".into()))
    }
}

impl Streams for InstanceStreams {
    fn topics(&self) -> Vec<Topic> {
        vec![
            Topic {
                name: "overview",
                help: "How the server does, once a second.",
                roles: Roles::OVERSEE,
                filters: &[],
            },
            Topic {
                name: "logs",
                help: "Lines of the log as they are told.",
                roles: Roles::OWN,
                filters: &[
                    ("level", "this level and what is more serious; info unless given"),
                    ("plugin", "only lines of this plugin, or about it"),
                    ("search", "only lines in which this occurs"),
                ],
            },
            Topic {
                name: "stanzas",
                help: "Stanzas as they pass, without what they say.",
                roles: Roles::ADMINISTER,
                filters: &[
                    ("jid", "only those of this domain, account or resource"),
                    ("kind", "only message, presence or iq"),
                    ("ns", "only those with something of this namespace"),
                    ("unlock", "what stanza.unlock gave; then with what they say"),
                ],
            },
        ]
    }

    fn subscribe(
        &self,
        topic: &str,
        filter: &Map<String, Value>,
        caller: &Caller,
    ) -> Result<mpsc::Receiver<Value>, OpError> {
        match topic {
            "overview" => Ok(self.overview()),
            "logs" => Self::logs(filter),
            "stanzas" => self.stanzas(filter, caller),
            _ => Err(OpError::NotFound(format!("there is no topic {topic}"))),
        }
    }
}

/// Tells how the server does, as long as somebody follows.
async fn tell(instance: Arc<Instance>, followers: broadcast::Sender<Value>, source: Source) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = Totals::of(&instance);
    let overview = OverviewBackend(Arc::clone(&instance));
    // The first tick is at once, and has nothing to measure.
    ticks.tick().await;
    loop {
        let mut report = overview.report();
        let (sample, totals) = measure(&instance, &before).await;
        before = totals;
        report.latest = Some(sample);
        if followers.send(serde_json::to_value(report).unwrap_or_default()).is_err() {
            let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
            // Somebody may have come meanwhile; nobody can while this is held.
            if followers.receiver_count() == 0 {
                *source = None;
                return;
            }
        }
        ticks.tick().await;
    }
}

/// From one source to one follower. Who is too slow misses some, and is told how many.
fn forward<T: Clone + Send + 'static>(
    mut source: broadcast::Receiver<T>,
    told: impl Fn(T) -> Option<Value> + Send + 'static,
) -> mpsc::Receiver<Value> {
    let (sender, receiver) = mpsc::channel(DEPTH);
    tokio::spawn(async move {
        let mut missed = 0;
        loop {
            let value = tokio::select! {
                () = sender.closed() => return,
                value = source.recv() => match value {
                    Ok(value) => value,
                    Err(broadcast::error::RecvError::Lagged(lost)) => {
                        missed += lost;
                        continue;
                    }
                    Err(broadcast::error::RecvError::Closed) => return,
                },
            };
            let Some(value) = told(value) else { continue };
            if missed > 0 && sender.try_send(json!({ "missed": missed })).is_ok() {
                missed = 0;
            }
            if sender.try_send(value).is_err() {
                missed += 1;
            }
        }
    });
    receiver
}

/// The domains that somebody is limited to; none means no limit.
fn domains(caller: &Caller) -> Option<Vec<String>> {
    let mut limits = caller.roles().filter_map(|role| role.domains());
    let first = limits.next()?.to_vec();
    Some(limits.fold(first, |left, other| left.into_iter().filter(|domain| other.contains(domain)).collect()))
}

fn text<'f>(filter: &'f Map<String, Value>, key: &str) -> Result<Option<&'f str>, OpError> {
    match filter.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= 4096 => {
            Ok(Some(text).filter(|text| !text.is_empty()).map(String::as_str))
        }
        Some(_) => Err(OpError::Invalid(format!("{key} must be text"))),
    }
}

fn kind(word: &str) -> Result<Kind, OpError> {
    Kind::parse(word).ok_or_else(|| OpError::Invalid(format!("kind must be message, presence or iq, not {word}")))
}
