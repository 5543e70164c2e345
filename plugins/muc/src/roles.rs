//! Roles in the room: kicking, voice, moderators (XEP-0045 §8.2 to §8.5, §9.6 to §9.8).

use xylem_sdk::prelude::*;

use crate::announcing::role_changed;
use crate::entering::roster;
use crate::leaving;
use crate::occupant::Occupant;
use crate::privileges::{Role, Standing, may_set_role};
use crate::rendition::Notice;
use crate::room::Room;

/// A change that is allowed, still to be carried out.
pub(crate) struct Change {
    occupant: Occupant,
    role: Role,
    reason: String,
}

/// Checks one item of a request; §17.4: it names an occupant by nickname.
pub(crate) fn check(actor: Standing, own: &str, nick: &str, role: Role, reason: &str) -> Result<Change, Failure> {
    let occupant = Occupant::named(nick)?.ok_or(Condition::ItemNotFound)?;
    may_set_role(actor, occupant.standing(), role)?;
    if role == Role::None && occupant.account == own {
        // §8.2: leaving is another matter.
        return Err(Condition::Conflict.into());
    }
    Ok(Change { occupant, role, reason: reason.into() })
}

impl Change {
    pub(crate) fn apply(self, room: &Room, actor: Option<&str>) -> Result<(), Fault> {
        set(room, self.occupant, self.role, actor, &self.reason)
    }
}

/// Gives an occupant this role, `none` being a kick, and tells everybody.
pub(crate) fn set(
    room: &Room,
    mut occupant: Occupant,
    role: Role,
    actor: Option<&str>,
    reason: &str,
) -> Result<(), Fault> {
    let notice = Notice { actor, reason, ..Notice::default() };
    if role == Role::None {
        leaving::remove(room, occupant, &Notice { gone: true, codes: &["307"], ..notice })?;
        return leaving::close_if_empty(room);
    }
    let before = occupant.role;
    if before == role {
        return Ok(());
    }
    occupant.role = role;
    occupant.save(room)?;
    role_changed(room, &occupant, before, &notice)?;
    sees_more(room, &occupant, before)
}

/// Whoever becomes a moderator sees real addresses from now on (§8).
pub(crate) fn sees_more(room: &Room, occupant: &Occupant, before: Role) -> Result<(), Fault> {
    if room.configuration.non_anonymous || before == Role::Moderator || occupant.role != Role::Moderator {
        return Ok(());
    }
    occupant.sessions.iter().try_for_each(|session| roster(room, occupant, session))
}
