//! Templates of plugins: XML with places for what differs from stanza to stanza.

use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;
use xylem_hooks::page::{Place, Template};
use xylem_stanza::{Kind, Stanza};

use crate::capability::{Fault, unguessable};

/// XML cannot contain U+0001, so nothing that a client wrote is taken for a place.
const MARKS: [(&str, Place); 3] =
    [("\u{1}id\u{1}", Place::Id), ("\u{1}stamp\u{1}", Place::Stamp), ("\u{1}stanza\u{1}", Place::Stanza)];

/// Stand-ins for the places while a template passes the parser; nobody can guess them.
pub(crate) struct Marks([(String, Place); 3]);

impl Marks {
    pub(crate) fn new() -> Result<Self, Fault> {
        let name = unguessable()?;
        let stand_in = |place| match place {
            Place::Id => format!("{name}-i"),
            Place::Stamp => format!("{name}-s"),
            Place::Stanza => format!("<{name}/>"),
        };
        Ok(Self(MARKS.map(|(_, place)| (stand_in(place), place))))
    }

    pub(crate) fn put(&self, template: &str) -> String {
        let both = MARKS.iter().zip(&self.0);
        both.fold(template.to_owned(), |text, ((mark, _), (stand_in, _))| text.replace(mark, stand_in))
    }

    pub(crate) fn find(&self, text: &str) -> Template {
        Template::find(text, &self.0.each_ref().map(|(stand_in, place)| (stand_in.as_str(), *place)))
    }
}

/// Wrappings that were checked, by their text.
#[derive(Default)]
pub(crate) struct Wrappings(Mutex<HashMap<Box<str>, Arc<Template>>>);

impl Wrappings {
    /// When there are more, all are forgotten.
    const MOST: usize = 256;

    /// A message with one place for a stanza.
    pub(crate) fn get(&self, text: &str) -> Result<Arc<Template>, Fault> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(template) = known.get(text) {
            return Ok(Arc::clone(template));
        }
        let stanza = Stanza::parse(&Marks::new()?.put(text)).map_err(Fault::invalid)?;
        let template = Arc::new(Template::find(text, &MARKS));
        if stanza.kind() != Kind::Message || !template.holds(Place::Stanza) {
            return Err(Fault::Invalid("the wrapping is no message with a place for a stanza".to_owned()));
        }
        if known.len() >= Self::MOST {
            known.clear();
        }
        known.insert(text.into(), Arc::clone(&template));
        Ok(template)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::{Marks, Wrappings};

    #[test]
    fn templates_pass_the_parser_and_come_back() {
        let marks = Marks::new().unwrap();
        let text = marks.put("<m id='\u{1}id\u{1}' q='{id}'><d s='\u{1}stamp\u{1}'/>\u{1}stanza\u{1}</m>");
        assert!(xylem_xml::Element::parse(&text).is_ok(), "{text}");
        let mut out = String::new();
        marks.find(&text).write("7", "now", "<x/>", &mut out);
        assert_eq!(out, "<m id='7' q='{id}'><d s='now'/><x/></m>");
    }

    #[test]
    fn wrappings_are_messages_with_a_place() {
        let wrappings = Wrappings::default();
        let wrapping = "<message><sent xmlns='s'>\u{1}stanza\u{1}</sent></message>";
        assert!(wrappings.get(wrapping).is_ok() && wrappings.get(wrapping).is_ok());
        for wrong in ["<message/>", "<iq type='get'>\u{1}stanza\u{1}</iq>", "<message>\u{1}stanza\u{1}", ""] {
            assert!(wrappings.get(wrong).is_err(), "{wrong}");
        }
    }
}
