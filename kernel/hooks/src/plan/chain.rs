//! The hooks of one point in calling order, and the walk of a stanza along them.
//!
//! A stanza is examined once: its type and the form of its `to` pick the steps that
//! could want it, one pass over its children sets the element bits of all of them.
//! Table lookups come last, and only for steps that they can still decide.

use std::fmt;
use std::sync::Arc;

use hashbrown::HashMap;
use smallvec::SmallVec;
use xylem_stanza::Stanza;

use super::lookups::{Lookup, LookupOf, is_set};
use super::order::{self, Node};
use super::views::{Party, Views};
use super::{ManifestEntry, PlanError};
use crate::call::PluginIndex;
use crate::filter::{AddressForm, AddressForms, Types};
use crate::manifest::{ElementName, KeyKind, Native, OnFault, Test, When};
use crate::point::{HookPoint, Phase};

/// One hook in a chain.
#[derive(Debug, Clone)]
pub struct Step {
    pub plugin: PluginIndex,
    pub plugin_id: Arc<str>,
    pub entry: u32,
    pub phase: Phase,
    pub on_fault: OnFault,
    pub key: KeyKind,
    pub types: Types,
    pub to: AddressForms,
    pub when: When,
    /// What the server does instead of a call.
    pub native: Option<Native>,
    /// For stanzas to a domain that the plugin claims, and for no others.
    pub claimed: bool,
    when_text: String,
    handler: String,
    /// Which of the walk's bit sets is this plugin's.
    slot: usize,
    /// What of the plugin's matches depends on the account.
    lookups: Arc<[Lookup]>,
    lookup_bits: u64,
    /// Those of them that are no rows of the account.
    beside_rows: u64,
    /// Whether it depends on a session that waits.
    pub waits: bool,
}

/// The hooks of a point.
#[derive(Debug, Default)]
pub struct Chain {
    steps: Vec<Step>,
    by_type: [u128; 16],
    by_form: [u128; 4],
    claimed: u128,
    elements: HashMap<Box<str>, Vec<ElementTest>>,
    /// Per slot, the bits that no stanza changes.
    constants: Vec<u64>,
    slots: usize,
}

#[derive(Debug)]
struct ElementTest {
    name: Option<Box<str>>,
    slot: usize,
    bit: u8,
}

impl Chain {
    /// Most hooks at one point.
    pub const MOST: usize = 128;

    pub(super) fn compile(point: HookPoint, entries: &[ManifestEntry]) -> Result<Self, PlanError> {
        let mut chain = Self::default();
        let mut steps = Vec::new();
        for entry in entries {
            let hooks: Vec<_> = (0..).zip(&entry.manifest.hooks).filter(|(_, hook)| hook.on == point).collect();
            if hooks.is_empty() {
                continue;
            }
            let lookups = chain.add_matches(entry);
            let lookup_bits = bits_of(&lookups, |_| true);
            for (n, hook) in hooks {
                let node = Node {
                    id: entry.manifest.id(),
                    before: hook.before.iter().map(|id| id.as_str()).collect(),
                    after: hook.after.iter().map(|id| id.as_str()).collect(),
                };
                let step = Step {
                    plugin: entry.plugin,
                    plugin_id: entry.manifest.id().into(),
                    entry: n,
                    phase: hook.phase,
                    on_fault: entry.manifest.on_fault(hook.phase),
                    key: entry.manifest.key(),
                    types: hook.types,
                    to: hook.to,
                    when: hook.when.clone(),
                    native: hook.native.clone(),
                    claimed: hook.claimed,
                    when_text: hook.when_text.clone(),
                    handler: hook.handler.clone(),
                    slot: chain.slots,
                    lookups: Arc::clone(&lookups),
                    lookup_bits,
                    beside_rows: bits_of(&lookups, |lookup| lookup.table(entry.manifest.key()).is_none()),
                    waits: hook.when.mentions() & bits_of(&lookups, |lookup| matches!(lookup.of, LookupOf::Waits)) != 0,
                };
                steps.push((node, step));
            }
            chain.slots += 1;
        }
        if steps.len() > Self::MOST {
            return Err(PlanError::TooMany { point: point.name(), count: steps.len() });
        }
        chain.steps = sorted(point, steps)?;
        chain.index();
        Ok(chain)
    }

    /// Adds the element tests of a plugin; gives back its table lookups.
    fn add_matches(&mut self, entry: &ManifestEntry) -> Arc<[Lookup]> {
        let mut lookups = Vec::new();
        let mut constant = 0;
        let mut lookup = |bit, of| lookups.push(Lookup { bit, of });
        for (bit, found) in (0..).zip(&entry.manifest.matches) {
            match &found.test {
                Test::Child { ns, name } => {
                    let name = name.as_deref().map(Box::from);
                    self.elements.entry_ref(ns.as_str()).or_default().push(ElementTest { name, slot: self.slots, bit });
                }
                Test::Peer { table, scope } => lookup(bit, LookupOf::Peer(Arc::clone(table), *scope)),
                Test::Any { table, scope } => lookup(bit, LookupOf::Any(Arc::clone(table), *scope)),
                Test::Tagged { tag } => lookup(bit, LookupOf::Tagged(Arc::clone(tag))),
                Test::Waits => lookup(bit, LookupOf::Waits),
                Test::Own => lookup(bit, LookupOf::Own),
                Test::Config { option, value } => {
                    constant |= u64::from(is_set(&entry.config, option, value)) << bit;
                }
            }
        }
        self.constants.push(constant);
        lookups.into()
    }

    fn index(&mut self) {
        for (n, step) in self.steps.iter().enumerate() {
            for (at, mask) in self.by_type.iter_mut().enumerate() {
                if step.types.bit(at) {
                    *mask |= 1 << n;
                }
            }
            for (at, mask) in self.by_form.iter_mut().enumerate() {
                if step.to.bit(at) {
                    *mask |= 1 << n;
                }
            }
            if step.claimed {
                self.claimed |= 1 << n;
            }
        }
    }

    /// The stores whose rows of an account its filters look at.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Arc<str>> {
        self.steps.iter().flat_map(|step| step.lookups.iter().filter_map(|lookup| lookup.table(step.key)))
    }

    /// Whether nobody is called here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether the stanza carries the stamp of an archive of this key, so is a row of it.
    #[must_use]
    pub fn has_recorded(&self, stanza: &Stanza, key: &str) -> bool {
        let stamps = self.steps.iter().filter_map(|step| match &step.native {
            Some(Native::Record(record)) => record.stamp.as_ref(),
            _ => None,
        });
        let stamped = |stamp: &Arc<ElementName>| {
            let mut children = stanza.root().children().filter(|child| child.is(&stamp.ns, &stamp.name));
            children.any(|child| child.attr("by").is_some_and(|by| *by == *key))
        };
        stamps.into_iter().any(stamped)
    }

    /// The hooks in calling order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Starts a walk; a stanza that no hook can want costs two table reads.
    #[must_use]
    pub fn walk(&self, stanza: &Stanza) -> Walk<'_> {
        self.walk_along(stanza, self.candidates(stanza) & !self.claimed)
    }

    /// Starts a walk of a stanza to a domain that the plugin claims: no other plugin is called.
    #[must_use]
    pub fn walk_claimed(&self, stanza: &Stanza, owner: PluginIndex) -> Walk<'_> {
        let mut left = self.candidates(stanza) & self.claimed;
        for (n, step) in self.steps.iter().enumerate() {
            if step.plugin != owner {
                left &= !(1 << n);
            }
        }
        self.walk_along(stanza, left)
    }

    fn walk_along(&self, stanza: &Stanza, left: u128) -> Walk<'_> {
        let mut walk = Walk { chain: self, left, bits: SmallVec::new(), known: SmallVec::new() };
        if walk.left != 0 {
            walk.examine(stanza);
        }
        walk
    }

    /// Starts a walk of a message that a session was sent before it began to wait, along the hooks that ask
    /// whether one does.
    #[must_use]
    pub fn walk_anew(&self, stanza: &Stanza) -> Walk<'_> {
        let mut left = self.candidates(stanza) & !self.claimed;
        for (n, step) in self.steps.iter().enumerate() {
            if !step.waits || step.phase != Phase::Observe {
                left &= !(1 << n);
            }
        }
        self.walk_along(stanza, left)
    }

    /// The tests that a child of this name meets.
    fn tests_of(&self, child: &ElementName) -> impl Iterator<Item = &ElementTest> {
        let tests = self.elements.get(child.ns.as_str()).map_or(&[][..], Vec::as_slice);
        tests.iter().filter(|test| test.name.as_deref().is_none_or(|name| name == child.name))
    }

    fn candidates(&self, stanza: &Stanza) -> u128 {
        if self.steps.is_empty() {
            return 0;
        }
        let form = AddressForm::of(stanza.to());
        let of_type = self.by_type.get(stanza.type_() as usize).copied().unwrap_or(0);
        of_type & self.by_form.get(form as usize).copied().unwrap_or(0)
    }
}

/// A stanza on its way along a chain. A clone goes its own way from here.
#[derive(Debug, Clone)]
pub struct Walk<'a> {
    chain: &'a Chain,
    /// Steps still to come that type and address allow.
    left: u128,
    /// Per plugin of the chain.
    bits: SmallVec<[u64; 8]>,
    /// Which of their bits are lookups that were made.
    known: SmallVec<[u64; 8]>,
}

/// What a walk comes to next.
#[derive(Debug)]
pub enum Next<'a> {
    /// No more hooks up to that phase.
    Done,
    /// Call this hook.
    Call { step: &'a Step, bits: u64 },
    /// Rows are missing: load this partition and go on.
    Load { table: &'a Arc<str>, partition: String },
}

impl<'a> Walk<'a> {
    /// Whether no hook is left that type, address and element names allow. Where this is
    /// false, rows may still say that none is to be called.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left == 0
    }

    /// The next hook up to and including phase `last`.
    pub fn next(&mut self, last: Phase, party: &Party<'_>, views: &dyn Views) -> Next<'a> {
        while self.left != 0 {
            let n = self.left.trailing_zeros();
            let Some(step) = self.chain.steps.get(n as usize) else { return Next::Done };
            if step.phase > last {
                return Next::Done;
            }
            match self.asks(step, party, views) {
                Asks::Rows(table, partition) => return Next::Load { table, partition },
                Asks::Yes(bits) => {
                    self.left &= !(1 << n);
                    return Next::Call { step, bits };
                }
                Asks::No => self.left &= !(1 << n),
            }
        }
        Next::Done
    }

    /// Whether nobody is called for an account that has no rows in any of [`super::Plan::tables`].
    #[must_use]
    pub fn is_over_without_rows(&self) -> bool {
        let mut open = self.left;
        while open != 0 {
            let n = open.trailing_zeros();
            open &= !(1 << n);
            let Some(step) = self.chain.steps.get(n as usize) else { return false };
            let bits = self.bits.get(step.slot).copied().unwrap_or(u64::MAX);
            if step.when.decide(bits & !step.lookup_bits, !step.beside_rows) != Some(false) {
                return false;
            }
        }
        true
    }

    /// Whether a hook of this phase is left that wants the stanza, or may want it: rows are not asked.
    #[must_use]
    pub fn may_reach(&self, phase: Phase) -> bool {
        let mut steps = (0..).zip(&self.chain.steps).filter(|(n, _)| self.left >> n & 1 == 1);
        steps.any(|(_, step)| {
            let bits = self.bits.get(step.slot).copied().unwrap_or(u64::MAX);
            step.phase == phase && step.when.decide(bits, !step.lookup_bits) != Some(false)
        })
    }

    /// The stores whose rows of the account decide about the hooks that are left.
    pub fn tables(&self) -> impl Iterator<Item = &'a Arc<str>> {
        let left = self.left;
        let steps = (0..).zip(&self.chain.steps).filter(move |(n, _)| left >> n & 1 == 1);
        steps.flat_map(|(_, step)| step.lookups.iter().filter_map(|lookup| lookup.table(step.key)))
    }

    /// Leaves out the hooks that no row can bring in any more, for a walk that is to be
    /// cloned for many parties.
    pub fn narrow(&mut self) {
        let mut open = self.left;
        while open != 0 {
            let n = open.trailing_zeros();
            open &= !(1 << n);
            let step = self.chain.steps.get(n as usize);
            let bits = step.and_then(|step| self.bits.get(step.slot)).copied().unwrap_or(0);
            if step.is_none_or(|step| step.when.decide(bits, !step.lookup_bits) == Some(false)) {
                self.left &= !(1 << n);
            }
        }
    }

    /// After an edit: the hooks still to come judge the stanza as it is now.
    pub fn reexamine(&mut self, stanza: &Stanza) {
        self.left &= self.chain.candidates(stanza);
        self.examine(stanza);
    }

    /// A child of this name was added: the hooks still to come see it.
    pub fn added(&mut self, child: &ElementName) {
        for test in self.chain.tests_of(child) {
            if let Some(bits) = self.bits.get_mut(test.slot) {
                *bits |= 1 << test.bit;
            }
        }
    }

    /// No child of this name is left.
    pub fn removed(&mut self, child: &ElementName, stanza: &Stanza) {
        let others = stanza.root().children().any(|other| other.ns() == child.ns);
        for test in self.chain.tests_of(child) {
            // Another name in the namespace still meets a test for any of them.
            if (test.name.is_some() || !others)
                && let Some(bits) = self.bits.get_mut(test.slot)
            {
                *bits &= !(1 << test.bit);
            }
        }
    }

    fn examine(&mut self, stanza: &Stanza) {
        self.bits.clear();
        self.bits.extend_from_slice(&self.chain.constants);
        self.known.clear();
        self.known.resize(self.chain.slots, 0);
        if self.chain.elements.is_empty() {
            return;
        }
        for child in stanza.root().children() {
            let Some(tests) = self.chain.elements.get(child.ns()) else { continue };
            for test in tests {
                if test.name.as_deref().is_none_or(|name| name == child.name())
                    && let Some(bits) = self.bits.get_mut(test.slot)
                {
                    *bits |= 1 << test.bit;
                }
            }
        }
    }

    fn asks(&mut self, step: &'a Step, party: &Party<'_>, views: &dyn Views) -> Asks<'a> {
        let (Some(bits), Some(known)) = (self.bits.get_mut(step.slot), self.known.get_mut(step.slot)) else {
            return Asks::No;
        };
        let refuses = |bits, known: u64| step.when.decide(bits, known | !step.lookup_bits) == Some(false);
        if refuses(*bits, *known) {
            return Asks::No;
        }
        // What decides comes first; the plugin gets to see the rest as well.
        let mentioned = step.when.mentions();
        for wanted in [mentioned, !mentioned] {
            for lookup in step.lookups.iter().filter(|lookup| wanted >> lookup.bit & 1 == 1) {
                if *known >> lookup.bit & 1 == 1 {
                    continue;
                }
                match lookup.of.found(step, party, views) {
                    Ok(true) => *bits |= 1 << lookup.bit,
                    Ok(false) => *bits &= !(1 << lookup.bit),
                    Err((table, partition)) => return Asks::Rows(table, partition.to_owned()),
                }
                *known |= 1 << lookup.bit;
                if refuses(*bits, *known) {
                    return Asks::No;
                }
            }
        }
        if step.when.holds(*bits) { Asks::Yes(*bits) } else { Asks::No }
    }
}

enum Asks<'a> {
    No,
    Yes(u64),
    Rows(&'a Arc<str>, String),
}

fn bits_of(lookups: &[Lookup], wanted: impl Fn(&Lookup) -> bool) -> u64 {
    lookups.iter().filter(|lookup| wanted(lookup)).fold(0, |bits, lookup| bits | 1 << lookup.bit)
}

fn sorted(point: HookPoint, steps: Vec<(Node<'_>, Step)>) -> Result<Vec<Step>, PlanError> {
    let mut phases: Vec<Phase> = steps.iter().map(|(_, step)| step.phase).collect();
    phases.sort_unstable();
    phases.dedup();
    let (nodes, steps): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
    let mut ordered = Vec::with_capacity(steps.len());
    let mut all: Vec<_> = nodes.into_iter().zip(steps).collect();
    for phase in phases {
        let (of_phase, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, step)| step.phase == phase);
        all = rest;
        let (nodes, steps): (Vec<_>, Vec<_>) = of_phase.into_iter().unzip();
        let order = order::order(&nodes).map_err(|circle| PlanError::Circle {
            point: point.name(),
            phase: phase.name(),
            circle,
        })?;
        ordered.extend(order.into_iter().filter_map(|at| steps.get(at).cloned()));
    }
    Ok(ordered)
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:9} {:24} {}", self.phase.name(), self.plugin_id, self.handler)?;
        match &self.native {
            Some(Native::Strip(child)) => write!(f, "strip {}", child.name)?,
            Some(Native::Record(_)) => f.write_str(" (mostly recorded by the server)")?,
            None => {}
        }
        if self.types != Types::ALL {
            write!(f, " type={}", self.types)?;
        }
        if self.to != AddressForms::ALL {
            write!(f, " to={}", self.to)?;
        }
        if self.claimed {
            f.write_str(" claimed")?;
        }
        if !self.when_text.is_empty() {
            write!(f, " when=({})", self.when_text)?;
        }
        if self.on_fault == OnFault::Refuse {
            f.write_str(" on-fault=refuse")?;
        }
        Ok(())
    }
}
