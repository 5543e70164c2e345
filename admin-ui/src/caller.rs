//! Who asks: a bearer token's account, or whoever signed in.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::extract::connect_info::ConnectInfo;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use xylem_ops::Caller;

use crate::console::Console;
use crate::problem::Problem;

/// What is there later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sessions of people: where cookies come from and what they are worth.
pub trait SignIn: Send + Sync {
    /// Whom the request's cookie belongs to; none if it has none or its session has ended.
    ///
    /// # Errors
    /// With what is answered to a request that must not be answered at all: a change without the
    /// token against forgery, or from an address that may not ask yet.
    fn caller<'a>(&'a self, request: &'a Parts) -> Later<'a, Result<Option<Caller>, Problem>>;

    /// The same of a request that only watches, again and again: it does not count as use of the session.
    ///
    /// # Errors
    /// As [`SignIn::caller`].
    fn watcher<'a>(&'a self, request: &'a Parts) -> Later<'a, Result<Option<Caller>, Problem>>;

    /// The routes of signing in and of what an account does about that.
    fn routes(&self) -> Router<Console> {
        Router::new()
    }
}

/// Nobody signs in: tokens alone.
pub struct Nobody;

impl SignIn for Nobody {
    fn caller<'a>(&'a self, _: &'a Parts) -> Later<'a, Result<Option<Caller>, Problem>> {
        Box::pin(async { Ok(None) })
    }

    fn watcher<'a>(&'a self, _: &'a Parts) -> Later<'a, Result<Option<Caller>, Problem>> {
        Box::pin(async { Ok(None) })
    }
}

/// The network address that a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl Peer {
    /// That of a request; none where the listener does not tell.
    #[must_use]
    pub fn of(request: &Parts) -> Option<SocketAddr> {
        request.extensions.get::<ConnectInfo<Self>>().map(|info| info.0.0)
    }

    /// The same in words, for the audit log.
    #[must_use]
    pub fn words(request: &Parts) -> String {
        Self::of(request).map_or_else(|| "unknown".to_owned(), |peer| peer.ip().to_canonical().to_string())
    }
}

/// Whom a request comes from, by token or by cookie.
pub(crate) async fn identify(console: &Console, parts: &Parts) -> Result<Caller, Problem> {
    let known = match bearer(console, parts).await? {
        None => console.sign_in().caller(parts).await?,
        known => known,
    };
    known.ok_or_else(Problem::not_signed_in)
}

/// The same of a request that only watches.
pub(crate) async fn watcher(console: &Console, parts: &Parts) -> Result<Caller, Problem> {
    let known = match bearer(console, parts).await? {
        None => console.sign_in().watcher(parts).await?,
        known => known,
    };
    known.ok_or_else(Problem::not_signed_in)
}

/// Whose token the request has; none if it has none.
async fn bearer(console: &Console, parts: &Parts) -> Result<Option<Caller>, Problem> {
    let Some(given) = parts.headers.get(AUTHORIZATION) else { return Ok(None) };
    // RFC 6750 §2.1; the scheme is in any case (RFC 9110 §11.1).
    let token = given.to_str().ok().and_then(|given| given.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let token = token.ok_or_else(Problem::not_signed_in)?;
    let known = console.ops().bearer(token, Peer::words(parts)).await?;
    known.map(Some).ok_or_else(Problem::not_signed_in)
}

impl FromRequestParts<Console> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Problem> {
        identify(console, parts).await
    }
}
