//! Live events (the HTML standard, server-sent events): the event's name is the topic, its data JSON.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at};
use tokio_stream::wrappers::ReceiverStream;
use xylem_ops::{Caller, OpError};

use crate::caller::watcher;
use crate::console::Console;
use crate::problem::Problem;

/// How often it is looked whether the follower may still follow.
const LOOK: Duration = Duration::from_secs(2);
/// After what silence something is sent, for whoever is in between.
const BEAT: Duration = Duration::from_secs(15);
/// After how long a follower has to come again.
const LONGEST: Duration = Duration::from_secs(3600);
/// How many topics one request follows.
const TOPICS: usize = 16;
/// Events that wait for the connection.
const WAITING: usize = 64;

/// `GET /api/v1/topics`: what the caller may follow.
pub(crate) async fn topics(State(console): State<Console>, caller: Caller) -> Json<Value> {
    let topics = console.ops().topics_for(&caller).into_iter().map(|topic| {
        let filters: Map<String, Value> =
            topic.filters.iter().map(|(name, help)| ((*name).to_owned(), (*help).into())).collect();
        json!({"name": topic.name, "help": topic.help, "filters": filters})
    });
    Json(json!({"topics": topics.collect::<Vec<_>>()}))
}

/// `GET /api/v1/events?topics=a,b&b.key=value`
pub(crate) async fn follow(State(console): State<Console>, parts: Parts) -> Result<impl IntoResponse, Problem> {
    let caller = watcher(&console, &parts).await?;
    let place = console.followers().place(caller.account.as_deref().unwrap_or(&caller.who));
    let place = place.ok_or_else(|| Problem::new("unavailable", "too many follow events already"))?;
    let asked = Asked::read(&parts)?;
    let (send, receive) = mpsc::channel(WAITING);
    let mut sources = Vec::new();
    for (topic, filter) in &asked.topics {
        sources.push((topic.clone(), console.ops().subscribe(topic, filter, &caller)?));
    }
    let mut forwards: JoinSet<()> =
        sources.into_iter().map(|(topic, source)| forward(topic, source, send.clone())).collect();
    tokio::spawn(async move {
        while_allowed(&console, &parts, &caller, &send).await;
        // The stream ends with the last who could send to it; until then it keeps its place.
        forwards.shutdown().await;
        drop((send, place));
    });
    Ok(Sse::new(ReceiverStream::new(receive)).keep_alive(KeepAlive::new().interval(BEAT)))
}

struct Asked {
    topics: Vec<(String, Map<String, Value>)>,
}

impl Asked {
    fn read(parts: &Parts) -> Result<Self, Problem> {
        let wrong = |what: &str| Problem::from(OpError::Invalid(what.to_owned()));
        let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) else {
            return Err(wrong("the query cannot be read"));
        };
        let mut topics: Vec<(String, Map<String, Value>)> = Vec::new();
        for (_, names) in pairs.iter().filter(|(key, _)| key == "topics") {
            topics.extend(names.split(',').filter(|n| !n.is_empty()).map(|name| (name.to_owned(), Map::new())));
        }
        topics.sort_by(|(a, _), (b, _)| a.cmp(b));
        topics.dedup_by(|(a, _), (b, _)| a == b);
        if topics.is_empty() || topics.len() > TOPICS {
            return Err(wrong("topics must name 1 to 16 topics, with commas between"));
        }
        for (key, value) in pairs.iter().filter(|(key, _)| key != "topics") {
            let of = key.split_once('.').and_then(|(name, key)| {
                topics.iter_mut().find(|(topic, _)| topic == name).map(|(_, filter)| (filter, key))
            });
            let Some((filter, key)) = of else { return Err(wrong(&format!("{key} is no topic's filter"))) };
            filter.insert(key.to_owned(), value.as_str().into());
        }
        Ok(Self { topics })
    }
}

async fn forward(topic: String, mut source: mpsc::Receiver<Value>, send: mpsc::Sender<Result<Event, Infallible>>) {
    while let Some(value) = source.recv().await {
        let event = Event::default().event(&topic).data(value.to_string());
        if send.send(Ok(event)).await.is_err() {
            return;
        }
    }
}

/// Ends when the connection has, when the session or token has, or after long.
async fn while_allowed(
    console: &Console,
    parts: &Parts,
    caller: &Caller,
    send: &mpsc::Sender<Result<Event, Infallible>>,
) {
    let end = Instant::now() + LONGEST;
    let mut looks = interval_at(Instant::now() + LOOK, LOOK);
    loop {
        tokio::select! {
            () = send.closed() => return,
            () = tokio::time::sleep_until(end) => return,
            _ = looks.tick() => match watcher(console, parts).await {
                Ok(now) if now.role == caller.role && now.narrowed == caller.narrowed => {}
                _ => return,
            },
        }
    }
}
