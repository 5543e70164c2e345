//! Who may do what (XEP-0045 §5): the tables, and nothing that touches a room.

use xylem_sdk::Condition;

/// What somebody is for a room, visits apart (§5.2). In ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Affiliation {
    Outcast,
    None,
    Member,
    Admin,
    Owner,
}

/// What an occupant may do during this visit (§5.1). In ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    None,
    Visitor,
    Participant,
    Moderator,
}

impl Affiliation {
    pub(crate) const ALL: [Self; 5] = [Self::Outcast, Self::None, Self::Member, Self::Admin, Self::Owner];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Outcast => "outcast",
            Self::None => "none",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|affiliation| affiliation.name() == name)
    }

    pub(crate) fn of_byte(byte: u8) -> Self {
        Self::ALL.get(usize::from(byte)).copied().unwrap_or(Self::None)
    }
}

impl Role {
    pub(crate) const ALL: [Self; 4] = [Self::None, Self::Visitor, Self::Participant, Self::Moderator];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Visitor => "visitor",
            Self::Participant => "participant",
            Self::Moderator => "moderator",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    pub(crate) fn of_byte(byte: u8) -> Self {
        Self::ALL.get(usize::from(byte)).copied().unwrap_or(Self::None)
    }
}

/// Somebody's place in the order of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) affiliation: Affiliation,
    pub(crate) role: Role,
}

/// The role that an affiliation brings (§5.1.2).
pub(crate) fn default_role(affiliation: Affiliation, moderated: bool) -> Role {
    match affiliation {
        Affiliation::Outcast => Role::None,
        Affiliation::None if moderated => Role::Visitor,
        Affiliation::None | Affiliation::Member => Role::Participant,
        Affiliation::Admin | Affiliation::Owner => Role::Moderator,
    }
}

/// The role after a change of affiliation (§5.1.3): one that was granted stays, one that came
/// with the affiliation goes.
pub(crate) fn role_after(before: Standing, affiliation: Affiliation, moderated: bool) -> Role {
    let usual = default_role(affiliation, moderated);
    let came_with_it = before.affiliation >= Affiliation::Admin && affiliation < Affiliation::Admin;
    if came_with_it || affiliation == Affiliation::Outcast || usual > before.role { usual } else { before.role }
}

/// Whether one may give another this role (§5.1.3, §8.2 to §8.5, §9.6 to §9.8).
pub(crate) fn may_set_role(actor: Standing, target: Standing, role: Role) -> Result<(), Condition> {
    use Condition::{Forbidden, NotAllowed};
    let rules_moderators = actor.affiliation >= Affiliation::Admin;
    if actor.role != Role::Moderator && !rules_moderators {
        return Err(Forbidden);
    }
    if role == Role::Moderator || target.role == Role::Moderator && role != Role::None {
        if !rules_moderators {
            return Err(Forbidden);
        }
        // §9.7: whoever is a moderator by affiliation stays one.
        return if role < Role::Moderator && target.affiliation >= Affiliation::Admin {
            Err(NotAllowed)
        } else {
            Ok(())
        };
    }
    match role {
        Role::None if target.affiliation > actor.affiliation => Err(NotAllowed),
        Role::None if target.role == Role::Moderator && !rules_moderators => Err(NotAllowed),
        Role::Visitor if target.affiliation >= Affiliation::Admin => Err(NotAllowed),
        // §8.4: not from anybody at or above the moderator's level; to have none is no level.
        Role::Visitor if target.affiliation > Affiliation::None && target.affiliation >= actor.affiliation => {
            Err(NotAllowed)
        }
        _ => Ok(()),
    }
}

/// Whether one may give another this affiliation (§5.2.1, §9.1 to §9.5, §10.3 to §10.8).
pub(crate) fn may_set_affiliation(
    actor: Affiliation,
    target: Affiliation,
    affiliation: Affiliation,
) -> Result<(), Condition> {
    match actor {
        Affiliation::Owner => Ok(()),
        Affiliation::Admin if affiliation >= Affiliation::Admin => Err(Condition::Forbidden),
        Affiliation::Admin if target < Affiliation::Admin => Ok(()),
        Affiliation::Admin if affiliation == Affiliation::Outcast => Err(Condition::NotAllowed),
        _ => Err(Condition::Forbidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(affiliation: Affiliation, role: Role) -> Standing {
        Standing { affiliation, role }
    }

    #[test]
    fn roles_on_entering_follow_the_table() {
        use Affiliation::{Admin, Member, None, Outcast, Owner};
        let table = [
            (Outcast, Role::None, Role::None),
            (None, Role::Visitor, Role::Participant),
            (Member, Role::Participant, Role::Participant),
            (Admin, Role::Moderator, Role::Moderator),
            (Owner, Role::Moderator, Role::Moderator),
        ];
        for (affiliation, moderated, unmoderated) in table {
            assert_eq!(default_role(affiliation, true), moderated, "{affiliation:?}");
            assert_eq!(default_role(affiliation, false), unmoderated, "{affiliation:?}");
        }
    }

    #[test]
    fn nobody_rules_over_those_above() {
        for actor in Affiliation::ALL {
            for target in Affiliation::ALL.into_iter().filter(|target| *target > actor) {
                let kick =
                    may_set_role(standing(actor, Role::Moderator), standing(target, Role::Participant), Role::None);
                assert_eq!(kick, Err(Condition::NotAllowed), "{actor:?} kicks {target:?}");
                assert!(may_set_affiliation(actor, target, Affiliation::Outcast).is_err(), "{actor:?} bans {target:?}");
            }
        }
    }

    #[test]
    fn without_a_role_nothing_is_granted() {
        for role in [Role::Visitor, Role::Participant] {
            for affiliation in [Affiliation::None, Affiliation::Member] {
                for wanted in Role::ALL {
                    let target = standing(Affiliation::None, Role::Participant);
                    assert_eq!(may_set_role(standing(affiliation, role), target, wanted), Err(Condition::Forbidden));
                }
            }
        }
    }

    #[test]
    fn moderators_by_affiliation_keep_their_voice() {
        let owner = standing(Affiliation::Owner, Role::Moderator);
        for affiliation in [Affiliation::Admin, Affiliation::Owner] {
            for role in [Role::Visitor, Role::Participant] {
                let target = standing(affiliation, Role::Moderator);
                assert_eq!(may_set_role(owner, target, role), Err(Condition::NotAllowed));
            }
        }
        let granted = standing(Affiliation::None, Role::Moderator);
        assert_eq!(may_set_role(owner, granted, Role::Participant), Ok(()));
        assert_eq!(may_set_role(granted, granted, Role::Participant), Err(Condition::Forbidden));
    }

    #[test]
    fn a_role_that_came_with_the_affiliation_goes_with_it() {
        let admin = standing(Affiliation::Admin, Role::Moderator);
        assert_eq!(role_after(admin, Affiliation::None, false), Role::Participant);
        assert_eq!(role_after(admin, Affiliation::Member, true), Role::Participant);
        assert_eq!(role_after(admin, Affiliation::Owner, true), Role::Moderator);
        let granted = standing(Affiliation::None, Role::Moderator);
        assert_eq!(role_after(granted, Affiliation::Member, false), Role::Moderator);
        assert_eq!(
            role_after(standing(Affiliation::None, Role::Visitor), Affiliation::Member, true),
            Role::Participant
        );
    }
}
