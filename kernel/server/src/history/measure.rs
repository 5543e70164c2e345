//! One sample: what rose since the last one, and what is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use xylem_ops::overview::Sample;
use xylem_stanza::Kind;

use crate::instance::Instance;

/// Longest that is waited for a thread; then that much is told.
const PATIENCE: Duration = Duration::from_secs(1);

/// What only ever rises.
#[derive(Clone, Copy)]
pub struct Totals {
    at: Instant,
    stanzas_in: u64,
    stanzas_out: u64,
    errors: u64,
    logins: (u64, u64),
    commits: u64,
    commit_us: u64,
    plugin_calls: u64,
    plugin_nanos: u64,
}

impl Totals {
    pub fn of(instance: &Instance) -> Self {
        let counters = instance.router.counters();
        let kinds = [Kind::Message, Kind::Presence, Kind::Iq];
        let store = instance.store.metrics();
        let plugins = instance.plugins.info();
        Self {
            at: Instant::now(),
            stanzas_in: kinds.iter().map(|kind| counters.from_clients(*kind)).sum(),
            stanzas_out: kinds.iter().map(|kind| counters.to_clients(*kind)).sum(),
            errors: counters.errors(),
            logins: instance.logins.read(),
            commits: store.commits,
            commit_us: store.total_commit_us,
            plugin_calls: plugins.iter().map(|plugin| plugin.calls).sum(),
            plugin_nanos: plugins.iter().map(|plugin| plugin.nanos).sum(),
        }
    }
}

/// A sample over the time since `before`, and what to hand in the next time.
pub async fn measure(instance: &Instance, before: &Totals) -> (Sample, Totals) {
    let delay = delay().await;
    let now = Totals::of(instance);
    let seconds = now.at.duration_since(before.at).as_secs_f64().max(0.001);
    // A plugin that was removed takes its counts along.
    let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
    let commits = now.commits.saturating_sub(before.commits);
    let took = now.commit_us.saturating_sub(before.commit_us) as f64 / 1000.0;
    let sample = Sample {
        at: millis(),
        connections: instance.context.admission.count() as u64,
        sessions: instance.sessions.count() as u64,
        stanzas_in: rate(now.stanzas_in, before.stanzas_in),
        stanzas_out: rate(now.stanzas_out, before.stanzas_out),
        errors: rate(now.errors, before.errors),
        logins: rate(now.logins.0, before.logins.0),
        logins_failed: rate(now.logins.1, before.logins.1),
        commits: rate(now.commits, before.commits),
        commit_ms: if commits == 0 { 0.0 } else { took / commits as f64 },
        delay_ms: delay.as_secs_f64() * 1000.0,
        memory: memory().unwrap_or(0),
        plugin_calls: rate(now.plugin_calls, before.plugin_calls),
        plugin_busy: rate(now.plugin_nanos, before.plugin_nanos) / 1e7,
    };
    (sample, now)
}

/// How long a task that is ready waits for a thread.
async fn delay() -> Duration {
    let begun = Instant::now();
    let waited = tokio::spawn(async move { begun.elapsed() });
    match tokio::time::timeout(PATIENCE, waited).await {
        Ok(Ok(waited)) => waited,
        _ => PATIENCE,
    }
}

/// Resident bytes of this process, where the system tells.
fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

fn millis() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
