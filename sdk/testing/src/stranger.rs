//! A stream before authentication.

use std::net::IpAddr;
use std::rc::Rc;

use xylem_stanza::{Stanza, ns};
use xylem_xml::Element;

use crate::matching::{Received, expect};
use crate::world::World;

/// Somebody who has connected and not logged in; may ask what plugins answer to
/// strangers (`before-auth` in the manifest).
pub struct Stranger {
    world: Rc<World>,
    domain: String,
    peer: IpAddr,
    inbox: Vec<String>,
}

impl Stranger {
    pub(crate) fn new(world: Rc<World>, domain: String, peer: IpAddr) -> Self {
        Self { world, domain, peer, inbox: Vec::new() }
    }

    /// Sends an IQ.
    ///
    /// # Panics
    /// If it is not one, or the last answer was not looked at.
    #[track_caller]
    pub fn send(&mut self, xml: &str) {
        assert!(self.inbox.is_empty(), "the stranger has an answer that nobody looked at: {}", self.inbox.concat());
        let element = Element::parse_in(xml, ns::CLIENT).unwrap_or_else(|error| panic!("{error}: {xml}"));
        let request = Stanza::from_element(element).unwrap_or_else(|error| panic!("{error}: {xml}"));
        let answer = self.world.run(self.world.router.before_auth(&self.domain, self.peer, request));
        self.inbox.extend(answer.map(|answer| answer.to_xml_string()));
    }

    /// The answer is this; see [`crate::Client::receives`].
    ///
    /// # Panics
    /// If it is not, or there is none.
    #[track_caller]
    pub fn receives(&mut self, expected: &str) -> Received {
        let Some(got) = self.inbox.pop() else { panic!("the stranger has no answer; expected:\n{expected}") };
        expect(expected, &got, "").unwrap_or_else(|why| panic!("{why}\nexpected: {expected}\nreceived: {got}"))
    }
}
