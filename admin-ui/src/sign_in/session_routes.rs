//! `/session` and `/me/sessions`.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cookie::{STEP, Ticket, forget};
use super::passkey::{self, Assertion, Challenge};
use super::pending::{PATIENCE, Step, What};
use super::routes::{Body, Visitor, with_cookies};
use super::{Checked, Deed, Login, Refusal, SESSION, SignedIn, lock, now};

/// Longest password and account that are looked at, in bytes.
const TEXT_BYTES: usize = 3071;

#[derive(Deserialize)]
pub(super) struct Credentials {
    account: String,
    password: String,
}

#[derive(Deserialize)]
pub(super) struct Code {
    code: String,
}

/// `GET /session`
pub(super) async fn show(State(it): State<Login>, visitor: Visitor) -> Result<Json<Value>, Refusal> {
    let signed_in = it.require(&visitor.headers, &visitor.method, visitor.peer).await?;
    it.describe(&signed_in, &visitor).await.map(Json)
}

/// `POST /session`
pub(super) async fn password(
    State(it): State<Login>,
    visitor: Visitor,
    Body(given): Body<Credentials>,
) -> Result<Response, Refusal> {
    if given.account.len() > TEXT_BYTES || given.password.len() > TEXT_BYTES {
        return Err(Refusal::WrongCredentials);
    }
    let checked = it.check(given.account, given.password, visitor.peer).await?;
    let Checked::Right(account) = checked else { return Err(Refusal::WrongCredentials) };
    let standing = it.0.people.standing(&account).await?.ok_or(Refusal::WrongCredentials)?;
    let factors = it.0.factors.read(&it.holder(&account, &standing)).await?;
    if !factors.are_asked_for() {
        return finish(&it, &account, "none", &visitor).await;
    }
    let ticket = Ticket::new().ok_or(Refusal::NotNow)?;
    let usable = |site: &passkey::Site| factors.passkeys.iter().any(|passkey| passkey.is_for(site));
    let ways = [
        ("passkey", visitor.site.as_ref().is_some_and(usable)),
        ("totp", factors.app.is_some()),
        ("recovery", !factors.codes.is_empty()),
    ];
    let ways: Vec<&str> = ways.into_iter().filter(|(_, there)| *there).map(|(way, _)| way).collect();
    let until = now() + PATIENCE;
    let step = Step { account, stamp: standing.stamp, until, what: What::Factor { challenge: None } };
    lock(&it.0.pending).put(ticket.hash(), step, now());
    let body = json!({ "next": ways.first(), "methods": ways });
    Ok(with_cookies(&body, [ticket.set(STEP, PATIENCE)]))
}

/// `POST /session/totp`: a code of the app, or one on paper.
pub(super) async fn code(
    State(it): State<Login>,
    visitor: Visitor,
    Body(given): Body<Code>,
) -> Result<Response, Refusal> {
    let (ticket, step) = waiting(&it, &visitor)?;
    let standing = standing(&it, &step).await?;
    let holder = it.holder(&step.account, &standing);
    let mut refusal = None;
    let redeemed = it.0.factors.change(&holder, |factors| {
        // Here, where attempts come one after the other.
        refusal = it.may_try(&step.account, visitor.peer).err();
        let redeemed = refusal.is_none().then(|| holder.redeem(factors, &given.code, now())).flatten();
        if refusal.is_none() && redeemed.is_none() {
            it.failed(&step.account, visitor.peer);
        }
        redeemed
    });
    let factor = redeemed.await?.ok_or_else(|| refusal.unwrap_or(Refusal::WrongCode))?;
    if factor == "recovery" {
        it.0.notes.note(&step.account, visitor.peer, Deed::CodeUsed);
    }
    lock(&it.0.pending).take(&ticket.hash(), now()).ok_or(Refusal::StepOver)?;
    finish(&it, &step.account, factor, &visitor).await
}

/// `POST /session/passkey/begin`
pub(super) async fn passkey_begin(State(it): State<Login>, visitor: Visitor) -> Result<Json<Value>, Refusal> {
    let (ticket, step) = waiting(&it, &visitor)?;
    let site = visitor.site.as_ref().ok_or(Refusal::NotFound("passkey for this address"))?;
    let standing = standing(&it, &step).await?;
    let factors = it.0.factors.read(&it.holder(&step.account, &standing)).await?;
    let fresh = Challenge::new().ok_or(Refusal::NotNow)?;
    let options = passkey::request_options(site, &fresh, &factors.passkeys, it.0.verification);
    match lock(&it.0.pending).get(&ticket.hash(), now()).map(|step| &mut step.what) {
        Some(What::Factor { challenge }) => *challenge = Some(fresh),
        _ => return Err(Refusal::StepOver),
    }
    Ok(Json(json!({ "publicKey": options })))
}

/// `POST /session/passkey/finish`: what the browser's authenticator said.
pub(super) async fn passkey_finish(
    State(it): State<Login>,
    visitor: Visitor,
    Body(assertion): Body<Assertion>,
) -> Result<Response, Refusal> {
    let (ticket, _) = waiting(&it, &visitor)?;
    let site = visitor.site.as_ref().ok_or(Refusal::NotFound("passkey for this address"))?;
    // A challenge is good for one answer, right or wrong.
    let taken = lock(&it.0.pending).get(&ticket.hash(), now()).and_then(|step| match &mut step.what {
        What::Factor { challenge } => challenge.take().map(|challenge| (step.clone(), challenge)),
        _ => None,
    });
    let (step, challenge) = taken.ok_or(Refusal::StepOver)?;
    let standing = standing(&it, &step).await?;
    let holder = it.holder(&step.account, &standing);
    let user = holder.handle();
    let mut refusal = None;
    let verified = it.0.factors.change(&holder, |factors| {
        refusal = it.may_try(&step.account, visitor.peer).err();
        let passkey = factors.passkeys.iter_mut().find(|passkey| passkey.id == assertion.id);
        let passkey = passkey.filter(|_| refusal.is_none())?;
        let outcome = passkey::verify(&assertion, passkey, &user, &challenge, site, it.0.verification, now());
        outcome.map_err(|error| tracing::warn!(account = step.account, peer = %visitor.peer, "{error}")).ok()
    });
    if verified.await?.is_none() {
        return Err(refusal.unwrap_or_else(|| {
            it.failed(&step.account, visitor.peer);
            Refusal::WrongPasskey
        }));
    }
    lock(&it.0.pending).take(&ticket.hash(), now()).ok_or(Refusal::StepOver)?;
    finish(&it, &step.account, "passkey", &visitor).await
}

/// `DELETE /session`
pub(super) async fn sign_out(State(it): State<Login>, visitor: Visitor) -> Result<Response, Refusal> {
    let signed_in = it.identify(&visitor.headers, &visitor.method, visitor.peer).await?;
    if let Some(SignedIn { ticket, session, .. }) = signed_in {
        it.end(&ticket.hash()).await?;
        it.0.notes.note(&session.account, visitor.peer, Deed::SignedOut);
    }
    Ok(with_cookies(&json!({}), [forget(SESSION), forget(STEP)]))
}

/// `GET /me/sessions`
pub(super) async fn list(State(it): State<Login>, visitor: Visitor) -> Result<Json<Value>, Refusal> {
    let own = it.require(&visitor.headers, &visitor.method, visitor.peer).await?;
    let all = lock(&it.0.sessions).list(&own.session.account, now(), it.0.terms);
    let items: Vec<Value> = all
        .iter()
        .map(|(hash, session)| {
            json!({
                "id": session.id, "began": session.began, "seen": session.seen, "address": session.address,
                "agent": session.agent, "factor": session.factor, "current": *hash == own.ticket.hash(),
            })
        })
        .collect();
    Ok(Json(json!({ "total": items.len(), "items": items, "next": null })))
}

/// `DELETE /me/sessions/{id}`
pub(super) async fn end_one(
    State(it): State<Login>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let own = it.require(&visitor.headers, &visitor.method, visitor.peer).await?;
    let ended = lock(&it.0.sessions).end_where(&own.session.account, |_, session| session.id == id);
    it.erase(&ended).await?;
    if ended.is_empty() {
        return Err(Refusal::NotFound("such session"));
    }
    it.0.notes.note(&own.session.account, visitor.peer, Deed::SessionEnded);
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /me/sessions`: all but this one.
pub(super) async fn end_others(State(it): State<Login>, visitor: Visitor) -> Result<StatusCode, Refusal> {
    let own = it.require(&visitor.headers, &visitor.method, visitor.peer).await?;
    let own_hash = own.ticket.hash();
    let ended = lock(&it.0.sessions).end_where(&own.session.account, |hash, _| *hash != own_hash);
    it.erase(&ended).await?;
    it.0.notes.note(&own.session.account, visitor.peer, Deed::SessionEnded);
    Ok(StatusCode::NO_CONTENT)
}

/// The sign-in that this browser has begun.
fn waiting(it: &Login, visitor: &Visitor) -> Result<(Ticket, Step), Refusal> {
    let ticket = Ticket::of(&visitor.headers, STEP).ok_or(Refusal::StepOver)?;
    let step = lock(&it.0.pending).get(&ticket.hash(), now()).cloned();
    let step = step.filter(|step| matches!(step.what, What::Factor { .. })).ok_or(Refusal::StepOver)?;
    Ok((ticket, step))
}

/// The account, if it still is what it was when the password was right.
async fn standing(it: &Login, step: &Step) -> Result<super::Standing, Refusal> {
    let standing = it.0.people.standing(&step.account).await?;
    standing.filter(|standing| standing.stamp == step.stamp).ok_or(Refusal::StepOver)
}

async fn finish(it: &Login, account: &str, factor: &str, visitor: &Visitor) -> Result<Response, Refusal> {
    let signed_in = it.begin(account, factor, &visitor.headers, visitor.peer).await?;
    let body = it.describe(&signed_in, visitor).await?;
    Ok(with_cookies(&body, [signed_in.cookie(it), forget(STEP)]))
}

impl Login {
    /// What a page has to know of who is using it.
    pub(crate) async fn describe(&self, signed_in: &SignedIn, visitor: &Visitor) -> Result<Value, Refusal> {
        let SignedIn { session, standing, ticket } = signed_in;
        let factors = self.0.factors.read(&self.holder(&session.account, standing)).await?;
        Ok(json!({
            "account": session.account,
            "role": standing.role.rank,
            "domains": standing.role.domains(),
            "language": language(&visitor.headers),
            "csrf": ticket.csrf(),
            "setup": !self.has_owner(),
            "id": session.id,
            "began": session.began,
            "ends": session.began.saturating_add(self.0.terms.lifetime),
            "idle": self.0.terms.idle,
            "factor": session.factor,
            "secondFactor": factors.are_asked_for(),
        }))
    }
}

/// The one of the console's languages that the browser prefers (RFC 9110 §12.5.4; quality values are
/// taken as written in order, as browsers do).
fn language(headers: &http::HeaderMap) -> &'static str {
    let wanted = headers.get(http::header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let known = wanted.split(',').find_map(|tag| match tag.trim().get(..2)?.to_ascii_lowercase().as_str() {
        "zh" => Some("zh-CN"),
        "en" => Some("en"),
        _ => None,
    });
    known.unwrap_or("en")
}
