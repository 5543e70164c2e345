//! What a client asks for, and what its account then holds.

use std::collections::{BTreeMap, BTreeSet};

/// Contacts and blocked addresses are nobody's accounts.
const ELSEWHERE: &str = "elsewhere.example";
/// Whom subscriptions are asked of.
pub(crate) const HUB: &str = "hub";
/// Private fragments of an account.
pub(crate) const SLOTS: u64 = 4;

/// Random numbers that a seed repeats (xorshift).
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            dice.below(2);
        }
        dice
    }

    /// 0 up to but not `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % end.max(1)
    }

    /// Mostly small, now and then up to `most` bytes.
    fn size(&mut self, most: u64) -> u64 {
        match self.below(10) {
            0 => self.below(most),
            1 | 2 => self.below(most / 8),
            _ => self.below(1000),
        }
    }
}

/// One request. The number that stands in what it writes is unique to its account.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Contact {
        jid: String,
        groups: BTreeSet<String>,
    },
    Forget {
        jid: String,
    },
    Private {
        slot: u64,
        size: u64,
    },
    Card {
        size: u64,
    },
    Block(BTreeSet<String>),
    /// All of them, if none is named.
    Unblock(BTreeSet<String>),
    /// To the recipient of this place.
    Say {
        to: usize,
        size: u64,
    },
    Ask,
    Withdraw,
    Ping,
}

impl Op {
    /// Something that fits what the account will hold by then.
    pub(crate) fn choose(dice: &mut Dice, account: &Account, recipients: &[usize]) -> Self {
        let some = |dice: &mut Dice, count: u64| {
            (0..count).map(|_| format!("b{}@{ELSEWHERE}", dice.below(9))).collect::<BTreeSet<_>>()
        };
        match dice.below(20) {
            0..=4 => Self::Contact {
                jid: format!("c{}@{ELSEWHERE}", dice.below(12)),
                groups: (0..dice.below(4)).map(|_| format!("g{}", dice.below(6))).collect(),
            },
            5 => {
                let own: Vec<&String> = account.contacts.keys().filter(|jid| jid.ends_with(ELSEWHERE)).collect();
                let picked = usize::try_from(dice.below(own.len() as u64)).ok().and_then(|at| own.get(at));
                picked.map_or(Self::Ping, |jid| Self::Forget { jid: (*jid).clone() })
            }
            6..=8 => Self::Private { slot: dice.below(SLOTS), size: dice.size(120_000) },
            9 => Self::Card { size: dice.size(200_000) },
            10 => {
                let count = 1 + dice.below(3);
                Self::Block(some(dice, count))
            }
            11 => {
                let count = dice.below(4);
                Self::Unblock(some(dice, count))
            }
            12..=16 => {
                let picked =
                    usize::try_from(dice.below(recipients.len() as u64)).ok().and_then(|at| recipients.get(at));
                picked.map_or(Self::Ping, |to| Self::Say { to: *to, size: dice.size(4_000) })
            }
            17 | 18 if account.asks() => Self::Withdraw,
            17 | 18 => Self::Ask,
            _ => Self::Ping,
        }
    }

    /// Whether it gets an answer.
    pub(crate) fn is_answered(&self) -> bool {
        !matches!(self, Self::Say { .. } | Self::Ask | Self::Withdraw)
    }

    /// As it goes over the wire; `recipient` gives the name of one.
    pub(crate) fn xml(&self, number: u64, domain: &str, recipient: impl Fn(usize) -> String) -> String {
        let set = |payload: String| format!("<iq type='set' id='o{number}'>{payload}</iq>");
        let roster = |item: String| set(format!("<query xmlns='jabber:iq:roster'>{item}</query>"));
        let blocking = |name: &str, jids: &BTreeSet<String>| {
            let items: String = jids.iter().map(|jid| format!("<item jid='{jid}'/>")).collect();
            set(format!("<{name} xmlns='urn:xmpp:blocking'>{items}</{name}>"))
        };
        match self {
            Self::Contact { jid, groups } => {
                let groups: String = groups.iter().map(|group| format!("<group>{group}</group>")).collect();
                roster(format!("<item jid='{jid}' name='v{number}'>{groups}</item>"))
            }
            Self::Forget { jid } => roster(format!("<item jid='{jid}' subscription='remove'/>")),
            Self::Private { slot, size } => set(format!(
                "<query xmlns='jabber:iq:private'><keep xmlns='urn:example:slot:{slot}'>{}</keep></query>",
                text(number, *size)
            )),
            Self::Card { size } => {
                set(format!("<vCard xmlns='vcard-temp'><DESC>{}</DESC></vCard>", text(number, *size)))
            }
            Self::Block(jids) => blocking("block", jids),
            Self::Unblock(jids) => blocking("unblock", jids),
            Self::Say { to, size } => format!(
                "<message type='chat' to='{}@{domain}' id='o{number}'><body>{}</body></message>",
                recipient(*to),
                text(number, *size)
            ),
            Self::Ask => format!("<presence type='subscribe' to='{HUB}@{domain}'/>"),
            Self::Withdraw => format!("<presence type='unsubscribe' to='{HUB}@{domain}'/>"),
            Self::Ping => format!("<iq type='get' id='o{number}'><ping xmlns='urn:xmpp:ping'/></iq>"),
        }
    }
}

/// A roster item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) name: String,
    pub(crate) groups: BTreeSet<String>,
    pub(crate) ask: bool,
}

/// What an account holds. Texts are remembered by the number that begins them and their length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) version: u64,
    pub(crate) contacts: BTreeMap<String, Contact>,
    pub(crate) private: BTreeMap<u64, (u64, u64)>,
    pub(crate) card: Option<(u64, u64)>,
    pub(crate) blocked: BTreeSet<String>,
}

impl Account {
    /// Whether it waits for the hub's answer.
    pub(crate) fn asks(&self) -> bool {
        self.contacts.values().any(|contact| contact.ask)
    }

    pub(crate) fn apply(&mut self, number: u64, op: &Op, domain: &str) {
        match op {
            Op::Contact { jid, groups } => {
                let contact = Contact { name: format!("v{number}"), groups: groups.clone(), ask: false };
                self.contacts.insert(jid.clone(), contact);
                self.version += 1;
            }
            Op::Forget { jid } => self.version += u64::from(self.contacts.remove(jid).is_some()),
            Op::Private { slot, size } => drop(self.private.insert(*slot, (number, *size))),
            Op::Card { size } => self.card = Some((number, *size)),
            Op::Block(jids) => self.blocked.extend(jids.iter().cloned()),
            Op::Unblock(jids) => self.blocked.retain(|jid| !jids.is_empty() && !jids.contains(jid)),
            Op::Ask | Op::Withdraw => {
                let contact = self.contacts.entry(format!("{HUB}@{domain}")).or_default();
                let ask = matches!(op, Op::Ask);
                self.version += u64::from(contact.ask != ask);
                contact.ask = ask;
            }
            Op::Say { .. } | Op::Ping => {}
        }
    }
}

/// `v7:` and letters after it, `size` of them.
pub(crate) fn text(number: u64, size: u64) -> String {
    let mut dice = Dice::new(number);
    let letters = (0..size).map(|_| char::from(b'a' + u8::try_from(dice.below(26)).unwrap_or(0)));
    format!("v{number}:").chars().chain(letters).collect()
}

/// The number and size of a text; nothing if it is not what [`text`] made.
pub(crate) fn read_text(found: &str) -> Option<(u64, u64)> {
    let (number, letters) = found.strip_prefix('v')?.split_once(':')?;
    let number = number.parse().ok()?;
    let size = letters.len() as u64;
    (text(number, size) == found).then_some((number, size))
}
