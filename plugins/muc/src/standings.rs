//! Affiliations changing while people are in the room (XEP-0045 §9.1 to §9.5, §10.3 to §10.8).

use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;

use crate::affiliations::{self, Affiliate};
use crate::announcing::role_changed;
use crate::ns::USER;
use crate::occupant::Occupant;
use crate::privileges::{Affiliation, may_set_affiliation, role_after};
use crate::rendition::{Notice, status};
use crate::room::Room;
use crate::{invitation, leaving, roles};

/// §10.5.
const LAST_OWNER: &str = "a room keeps at least one owner";

/// Who is behind a request.
pub(crate) struct Actor<'a> {
    pub(crate) account: &'a str,
    pub(crate) affiliation: Affiliation,
    /// The nickname, for somebody in the room.
    pub(crate) nick: Option<&'a str>,
}

/// Checks one change. It names an account or a domain.
pub(crate) fn check(room: &Room, actor: &Actor<'_>, wanted: &Affiliate) -> Result<(), Failure> {
    let before = affiliations::of(room, &wanted.account)?;
    if wanted.affiliation == Affiliation::Outcast && actor.account == wanted.account {
        // §9.1.
        return Err(conflict("nobody bans himself"));
    }
    may_set_affiliation(actor.affiliation, before, wanted.affiliation)?;
    let domain = Jid::new(&wanted.account).local().is_none();
    if domain && wanted.affiliation > Affiliation::None {
        // §9.2: of a domain nothing can be said but that its people stay out.
        return Err(Condition::BadRequest.into());
    }
    if before == Affiliation::Owner && wanted.affiliation != Affiliation::Owner {
        let others = affiliations::list(room, Affiliation::Owner)?;
        // §10.5: somebody has to be left.
        if others.iter().all(|owner| owner.account == wanted.account) {
            return Err(conflict(LAST_OWNER));
        }
    }
    if !wanted.nick.is_empty() {
        let holder = affiliations::holder(room, &wanted.nick)?;
        if holder.is_some_and(|holder| holder.account != wanted.account) {
            return Err(conflict("the nickname is somebody else's"));
        }
    }
    Ok(())
}

/// §10.5 for several changes at once.
pub(crate) fn leave_an_owner(room: &Room, changes: &[Affiliate]) -> Result<(), Failure> {
    let owners = affiliations::list(room, Affiliation::Owner)?;
    let stays = |owner: &Affiliate| {
        let change = changes.iter().rfind(|change| change.account == owner.account);
        change.is_none_or(|change| change.affiliation == Affiliation::Owner)
    };
    let comes = changes.iter().any(|change| change.affiliation == Affiliation::Owner);
    if comes || owners.iter().any(stays) { Ok(()) } else { Err(conflict(LAST_OWNER)) }
}

fn conflict(text: &str) -> Failure {
    Failure::new(Condition::Conflict).text(text)
}

/// Writes it and tells the room.
pub(crate) fn apply(room: &Room, actor: &Actor<'_>, wanted: &Affiliate) -> Result<(), Fault> {
    let before = affiliations::of(room, &wanted.account)?;
    affiliations::set(room, wanted)?;
    let joins = before == Affiliation::None && wanted.affiliation == Affiliation::Member;
    let present = present(&wanted.account)?;
    let invited = joins && room.configuration.members_only && present.is_empty();
    if invited {
        invitation::send_invitation(room, &wanted.account, &room.jid, &wanted.reason, None)?;
    } else if present.is_empty() && before != wanted.affiliation {
        tell_outside(room, wanted)?;
    }
    for occupant in present {
        change(room, actor, occupant, wanted)?;
    }
    leaving::close_if_empty(room)
}

/// §11.2, 101: a courtesy to somebody who is not in the room. Whoever is banned hears of it at the door.
fn tell_outside(room: &Room, wanted: &Affiliate) -> Result<(), Fault> {
    if wanted.affiliation == Affiliation::Outcast || Jid::new(&wanted.account).local().is_none() {
        return Ok(());
    }
    let item = Xml::new("item").attr("affiliation", wanted.affiliation.name()).attr("role", "none");
    let x = Xml::with_ns("x", USER).child(item).child(status("101"));
    send(Xml::message("normal").attr("from", &room.jid).attr("to", &wanted.account).child(x))
}

/// Occupants that a change concerns: an account's, or everybody of a domain.
fn present(account: &str) -> Result<Vec<Occupant>, Fault> {
    if Jid::new(account).local().is_some() {
        return Occupant::of_account(account);
    }
    let all = Occupant::all()?;
    Ok(all.into_iter().filter(|occupant| Jid::new(&occupant.account).domain() == account).collect())
}

fn change(room: &Room, actor: &Actor<'_>, mut occupant: Occupant, wanted: &Affiliate) -> Result<(), Fault> {
    let before = occupant.standing();
    // Under a domain there may be people who are something themselves.
    occupant.affiliation = affiliations::of(room, &occupant.account)?;
    if occupant.affiliation == before.affiliation {
        return Ok(());
    }
    let notice = Notice { actor: actor.nick, reason: &wanted.reason, ..Notice::default() };
    if occupant.affiliation == Affiliation::Outcast {
        return leaving::remove(room, occupant, &Notice { gone: true, codes: &["301"], ..notice });
    }
    if room.configuration.members_only && occupant.affiliation < Affiliation::Member {
        // §9.4: without a word about the affiliation before.
        return leaving::remove(room, occupant, &Notice { gone: true, codes: &["321"], ..notice });
    }
    occupant.role = role_after(before, occupant.affiliation, room.configuration.moderated);
    occupant.save(room)?;
    role_changed(room, &occupant, before.role, &notice)?;
    roles::sees_more(room, &occupant, before.role)
}
