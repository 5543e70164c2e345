//! From the shape of the file to a manifest, or to the first thing that is wrong with it.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use toml::Spanned;
use xylem_stanza::Type;

use super::grants::Needs;
use super::matching::test_of;
use super::native::{self, Native};
use super::read::{Raw, RawExtend, RawHook, RawIq, RawListener, RawNeeds, RawOutbox, RawRun, RawStore, Table};
use super::refusal::{ManifestError, line_of};
use super::units::{ByteSize, MatchName, Period};
use super::{
    About, Class, ConfigSchema, EventEntry, Extend, Hook, Interface, IqClaim, ListenerSpec, Manifest, Match,
    OutboxLimit, Replies, Run, Shape, StoreSpec, When,
};
use crate::filter::{AddressForms, TypeName, Types};
use crate::point::{EntityClass, HookPoint, Phase};

type Checked<T> = Result<T, ManifestError>;

const MEMORY: RangeInclusive<u64> = 64 << 10..=256 << 20;
const DEADLINE: RangeInclusive<u64> = 1..=1000;
const WALL: RangeInclusive<u64> = 10..=60_000;
/// Entries of one table; keeps a plan small.
const ENTRIES: usize = 256;

pub(super) fn check(text: &str, mut raw: Raw) -> Checked<Manifest> {
    let page = Page { text };
    let about = page.about(raw.plugin)?;
    let id = about.id.as_str().to_owned();
    let marks: Vec<_> = raw.store.iter_mut().map(|store| std::mem::take(&mut store.get_mut().marks)).collect();
    let mut stores = page.stores(&id, raw.store)?;
    let needs = page.needs(raw.needs)?;
    let config = page.config(raw.config)?;
    let matches = page.matches(&raw.matches, &stores, &needs, &config)?;
    for (store, marks) in stores.iter_mut().zip(marks) {
        store.marks =
            native::marks(marks, store.shape, &matches).or_else(|(span, problem)| page.refuse(span, problem))?;
    }
    let hooks = page.each(raw.hook, |line, span, hook| page.hook(line, span, hook, &matches, &stores))?;
    let iqs = page.each(raw.iq, |line, span, iq| page.iq(line, span, iq))?;
    let events = page.each(raw.event, |line, _, event| {
        Ok(EventEntry { line, on: event.on, handler: page.handler(event.handler)? })
    })?;
    let client_states = page.each(raw.client_state, |line, _, rule| rule.check(text, line, &matches))?;
    let domains = page.each(raw.domain, |line, _, domain| domain.check(text, line, &config))?;
    let limits = page.each(raw.limit, |_, span, limit| limit.check(text, span, &config))?;
    let listeners = page.each(raw.listener, |line, span, raw| {
        let known = config.has_list(raw.addresses.get_ref());
        page.listener(line, span, raw, known && needs.wires)
    })?;
    page.distinct("listener", listeners.iter().map(|listener| (listener.line, listener.name.as_str())))?;
    page.distinct("limit", limits.iter().map(|limit| (1, limit.name.as_str())))?;
    let operations = page.each(raw.operation, |line, _, raw| raw.check(text, line, |name| page.handler(name)))?;
    let shown = super::operation::shown(&operations);
    shown.map_err(|(line, problem)| ManifestError { line, key: "[[operation]] state".to_owned(), problem })?;
    page.distinct("operation", operations.iter().map(|operation| (operation.line, operation.name.as_str())))?;
    let optional = |name: Option<Spanned<String>>| name.map(|name| page.handler(name)).transpose();
    let replies = Replies {
        answer: optional(raw.replies.answer)?,
        wake: optional(raw.replies.wake)?,
        page: optional(raw.replies.page)?,
        operation: optional(raw.replies.operation)?,
    };
    Ok(Manifest {
        plugin: about,
        xeps: raw.xep,
        run: page.run(raw.run)?,
        matches,
        hooks,
        iqs,
        events,
        client_states,
        start: optional(raw.lifecycle.start)?,
        stores,
        limits,
        listeners,
        domains,
        operations,
        extension: raw.extension.map(|own| page.interface(own.interface)).transpose()?,
        extends: page.each(raw.extend, |line, _, extend| page.extend(line, extend))?,
        adds: super::adds::check(text, raw.adds)?,
        config,
        needs: page.answered(needs, &replies)?,
        replies,
    })
}

/// The text, to find lines in.
#[derive(Clone, Copy)]
struct Page<'a> {
    text: &'a str,
}

impl Page<'_> {
    fn refuse<T>(self, span: Range<usize>, problem: impl Into<String>) -> Checked<T> {
        Err(ManifestError::at(self.text, Some(span), problem))
    }

    fn each<R, T>(
        self,
        entries: Vec<Spanned<R>>,
        check: impl Fn(usize, Range<usize>, R) -> Checked<T>,
    ) -> Checked<Vec<T>> {
        if let Some(entry) = entries.get(ENTRIES) {
            return self.refuse(entry.span(), format!("more than {ENTRIES} entries; split the plugin"));
        }
        let one = |entry: Spanned<R>| check(line_of(self.text, entry.span().start), entry.span(), entry.into_inner());
        entries.into_iter().map(one).collect()
    }

    fn about(self, about: Spanned<About>) -> Checked<About> {
        if about.get_ref().api.as_str() != Manifest::API {
            let problem = format!("`api` is `{}`; this server offers `{}`", about.get_ref().api, Manifest::API);
            return self.refuse(about.span(), problem);
        }
        Ok(about.into_inner())
    }

    fn run(self, run: RawRun) -> Checked<Run> {
        let outbox = run.outbox.map(|outbox| self.outbox(outbox)).transpose()?;
        Ok(Run {
            model: run.model,
            key: run.key,
            shards: run
                .shards
                .map(|n| self.number(&n, u64::from(*n.get_ref()), 1..=64).map(|()| n.into_inner()))
                .transpose()?,
            memory: match run.memory {
                None => 16 << 20,
                Some(memory) => {
                    self.number(&memory, memory.get_ref().0, MEMORY)?;
                    memory.get_ref().0
                }
            },
            deadline: self.period(run.deadline, 20, DEADLINE)?,
            wall: self.period(run.wall, 2000, WALL)?,
            outbox: outbox.unwrap_or(OutboxLimit { count: 10_000, bytes: 4 << 20 }),
            log_rate: match run.log_rate {
                None => 50,
                Some(rate) => {
                    self.number(&rate, u64::from(*rate.get_ref()), 1..=10_000)?;
                    rate.into_inner()
                }
            },
            on_fault: run.on_fault,
        })
    }

    fn outbox(self, outbox: Spanned<RawOutbox>) -> Checked<OutboxLimit> {
        let count = outbox.get_ref().count.unwrap_or(10_000);
        let bytes = outbox.get_ref().bytes.unwrap_or(ByteSize(4 << 20)).0;
        self.number(&outbox, count, 1..=1_000_000)?;
        self.number(&outbox, bytes, 1024..=64 << 20)?;
        Ok(OutboxLimit { count, bytes })
    }

    fn period(self, period: Option<Spanned<Period>>, default: u64, range: RangeInclusive<u64>) -> Checked<Duration> {
        match period {
            None => Ok(Duration::from_millis(default)),
            Some(period) => self.within(&period, period.get_ref().0, range),
        }
    }

    fn within<T>(self, place: &Spanned<T>, period: Duration, range: RangeInclusive<u64>) -> Checked<Duration> {
        if range.contains(&u64::try_from(period.as_millis()).unwrap_or(u64::MAX)) {
            return Ok(period);
        }
        self.refuse(place.span(), format!("must be {} ms to {} ms", range.start(), range.end()))
    }

    fn number<T>(self, place: &Spanned<T>, value: u64, range: RangeInclusive<u64>) -> Checked<()> {
        if range.contains(&value) {
            return Ok(());
        }
        self.refuse(place.span(), format!("{value} is out of range; write {} to {}", range.start(), range.end()))
    }

    fn stores(self, id: &str, raw: Vec<Spanned<RawStore>>) -> Checked<Vec<StoreSpec>> {
        let stores = self.each(raw, |line, span, store| {
            if store.class == Class::Volatile && (store.view || store.shape != Shape::Kv) {
                let problem =
                    "`class = \"volatile\"` goes with `shape = \"kv\"` and without `view`; change one of them";
                return self.refuse(span, problem);
            }
            let quota = store.quota;
            let name = store.name.into_string();
            Ok(StoreSpec {
                line,
                table: format!("{id}/{name}").into(),
                name,
                shape: store.shape,
                class: store.class,
                view: store.view,
                early: store.early,
                scope: store.scope,
                marks: Vec::new(),
                quota_rows: quota.as_ref().and_then(|quota| quota.rows).unwrap_or(10_000),
                quota_bytes: quota.and_then(|quota| quota.bytes).map_or(16 << 20, |bytes| bytes.0),
                text: super::text::text(store.text, store.shape).or_else(|problem| self.refuse(span, problem))?,
            })
        })?;
        self.distinct("store", stores.iter().map(|store| (store.line, store.name.as_str())))?;
        Ok(stores)
    }

    fn distinct<'n>(self, what: &str, names: impl Iterator<Item = (usize, &'n str)>) -> Checked<()> {
        let mut seen = std::collections::HashSet::new();
        for (line, name) in names {
            if !seen.insert(name) {
                let problem = format!("there are two of the name `{name}`; rename one");
                return Err(ManifestError { line, key: format!("[[{what}]] name"), problem });
            }
        }
        Ok(())
    }

    fn matches(
        self,
        raw: &std::collections::BTreeMap<Spanned<MatchName>, Spanned<String>>,
        stores: &[StoreSpec],
        needs: &Needs,
        config: &ConfigSchema,
    ) -> Checked<Vec<Match>> {
        let mut entries: Vec<_> = raw.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        if let Some((name, _)) = entries.get(64) {
            return self.refuse(name.span(), "more than 64 matches; only so many fit into the bits of a call");
        }
        let one = |(name, test): (&Spanned<MatchName>, &Spanned<String>)| {
            let parsed = test_of(test.get_ref(), stores, needs, config);
            match parsed {
                Ok(test) => Ok(Match { name: name.get_ref().as_str().to_owned(), test }),
                Err(problem) => self.refuse(test.span(), problem),
            }
        };
        entries.into_iter().map(one).collect()
    }

    fn hook(
        self,
        line: usize,
        span: Range<usize>,
        raw: RawHook,
        matches: &[Match],
        stores: &[StoreSpec],
    ) -> Checked<Hook> {
        let kind = raw.on.kind();
        let types = match raw.types {
            None => Types::ALL,
            Some(types) => self.types(&types, Types::of_kind(kind), raw.on.name())?,
        };
        let to = raw.to.map_or(AddressForms::ALL, |forms| forms.into_inner().into_iter().collect());
        let bit = |name: &str| {
            let at = matches.iter().position(|known| known.name == name)?;
            u8::try_from(at).ok()
        };
        let when_text = raw.when.as_ref().map_or(String::new(), |when| when.get_ref().clone());
        let when = match raw.when {
            None => When::Always,
            Some(when) => match When::parse(when.get_ref(), &bit) {
                Ok(parsed) => parsed,
                Err(problem) => return self.refuse(when.span(), problem),
            },
        };
        let late = raw.on == HookPoint::MessageFallback;
        if raw.phase == Phase::Fallback && !late || late && !matches!(raw.phase, Phase::Default | Phase::Fallback) {
            let problem = "`fallback` is the phase of hook `message.fallback`, which may have `default` as well";
            return self.refuse(span, problem);
        }
        let claimed = raw.claimed.as_ref().is_some_and(|claimed| *claimed.get_ref());
        if let Some(claimed) = raw.claimed.filter(|claimed| *claimed.get_ref() && !raw.on.may_be_claimed()) {
            return self.refuse(claimed.span(), "only at message.in, presence.in and iq.in; take it out");
        }
        let native = self.native(&span, raw.strip, raw.record, (raw.on, raw.phase), matches, stores)?;
        let handler = match (raw.handler, &native) {
            (Some(handler), None | Some(Native::Record(_))) => self.handler(handler)?,
            (None, Some(Native::Strip(_))) => String::new(),
            (Some(handler), Some(Native::Strip(_))) => {
                return self.refuse(handler.span(), "with `strip` nobody is called; take one of them out");
            }
            (None, _) => return self.refuse(span, "missing field `handler`; write the name of a function"),
        };
        Ok(Hook {
            line,
            on: raw.on,
            phase: raw.phase,
            handler,
            native,
            types,
            to,
            when,
            when_text,
            claimed,
            before: raw.before,
            after: raw.after,
        })
    }

    fn native(
        self,
        span: &Range<usize>,
        strip: Option<Spanned<String>>,
        record: Option<Spanned<native::RawRecord>>,
        (on, phase): (HookPoint, Phase),
        matches: &[Match],
        stores: &[StoreSpec],
    ) -> Checked<Option<Native>> {
        let native = match (strip, record) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return self.refuse(span.clone(), "`strip` and `record`; make two hooks of it"),
            (Some(strip), None) => native::strip(&strip, on, phase),
            (None, Some(record)) => native::record(record, phase, matches, stores),
        };
        native.map(Some).or_else(|(span, problem)| self.refuse(span, problem))
    }

    fn types(self, types: &Spanned<Vec<TypeName>>, among: Types, of: &str) -> Checked<Types> {
        let set: Types = types.get_ref().iter().map(|name| name.0).collect();
        if types.get_ref().is_empty() {
            return self.refuse(types.span(), "empty; leave the key out to mean all");
        }
        if !set.within(among) {
            let wrong = types.get_ref().iter().find(|name| !among.contains(name.0)).map_or("", |name| name.name());
            return self.refuse(types.span(), format!("{of} has no type `{wrong}`; take it out"));
        }
        Ok(set)
    }

    fn iq(self, line: usize, span: Range<usize>, raw: RawIq) -> Checked<IqClaim> {
        let types = self.types(&raw.types, [Type::Get, Type::Set].into_iter().collect(), "an IQ request")?;
        if raw.ns.get_ref().is_empty() {
            return self.refuse(raw.ns.span(), "empty; write the payload's namespace");
        }
        if raw.names.get_ref().is_empty() || raw.names.get_ref().iter().any(String::is_empty) {
            return self.refuse(raw.names.span(), "write the names of the payload elements, such as [\"query\"]");
        }
        let own = raw.own.as_ref().is_some_and(|own| *own.get_ref());
        if let Some(own) = raw.own.filter(|own| *own.get_ref() && raw.to != EntityClass::Account) {
            return self.refuse(own.span(), "only for `to = \"account\"`; take it out");
        }
        let before_auth = raw.before_auth.as_ref().is_some_and(|early| *early.get_ref());
        if let Some(early) = raw.before_auth.filter(|early| *early.get_ref() && raw.to != EntityClass::Server) {
            return self.refuse(early.span(), "only for `to = \"server\"`; take it out");
        }
        if let Some(bind) = &raw.bind
            && let Some(problem) = bind.get_ref().problem(raw.to, types, raw.names.get_ref().len())
        {
            return self.refuse(bind.span(), problem);
        }
        if raw.names.get_ref().len() > ENTRIES {
            return self.refuse(span, format!("more than {ENTRIES} names"));
        }
        Ok(IqClaim {
            line,
            ns: raw.ns.into_inner(),
            names: raw.names.into_inner(),
            types,
            to: raw.to,
            own,
            before_auth,
            bind: raw.bind.map(Spanned::into_inner),
            handler: self.handler(raw.handler)?,
        })
    }

    fn handler(self, name: Spanned<String>) -> Checked<String> {
        let formed = name.get_ref().starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.get_ref().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && name.get_ref().len() <= 64;
        if formed {
            return Ok(name.into_inner());
        }
        self.refuse(name.span(), "not a function name; write letters, digits and _, such as `screen_in`")
    }

    fn listener(self, line: usize, span: Range<usize>, raw: RawListener, ready: bool) -> Checked<ListenerSpec> {
        if !ready {
            return self.refuse(
                span,
                "needs `wires = true` under [needs], and in `addresses` the name of an option of type list under [config]",
            );
        }
        let per_label =
            raw.per_label.map(|n| self.number(&n, u64::from(*n.get_ref()), 1..=100).map(|()| n.into_inner()));
        Ok(ListenerSpec {
            line,
            name: raw.name.into_string(),
            framing: raw.framing,
            addresses: raw.addresses.into_inner(),
            handshake: self.period(raw.handshake, 10_000, 100..=60_000)?,
            waiting: self.period(raw.waiting, 60_000, 100..=3_600_000)?,
            per_label: per_label.transpose()?.unwrap_or(2),
            ended: raw.ended.map(|ended| self.handler(ended)).transpose()?,
        })
    }

    fn interface(self, text: Spanned<String>) -> Checked<Interface> {
        Interface::parse(text.get_ref()).or_else(|problem| self.refuse(text.span(), problem))
    }

    fn extend(self, line: usize, raw: RawExtend) -> Checked<Extend> {
        let phase = raw.phase.as_ref().map_or(Phase::Default, |phase| *phase.get_ref());
        if let Some(wrong) = raw.phase.filter(|_| phase == Phase::Fallback) {
            return self.refuse(wrong.span(), "only hooks have the phase `fallback`; write `screen` or `default`");
        }
        let (before, after) = (raw.before, raw.after);
        Ok(Extend { line, interface: self.interface(raw.interface)?, phase, before, after })
    }

    fn config(self, raw: Table<Spanned<super::config::RawOption>>) -> Checked<ConfigSchema> {
        let mut entries: Vec<_> = raw.into_iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let one = |(name, option): (Spanned<String>, Spanned<super::config::RawOption>)| {
            let span = name.span();
            let name = MatchName::try_from(name.into_inner()).or_else(|problem| self.refuse(span.clone(), problem))?;
            option.into_inner().check(name.into_string()).or_else(|problem| self.refuse(span, problem))
        };
        Ok(ConfigSchema { options: entries.into_iter().map(one).collect::<Checked<_>>()? })
    }

    fn needs(self, raw: RawNeeds) -> Checked<Needs> {
        let on = |flag: &Option<Spanned<bool>>| flag.as_ref().is_some_and(|flag| *flag.get_ref());
        if raw.outbox.is_none() {
            let early = raw.ask.as_ref().or(raw.wake.as_ref().filter(|_| false));
            if let Some(ask) = early.filter(|ask| *ask.get_ref()) {
                return self.refuse(ask.span(), "asking sends; add `outbox = { from = [\"server\"], to = [\"any\"] }`");
            }
        }
        Ok(Needs {
            edit: raw.edit,
            ask: on(&raw.ask),
            wake: on(&raw.wake),
            outbox: raw.outbox,
            views: raw.views.into_iter().map(Spanned::into_inner).collect(),
            sessions: raw.sessions,
            groups: raw.groups,
            accounts: raw.accounts,
            contributions: raw.contributions,
            wires: raw.wires,
            operations: raw.operations,
        })
    }

    fn answered(self, needs: Needs, replies: &Replies) -> Checked<Needs> {
        let missing = [
            ("ask", "answer", needs.ask && replies.answer.is_none()),
            ("wake", "wake", needs.wake && replies.wake.is_none()),
            ("operations", "operation", needs.operations && replies.operation.is_none()),
        ];
        for (need, reply, missing) in missing {
            if missing {
                let at = self.text.find("[needs]").unwrap_or(0);
                return self.refuse(at..at, format!("`{need} = true` needs `{reply} = \"…\"` under [replies]"));
            }
        }
        Ok(needs)
    }
}
