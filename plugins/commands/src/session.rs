//! Commands under way (XEP-0050 §3.3): rows of the account whose session asked.

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;
use xylem_sdk::runtime;

use crate::Config;
use crate::paging::Listing;
use crate::stores::SESSIONS;

/// Most commands that an account has under way; the oldest make room.
const MOST: usize = 20;

/// One execution of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) node: String,
    /// The full address of whoever executes it: nobody else goes on with it.
    pub(crate) jid: String,
    /// When it began, milliseconds since 1970.
    at: u64,
    /// The request that waits for an answer.
    pub(crate) iq: String,
    /// What was called to fill in a form first, and not to do the work.
    pub(crate) prepares: bool,
    /// What the form was filled with.
    pub(crate) before: Vec<String>,
    /// About whom or what each call is, for notes; empty while a form is to be filled in.
    pub(crate) calls: Vec<String>,
    /// By place, those calls whose answers come in pages.
    pub(crate) listings: Vec<Option<Listing>>,
    /// What came of them: place, and the answer, or the refusal with its text.
    pub(crate) outcomes: Vec<(usize, Result<Json, Refusal>)>,
}

impl Session {
    pub(crate) fn begin(cx: &Cx, node: &str, jid: &str) -> Result<Self, Fault> {
        make_room(cx)?;
        Ok(Self {
            id: runtime::random_id(),
            node: node.to_owned(),
            jid: jid.to_owned(),
            at: cx.now(),
            iq: String::new(),
            prepares: false,
            before: Vec::new(),
            calls: Vec::new(),
            listings: Vec::new(),
            outcomes: Vec::new(),
        })
    }

    pub(crate) fn find(id: &str) -> Result<Option<Self>, Fault> {
        Ok(SESSIONS.text(id)?.and_then(|row| Self::read(id, &Json::parse(&row)?)))
    }

    pub(crate) fn save(&self) -> Result<(), Fault> {
        SESSIONS.put(&self.id, self.to_json().build().as_bytes(), &[])
    }

    pub(crate) fn end(&self) -> Result<(), Fault> {
        SESSIONS.delete(&self.id).map(drop)
    }

    pub(crate) fn is_over(&self, now: u64) -> bool {
        now.saturating_sub(self.at) > Config::load().lasts
    }

    fn read(id: &str, json: &Json) -> Option<Self> {
        let text = |name: &str| json.get(name).and_then(Json::as_text).map(str::to_owned);
        let calls = json.get("calls").map(Json::items).unwrap_or_default();
        let outcomes = json.get("outcomes").map(Json::items).unwrap_or_default();
        let before = json.get("before").map(Json::items).unwrap_or_default();
        Some(Self {
            id: id.to_owned(),
            node: text("node")?,
            jid: text("jid")?,
            at: json.get("at").and_then(Json::as_number)?.unsigned_abs(),
            iq: text("iq").unwrap_or_default(),
            prepares: json.get("prepares").is_some_and(Json::is_true),
            before: before.iter().filter_map(Json::as_text).map(str::to_owned).collect(),
            calls: calls.iter().filter_map(Json::as_text).map(str::to_owned).collect(),
            listings: json.get("listings").map(Json::items).unwrap_or_default().iter().map(Listing::read).collect(),
            outcomes: outcomes.iter().filter_map(outcome).collect(),
        })
    }

    fn to_json(&self) -> Json {
        let calls: Vec<Json> = self.calls.iter().map(Json::from).collect();
        let before: Vec<Json> = self.before.iter().map(Json::from).collect();
        let outcomes = self.outcomes.iter().map(|(at, outcome)| {
            let json = Json::object().with("at", *at);
            match outcome {
                Ok(answer) => json.with("ok", Json::object().with("is", answer.clone())),
                Err(refusal) => json.with("kind", kind(refusal)).with("text", refusal.as_str()),
            }
        });
        let outcomes: Vec<Json> = outcomes.collect();
        let listings = self.listings.iter().map(|listing| listing.as_ref().map_or(Json::Null, Listing::to_json));
        let listings: Vec<Json> = listings.collect();
        Json::object()
            .with("node", &self.node)
            .with("jid", &self.jid)
            .with("at", self.at)
            .with("iq", &self.iq)
            .with("prepares", self.prepares)
            .with("before", before)
            .with("calls", calls)
            .with("listings", listings)
            .with("outcomes", outcomes)
    }
}

fn outcome(json: &Json) -> Option<(usize, Result<Json, Refusal>)> {
    let at = usize::try_from(json.get("at")?.as_number()?).ok()?;
    if let Some(answer) = json.get("ok") {
        return Some((at, Ok(answer.get("is").cloned().unwrap_or(Json::Null))));
    }
    let text = json.get("text").and_then(Json::as_text).unwrap_or_default().to_owned();
    Some((at, Err(refusal(json.get("kind")?.as_text()?, text))))
}

fn kind(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Unknown => "unknown",
        Refusal::Invalid(_) => "invalid",
        Refusal::Denied(_) => "denied",
        Refusal::Missing(_) => "missing",
        Refusal::Conflict(_) => "conflict",
        Refusal::Unavailable(_) => "unavailable",
        _ => "failed",
    }
}

fn refusal(kind: &str, text: String) -> Refusal {
    match kind {
        "unknown" => Refusal::Unknown,
        "invalid" => Refusal::Invalid(text),
        "denied" => Refusal::Denied(text),
        "missing" => Refusal::Missing(text),
        "conflict" => Refusal::Conflict(text),
        "unavailable" => Refusal::Unavailable(text),
        _ => Refusal::Failed(text),
    }
}

/// Forgets what is over, and the oldest if there are too many.
fn make_room(cx: &Cx) -> Result<(), Fault> {
    let mut there: Vec<Session> = Vec::new();
    for row in SESSIONS.all()? {
        let json = std::str::from_utf8(&row.value).ok().and_then(Json::parse);
        match json.and_then(|json| Session::read(&row.key, &json)).filter(|session| !session.is_over(cx.now())) {
            Some(session) => there.push(session),
            None => drop(SESSIONS.delete(&row.key)?),
        }
    }
    there.sort_by_key(|session| session.at);
    let surplus = (there.len() + 1).saturating_sub(MOST);
    there.iter().take(surplus).try_for_each(Session::end)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::paging::PAGE;

    #[test]
    fn rows_come_back_as_they_were() {
        let session = Session {
            id: "s".into(),
            node: "n".into(),
            jid: "a@b/c".into(),
            at: 17,
            iq: "i'1".into(),
            prepares: true,
            before: vec!["b".into()],
            calls: vec!["x".into(), "y".into()],
            listings: vec![None, Listing::of("user.list", &Json::object().with("limit", PAGE), None)],
            outcomes: vec![
                (1, Err(Refusal::Conflict("there".into()))),
                (0, Ok(Json::object().with("n", 1_u64))),
                (2, Ok(Json::Null)),
            ],
        };
        assert_eq!(Session::read("s", &session.to_json()).unwrap(), session);
    }
}
