//! The way in for people: signing in, and setting up where there is nobody yet who could.

use axum::Router;
use axum::http::request::Parts;
use xylem_ops::Caller;

use crate::caller::{Later, Peer, SignIn};
use crate::console::Console;
use crate::problem::Problem;
use crate::setup::{self, Setup};
use crate::sign_in::{self, Login};

/// The header of requests that nobody asked for.
const UNATTENDED: &str = "x-unattended";

/// Sessions of the console, and the wizard.
pub struct Entrance {
    pub login: Login,
    pub setup: Setup,
}

impl SignIn for Entrance {
    fn caller<'a>(&'a self, request: &'a Parts) -> Later<'a, Result<Option<Caller>, Problem>> {
        Box::pin(async move {
            // A page that looks by itself now and then is no use of the session either.
            if request.method.is_safe() && request.headers.contains_key(UNATTENDED) {
                return self.watcher(request).await;
            }
            let Some(peer) = Peer::of(request) else { return Ok(None) };
            let peer = peer.ip().to_canonical();
            let signed_in = self.login.identify(&request.headers, &request.method, peer).await?;
            Ok(signed_in.map(|signed_in| signed_in.caller()))
        })
    }

    fn watcher<'a>(&'a self, request: &'a Parts) -> Later<'a, Result<Option<Caller>, Problem>> {
        Box::pin(async move {
            let signed_in = self.login.watcher(&request.headers).await?;
            Ok(signed_in.map(|signed_in| signed_in.caller()))
        })
    }

    fn routes(&self) -> Router<Console> {
        sign_in::routes(self.login.clone()).merge(setup::routes(self.setup.clone()))
    }
}
