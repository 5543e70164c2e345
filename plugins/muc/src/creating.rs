//! A room comes into being (XEP-0045 §10.1).

use xylem_sdk::prelude::*;

use crate::affiliations::{self, Affiliate};
use crate::privileges::Affiliation;
use crate::room::Room;
use crate::{Config, directory, limits};

/// Whoever enters a room that does not exist makes it, and owns it, if that is allowed.
pub(crate) fn create(cx: &Cx, jid: &str, founder: &str, config: &Config) -> Result<Room, Failure> {
    let admin = affiliations::is_service_admin(founder);
    let may = match config.creation.as_str() {
        "admins" => admin,
        "local" => admin || Jid::new(founder).domain() == cx.domain(),
        _ => true,
    };
    if !may {
        return Err(Condition::NotAllowed.into());
    }
    let most = usize::try_from(config.rooms_per_user).unwrap_or(0);
    if !admin && (most > 0 && directory::founded_by(founder)? >= most || !limits::CREATE.take(founder)) {
        return Err(Condition::ResourceConstraint.into());
    }
    let room = Room::create(jid, founder, config)?;
    let owner = Affiliate {
        account: founder.into(),
        affiliation: Affiliation::Owner,
        nick: String::new(),
        reason: String::new(),
    };
    affiliations::set(&room, &owner)?;
    Ok(room)
}
