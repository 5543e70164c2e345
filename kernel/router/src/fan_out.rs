//! One stanza, or a few, to many addresses.
//!
//! Most of them are resources that are connected, whose accounts ask no plugin about
//! it: for those everything that does not depend on the recipient is done once, and a
//! copy costs a look at the session table, an opening tag and a place in a queue.
//! Everybody else goes the way of any stanza. What an account's own filters say is
//! asked for each of them, either way.

use std::sync::Arc;

use smallvec::SmallVec;
use xylem_hooks::{Cause, HookPoint, Party, Plan, Recipient, Recipients, Walk};
use xylem_session::{Session, bell};
use xylem_stanza::{FanOut, Jid, Kind, Stanza, Type};

use crate::bare::{Filters, Needed};
use crate::destination::Destination;
use crate::notes::may_be_kept;
use crate::router::{Origin, Parts, Work, poll_once};
use crate::tap::Way;

/// Recipients worked off before others get their turn, and before bells are rung.
const CHUNK: usize = 256;
/// Domains whose recipients go the short way; those of others go the long one.
const DOMAINS: usize = 4;

impl Parts {
    /// Ends when all copies are where they belong, so that who waits for it keeps the
    /// order of two of them. Each recipient gets the stanzas in their order, with one wake-up.
    pub(crate) async fn to_addresses(self: &Arc<Self>, mut stanzas: Vec<(Stanza, Origin)>, to: &Recipients) {
        stanzas.retain(|(stanza, origin)| {
            let circles = origin.hops > Cause::MAX_HOPS;
            if circles {
                tracing::warn!(from = ?stanza.from(), "plugins send this on in a circle; it ends here");
            }
            !circles
        });
        let plans: SmallVec<[_; 1]> = stanzas.iter().map(|(stanza, _)| self.plans_of(stanza, to)).collect();
        let mut fans: SmallVec<[Fan<'_>; 1]> = SmallVec::new();
        for ((stanza, origin), plans) in stanzas.iter().zip(&plans) {
            fans.push(Fan::new(self, stanza, plans, origin));
        }
        let mut left = to.iter();
        loop {
            let mut waiting = Vec::new();
            let done = bell::hold(|| chunk(&mut fans, &mut left, &mut waiting));
            // All of them are under way; the slowest decides.
            for work in waiting {
                work.await;
            }
            if done < CHUNK {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// The plans of the hosted domains among the recipients, where the short way can be taken.
    fn plans_of(&self, stanza: &Stanza, to: &Recipients) -> SmallVec<[(Arc<Plan>, Jid); 1]> {
        let mut plans: SmallVec<[(Arc<Plan>, Jid); 1]> = SmallVec::new();
        let (mut last, short) = ("", is_plain(stanza));
        for jid in to.iter().map(Recipient::jid).filter(|jid| short && jid.is_full()) {
            if jid.domain() == last || plans.iter().any(|(_, known)| known.domain() == jid.domain()) {
                continue;
            }
            last = jid.domain();
            if let Destination::Resource(plan, _) = Destination::of(jid, &*self.directory) {
                plans.push((plan, jid.clone()));
            }
            if plans.len() == DOMAINS {
                break;
            }
        }
        plans
    }
}

/// Whether a session that is addressed gets it without further ado (RFC 6121 §8.5.3.1).
pub(crate) fn is_plain(stanza: &Stanza) -> bool {
    match stanza.kind() {
        Kind::Message => true,
        Kind::Presence => matches!(stanza.type_(), Type::Available | Type::Unavailable | Type::Error),
        Kind::Iq => false,
    }
}

/// Works off some recipients; says how many. What has to wait is added to `waiting`.
fn chunk<'j>(fans: &mut [Fan<'_>], left: &mut impl Iterator<Item = &'j Recipient>, waiting: &mut Vec<Work>) -> usize {
    let mut done = 0;
    for to in left.take(CHUNK) {
        done += 1;
        waiting.extend(fans.iter_mut().fold(None, |before, fan| fan.send(to, before)));
    }
    for fan in fans {
        fan.parts.counters.went_to(fan.stanza.kind(), std::mem::take(&mut fan.pushed));
    }
    done
}

struct Fan<'a> {
    parts: &'a Arc<Parts>,
    stanza: &'a Stanza,
    origin: &'a Origin,
    copies: FanOut,
    domains: SmallVec<[Domain<'a>; 1]>,
    /// Copies that went the short way and are not counted yet.
    pushed: u64,
}

struct Domain<'a> {
    plan: &'a Plan,
    name: &'a str,
    /// As far as it is the same for all recipients there.
    walk: Walk<'a>,
    /// What a recipient must not have so that nobody is called.
    needed: Option<Needed>,
    filters: Filters,
}

impl<'a> Fan<'a> {
    fn new(parts: &'a Arc<Parts>, stanza: &'a Stanza, plans: &'a [(Arc<Plan>, Jid)], origin: &'a Origin) -> Self {
        let point = if stanza.kind() == Kind::Presence { HookPoint::PresenceIn } else { HookPoint::MessageIn };
        let domain = |(plan, one): &'a (Arc<Plan>, Jid)| {
            let mut walk = plan.point(point).walk(&stanza.with_to(one));
            walk.narrow();
            let filters = Filters::of(parts, plan);
            Domain { plan, name: one.domain(), needed: filters.needed(&walk), walk, filters }
        };
        Self { parts, stanza, origin, copies: stanza.fan_out(), domains: plans.iter().map(domain).collect(), pushed: 0 }
    }

    /// One copy, behind what this recipient still waits for; the work that is left then.
    fn send(&mut self, to: &Recipient, before: Option<Work>) -> Option<Work> {
        let Some(before) = before else {
            if self.push(to) {
                self.pushed += 1;
                return None;
            }
            return poll_once(self.route(to));
        };
        let then = self.route(to);
        Some(Box::pin(async move {
            before.await;
            then.await;
        }))
    }

    fn route(&self, to: &Recipient) -> Work {
        self.parts.route(self.stanza.with_to(to.jid()), self.origin.clone())
    }

    /// The short way; false if this recipient has to go the long one.
    fn push(&self, to: &Recipient) -> bool {
        let Some(domain) = self.domains.iter().find(|domain| domain.name == to.jid().domain()) else { return false };
        let Some(session) = self.session(to) else { return false };
        let party = Party { key: to.jid().bare_str(), domain: domain.plan.domain(), peer: self.stanza.from() };
        let pushed = self.parts.passes(&domain.walk, domain.needed, &domain.filters, &session, &party)
            && !session.queue().is_inactive()
            && !(session.is_hibernated() && may_be_kept(self.stanza))
            && session.queue().push(self.copies.to(to.jid())).is_ok();
        if pushed {
            self.parts.tap.pass(Way::ToClient, &session, self.stanza);
        }
        pushed
    }

    /// Looked for once in the life of a recipient. One that has ended refuses what comes, and whether
    /// somebody else has its address now is found out on the long way.
    fn session(&self, to: &Recipient) -> Option<Arc<Session>> {
        to.found().or_else(|| {
            let session = self.parts.sessions.find_resource(to.jid().bare_str(), to.jid().resource()?)?;
            to.remember(&session);
            Some(session)
        })
    }
}
