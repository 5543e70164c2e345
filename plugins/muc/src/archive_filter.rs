//! Which messages of the archive a client asks for: the form of XEP-0313 §4.1 and the page of XEP-0059.

use xylem_sdk::Element;
use xylem_sdk::archive::Query;
use xylem_sdk::prelude::*;

use crate::form::{self, Field};
use crate::ns::{MAM, RSM};
use crate::stamp;

/// Messages of one page.
const MOST: u32 = 250;
const USUAL: u32 = 50;
/// Most ids in one query.
const IDS: usize = 100;

/// Reads a `<query/>`; true when it is for the whole archive.
pub(crate) fn read(query: Element<'_>) -> Result<(Query, bool), Failure> {
    let mut wanted = Query { limit: USUAL, ..Query::default() };
    let mut whole = true;
    if let Some(form) = form::within(query) {
        if !form.is("submit") || form.kind() != Some(MAM) {
            return Err(bad("the form is not a filled-in one of urn:xmpp:mam:2"));
        }
        for (var, field) in form.fields().filter(|(var, _)| !matches!(*var, "FORM_TYPE" | "include-groupchat")) {
            set(&mut wanted, var, field)?;
            whole = false;
        }
    }
    page(&mut wanted, query.child(RSM, "set"))?;
    wanted.flip = query.child(MAM, "flip-page").is_some();
    Ok((wanted, whole))
}

fn set(wanted: &mut Query, var: &str, field: Field<'_>) -> Result<(), Failure> {
    let value = field.value();
    match var {
        "with" => wanted.peer = Some(Jid::normalise(value).ok_or_else(|| bad("with is not an address"))?),
        "start" => wanted.start = Some(stamp::parse(value).ok_or_else(|| bad("start is not a time"))?),
        "end" => wanted.end = Some(stamp::parse(value).ok_or_else(|| bad("end is not a time"))?),
        "after-id" => wanted.after.push(value.to_owned()),
        "before-id" => wanted.before.push(value.to_owned()),
        "ids" => {
            let ids: Vec<String> = field.values().take(IDS + 1).map(str::to_owned).collect();
            if ids.len() > IDS {
                return Err(Failure::new(Condition::PolicyViolation).text("too many ids"));
            }
            wanted.ids = Some(ids);
        }
        _ => return Err(Failure::new(Condition::FeatureNotImplemented).text(["no field ", var].concat())),
    }
    Ok(())
}

/// XEP-0059 §2.
fn page(wanted: &mut Query, set: Option<Element<'_>>) -> Result<(), Failure> {
    let text = |name| set.and_then(|set| set.child(RSM, name)).map(|child| child.text().trim());
    if text("index").is_some() {
        return Err(Failure::new(Condition::FeatureNotImplemented).text("there are no pages by index"));
    }
    if let Some(max) = text("max") {
        wanted.limit = max.parse::<u32>().map_err(|_| bad("max is not a number"))?.min(MOST);
    }
    if let Some(before) = text("before") {
        wanted.last = true;
        if !before.is_empty() {
            wanted.before.push(before.to_owned());
        }
    }
    if let Some(after) = text("after").filter(|after| !after.is_empty()) {
        wanted.last = false;
        wanted.after.push(after.to_owned());
    }
    Ok(())
}

fn bad(text: &str) -> Failure {
    Failure::new(Condition::BadRequest).text(text)
}
