//! The fields, asked for (§3.1) and filled in, plain or as a data form (§4).

use xylem_sdk::Element;
use xylem_sdk::prelude::*;

use crate::{Config, NS};

const FORM: &str = "jabber:x:data";

/// What has to be filled in, or what is on file for somebody who is registered.
pub(crate) fn form(cx: &Cx, _iq: &Stanza) -> Result<Xml, Failure> {
    let query = Xml::with_ns("query", NS);
    if let Some(actor) = cx.actor() {
        let username = Jid::new(&actor).local().unwrap_or_default();
        return Ok(query.child(Xml::new("registered")).leaf("username", username).child(Xml::new("password")));
    }
    let config = Config::load();
    if !config.open {
        return Err(Condition::ServiceUnavailable.into());
    }
    let field = |var: &str, kind: &str, label: &str| {
        Xml::new("field").attr("var", var).attr("type", kind).attr("label", label).child(Xml::new("required"))
    };
    let hidden = Xml::new("field").attr("var", "FORM_TYPE").attr("type", "hidden").leaf("value", NS);
    let data = Xml::with_ns("x", FORM)
        .attr("type", "form")
        .leaf("instructions", &config.instructions)
        .child(hidden)
        .child(field("username", "text-single", "Username"))
        .child(field("password", "text-private", "Password"));
    let query = query.leaf("instructions", &config.instructions);
    Ok(query.child(Xml::new("username")).child(Xml::new("password")).child(data))
}

/// A field of the submission; the data form goes before the plain fields (§6).
pub(crate) fn field<'a>(query: Element<'a>, name: &str) -> Option<&'a str> {
    let value = match query.child(FORM, "x") {
        Some(form) => {
            let field = form.children().find(|field| field.is(FORM, "field") && field.attr("var") == Some(name))?;
            field.child(FORM, "value")?.text()
        }
        None => query.child(NS, name)?.text(),
    };
    Some(value).filter(|value| !value.is_empty())
}
