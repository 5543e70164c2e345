//! XEP-0077: registration, password change and account removal.

mod create;
mod form;
mod manage;

use xylem_sdk::contributions::publish;
use xylem_sdk::prelude::*;

use form::form;

xylem_sdk::plugin!();

/// The protocol's namespace.
pub(crate) const NS: &str = "jabber:iq:register";

/// A filled-in form, or `<remove/>`. Who is authenticated manages an account, who is not makes one.
fn submit(cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let query = iq.payload().ok_or(Condition::BadRequest)?;
    let remove = query.child(NS, "remove").is_some();
    match (cx.actor(), remove) {
        // §3.2: nobody can be removed who is not there.
        (None, true) => Err(Condition::UnexpectedRequest.into()),
        (None, false) => create::account(cx, query),
        (Some(_), true) if query.children().count() > 1 => Err(Condition::BadRequest.into()),
        (Some(actor), true) => manage::remove(&actor),
        (Some(actor), false) => manage::password(&actor, query),
    }
}

/// For administrators; the policy is changed where all configuration is.
fn policy(_cx: &Cx, _call: &Operation) -> Json {
    let config = Config::load();
    Json::object()
        .with("open", config.open)
        .with("limited", config.limited)
        .with("password_change", config.password_change)
        .with("removal", config.removal)
        .with("instructions", config.instructions)
}

/// The stream feature (§7) stands only where a stranger can make an account.
fn announce(_cx: &Cx, _event: &Event) -> Result<(), Failure> {
    let feature = Xml::with_ns("register", "http://jabber.org/features/iq-register").build();
    let features: &[&str] = if Config::load().open { &[&feature] } else { &[] };
    Ok(publish("stream.before-auth", features)?)
}
