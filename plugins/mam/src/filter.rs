//! Which messages a client asks for: the form of XEP-0313 §4.1 and the page of XEP-0059.

use xylem_sdk::archive::Query;
use xylem_sdk::prelude::*;
use xylem_sdk::{Element, time};

use crate::{Config, NS};

const FORM: &str = "jabber:x:data";
pub(crate) const RSM: &str = "http://jabber.org/protocol/rsm";
/// XEP-0431 §3.1.
pub(crate) const FULL_TEXT: &str = "{urn:xmpp:fulltext:0}fulltext";
/// Most ids in one query.
const MOST_IDS: usize = 100;

/// What was asked for.
pub(crate) struct Asked {
    pub(crate) query: Query,
    /// What to look for in the texts (XEP-0431).
    pub(crate) text: Option<String>,
    /// Whether the number of messages in the archive is the number of those that match.
    pub(crate) countable: bool,
}

/// Reads a `<query/>`.
pub(crate) fn read(query: Element) -> Result<Asked, Failure> {
    if query.attr("node").is_some() {
        return Err(Failure::new(Condition::FeatureNotImplemented).text("there are no nodes here"));
    }
    let mut asked = Asked { query: Query::default(), text: None, countable: true };
    if let Some(form) = query.child(FORM, "x") {
        asked.read_form(form)?;
    }
    asked.read_page(query.child(RSM, "set"))?;
    asked.query.flip = query.child(NS, "flip-page").is_some();
    Ok(asked)
}

impl Asked {
    fn read_form(&mut self, form: Element) -> Result<(), Failure> {
        if form.attr("type") != Some("submit") {
            return Err(bad("the form is not of type submit"));
        }
        let mut typed = false;
        for field in form.children().filter(|child| child.is(FORM, "field")) {
            let name = field.attr("var").unwrap_or_default();
            let values: Vec<&str> =
                field.children().filter(|child| child.is(FORM, "value")).map(|value| value.text()).collect();
            if name == "FORM_TYPE" {
                typed = values.first() == Some(&NS);
            } else {
                self.read_field(name, &values)?;
            }
        }
        if typed { Ok(()) } else { Err(bad("FORM_TYPE is not urn:xmpp:mam:2")) }
    }

    fn read_field(&mut self, name: &str, values: &[&str]) -> Result<(), Failure> {
        let value = values.first().copied().unwrap_or_default();
        let query = &mut self.query;
        match name {
            // No groupchat is archived: with it or without, the result is the same.
            "include-groupchat" => return Ok(()),
            "with" => {
                let with = Jid::normalise(value).ok_or_else(|| bad("with is not an address"))?;
                query.peer = Some(with);
            }
            "start" => query.start = Some(time::parse(value).ok_or_else(|| bad("start is not a time"))?),
            "end" => query.end = Some(time::parse(value).ok_or_else(|| bad("end is not a time"))?),
            "after-id" => query.after.push(value.to_owned()),
            "before-id" => query.before.push(value.to_owned()),
            // An empty one is none.
            FULL_TEXT if Config::load().full_text => match value.trim() {
                "" => return Ok(()),
                text => self.text = Some(text.to_owned()),
            },
            "ids" if values.len() <= MOST_IDS => query.ids = Some(values.iter().map(|id| (*id).to_owned()).collect()),
            "ids" => return Err(Failure::new(Condition::PolicyViolation).text("too many ids")),
            _ => {
                let unknown = ["the field ", name, " is not known"].concat();
                return Err(Failure::new(Condition::FeatureNotImplemented).text(unknown));
            }
        }
        self.countable = false;
        Ok(())
    }

    /// XEP-0059 §2.
    fn read_page(&mut self, set: Option<Element>) -> Result<(), Failure> {
        let config = Config::load();
        let most = u32::try_from(config.max_page).unwrap_or(1).max(1);
        self.query.limit = u32::try_from(config.page).unwrap_or(1).clamp(1, most);
        let Some(set) = set else { return Ok(()) };
        let text = |name: &str| set.child(RSM, name).map(|child| child.text().trim());
        if text("index").is_some() {
            return Err(Failure::new(Condition::FeatureNotImplemented).text("there are no pages by index"));
        }
        if let Some(max) = text("max") {
            self.query.limit = max.parse::<u32>().map_err(|_| bad("max is not a number"))?.min(most);
        }
        match text("before") {
            Some("") => self.query.last = true,
            Some(before) => {
                self.query.last = true;
                self.query.before.push(before.to_owned());
            }
            None => {}
        }
        if let Some(after) = text("after").filter(|after| !after.is_empty()) {
            self.query.last = false;
            self.query.after.push(after.to_owned());
        }
        Ok(())
    }
}

fn bad(text: &str) -> Failure {
    Failure::new(Condition::BadRequest).text(text)
}
