//! One sandbox: a component instance in a store of its own.

use std::sync::Arc;

use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, ComponentType, Func, InstancePre, Lift, Linker, Lower,
    TypedFunc, Val,
};
use wasmtime::{Engine, Store, Trap};
use xylem_hooks::{Manifest, PageEnd};
use xylem_stanza::Packed;

use crate::capability::{self, FailureRecord, Fault as Refusal, RefusalCase};
use crate::error::HostError;
use crate::extension;
use crate::guest::{Call, Core, Guest};
use crate::limits::{Limiter, Watch};
use crate::operations::OperationCaller;
use crate::supervisor::Fault;
use crate::wires::{WireEnd, WireReason};

/// `xylem:stanza/types.verdict`.
#[derive(Debug, Clone, ComponentType, Lift)]
#[component(variant)]
pub(crate) enum VerdictCase {
    #[component(name = "pass")]
    Pass,
    #[component(name = "stop")]
    Stop,
    #[component(name = "reject")]
    Reject(FailureRecord),
    #[component(name = "other")]
    Other(String),
}

/// `xylem:plugin/iq.outcome`.
#[derive(Debug, Clone, ComponentType, Lift)]
#[component(variant)]
pub(crate) enum OutcomeCase {
    #[component(name = "reply")]
    Reply(Option<String>),
    #[component(name = "fail")]
    Fail(FailureRecord),
    #[component(name = "later")]
    Later,
    #[component(name = "unhandled")]
    Unhandled,
}

/// `xylem:plugin/wire-events.reason`.
#[derive(Debug, Clone, Copy, ComponentType, Lower)]
#[component(enum)]
#[repr(u8)]
enum ReasonCase {
    #[component(name = "closed")]
    Closed,
    #[component(name = "broken")]
    Broken,
    #[component(name = "idle")]
    Idle,
    #[component(name = "too-much")]
    TooMuch,
    #[component(name = "stopped")]
    Stopped,
}

/// `xylem:plugin/wire-events.ended`.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
struct EndedRecord {
    #[component(name = "reason")]
    reason: ReasonCase,
    #[component(name = "forth")]
    forth: u64,
    #[component(name = "back")]
    back: u64,
    #[component(name = "lasted")]
    lasted: u64,
}

impl From<WireEnd> for EndedRecord {
    fn from(end: WireEnd) -> Self {
        let reason = match end.reason {
            WireReason::Closed => ReasonCase::Closed,
            WireReason::Broken => ReasonCase::Broken,
            WireReason::Idle => ReasonCase::Idle,
            WireReason::TooMuch => ReasonCase::TooMuch,
            WireReason::Stopped => ReasonCase::Stopped,
        };
        let lasted = u64::try_from(end.lasted.as_millis()).unwrap_or(u64::MAX);
        Self { reason, forth: end.forth, back: end.back, lasted }
    }
}

/// `xylem:plugin/operations.caller`.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
struct CallerRecord {
    #[component(name = "who")]
    who: String,
    #[component(name = "role")]
    role: String,
}

/// What a plugin is called with.
pub(crate) enum Input {
    Hook { entry: u32, bits: u64, packed: Arc<Packed> },
    Iq { entry: u32, packed: Arc<Packed> },
    Event { entry: u32, subject: String, detail: String },
    Answer { token: String, answer: Result<Arc<Packed>, Refusal> },
    Wake { name: String, token: String },
    Page { token: String, page: Result<PageRecord, Refusal> },
    WireEnded { listener: u32, token: String, end: WireEnd },
    Operation { operation: u32, arguments: String, caller: OperationCaller },
    Operated { token: String, answer: Result<String, RefusalCase> },
}

/// `xylem:plugin/replies.page`.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(crate) struct PageRecord {
    #[component(name = "first")]
    first: Option<String>,
    #[component(name = "last")]
    last: Option<String>,
    #[component(name = "sent")]
    sent: u32,
    #[component(name = "count")]
    count: Option<u64>,
    #[component(name = "complete")]
    complete: bool,
}

impl From<PageEnd> for PageRecord {
    fn from(page: PageEnd) -> Self {
        let (first, last) = page.ends.unzip();
        Self { first, last, sent: page.sent, count: page.count, complete: page.complete }
    }
}

/// What it says.
#[derive(Debug)]
pub(crate) enum Output {
    Verdict(VerdictCase),
    Outcome(OutcomeCase),
    /// The answer to an operation, JSON.
    Said(Result<String, RefusalCase>),
    Nothing,
}

type OnStanza = (u32, u64, &'static str, &'static [u32]);
type OnIq = (u32, &'static str, &'static [u32]);
type OnEvent = (u32, &'static str, &'static str);
type OnAnswer = (&'static str, Result<(&'static str, &'static [u32]), Refusal>);
type OnWake = (&'static str, &'static str);
type OnPage = (&'static str, Result<PageRecord, Refusal>);
type OnEnded = (u32, &'static str, EndedRecord);
type Run = (u32, &'static str, CallerRecord);
type OnOperation = (&'static str, Result<&'static str, RefusalCase>);

/// A component linked with the capabilities; instances are made from it.
#[derive(Clone)]
pub(crate) struct Mould {
    pre: InstancePre<Guest>,
    exports: ExportIndexes,
}

#[derive(Clone, Default)]
struct ExportIndexes {
    on_stanza: Option<ComponentExportIndex>,
    on_iq: Option<ComponentExportIndex>,
    on_event: Option<ComponentExportIndex>,
    on_answer: Option<ComponentExportIndex>,
    on_wake: Option<ComponentExportIndex>,
    on_page: Option<ComponentExportIndex>,
    on_ended: Option<ComponentExportIndex>,
    run: Option<ComponentExportIndex>,
    on_operation: Option<ComponentExportIndex>,
    start: Option<ComponentExportIndex>,
    /// Functions that other plugins call.
    extends: Vec<(Arc<str>, ComponentExportIndex)>,
}

impl Mould {
    /// Links a component and finds what it exports.
    pub(crate) fn new(engine: &Engine, component: &Component, manifest: &Manifest) -> Result<Self, HostError> {
        let plugin = manifest.id();
        let own = manifest.extension.as_ref();
        let known = |import: &str| {
            capability::INTERFACES.contains(&import) || own.is_some_and(|interface| interface.covers(import))
        };
        let unknown: Vec<_> = component
            .component_type()
            .imports(engine)
            .map(|(name, _)| name.to_owned())
            .filter(|name| !known(name))
            .collect();
        if !unknown.is_empty() {
            let problem = format!(
                "imports {}, which this server does not offer; it offers {}, and what [extension] names",
                unknown.join(", "),
                capability::INTERFACES.join(", ")
            );
            return Err(HostError::component(plugin, problem));
        }
        let mut linker = Linker::new(engine);
        capability::link(&mut linker).map_err(|error| HostError::component(plugin, format!("{error:#}")))?;
        if let Some(own) = own {
            extension::link(&mut linker, engine, component, (plugin, own))?;
        }
        let pre = linker.instantiate_pre(component);
        let pre =
            pre.map_err(|error| HostError::component(plugin, format!("was built for another interface: {error:#}")))?;
        let find = |interface: &str, function: &str| {
            let interface = component.get_export_index(None, interface)?;
            component.get_export_index(Some(&interface), function)
        };
        let extends = manifest.extends.iter().map(|extend| &extend.interface).collect();
        let exports = ExportIndexes {
            on_stanza: find("xylem:plugin/hooks@0.1.0", "on-stanza"),
            on_iq: find("xylem:plugin/iq@0.1.0", "on-iq"),
            on_event: find("xylem:plugin/events@0.1.0", "on-event"),
            on_answer: find("xylem:plugin/replies@0.1.0", "on-answer"),
            on_wake: find("xylem:plugin/replies@0.1.0", "on-wake"),
            on_page: find("xylem:plugin/replies@0.1.0", "on-page"),
            on_ended: find("xylem:plugin/wire-events@0.1.0", "on-ended"),
            run: find("xylem:plugin/operations@0.1.0", "run"),
            on_operation: find("xylem:plugin/replies@0.1.0", "on-operation"),
            start: find("xylem:plugin/lifecycle@0.1.0", "start"),
            extends: extension::exports(engine, component, (plugin, extends))?,
        };
        exports.suffice(manifest)?;
        Ok(Self { pre, exports })
    }
}

impl ExportIndexes {
    /// A manifest that declares a use for a function needs that function.
    fn suffice(&self, manifest: &Manifest) -> Result<(), HostError> {
        let needs = [
            ("hooks.on-stanza", "[[hook]]", self.on_stanza.is_some(), !manifest.hooks.is_empty()),
            ("iq.on-iq", "[[iq]]", self.on_iq.is_some(), !manifest.iqs.is_empty()),
            ("events.on-event", "[[event]]", self.on_event.is_some(), !manifest.events.is_empty()),
            ("replies.on-answer", "[replies] answer", self.on_answer.is_some(), manifest.replies.answer.is_some()),
            ("replies.on-wake", "[replies] wake", self.on_wake.is_some(), manifest.replies.wake.is_some()),
            ("replies.on-page", "[replies] page", self.on_page.is_some(), manifest.replies.page.is_some()),
            (
                "wire-events.on-ended",
                "[[listener]] ended",
                self.on_ended.is_some(),
                manifest.listeners.iter().any(|listener| listener.ended.is_some()),
            ),
            ("operations.run", "[[operation]]", self.run.is_some(), !manifest.operations.is_empty()),
            (
                "replies.on-operation",
                "[replies] operation",
                self.on_operation.is_some(),
                manifest.replies.operation.is_some(),
            ),
            ("lifecycle.start", "[lifecycle] start", self.start.is_some(), manifest.start.is_some()),
        ];
        for (export, key, there, needed) in needs {
            if needed && !there {
                let problem = format!("its manifest has {key}, but the component does not export {export}");
                return Err(HostError::component(manifest.id(), problem));
            }
        }
        Ok(())
    }
}

/// What a call from another plugin gave, and the call.
pub(crate) type Extended = Result<(Option<Vec<Val>>, Call), Fault>;

/// A running sandbox.
pub(crate) struct Instance {
    store: Store<Guest>,
    exports: Exports,
}

struct Exports {
    on_stanza: Option<TypedFunc<OnStanza, (VerdictCase,)>>,
    on_iq: Option<TypedFunc<OnIq, (OutcomeCase,)>>,
    on_event: Option<TypedFunc<OnEvent, ()>>,
    on_answer: Option<TypedFunc<OnAnswer, ()>>,
    on_wake: Option<TypedFunc<OnWake, ()>>,
    on_page: Option<TypedFunc<OnPage, ()>>,
    on_ended: Option<TypedFunc<OnEnded, ()>>,
    run: Option<TypedFunc<Run, (Result<String, RefusalCase>,)>>,
    on_operation: Option<TypedFunc<OnOperation, ()>>,
    extends: Vec<(Arc<str>, Func)>,
}

impl Instance {
    /// Makes a sandbox and calls `start` in it.
    pub(crate) fn new(engine: &Engine, mould: &Mould, core: &Arc<Core>, start: Call) -> Result<Self, Fault> {
        let run = &core.manifest.run;
        let guest = Guest {
            core: Arc::clone(core),
            limiter: Limiter::new(run.memory),
            watch: Watch::new(run.deadline, run.wall),
            call: Some(start),
        };
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.limiter);
        store.epoch_deadline_callback(|mut cx| Ok(cx.data_mut().watch.expired()));
        let ticks = store.data_mut().watch.start();
        store.set_epoch_deadline(ticks);
        let made = mould.pre.instantiate(&mut store);
        let instance = made.map_err(|error| why(&store, &error))?;
        let found = &mould.exports;
        let exports = Exports {
            on_stanza: typed(&mut store, &instance, found.on_stanza.as_ref())?,
            on_iq: typed(&mut store, &instance, found.on_iq.as_ref())?,
            on_event: typed(&mut store, &instance, found.on_event.as_ref())?,
            on_answer: typed(&mut store, &instance, found.on_answer.as_ref())?,
            on_wake: typed(&mut store, &instance, found.on_wake.as_ref())?,
            on_page: typed(&mut store, &instance, found.on_page.as_ref())?,
            on_ended: typed(&mut store, &instance, found.on_ended.as_ref())?,
            run: typed(&mut store, &instance, found.run.as_ref())?,
            on_operation: typed(&mut store, &instance, found.on_operation.as_ref())?,
            extends: found
                .extends
                .iter()
                .filter_map(|(entry, index)| Some((Arc::clone(entry), instance.get_func(&mut store, index)?)))
                .collect(),
        };
        let start: Option<TypedFunc<(), (Result<(), String>,)>> = typed(&mut store, &instance, found.start.as_ref())?;
        if let Some(start) = start {
            let (started,) = start.call(&mut store, ()).map_err(|error| why(&store, &error))?;
            started.map_err(Fault::Start)?;
        }
        store.data_mut().call = None;
        Ok(Self { store, exports })
    }

    /// One call. After a fault the instance is of no use any more.
    pub(crate) fn call(&mut self, call: Call, input: &Input) -> Result<(Output, Call), Fault> {
        self.begin(call);
        let output = self.enter(input).map_err(|error| why(&self.store, &error))?;
        Ok((output, self.finish()?))
    }

    fn begin(&mut self, call: Call) {
        let data = self.store.data_mut();
        data.call = Some(call);
        data.limiter.refused = None;
        let ticks = data.watch.start();
        self.store.set_epoch_deadline(ticks);
    }

    fn finish(&mut self) -> Result<Call, Fault> {
        let data = self.store.data_mut();
        let nanos = u64::try_from(data.watch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        data.core.counters.call(nanos);
        data.call.take().ok_or_else(|| Fault::Crash("lost its call".to_owned()))
    }

    /// One call from another plugin; `None` if it exports no such function.
    pub(crate) fn extend(&mut self, call: Call, entry: &str, params: &[Val], results: usize) -> Extended {
        let Some((_, function)) = self.exports.extends.iter().find(|(known, _)| **known == *entry) else {
            return Ok((None, call));
        };
        let function = *function;
        self.begin(call);
        let mut values = vec![Val::Bool(false); results];
        function.call(&mut self.store, params, &mut values).map_err(|error| why(&self.store, &error))?;
        Ok((Some(values), self.finish()?))
    }

    /// Bytes of linear memory.
    pub(crate) fn memory(&self) -> usize {
        self.store.data().limiter.memory
    }

    fn enter(&mut self, input: &Input) -> wasmtime::Result<Output> {
        let Self { store, exports } = self;
        match input {
            Input::Hook { entry, bits, packed } => {
                let (verdict,) = there(exports.on_stanza)?
                    .call(store, (*entry, *bits, packed.text.as_str(), packed.index.as_slice()))?;
                Ok(Output::Verdict(verdict))
            }
            Input::Iq { entry, packed } => {
                let (outcome,) =
                    there(exports.on_iq)?.call(store, (*entry, packed.text.as_str(), packed.index.as_slice()))?;
                Ok(Output::Outcome(outcome))
            }
            Input::Event { entry, subject, detail } => {
                there(exports.on_event)?.call(store, (*entry, subject.as_str(), detail.as_str()))?;
                Ok(Output::Nothing)
            }
            Input::Answer { token, answer } => {
                let answer = match answer {
                    Ok(packed) => Ok((packed.text.as_str(), packed.index.as_slice())),
                    Err(refusal) => Err(refusal.clone()),
                };
                there(exports.on_answer)?.call(store, (token.as_str(), answer))?;
                Ok(Output::Nothing)
            }
            Input::Page { token, page } => {
                there(exports.on_page)?.call(store, (token.as_str(), page.clone()))?;
                Ok(Output::Nothing)
            }
            Input::Wake { name, token } => {
                there(exports.on_wake)?.call(store, (name.as_str(), token.as_str()))?;
                Ok(Output::Nothing)
            }
            Input::WireEnded { listener, token, end } => {
                there(exports.on_ended)?.call(store, (*listener, token.as_str(), (*end).into()))?;
                Ok(Output::Nothing)
            }
            Input::Operation { operation, arguments, caller } => {
                let caller = CallerRecord { who: caller.who.clone(), role: caller.role.clone() };
                let (said,) = there(exports.run)?.call(store, (*operation, arguments.as_str(), caller))?;
                Ok(Output::Said(said))
            }
            Input::Operated { token, answer } => {
                let answer = answer.as_deref().map_err(Clone::clone);
                there(exports.on_operation)?.call(store, (token.as_str(), answer))?;
                Ok(Output::Nothing)
            }
        }
    }
}

fn there<P, R>(function: Option<TypedFunc<P, R>>) -> wasmtime::Result<TypedFunc<P, R>> {
    function.ok_or_else(|| wasmtime::Error::msg("the component does not export this function"))
}

fn typed<P, R>(
    store: &mut Store<Guest>,
    instance: &wasmtime::component::Instance,
    index: Option<&ComponentExportIndex>,
) -> Result<Option<TypedFunc<P, R>>, Fault>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    let Some(index) = index else { return Ok(None) };
    let function = instance.get_typed_func(&mut *store, index);
    function.map(Some).map_err(|error| Fault::Crash(format!("was built for another interface: {error:#}")))
}

fn why(store: &Store<Guest>, error: &wasmtime::Error) -> Fault {
    if let Some(Trap::Interrupt) = error.downcast_ref::<Trap>() {
        return Fault::Deadline;
    }
    match store.data().limiter.refused {
        Some("memory") => Fault::Memory,
        _ => Fault::Crash(brief(error)),
    }
}

/// The cause and the innermost frames; the rest is for nobody.
fn brief(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(6).collect();
    let text = lines.join(" | ");
    text.get(..text.floor_char_boundary(1000)).unwrap_or_default().to_owned()
}
