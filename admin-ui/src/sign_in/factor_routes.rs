//! `/me/factors`, `/me/totp`, `/me/recovery`, `/me/passkeys`: the second factors of whoever is signed in.
//!
//! Every change asks for the password once more, so that a browser left open is not enough to lock its
//! owner out.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::factors::{Factors, Holder, MOST_PASSKEYS};
use super::passkey::{self, Challenge, Registration};
use super::pending::{PATIENCE, Step, What};
use super::routes::{Body, Visitor};
use super::totp::base32;
use super::{Checked, Deed, Login, Refusal, SignedIn, lock, now, recovery, totp};

/// Letters of a passkey's name.
const NAME_LENGTH: usize = 60;

#[derive(Deserialize)]
pub(super) struct Password {
    password: String,
}

#[derive(Deserialize)]
pub(super) struct Code {
    code: String,
}

#[derive(Deserialize)]
pub(super) struct NewPasskey {
    name: String,
    credential: Registration,
}

#[derive(Deserialize)]
pub(super) struct OldPasskey {
    password: String,
    id: String,
}

/// `GET /me/factors`
pub(super) async fn show(State(it): State<Login>, visitor: Visitor) -> Result<Json<Value>, Refusal> {
    let own = it.require(&visitor.headers, &visitor.method, visitor.peer).await?;
    let factors = it.0.factors.read(&own.holder(&it)).await?;
    let passkeys: Vec<Value> = factors
        .passkeys
        .iter()
        .map(|one| {
            let here = visitor.site.as_ref().is_some_and(|site| one.is_for(site));
            json!({ "id": one.id, "name": one.name, "added": one.added, "used": one.used, "here": here })
        })
        .collect();
    Ok(Json(json!({
        "totp": factors.app.as_ref().map(|app| json!({ "added": app.added })),
        "recovery": factors.codes.len(),
        "passkeys": passkeys,
        "passkeysPossible": visitor.site.is_some(),
    })))
}

/// `POST /me/totp/begin`: a secret for an app, which counts once it has shown a code.
pub(super) async fn app_begin(
    State(it): State<Login>,
    visitor: Visitor,
    Body(given): Body<Password>,
) -> Result<Json<Value>, Refusal> {
    let own = confirmed(&it, &visitor, given.password).await?;
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| Refusal::NotNow)?;
    let secret = base32(&own.holder(&it).secret(salt));
    own.wait(&it, What::App { salt });
    let account = &own.session.account;
    let domain = account.rsplit('@').next().unwrap_or(account);
    let uri = totp::uri(account, domain, &secret);
    Ok(Json(json!({ "secret": secret, "uri": uri, "expires": now() + PATIENCE })))
}

/// `POST /me/totp/confirm`: it is there from now on.
pub(super) async fn app_confirm(
    State(it): State<Login>,
    visitor: Visitor,
    Body(given): Body<Code>,
) -> Result<Json<Value>, Refusal> {
    let own = it.require(&visitor.headers, &visitor.method, visitor.peer).await?;
    let What::App { salt } = own.waiting(&it)? else { return Err(Refusal::StepOver) };
    let holder = own.holder(&it);
    let mut refusal = None;
    let codes = it.0.factors.change(&holder, |factors| {
        refusal = it.may_try(holder.account, visitor.peer).err();
        if refusal.is_some() {
            return None;
        }
        if !holder.adopt(factors, salt, &given.code, now()) {
            it.failed(holder.account, visitor.peer);
            return None;
        }
        Some(first_codes(factors, &holder))
    });
    let codes = codes.await?.ok_or_else(|| refusal.unwrap_or(Refusal::WrongCode))?;
    own.done(&it, &visitor, Deed::AppAdded);
    Ok(Json(json!({ "recovery": codes })))
}

/// `POST /me/totp/remove`
pub(super) async fn app_remove(
    State(it): State<Login>,
    visitor: Visitor,
    Body(given): Body<Password>,
) -> Result<Json<Value>, Refusal> {
    let own = confirmed(&it, &visitor, given.password).await?;
    let removed = it.0.factors.change(&own.holder(&it), |factors| factors.app.take()).await?;
    removed.ok_or(Refusal::NotFound("authenticator app"))?;
    own.done(&it, &visitor, Deed::AppRemoved);
    Ok(Json(json!({})))
}

/// `POST /me/recovery`: new codes on paper; the old ones are void.
pub(super) async fn codes(
    State(it): State<Login>,
    visitor: Visitor,
    Body(given): Body<Password>,
) -> Result<Json<Value>, Refusal> {
    let own = confirmed(&it, &visitor, given.password).await?;
    let holder = own.holder(&it);
    let codes = it.0.factors.change(&holder, |factors| {
        factors.codes.clear();
        factors.are_asked_for().then(|| first_codes(factors, &holder))
    });
    let codes = codes.await?.ok_or(Refusal::Conflict("there is no second factor that codes could stand in for"))?;
    own.done(&it, &visitor, Deed::CodesMade);
    Ok(Json(json!({ "recovery": codes })))
}

/// `POST /me/passkeys/begin`: what the browser is to ask of an authenticator.
pub(super) async fn passkey_begin(
    State(it): State<Login>,
    visitor: Visitor,
    Body(given): Body<Password>,
) -> Result<Json<Value>, Refusal> {
    let own = confirmed(&it, &visitor, given.password).await?;
    let no_name = || Refusal::Invalid("passkeys need a host name; this page was opened by an address".to_owned());
    let site = visitor.site.as_ref().ok_or_else(no_name)?;
    let holder = own.holder(&it);
    let have = it.0.factors.read(&holder).await?.passkeys;
    if have.len() >= MOST_PASSKEYS {
        return Err(Refusal::Conflict("there are as many passkeys as an account may have"));
    }
    let challenge = Challenge::new().ok_or(Refusal::NotNow)?;
    let options =
        passkey::creation_options(site, holder.account, &holder.handle(), &challenge, &have, it.0.verification);
    own.wait(&it, What::Passkey { challenge });
    Ok(Json(json!({ "publicKey": options })))
}

/// `POST /me/passkeys/finish`: what the authenticator made, and what to call it.
pub(super) async fn passkey_finish(
    State(it): State<Login>,
    visitor: Visitor,
    Body(given): Body<NewPasskey>,
) -> Result<Json<Value>, Refusal> {
    let own = it.require(&visitor.headers, &visitor.method, visitor.peer).await?;
    let What::Passkey { challenge } = own.waiting(&it)? else { return Err(Refusal::StepOver) };
    lock(&it.0.pending).take(&own.ticket.hash(), now());
    let site = visitor.site.as_ref().ok_or(Refusal::StepOver)?;
    let name = given.name.trim().chars().filter(|c| !c.is_control()).take(NAME_LENGTH).collect();
    let made = passkey::register(&given.credential, &challenge, site, it.0.verification, name, now());
    let made = made.map_err(|error| Refusal::Invalid(error.to_string()))?;
    let holder = own.holder(&it);
    let id = made.id.clone();
    let codes = it.0.factors.change(&holder, |factors| {
        let fits = factors.passkeys.len() < MOST_PASSKEYS && factors.passkeys.iter().all(|one| one.id != made.id);
        fits.then(|| {
            factors.passkeys.push(made);
            first_codes(factors, &holder)
        })
    });
    let codes = codes.await?.ok_or(Refusal::Conflict("this passkey is there already"))?;
    own.done(&it, &visitor, Deed::PasskeyAdded);
    Ok(Json(json!({ "id": id, "recovery": codes })))
}

/// `POST /me/passkeys/remove`
pub(super) async fn passkey_remove(
    State(it): State<Login>,
    visitor: Visitor,
    Body(given): Body<OldPasskey>,
) -> Result<Json<Value>, Refusal> {
    let own = confirmed(&it, &visitor, given.password).await?;
    let holder = own.holder(&it);
    let removed = it.0.factors.change(&holder, |factors| {
        let before = factors.passkeys.len();
        factors.passkeys.retain(|passkey| passkey.id != given.id);
        (factors.passkeys.len() != before).then_some(())
    });
    removed.await?.ok_or(Refusal::NotFound("such passkey"))?;
    own.done(&it, &visitor, Deed::PasskeyRemoved);
    Ok(Json(json!({})))
}

/// Codes on paper, where there are none yet; to be shown once.
fn first_codes(factors: &mut Factors, holder: &Holder<'_>) -> Vec<String> {
    if !factors.codes.is_empty() {
        return Vec::new();
    }
    let (codes, kept) = recovery::make(&|code: &str| holder.seal(code));
    factors.codes = kept;
    codes
}

/// Whoever is signed in, and has just typed the password.
async fn confirmed(it: &Login, visitor: &Visitor, password: String) -> Result<SignedIn, Refusal> {
    let own = it.require(&visitor.headers, &visitor.method, visitor.peer).await?;
    match it.check(own.session.account.clone(), password, visitor.peer).await? {
        Checked::Right(account) if account == own.session.account => Ok(own),
        _ => Err(Refusal::WrongPassword),
    }
}

impl SignedIn {
    fn holder<'a>(&'a self, it: &'a Login) -> Holder<'a> {
        it.holder(&self.session.account, &self.standing)
    }

    fn wait(&self, it: &Login, what: What) {
        let (account, stamp) = (self.session.account.clone(), self.standing.stamp);
        let step = Step { account, stamp, until: now() + PATIENCE, what };
        lock(&it.0.pending).put(self.ticket.hash(), step, now());
    }

    fn waiting(&self, it: &Login) -> Result<What, Refusal> {
        let step = lock(&it.0.pending).get(&self.ticket.hash(), now()).cloned();
        step.map(|step| step.what).ok_or(Refusal::StepOver)
    }

    /// Nothing is begun any more, and it is noted what was done.
    fn done(&self, it: &Login, visitor: &Visitor, deed: Deed) {
        lock(&it.0.pending).take(&self.ticket.hash(), now());
        it.0.notes.note(&self.session.account, visitor.peer, deed);
    }
}
