//! Executing a command (XEP-0050 §2.4): the form, and what was filled in.

use xylem_sdk::Element;
use xylem_sdk::operations;
use xylem_sdk::prelude::*;

use crate::Config;
use crate::command::{Wrong, actions, command as element, note};
use crate::form::Filled;
use crate::generic;
use crate::paging::Listing;
use crate::profile::{self, Call, Profile};
use crate::session::Session;
use crate::table::{Spec, Table};

/// What a node stands for.
pub(crate) enum Known<'a> {
    Profile(&'static Profile),
    Operation(&'a Spec),
}

/// The command of a node, if the caller may execute it.
pub(crate) fn known<'a>(table: &'a Table, node: &str) -> Result<Known<'a>, Failure> {
    if let Some(profile) = profile::find(node) {
        return if profile.is_for(table) { Ok(Known::Profile(profile)) } else { Err(Wrong::Forbidden.failure()) };
    }
    let spec = table.find(node).filter(|spec| spec.is_for_forms() && Config::load().generic);
    // Whether there is an operation that somebody may not call is nothing he needs to know.
    Ok(Known::Operation(spec.ok_or_else(|| Wrong::Unknown.failure())?))
}

pub(crate) fn command(cx: &Cx, iq: &Stanza<'_>) -> Result<Reply, Failure> {
    let (Some(from), Some(id)) = (cx.actor(), iq.id()) else { return Err(Condition::BadRequest.into()) };
    let request = iq.payload().ok_or(Condition::BadRequest)?;
    let node = request.attr("node").ok_or(Condition::BadRequest)?;
    let action = request.attr("action").unwrap_or("execute");
    if !matches!(action, "execute" | "cancel" | "prev" | "next" | "complete") {
        return Err(Wrong::MalformedAction.failure());
    }
    match request.attr("sessionid") {
        None if action == "execute" => begin(cx, node, &from, id),
        None => Err(Wrong::BadAction.failure()),
        Some(session) => go_on(cx, (node, &from, id), action, session, request),
    }
}

fn begin(cx: &Cx, node: &str, from: &str, id: &str) -> Result<Reply, Failure> {
    let table = Table::load()?;
    let known = known(&table, node)?;
    let mut session = Session::begin(cx, node, from)?;
    let form = match known {
        Known::Profile(profile) => match profile.prepared_by(cx) {
            Some(call) => {
                session.prepares = true;
                return work(&mut session, id, vec![call.into()]);
            }
            None if profile.asks_nothing() => {
                let calls = called(profile, cx, Filled::nothing(), &[]);
                return work(&mut session, id, calls.map_err(|text| Wrong::BadPayload.because(&text))?);
            }
            None => profile.form(&[]),
        },
        Known::Operation(spec) if spec.arguments.is_empty() && spec.danger.is_none() => {
            return work(&mut session, id, vec![operation(spec, Json::object())]);
        }
        Known::Operation(spec) => generic::asked(cx, spec),
    };
    session.save()?;
    Ok(Reply::with(asking(&session, form)))
}

/// A form that waits to be filled in.
pub(crate) fn asking(session: &Session, form: Xml) -> Xml {
    element(&session.node, &session.id, "executing").child(actions()).child(form)
}

fn go_on(
    cx: &Cx,
    (node, from, id): (&str, &str, &str),
    action: &str,
    session: &str,
    request: Element<'_>,
) -> Result<Reply, Failure> {
    let found = Session::find(session)?.filter(|found| found.node == node && found.jid == from);
    let Some(mut session) = found else { return Err(Wrong::BadSession.failure()) };
    if session.is_over(cx.now()) {
        session.end()?;
        return Err(Wrong::Expired.failure());
    }
    if action == "cancel" {
        session.end()?;
        return Ok(Reply::with(element(node, &session.id, "canceled")));
    }
    // There is one stage; and while its work is done there is nothing to do.
    if matches!(action, "prev" | "next") || !session.calls.is_empty() {
        return Err(Wrong::BadAction.failure());
    }
    let table = Table::load()?;
    let form = Filled::within(request);
    let calls = match known(&table, node)? {
        Known::Profile(profile) => called(profile, cx, form, &session.before),
        Known::Operation(spec) => generic::filled(spec, form).map(|arguments| vec![operation(spec, arguments)]),
    };
    // The session stays: the form may be filled in better.
    let calls = calls.map_err(|text| Wrong::BadPayload.because(&text))?;
    work(&mut session, id, calls)
}

/// An operation by itself.
struct Asked {
    about: String,
    operation: String,
    arguments: Json,
    /// If the whole of a list is needed.
    listing: Option<Listing>,
}

/// Who asks for a page of a list gets that page.
fn operation(spec: &Spec, arguments: Json) -> Asked {
    Asked { about: spec.title().to_owned(), operation: spec.name.clone(), arguments, listing: None }
}

impl From<Call> for Asked {
    fn from(call: Call) -> Self {
        let listing = Listing::of(call.operation, &call.arguments, call.enough);
        Self { about: call.about, operation: call.operation.to_owned(), arguments: call.arguments, listing }
    }
}

fn called(profile: &Profile, cx: &Cx, form: Filled<'_>, before: &[String]) -> Result<Vec<Asked>, String> {
    Ok(profile.calls(cx, form, before)?.into_iter().map(Into::into).collect())
}

/// Calls the operations; the answer to the request comes with theirs.
fn work(session: &mut Session, id: &str, calls: Vec<Asked>) -> Result<Reply, Failure> {
    if calls.is_empty() {
        session.end()?;
        let done = element(&session.node, &session.id, "completed");
        return Ok(Reply::with(done.child(note("info", "There was nothing to do."))));
    }
    session.iq = id.to_owned();
    session.calls = calls.iter().map(|call| call.about.clone()).collect();
    session.listings = calls.iter().map(|call| call.listing.clone()).collect();
    session.outcomes.clear();
    session.save()?;
    for (at, call) in calls.iter().enumerate() {
        let token = [&session.id, "\n", &at.to_string()].concat();
        match operations::call(&call.operation, &call.arguments, &token) {
            Ok(()) => {}
            Err(Fault::Denied) => return Err(Wrong::Forbidden.failure()),
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(Reply::Later)
}
