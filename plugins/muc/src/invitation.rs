//! Invitations through the room, and their refusal (XEP-0045 §7.8.2).

use xylem_sdk::Element;
use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;

use crate::affiliations::{self, Affiliate};
use crate::limits;
use crate::ns::USER;
use crate::occupant::{Occupant, Session};
use crate::privileges::Affiliation;
use crate::room::Room;

/// One message may invite several people (§7.8.2).
pub(crate) fn invite(room: &Room, stanza: &Stanza<'_>, x: Element<'_>) -> Result<(), Failure> {
    let from = stanza.from().ok_or(Condition::BadRequest)?;
    let session = Session::of(from)?.ok_or(Condition::NotAcceptable)?;
    let actor = session.standing.affiliation;
    let members = room.configuration.members_only;
    if members && actor < Affiliation::Admin && !(room.configuration.allow_invites && actor >= Affiliation::Member) {
        return Err(Condition::Forbidden.into());
    }
    let invitations: Vec<Element<'_>> = x.children().filter(|child| child.is(USER, "invite")).collect();
    let mut invited = Vec::new();
    for invitation in &invitations {
        // §7.8.2: nobody of that name.
        let to = invitation.attr("to").and_then(Jid::normalise).ok_or(Condition::ItemNotFound)?;
        if affiliations::of(room, Jid::new(&to).bare())? == Affiliation::Outcast {
            return Err(Condition::NotAllowed.into());
        }
        if !limits::INVITE.take(Jid::new(from).bare()) {
            return Err(Failure::new(Condition::ResourceConstraint).kind("wait"));
        }
        invited.push((to, invitation));
    }
    for (to, invitation) in invited {
        if members {
            admit(room, Jid::new(&to).bare())?;
        }
        let continued = invitation.child(USER, "continue").and_then(|element| element.xml());
        let reason = invitation.child(USER, "reason").map(|reason| reason.text()).unwrap_or_default();
        send_invitation(room, &to, &room.occupant(&session.nick), reason, continued.as_deref())?;
    }
    Ok(())
}

/// An invitation to a members-only room makes a member (§9.5).
fn admit(room: &Room, account: &str) -> Result<(), Fault> {
    if affiliations::of(room, account)? != Affiliation::None {
        return Ok(());
    }
    let member = Affiliate {
        account: account.into(),
        affiliation: Affiliation::Member,
        nick: String::new(),
        reason: String::new(),
    };
    affiliations::set(room, &member)
}

/// The invitation as the room sends it, with the password if it has one.
pub(crate) fn send_invitation(
    room: &Room,
    to: &str,
    from: &str,
    reason: &str,
    continued: Option<&str>,
) -> Result<(), Fault> {
    let reason = Some(reason).filter(|reason| !reason.is_empty()).map(|reason| Xml::new("reason").text(reason));
    let invite = Xml::new("invite").attr("from", from).child_opt(reason).raw(continued.unwrap_or_default());
    let configuration = &room.configuration;
    let password = configuration.password_protected.then(|| Xml::new("password").text(&configuration.secret));
    let message = Xml::with_ns("message", crate::ns::CLIENT).attr("from", &room.jid).attr("to", to);
    send(message.child(Xml::with_ns("x", USER).child(invite).child_opt(password)))
}

/// The invitee says no, to whoever invited.
pub(crate) fn decline(room: &Room, stanza: &Stanza<'_>, decline: Element<'_>) -> Result<(), Failure> {
    let from = Jid::new(stanza.from().ok_or(Condition::BadRequest)?);
    let to = decline.attr("to").and_then(Jid::normalise).ok_or(Condition::BadRequest)?;
    if !limits::INVITE.take(from.bare()) {
        return Err(Failure::new(Condition::ResourceConstraint).kind("wait"));
    }
    let reason = decline.child(USER, "reason").map(|reason| Xml::new("reason").text(reason.text()));
    let decline = Xml::new("decline").attr("from", from.bare()).child_opt(reason);
    let message = Xml::with_ns("message", crate::ns::CLIENT)
        .attr("from", &room.jid)
        .child(Xml::with_ns("x", USER).child(decline));
    // Only somebody in the room can have invited: else this would be a way to write to anybody.
    let inviter = match Jid::new(&to).resource().filter(|_| Jid::new(&to).bare() == room.jid) {
        Some(nick) => Occupant::named(nick)?.into_iter().collect(),
        None => Occupant::of_account(Jid::new(&to).bare())?,
    };
    let sessions: Vec<String> = inviter.into_iter().flat_map(|occupant| occupant.sessions).collect();
    if sessions.is_empty() {
        return Err(Condition::ItemNotFound.into());
    }
    for session in sessions {
        send(message.clone().attr("to", &session))?;
    }
    Ok(())
}
