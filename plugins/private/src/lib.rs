//! XEP-0049: private XML storage. A row for each element name, with the element as it was sent.

use xylem_sdk::Element;
use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;

use crate::stores::FRAGMENTS;

xylem_sdk::plugin!();

const NS: &str = "jabber:iq:private";

/// One fragment at a time; one that was never stored comes back empty, as it was asked for (§2.3).
fn get(cx: &Cx, iq: &Stanza) -> Result<Xml, Failure> {
    let fragments = fragments(cx, iq)?;
    let [fragment] = fragments.as_slice() else {
        // None is a bad format (§2.4), several are not allowed (§2.3).
        return Err(if fragments.is_empty() { Condition::BadRequest } else { Condition::NotAcceptable }.into());
    };
    let stored = FRAGMENTS.text(&row(fragment))?;
    let xml = stored.unwrap_or_else(|| Xml::with_ns(fragment.name(), fragment.ns()).build());
    Ok(Xml::with_ns("query", NS).raw(&xml))
}

/// All fragments of the request, or none of them.
fn set(cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let fragments = fragments(cx, iq)?;
    if fragments.is_empty() {
        return Err(Condition::NotAcceptable.into());
    }
    let most = Config::load().max_size;
    let mut rows = Vec::new();
    for fragment in &fragments {
        let xml = fragment.xml().ok_or(Condition::BadRequest)?;
        if xml.len() as u64 > most {
            return Err(Failure::new(Condition::PolicyViolation).text("too big"));
        }
        rows.push((row(fragment), xml));
    }
    for (row, xml) in rows {
        FRAGMENTS.put(&row, xml.as_bytes(), &[])?;
    }
    Ok(Reply::empty())
}

/// The elements in the request, each in a namespace of its own. Only the owner has private XML (§2.4).
fn fragments<'a>(cx: &Cx, iq: &Stanza<'a>) -> Result<Vec<Element<'a>>, Failure> {
    if Jid::new(iq.from().unwrap_or_default()).bare() != cx.key() {
        return Err(Condition::Forbidden.into());
    }
    let query = iq.payload().ok_or(Condition::BadRequest)?;
    let fragments: Vec<Element> = query.children().collect();
    if fragments.iter().any(|fragment| matches!(fragment.ns(), "" | NS | "jabber:client")) {
        return Err(Condition::NotAcceptable.into());
    }
    Ok(fragments)
}

fn row(fragment: &Element) -> String {
    let mut row = String::from("{");
    row.push_str(fragment.ns());
    row.push('}');
    row.push_str(fragment.name());
    row
}
