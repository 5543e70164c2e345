//! A scripted client.

use std::rc::Rc;
use std::time::Duration;

use xylem_stanza::{Condition, Stanza, error_for_element, ns};
use xylem_xml::Element;

use crate::line::Line;
use crate::matching::{Received, expect};
use crate::world::World;

/// A session without a socket. Dropping it does not end it; [`Client::disconnect`] does.
pub struct Client {
    world: Rc<World>,
    line: Rc<Line>,
}

impl Client {
    pub(crate) fn new(world: Rc<World>, line: Rc<Line>) -> Self {
        Self { world, line }
    }

    /// Its full address.
    #[must_use]
    pub fn address(&self) -> &str {
        self.line.jid()
    }

    /// Sends a stanza. When this returns, all that follows from it has happened.
    ///
    /// # Panics
    /// If it is not a stanza, is not the client's own, or the session is over.
    #[track_caller]
    pub fn send(&mut self, xml: &str) {
        self.send_all(&[xml]);
    }

    /// Sends several stanzas without waiting for what follows from each.
    ///
    /// # Panics
    /// As [`Client::send`].
    #[track_caller]
    pub fn send_all(&mut self, stanzas: &[&str]) {
        if let Some(why) = self.line.ended() {
            panic!("{} cannot send: its session is over: {why}", self.address());
        }
        let stanzas: Vec<_> = stanzas.iter().filter_map(|xml| self.stanza(xml)).collect();
        self.world.run(async {
            for stanza in stanzas {
                if let Some(work) = self.world.router.from_session(&self.line.session, stanza) {
                    work.await;
                }
            }
        });
    }

    /// What the stream makes of it: one with an address that is none is answered at once.
    #[track_caller]
    fn stanza(&self, xml: &str) -> Option<Stanza> {
        let element = Element::parse_in(xml, ns::CLIENT).unwrap_or_else(|error| panic!("{error}: {xml}"));
        match Stanza::from_element(element.clone()) {
            Ok(stanza) => {
                let own = self.line.session.jid();
                let may = stanza.from().is_none_or(|from| *from == *own.as_str() || *from == *own.bare_str());
                assert!(may, "{own} cannot speak as somebody else; the stream would end with invalid-from: {xml}");
                Some(stanza.stamped(own.clone().into(), None))
            }
            Err(error) => {
                let condition = error.condition().unwrap_or(Condition::BadRequest);
                let reply = error_for_element(&element, condition, None);
                let reply = reply.unwrap_or_else(|| panic!("{error}: {xml}"));
                self.line.inbox.borrow_mut().push_back(reply);
                None
            }
        }
    }

    /// The next stanza is this one. The order of attributes and children, prefixes and
    /// white space between elements do not matter; nor do `to` if it is the client's own,
    /// `from` if it is its account, `xml:lang`, and texts and the original in errors.
    ///
    /// In texts and values `{any}` stands for anything, `{id}` for a word, `{number}` and
    /// `{stamp}` (XEP-0082) for what they say, `{id:name}` also keeps it under a name; a value may be
    /// `{optional}` or `{absent}`; `{...}` among children allows others, and any text.
    ///
    /// # Panics
    /// If it is another one, or there is none.
    #[track_caller]
    pub fn receives(&mut self, expected: &str) -> Received {
        self.world_settled();
        let Some(got) = self.line.inbox.borrow_mut().pop_front() else {
            panic!("{} received nothing; expected:\n  {expected}", self.address());
        };
        expect(expected, &got, self.address()).unwrap_or_else(|why| {
            panic!("{}: {why}\nexpected:\n  {expected}\nreceived:\n  {got}{}", self.address(), self.rest())
        })
    }

    /// The next stanzas are these, in whatever order.
    ///
    /// # Panics
    /// If one is missing.
    #[track_caller]
    pub fn receives_in_any_order(&mut self, expected: &[&str]) {
        self.world_settled();
        let mut inbox = self.line.inbox.borrow_mut();
        let mut came: Vec<_> = (0..expected.len()).map_while(|_| inbox.pop_front()).collect();
        drop(inbox);
        for wanted in expected {
            match came.iter().position(|got| expect(wanted, got, self.address()).is_ok()) {
                Some(at) => drop(came.remove(at)),
                None => panic!(
                    "{} did not receive:\n  {wanted}\nreceived:\n  {}{}",
                    self.address(),
                    came.join("\n  "),
                    self.rest()
                ),
            }
        }
    }

    /// Nothing has come that was not asked for, and nothing is on its way.
    ///
    /// # Panics
    /// If something came.
    #[track_caller]
    pub fn receives_nothing(&mut self) {
        self.world_settled();
        let inbox = self.line.inbox.borrow();
        assert!(inbox.is_empty(), "{} received what was not expected:{}", self.address(), list(inbox.iter()));
    }

    /// Takes everything that came, for a test that is about something else.
    pub fn skip(&mut self) -> Vec<String> {
        self.world_settled();
        self.line.inbox.borrow_mut().drain(..).collect()
    }

    /// From now on the client does not read: what is sent to it stays with the server.
    pub fn stop_reading(&mut self) {
        self.line.read_on(false);
    }

    /// It reads again.
    pub fn read_on(&mut self) {
        self.line.read_on(true);
        self.world_settled();
    }

    /// The connection is lost.
    pub fn disconnect(&mut self) {
        if self.line.ended().is_none() {
            self.world.run(self.line.leave("connection lost", &self.world.sessions, &self.world.router));
        }
    }

    /// The connection is lost, and the session waits for its client (XEP-0198): it stays
    /// available, and what it is sent is kept.
    ///
    /// # Panics
    /// If the session is over.
    #[track_caller]
    pub fn hibernate(&mut self) {
        assert!(self.line.ended().is_none(), "the session of {} is over", self.address());
        self.line.read_on(false);
        let session = &self.line.session;
        session.manage("kit".to_owned(), Some(Duration::from_secs(300)));
        if let Some(management) = session.management() {
            management.hibernate(0);
        }
        self.world.run(async {
            if let Some(work) = self.world.router.hibernated(session, &mut xylem_session::Unacknowledged::default()) {
                work.await;
            }
        });
    }

    /// The client comes back to its session and gets what was kept.
    pub fn resume(&mut self) {
        let session = &self.line.session;
        if let Some(management) = session.management().filter(|management| management.is_hibernated()) {
            management.resumed(session.endpoint());
            self.world.run(async { self.world.router.resumed(session) });
        }
        self.read_on();
    }

    /// The server has ended the session with this stream error.
    ///
    /// # Panics
    /// If it has not, or with another.
    #[track_caller]
    pub fn is_ended_with(&self, condition: &str) {
        self.world_settled();
        match self.line.ended() {
            Some(why) => assert_eq!(why, condition, "{} ended with something else", self.address()),
            None => panic!("the session of {} is not over", self.address()),
        }
    }

    fn world_settled(&self) {
        // The world of a client that is over may be another process's past.
        if self.line.ended().is_none() {
            self.world.settle();
        }
    }

    fn rest(&self) -> String {
        let inbox = self.line.inbox.borrow();
        if inbox.is_empty() { String::new() } else { format!("\nthen:{}", list(inbox.iter())) }
    }
}

fn list<'a>(stanzas: impl Iterator<Item = &'a String>) -> String {
    stanzas.fold(String::new(), |all, stanza| all + "\n  " + stanza)
}
