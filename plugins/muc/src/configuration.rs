//! What the owner of a room has set (XEP-0045 §10.2).

use crate::privileges::Role;
use crate::row::{Reader, Writer};

/// Who may send private messages (`muc#roomconfig_allowpm`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AllowPm {
    Anyone,
    Participants,
    Moderators,
    Nobody,
}

impl AllowPm {
    pub(crate) const ALL: [Self; 4] = [Self::Anyone, Self::Participants, Self::Moderators, Self::Nobody];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Participants => "participants",
            Self::Moderators => "moderators",
            Self::Nobody => "none",
        }
    }

    pub(crate) fn allows(self, role: Role) -> bool {
        match self {
            Self::Anyone => true,
            Self::Participants => role >= Role::Participant,
            Self::Moderators => role == Role::Moderator,
            Self::Nobody => false,
        }
    }
}

/// A set of roles, a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Roles(pub(crate) u8);

impl Roles {
    pub(crate) const ALL: Self = Self(0b1110);

    pub(crate) fn has(self, role: Role) -> bool {
        self.0 >> (role as u8) & 1 == 1
    }

    pub(crate) fn with(self, role: Role) -> Self {
        Self(self.0 | 1 << (role as u8))
    }
}

/// The options of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Configuration {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) language: String,
    pub(crate) pubsub: String,
    pub(crate) secret: String,
    pub(crate) public: bool,
    pub(crate) persistent: bool,
    pub(crate) moderated: bool,
    pub(crate) members_only: bool,
    pub(crate) password_protected: bool,
    pub(crate) change_subject: bool,
    pub(crate) allow_invites: bool,
    pub(crate) logging: bool,
    /// Everybody may see real addresses (`muc#roomconfig_whois`).
    pub(crate) non_anonymous: bool,
    pub(crate) allow_pm: AllowPm,
    /// 0 for no limit of its own.
    pub(crate) max_users: u64,
    pub(crate) broadcast: Roles,
    pub(crate) member_list: Roles,
    /// How many messages of history are sent at most (`muc#maxhistoryfetch`).
    pub(crate) history: u64,
}

impl Configuration {
    /// That of a new room.
    pub(crate) fn new(history: u64) -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            language: String::new(),
            pubsub: String::new(),
            secret: String::new(),
            public: true,
            persistent: false,
            moderated: false,
            members_only: false,
            password_protected: false,
            change_subject: false,
            allow_invites: false,
            logging: false,
            non_anonymous: false,
            allow_pm: AllowPm::Anyone,
            max_users: 0,
            broadcast: Roles::ALL,
            member_list: Roles::ALL,
            history,
        }
    }

    fn flags(&self) -> [bool; 9] {
        [
            self.public,
            self.persistent,
            self.moderated,
            self.members_only,
            self.password_protected,
            self.change_subject,
            self.allow_invites,
            self.logging,
            self.non_anonymous,
        ]
    }

    pub(crate) fn write(&self, row: Writer) -> Writer {
        let flags = self.flags().iter().rev().fold(0, |bits, flag| bits << 1 | u64::from(*flag));
        row.text(&self.name)
            .text(&self.description)
            .text(&self.language)
            .text(&self.pubsub)
            .text(&self.secret)
            .number(flags)
            .byte(self.allow_pm as u8)
            .byte(self.broadcast.0)
            .byte(self.member_list.0)
            .number(self.max_users)
            .number(self.history)
    }

    pub(crate) fn read(row: &mut Reader<'_>) -> Self {
        let mut text = || row.text().to_owned();
        let (name, description, language, pubsub, secret) = (text(), text(), text(), text(), text());
        let flags = row.number();
        let flag = |n: u32| flags >> n & 1 == 1;
        Self {
            name,
            description,
            language,
            pubsub,
            secret,
            public: flag(0),
            persistent: flag(1),
            moderated: flag(2),
            members_only: flag(3),
            password_protected: flag(4),
            change_subject: flag(5),
            allow_invites: flag(6),
            logging: flag(7),
            non_anonymous: flag(8),
            allow_pm: AllowPm::ALL.get(usize::from(row.byte())).copied().unwrap_or(AllowPm::Anyone),
            broadcast: Roles(row.byte()),
            member_list: Roles(row.byte()),
            max_users: row.number(),
            history: row.number(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_every_option() {
        let mut configuration = Configuration::new(20);
        configuration.name = "A Dark Cave".into();
        configuration.secret = "cauldron".into();
        configuration.non_anonymous = true;
        configuration.public = false;
        configuration.allow_pm = AllowPm::Moderators;
        configuration.broadcast = Roles(0).with(Role::Moderator);
        configuration.max_users = 30;
        let row = configuration.write(Writer::default()).done();
        assert_eq!(Configuration::read(&mut Reader::new(&row)), configuration);
    }
}
