//! The wizard's routes.

use axum::extract::{DefaultBodyLimit, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use super::code::Guess;
use super::{PATIENCE, Plan, Setup, lock, now, password};
use crate::sign_in::{Body, Deed, Refusal, SETUP, TOKEN, Ticket, Visitor, forget, with_cookies};

/// Longest plan, in bytes.
const BODY_BYTES: usize = 128 << 10;

/// `/api/v1/setup` and what is below it.
pub fn routes<S: Clone + Send + Sync + 'static>(setup: Setup) -> Router<S> {
    Router::new()
        .route("/api/v1/setup", get(show).post(install))
        .route("/api/v1/setup/code", post(guess))
        .route("/api/v1/setup/check", post(check))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(setup)
}

#[derive(Deserialize)]
struct Given {
    code: String,
}

/// `GET /setup`: where the wizard is.
async fn show(State(it): State<Setup>, visitor: Visitor) -> Result<Json<Value>, Refusal> {
    it.is_wanted()?;
    if let Ok(ticket) = it.admitted(&visitor) {
        return it.describe(&ticket).await.map(Json);
    }
    let is_over = lock(&it.0.code).as_ref().is_none_or(|code| code.is_over(now()));
    Ok(Json(json!({ "state": if is_over { "over" } else { "code" } })))
}

/// `POST /setup/code`: the code from the terminal.
async fn guess(State(it): State<Setup>, visitor: Visitor, Body(given): Body<Given>) -> Result<Response, Refusal> {
    it.is_wanted()?;
    let guess = lock(&it.0.code).as_mut().map_or(Guess::Over, |code| code.guess(&given.code, now()));
    match guess {
        Guess::Right => {}
        Guess::Wrong => {
            tracing::warn!(peer = %visitor.peer, "a wrong code for setting the server up");
            return Err(Refusal::WrongCode);
        }
        Guess::Over => {
            return Err(Refusal::Conflict("this code is good no more: a restart of the server makes another"));
        }
    }
    let ticket = Ticket::new().ok_or(Refusal::NotNow)?;
    *lock(&it.0.browser) = Some((ticket.hash(), now() + PATIENCE));
    let body = it.describe(&ticket).await?;
    Ok(with_cookies(&body, [ticket.set(SETUP, PATIENCE)]))
}

/// `POST /setup/check`: what is wrong with a plan.
async fn check(State(it): State<Setup>, visitor: Visitor, Body(plan): Body<Plan>) -> Result<Json<Value>, Refusal> {
    it.admitted_to_change(&visitor)?;
    let mut wrong = plan.wrong();
    wrong.extend(it.0.installation.check(&plan).await?);
    Ok(Json(json!({ "problems": wrong })))
}

/// `POST /setup`: does it, and signs the owner in.
async fn install(State(it): State<Setup>, visitor: Visitor, Body(plan): Body<Plan>) -> Result<Response, Refusal> {
    let _alone = it.0.installing.lock().await;
    it.admitted_to_change(&visitor)?;
    let mut wrong = plan.wrong();
    if wrong.is_empty() {
        wrong = it.0.installation.check(&plan).await?;
    }
    if !wrong.is_empty() {
        return Ok(with_cookies(&json!({ "problems": wrong }), []));
    }
    let installed = match it.0.installation.install(plan).await? {
        Ok(installed) => installed,
        Err(wrong) => return Ok(with_cookies(&json!({ "problems": wrong }), [])),
    };
    it.end();
    it.0.login.note(&installed.owner, visitor.peer, Deed::SetUp);
    let signed_in = it.0.login.begin(&installed.owner, "none", &visitor.headers, visitor.peer).await?;
    let session = it.0.login.describe(&signed_in, &visitor).await?;
    let body = json!({ "problems": [], "installed": installed, "session": session });
    Ok(with_cookies(&body, [signed_in.cookie(&it.0.login), forget(SETUP)]))
}

impl Setup {
    fn is_wanted(&self) -> Result<(), Refusal> {
        if self.0.login.has_owner() {
            Err(Refusal::NotFound("setting up any more: the server has an owner"))
        } else {
            Ok(())
        }
    }

    /// The browser that had the code.
    fn admitted(&self, visitor: &Visitor) -> Result<Ticket, Refusal> {
        self.is_wanted()?;
        let ticket = Ticket::of(&visitor.headers, SETUP).ok_or(Refusal::StepOver)?;
        let held = *lock(&self.0.browser);
        let fits = held.is_some_and(|(hash, until)| now() < until && bool::from(hash.ct_eq(&ticket.hash())));
        if fits { Ok(ticket) } else { Err(Refusal::StepOver) }
    }

    fn admitted_to_change(&self, visitor: &Visitor) -> Result<(), Refusal> {
        let ticket = self.admitted(visitor)?;
        let token = visitor.headers.get(TOKEN).map(http::HeaderValue::as_bytes).unwrap_or_default();
        if bool::from(token.ct_eq(ticket.csrf().as_bytes())) { Ok(()) } else { Err(Refusal::WrongToken) }
    }

    async fn describe(&self, ticket: &Ticket) -> Result<Value, Refusal> {
        let proposal = self.0.installation.proposal().await?;
        Ok(json!({
            "state": "open",
            "csrf": ticket.csrf(),
            "password": { "least": password::LEAST },
            "certificates": ["self-signed", "files", "acme"],
            "acme": { "directory": proposal.authority },
            "proposal": proposal,
        }))
    }
}
