//! What the user does to the list (RFC 6121 §2.3 to §2.5).

use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;

use crate::Config;
use crate::contact::Contact;
use crate::outbound::{say, withdraw_presence};
use crate::push::{NS, push, push_removed};
use crate::state::Flags;

/// Adds, changes or removes one contact.
pub(crate) fn set(cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    if Jid::new(iq.from().unwrap_or_default()).bare() != cx.key() {
        return Err(Condition::Forbidden.into());
    }
    let request = Request::read(iq)?;
    if request.jid == cx.key() {
        return Err(Failure::new(Condition::NotAllowed).text("an account needs no contact to see itself"));
    }
    let contact = Contact::load(&request.jid)?;
    if request.remove {
        remove(contact)?
    } else {
        update(contact, request)?
    }
    Ok(Reply::empty())
}

/// The one `<item/>` of the request, checked (§2.3.3).
pub(crate) struct Request {
    pub(crate) jid: String,
    pub(crate) remove: bool,
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
}

impl Request {
    fn read(iq: &Stanza) -> Result<Self, Failure> {
        let bad = || Failure::from(Condition::BadRequest);
        let query = iq.payload().ok_or_else(bad)?;
        let mut items = query.children();
        let item = items.next().filter(|item| item.is(NS, "item")).ok_or_else(bad)?;
        if items.next().is_some() {
            return Err(bad().text("one item at a time"));
        }
        let jid = item.attr("jid").and_then(Jid::normalise).ok_or_else(bad)?;
        let groups: Vec<String> =
            item.children().filter(|child| child.is(NS, "group")).map(|group| group.text().to_owned()).collect();
        let name = item.attr("name").unwrap_or_default().to_owned();
        let request = Self { jid, remove: item.attr("subscription") == Some("remove"), name, groups };
        if !request.remove {
            request.check(&Config::load())?;
        }
        Ok(request)
    }

    pub(crate) fn check(&self, config: &Config) -> Result<(), Failure> {
        let too_long = |text: &str| text.len() as u64 > config.max_name.unsigned_abs();
        if too_long(&self.name) {
            return Err(Failure::new(Condition::NotAcceptable).text("the name is too long"));
        }
        if self.groups.iter().any(|group| group.is_empty() || too_long(group)) {
            return Err(Failure::new(Condition::NotAcceptable).text("a group has no name or a name that is too long"));
        }
        if self.groups.len() as u64 > config.max_groups.unsigned_abs() {
            return Err(Failure::new(Condition::NotAcceptable).text("too many groups"));
        }
        let repeated = |(at, group)| self.groups.get(..at).is_some_and(|before| before.contains(group));
        if self.groups.iter().enumerate().any(repeated) {
            return Err(Failure::new(Condition::BadRequest).text("a group is named twice"));
        }
        Ok(())
    }
}

pub(crate) fn update(mut contact: Contact, request: Request) -> Result<(), Failure> {
    contact.name = request.name;
    contact.groups = request.groups;
    contact.flags = contact.flags.with(Flags::LISTED);
    contact.save()?;
    Ok(push(&contact)?)
}

/// Ends the subscriptions as well (§2.5.2). A request that waits goes on waiting.
pub(crate) fn remove(mut contact: Contact) -> Result<(), Failure> {
    let before = contact.flags;
    if !before.has(Flags::LISTED) {
        return Err(Condition::ItemNotFound.into());
    }
    contact.flags = if before.has(Flags::PENDING) { Flags::PENDING } else { Flags::NONE };
    contact.name.clear();
    contact.groups.clear();
    contact.save()?;
    if before.has(Flags::TO) || before.has(Flags::ASK) {
        send(say("unsubscribe", &contact.jid))?;
    }
    if before.has(Flags::FROM) {
        withdraw_presence(&contact.jid)?;
        send(say("unsubscribed", &contact.jid))?;
    }
    Ok(push_removed(&contact.jid)?)
}
