//! Keys for further SCRAM mechanisms, computed by a client that has just proved that it knows
//! the password (XEP-0480). The client sees no success before all it asked for is done.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use xylem_sasl::{DecoyKey, Failure, Hash, Mechanism, SaslCondition, Secrets, StoredKeys};
use xylem_stanza::{StreamCondition, ns};
use xylem_xml::{El, Element, Node};

use crate::action::Action;
use crate::auth::{self, Authenticated};
use crate::closing;
use crate::config::HostConfig;
use crate::conversation::{Conversation, write};
use crate::entering::Entering;
use crate::error::StreamError;
use crate::features::Features;
use crate::profile::{Profile, failure, text};
use crate::stream::State;
use crate::wishes::Wishes;

/// The hashes that a host upgrades to, strongest first: whatever it lets clients log in with, but
/// for SHA-1, which nobody is better off with.
pub(crate) fn offered(host: &HostConfig) -> impl Iterator<Item = Hash> + '_ {
    let enabled = |hash: &Hash| host.mechanisms.contains(&Mechanism::Scram { hash: *hash, plus: false });
    [Hash::Sha512, Hash::Sha256].into_iter().filter(enabled)
}

/// The name of a task (XEP-0480 §2.1).
pub(crate) fn task(hash: Hash) -> String {
    format!("UPGR-{}", Mechanism::Scram { hash, plus: false }.name())
}

/// A client is computing.
pub(crate) struct Upgrade {
    client: Authenticated,
    features: Features,
    wishes: Wishes,
    /// What the account has.
    secrets: Secrets,
    /// What is still to be done, and first what is under way.
    hashes: Vec<Hash>,
    step: Step,
}

enum Step {
    /// The client was told of the task.
    Told,
    /// It got these to compute with.
    Given { iterations: u32, salt: Vec<u8> },
    /// The outcome is being written down.
    Keeping(Secrets),
}

/// Goes through the upgrades that the client wants and the account can do with; at once
/// to what follows the login if there are none.
pub(crate) fn begin(
    client: Authenticated,
    features: Features,
    wishes: Wishes,
    secrets: Option<Secrets>,
    additional: Option<Vec<u8>>,
    conversation: &mut Conversation,
    out: &mut Vec<Action>,
) -> State {
    let host = conversation.host();
    let wanted = |hash: &Hash| wishes.upgrades.contains(&task(*hash));
    let hashes = |secrets: &Secrets| {
        let due = offered(&host).filter(wanted).filter(|hash| is_due(*hash, secrets, &host.decoy));
        due.collect::<Vec<_>>()
    };
    match secrets.map(|secrets| (hashes(&secrets), secrets)) {
        Some((hashes, secrets)) if !hashes.is_empty() => {
            let upgrade = Upgrade { client, features, wishes, secrets, hashes, step: Step::Told };
            upgrade.tell(additional, out);
            State::Upgrade(Box::new(upgrade))
        }
        _ => Entering::new(client, wishes).answer(additional).begin(conversation, out),
    }
}

/// Whether the account lacks keys of this hash, or has them with fewer rounds than new ones get.
/// Its weakest keys stay as they are: by them it is known that the password is the same, so that
/// tokens of devices go on.
fn is_due(hash: Hash, secrets: &Secrets, rounds: &DecoyKey) -> bool {
    let weakest = secrets.iter().next().map(|(hash, _)| hash);
    let enough = secrets.get(hash).is_some_and(|keys| keys.iterations >= rounds.iterations());
    weakest.is_some_and(|weakest| hash > weakest) && !enough
}

impl Upgrade {
    pub(crate) const fn wants_frames(&self) -> bool {
        !matches!(self.step, Step::Keeping(_))
    }

    /// XEP-0480 §2.2.
    fn tell(&self, additional: Option<Vec<u8>>, out: &mut Vec<Action>) {
        let additional = additional.map(|data| El::new("additional-data", "").text(&text(&data)));
        let tasks = self.hashes.first().map(|hash| El::new("task", "").text(&task(*hash)));
        let tasks = El::new("tasks", "").children(tasks);
        write(out, El::new("continue", ns::SASL2).child_opt(additional).child(tasks).build());
    }

    pub(crate) fn element(
        mut self: Box<Self>,
        element: &Element,
        conversation: &mut Conversation,
        out: &mut Vec<Action>,
    ) -> State {
        let root = element.root();
        let Some(hash) = self.hashes.first().copied().filter(|_| root.ns() == ns::SASL2) else {
            let error = StreamError::with_text(StreamCondition::PolicyViolation, "not part of the login");
            return closing::fail(error, conversation, out);
        };
        match (root.name(), &self.step) {
            ("next", Step::Told) if root.attr("task").is_some_and(|name| name == task(hash)) => {
                self.give(conversation, out);
                State::Upgrade(self)
            }
            ("task-data", Step::Given { iterations, salt }) => {
                let keys =
                    salted(root).and_then(|hashed| StoredKeys::from_salted(hash, &hashed, *iterations, salt.clone()));
                match keys {
                    Some(keys) => self.keep(hash, keys, out),
                    None => self.fail(MALFORMED, conversation, out),
                }
            }
            ("abort", _) => self.fail(failure(SaslCondition::Aborted, "the client gave up"), conversation, out),
            _ => self.fail(MALFORMED, conversation, out),
        }
    }

    /// XEP-0480 §3: salt and rounds.
    fn give(&mut self, conversation: &Conversation, out: &mut Vec<Action>) {
        let iterations = conversation.host().decoy.iterations();
        let salt = conversation.env.token().into_bytes();
        let element = El::new("salt", ns::SCRAM_UPGRADE)
            .attr("iterations", &iterations.to_string())
            .text(&STANDARD.encode(&salt));
        write(out, El::new("task-data", ns::SASL2).child(element).build());
        self.step = Step::Given { iterations, salt };
    }

    fn keep(mut self: Box<Self>, hash: Hash, keys: StoredKeys, out: &mut Vec<Action>) -> State {
        let account = self.client.account().clone();
        let now = self.secrets.clone().with(hash, keys);
        out.push(Action::Upgrade { account, was: self.secrets.clone(), now: now.clone() });
        self.step = Step::Keeping(now);
        State::Upgrade(self)
    }

    /// The keys are on disk, or `kept` is false because the account has changed meanwhile or
    /// cannot be written; the login is as good as before, but nothing more is upgraded.
    pub(crate) fn kept(
        mut self: Box<Self>,
        kept: bool,
        conversation: &mut Conversation,
        out: &mut Vec<Action>,
    ) -> State {
        let Step::Keeping(secrets) = std::mem::replace(&mut self.step, Step::Told) else {
            return State::Upgrade(self);
        };
        self.secrets = secrets;
        self.hashes.remove(0);
        if !kept || self.hashes.is_empty() {
            return Entering::new(self.client, self.wishes).begin(conversation, out);
        }
        self.tell(None, out);
        State::Upgrade(self)
    }

    fn fail(self: Box<Self>, failure: Failure, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        let account = Some(self.client.account().clone());
        auth::failed(Profile::Sasl2, self.features, account, failure, conversation, out)
    }
}

const MALFORMED: Failure = failure(SaslCondition::MalformedRequest, "not what the task asks for");

/// The client's `SaltedPassword`.
fn salted(data: Node<'_>) -> Option<Vec<u8>> {
    let hash = data.child(ns::SCRAM_UPGRADE, "hash")?.text();
    STANDARD.decode(hash.trim()).ok()
}
