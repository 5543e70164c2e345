//! What administrators see of a plugin.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use serde::Serialize;

use crate::guest::Level;
use crate::plugin::Plugin;

/// Whether a plugin is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
#[non_exhaustive]
pub enum State {
    Running,
    /// Enabled for no domain.
    Off,
    /// Left alone after faults, until this time in milliseconds since 1970.
    BackingOff {
        until: u64,
    },
    /// Over its budget of faults; enable it again to try.
    Disabled,
}

/// A plugin, as `plugin list`, `plugin info` and the metrics show it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PluginInfo {
    pub id: String,
    pub version: String,
    pub summary: String,
    /// XEP numbers and the versions followed.
    pub xeps: Vec<(u16, String)>,
    pub domains: Vec<String>,
    #[serde(flatten)]
    pub state: State,
    /// What the plugin itself says.
    pub status: Option<(Level, String)>,
    /// When and what, of the last fault.
    pub last_fault: Option<(u64, String)>,
    /// Keys left out alone.
    pub quarantined: Vec<String>,
    /// Instances alive and their linear memory in bytes.
    pub instances: usize,
    pub memory: usize,
    pub calls: u64,
    /// Time inside the plugin, in nanoseconds: all calls, slowest call.
    pub nanos: u64,
    pub slowest: u64,
    pub faults: u64,
    /// Calls not made, as it was disabled or backing off.
    pub refused: u64,
    pub sends: u64,
    pub writes: u64,
    /// Log lines above its rate.
    pub log_dropped: u64,
}

pub(crate) fn info(plugin: &Plugin, domains: Vec<String>) -> PluginInfo {
    let core = &plugin.core;
    let health = plugin.supervisor.health(core.services.clock.now_ms());
    let state = match health.closed_until {
        _ if health.disabled => State::Disabled,
        Some(until) => State::BackingOff { until },
        None if domains.is_empty() => State::Off,
        None => State::Running,
    };
    let (instances, memory) = plugin.shards.usage();
    let counters = &core.counters;
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    PluginInfo {
        id: core.id.to_string(),
        version: core.manifest.plugin.version.to_string(),
        summary: core.manifest.plugin.summary.to_string(),
        xeps: core.manifest.xeps.iter().map(|xep| (xep.number, xep.version.to_string())).collect(),
        domains,
        state,
        status: core.status.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        last_fault: health.last,
        quarantined: health.quarantined,
        instances,
        memory,
        calls: count(&counters.calls),
        nanos: count(&counters.nanos),
        slowest: count(&counters.slowest),
        faults: count(&counters.faults),
        refused: count(&counters.refused),
        sends: count(&counters.sends),
        writes: count(&counters.writes),
        log_dropped: count(&core.log_rate.dropped),
    }
}
