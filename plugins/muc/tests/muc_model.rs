//! A room does what a much simpler room does, whatever people do in it: after every step each
//! occupant's picture of the room, put together from the presence that came, is that of the model.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod model;

use std::collections::BTreeMap;

use model::{AFFILIATIONS, Affiliation, Model, Outcome, ROLES, Role};
use xylem_testing::{Client, Kit, Server};

const ROOM: &str = "coven@conference.localhost";
const NICKS: [&str; 6] = ["ash", "elm", "fir", "oak", "yew", "o'pine & <larch>"];
const PEOPLE: usize = 5;
const STEPS: usize = 120;

/// Xorshift; the same steps for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }
}

/// Somebody's client, and what it knows of the room.
struct Person {
    client: Client,
    roster: BTreeMap<String, (Affiliation, Role)>,
    heard: Vec<String>,
    /// What came for the last request: a condition, or nothing for success.
    answer: Option<Result<(), String>>,
}

struct Stage {
    server: Server,
    people: Vec<Person>,
    model: Model,
    said: usize,
}

fn account(person: usize) -> String {
    format!("p{person}@localhost")
}

impl Stage {
    fn new() -> Self {
        let server =
            Kit::new().plugin("xylem.muc").plugin("xylem.presence").plugin("xylem.roster").plugin("xylem.blocking");
        let server = server.start();
        for person in 0..PEOPLE {
            server.account(&account(person));
        }
        let mut stage = Self { server, people: Vec::new(), model: Model::default(), said: 0 };
        stage.connect();
        stage.enter(0, "ash");
        stage.people[0].client.send(&format!(
            "<iq type='set' id='a' to='{ROOM}'><query xmlns='http://jabber.org/protocol/muc#owner'>
               <x xmlns='jabber:x:data' type='submit'>
                 <field var='muc#roomconfig_persistentroom'><value>1</value></field></x></query></iq>"
        ));
        stage.model.affiliations.insert(0, Affiliation::Owner);
        stage.model.enter(0, "ash");
        stage.look();
        stage
    }

    fn connect(&mut self) {
        self.people = (0..PEOPLE)
            .map(|person| Person {
                client: self.server.client(&format!("{}/x", account(person))),
                roster: BTreeMap::new(),
                heard: Vec::new(),
                answer: None,
            })
            .collect();
    }

    fn enter(&mut self, person: usize, nick: &str) {
        let nick = nick.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&apos;");
        self.people[person].client.send(&format!(
            "<presence to='{ROOM}/{nick}'><x xmlns='http://jabber.org/protocol/muc'><history maxchars='0'/></x></presence>"
        ));
    }

    fn iq(&mut self, person: usize, ns: &str, inner: &str) {
        self.people[person].client.send(&format!(
            "<iq type='set' id='a' to='{ROOM}'><query xmlns='http://jabber.org/protocol/muc#{ns}'>{inner}</query></iq>"
        ));
    }

    /// Everybody reads what came.
    fn look(&mut self) {
        for person in &mut self.people {
            for stanza in person.client.skip() {
                person.take(&stanza);
            }
        }
    }

    fn restart(&mut self) {
        self.server.restart();
        self.connect();
        self.model.occupants.clear();
        self.enter(0, "ash");
        self.model.enter(0, "ash");
        self.look();
    }

    /// One step; what the model says comes of it.
    fn step(&mut self, dice: &mut Dice) -> String {
        let person = dice.roll(PEOPLE);
        let nick = dice.pick(&NICKS);
        self.people.iter_mut().for_each(|person| person.answer = None);
        let (what, outcome) = match dice.roll(24) {
            0..7 => {
                self.enter(person, nick);
                (format!("{person} enters as {nick}"), self.model.enter(person, nick))
            }
            7..9 if person != 0 => {
                let client = &mut self.people[person].client;
                client.send(&format!("<presence type='unavailable' to='{ROOM}/any'/>"));
                self.model.occupants.retain(|_, occupant| occupant.person != person);
                (format!("{person} leaves"), Outcome::Silence)
            }
            9..13 => self.set_role(person, nick, dice.pick(&ROLES)),
            13..18 => self.set_affiliation(person, 1 + dice.roll(PEOPLE - 1), dice.pick(&AFFILIATIONS)),
            18..20 => {
                let (moderated, members) = (dice.roll(2) == 0, dice.roll(3) == 0);
                let field =
                    |name, on| format!("<field var='muc#roomconfig_{name}'><value>{}</value></field>", u8::from(on));
                let fields = [field("moderatedroom", moderated), field("membersonly", members)].concat();
                self.iq(0, "owner", &format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>"));
                self.model.configure(moderated, members);
                (format!("moderated {moderated}, members only {members}"), Outcome::Silence)
            }
            20 if dice.roll(4) == 0 => {
                self.restart();
                ("the server restarts".to_owned(), Outcome::Silence)
            }
            _ => self.say(person),
        };
        self.look();
        match (&outcome, &self.people[person].answer) {
            (Outcome::Silence, _) => {}
            (Outcome::Done, Some(Err(error))) => panic!("{what}: {error}"),
            (Outcome::Done, _) => {}
            (Outcome::Refused(wanted), Some(Err(error))) => assert_eq!(wanted, error, "{what}"),
            (Outcome::Refused(wanted), answer) => panic!("{what}: {wanted} expected, {answer:?} came"),
        }
        what
    }

    fn set_role(&mut self, person: usize, nick: &str, role: Role) -> (String, Outcome) {
        if self.model.occupants.get(nick).is_none_or(|occupant| occupant.person == 0) {
            return self.say(person);
        }
        let escaped = nick.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&apos;");
        self.iq(person, "admin", &format!("<item nick='{escaped}' role='{}'/>", role.name()));
        (format!("{person} makes {nick} {role:?}"), self.model.set_role(person, nick, role))
    }

    fn set_affiliation(&mut self, person: usize, target: usize, affiliation: Affiliation) -> (String, Outcome) {
        let item = format!("<item jid='{}' affiliation='{}'/>", account(target), affiliation.name());
        self.iq(person, "admin", &item);
        let outcome = self.model.set_affiliation(person, target, affiliation);
        (format!("{person} makes {target} {affiliation:?}"), outcome)
    }

    fn say(&mut self, person: usize) -> (String, Outcome) {
        self.said += 1;
        let text = format!("word {}", self.said);
        self.people[person]
            .client
            .send(&format!("<message type='groupchat' id='a' to='{ROOM}'><body>{text}</body></message>"));
        let outcome = self.model.say(person);
        self.look();
        for (other, listener) in self.people.iter().enumerate() {
            let heard = listener.heard.iter().filter(|heard| **heard == text).count();
            let hears = outcome == Outcome::Done && self.model.of(other).is_some();
            assert_eq!(heard, usize::from(hears), "{other} hears {text} of {person}");
        }
        (format!("{person} says {text}"), outcome)
    }

    fn compare(&self, trail: &[String]) {
        let wanted = self.model.picture();
        for (number, person) in self.people.iter().enumerate() {
            if self.model.of(number).is_some() {
                assert_eq!(person.roster, wanted, "what {number} sees after\n{}", trail.join("\n"));
            }
        }
    }
}

impl Person {
    fn take(&mut self, stanza: &str) {
        let attribute = |text: &str, name: &str| {
            let (_, rest) = text.split_once(&format!(" {name}="))?;
            let quote = rest.chars().next()?;
            let value = rest[1..].split(quote).next()?;
            Some(value.replace("&lt;", "<").replace("&gt;", ">").replace("&apos;", "'").replace("&amp;", "&"))
        };
        let head = &stanza[..stanza.find('>').unwrap_or(stanza.len())];
        let kind = attribute(head, "type").unwrap_or_default();
        if kind == "error" {
            let conditions = stanza.split('<').filter(|part| part.contains("urn:ietf:params:xml:ns:xmpp-stanzas"));
            let condition = conditions.map(|part| part.split([' ', '/', '>']).next().unwrap_or_default()).next();
            self.answer = Some(Err(condition.unwrap_or_default().to_owned()));
        } else if head.starts_with("<iq") {
            self.answer = Some(Ok(()));
        } else if let Some((_, body)) = stanza.split_once("<body>") {
            self.heard.push(body.split('<').next().unwrap_or_default().to_owned());
        } else if head.starts_with("<presence") {
            let from = attribute(head, "from").unwrap_or_default();
            let nick = from.split_once('/').map(|(_, nick)| nick.to_owned()).unwrap_or_default();
            let item = &stanza[stanza.find("<item").unwrap_or(0)..];
            let affiliation = Affiliation::named(&attribute(item, "affiliation").unwrap_or_default());
            let role = Role::named(&attribute(item, "role").unwrap_or_default());
            let own = stanza.contains("'110'") || stanza.contains("\"110\"");
            let renamed = stanza.contains("'303'") || stanza.contains("\"303\"");
            match kind.as_str() {
                "" => drop(self.roster.insert(nick, (affiliation, role))),
                _ if own && !renamed => self.roster.clear(),
                _ => drop(self.roster.remove(&nick)),
            }
        }
    }
}

#[test]
fn a_room_is_what_the_model_is() {
    for seed in [0x5EED_0001_u64, 0x1234_5678_9ABC, 0xC0FF_EE00_77AA] {
        let (mut dice, mut stage, mut trail) = (Dice(seed), Stage::new(), Vec::new());
        stage.compare(&trail);
        for _ in 0..STEPS {
            trail.push(stage.step(&mut dice));
            stage.compare(&trail);
        }
        stage.server.no_faults();
    }
}
