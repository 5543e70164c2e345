//! The room as the tables of XEP-0045 §5 have it, without stanzas.

#![allow(clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Affiliation {
    Outcast,
    None,
    Member,
    Admin,
    Owner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    None,
    Visitor,
    Participant,
    Moderator,
}

pub(crate) const AFFILIATIONS: [Affiliation; 5] =
    [Affiliation::Outcast, Affiliation::None, Affiliation::Member, Affiliation::Admin, Affiliation::Owner];
pub(crate) const ROLES: [Role; 4] = [Role::None, Role::Visitor, Role::Participant, Role::Moderator];

impl Affiliation {
    pub(crate) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    pub(crate) fn named(name: &str) -> Self {
        AFFILIATIONS.into_iter().find(|one| one.name() == name).unwrap_or_else(|| panic!("affiliation {name}"))
    }
}

impl Role {
    pub(crate) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    pub(crate) fn named(name: &str) -> Self {
        ROLES.into_iter().find(|one| one.name() == name).unwrap_or_else(|| panic!("role {name}"))
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Refused(&'static str),
    /// Nothing that could be waited for.
    Silence,
}

pub(crate) struct Occupant {
    pub(crate) person: usize,
    pub(crate) role: Role,
}

/// Who is in the room, and who is what.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) affiliations: BTreeMap<usize, Affiliation>,
    pub(crate) occupants: BTreeMap<String, Occupant>,
    moderated: bool,
    members_only: bool,
}

impl Model {
    fn affiliation(&self, person: usize) -> Affiliation {
        self.affiliations.get(&person).copied().unwrap_or(Affiliation::None)
    }

    /// The occupant that a person is.
    pub(crate) fn of(&self, person: usize) -> Option<&Occupant> {
        self.occupants.values().find(|occupant| occupant.person == person)
    }

    fn role(&self, person: usize) -> Role {
        self.of(person).map_or(Role::None, |occupant| occupant.role)
    }

    /// §5.1.2.
    fn usual(&self, affiliation: Affiliation) -> Role {
        match (affiliation, self.moderated) {
            (Affiliation::Admin | Affiliation::Owner, _) => Role::Moderator,
            (Affiliation::None, true) => Role::Visitor,
            _ => Role::Participant,
        }
    }

    pub(crate) fn picture(&self) -> BTreeMap<String, (Affiliation, Role)> {
        let entry =
            |(nick, occupant): (&String, &Occupant)| (nick.clone(), (self.affiliation(occupant.person), occupant.role));
        self.occupants.iter().map(entry).collect()
    }

    /// To enter, or for somebody who is in to have another nickname.
    pub(crate) fn enter(&mut self, person: usize, nick: &str) -> Outcome {
        let taken = self.occupants.get(nick).is_some_and(|occupant| occupant.person != person);
        let role = match self.of(person) {
            Some(_) if taken => return Outcome::Refused("conflict"),
            Some(occupant) => {
                let same = self.occupants.contains_key(nick);
                if !same && self.moderated && occupant.role < Role::Participant {
                    return Outcome::Refused("not-allowed");
                }
                occupant.role
            }
            None => {
                let affiliation = self.affiliation(person);
                if affiliation == Affiliation::Outcast {
                    return Outcome::Refused("forbidden");
                }
                if self.members_only && affiliation < Affiliation::Member {
                    return Outcome::Refused("registration-required");
                }
                if taken {
                    return Outcome::Refused("conflict");
                }
                self.usual(affiliation)
            }
        };
        self.occupants.retain(|_, occupant| occupant.person != person);
        self.occupants.insert(nick.to_owned(), Occupant { person, role });
        Outcome::Done
    }

    pub(crate) fn say(&self, person: usize) -> Outcome {
        match self.of(person) {
            None if self.affiliation(person) == Affiliation::Outcast => Outcome::Refused("forbidden"),
            None => Outcome::Refused("not-acceptable"),
            Some(occupant) if occupant.role < Role::Participant => Outcome::Refused("forbidden"),
            Some(_) => Outcome::Done,
        }
    }

    pub(crate) fn set_role(&mut self, actor: usize, nick: &str, role: Role) -> Outcome {
        let (target, before) = match self.occupants.get(nick) {
            Some(occupant) => (occupant.person, occupant.role),
            None => return Outcome::Refused("item-not-found"),
        };
        let (by, of) = (self.affiliation(actor), self.affiliation(target));
        let rules = by >= Affiliation::Admin;
        let touches_moderators = role == Role::Moderator || before == Role::Moderator && role != Role::None;
        if !rules && (self.role(actor) != Role::Moderator || touches_moderators) {
            return Outcome::Refused("forbidden");
        }
        let protected = match role {
            Role::None => of > by || before == Role::Moderator && !rules,
            Role::Visitor => of >= Affiliation::Admin || of > Affiliation::None && of >= by && !touches_moderators,
            Role::Participant => of >= Affiliation::Admin && before == Role::Moderator,
            Role::Moderator => false,
        };
        if protected {
            return Outcome::Refused("not-allowed");
        }
        if role == Role::None && target == actor {
            return Outcome::Refused("conflict");
        }
        if role == Role::None {
            self.occupants.remove(nick);
        } else if let Some(occupant) = self.occupants.get_mut(nick) {
            occupant.role = role;
        }
        Outcome::Done
    }

    /// The room's first owner is nobody's target, so one owner is always left.
    pub(crate) fn set_affiliation(&mut self, actor: usize, target: usize, affiliation: Affiliation) -> Outcome {
        let (by, before) = (self.affiliation(actor), self.affiliation(target));
        if actor == target && affiliation == Affiliation::Outcast {
            return Outcome::Refused("conflict");
        }
        let high = before.max(affiliation) >= Affiliation::Admin;
        match by {
            Affiliation::Owner => {}
            Affiliation::Admin if !high => {}
            Affiliation::Admin if affiliation == Affiliation::Outcast => return Outcome::Refused("not-allowed"),
            _ => return Outcome::Refused("forbidden"),
        }
        self.affiliations.insert(target, affiliation);
        let (usual, members_only) = (self.usual(affiliation), self.members_only);
        self.occupants.retain(|_, occupant| {
            if occupant.person != target || affiliation == before {
                return true;
            }
            let lost = before >= Affiliation::Admin && affiliation < Affiliation::Admin;
            if lost || usual > occupant.role {
                occupant.role = usual;
            }
            affiliation != Affiliation::Outcast && !(members_only && affiliation < Affiliation::Member)
        });
        Outcome::Done
    }

    pub(crate) fn configure(&mut self, moderated: bool, members_only: bool) {
        let (opened, closed) = (self.moderated && !moderated, !self.members_only && members_only);
        (self.moderated, self.members_only) = (moderated, members_only);
        let affiliations = self.affiliations.clone();
        self.occupants.retain(|_, occupant| {
            let affiliation = affiliations.get(&occupant.person).copied().unwrap_or(Affiliation::None);
            if closed && affiliation < Affiliation::Member {
                return false;
            }
            if opened && occupant.role == Role::Visitor {
                occupant.role = Role::Participant;
            }
            true
        });
    }
}
