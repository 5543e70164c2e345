use std::fmt::{self, Error};
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use xylem_host::{PluginInfo, State};
use xylem_net::wires::Refusal;
use xylem_session::Session;
use xylem_stanza::Kind;
use xylem_store::metrics::LATENCY_BOUNDS_MS;

use crate::instance::Instance;

/// Sessions looked at per turn when queues are added up.
const BATCH: usize = 1024;
const KINDS: [(&str, Kind); 3] = [("message", Kind::Message), ("presence", Kind::Presence), ("iq", Kind::Iq)];

/// All metrics of one server.
pub struct Metrics(Registry);

impl Metrics {
    #[must_use]
    pub fn new(instance: Arc<Instance>) -> Self {
        let mut registry = Registry::with_prefix("xylem");
        registry.register_collector(Box::new(Parts(instance)));
        Self(registry)
    }

    /// The page that `/metrics` gives.
    pub fn page(&self) -> String {
        let mut page = String::new();
        match prometheus_client::encoding::text::encode(&mut page, &self.0) {
            Ok(()) => page,
            Err(error) => {
                tracing::error!(%error, "metrics cannot be written");
                String::new()
            }
        }
    }
}

/// What is to be seen of the sessions by looking at each.
#[derive(Default)]
struct Queues {
    stanzas: u64,
    bytes: u64,
    deepest: u64,
    managed: u64,
    unacknowledged: u64,
    inactive: u64,
}

impl Queues {
    fn add(&mut self, session: &Session) {
        let (waiting, size) = session.queue().depth();
        self.stanzas += waiting as u64;
        self.bytes += size as u64;
        self.deepest = self.deepest.max(size as u64);
        self.inactive += u64::from(session.queue().is_inactive());
        if let Some(management) = session.management() {
            self.managed += 1;
            self.unacknowledged += management.unacknowledged() as u64;
        }
    }
}

struct Parts(Arc<Instance>);

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts")
    }
}

impl Collector for Parts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut page = Page(&mut encoder);
        self.sessions(&mut page)?;
        self.stanzas(&mut page)?;
        self.store(&mut page)?;
        self.wires(&mut page)?;
        self.plugins(&mut page)
    }
}

impl Parts {
    fn sessions(&self, page: &mut Page<'_, '_>) -> Result<(), Error> {
        let this = &*self.0;
        page.gauge("uptime_seconds", "Time since the start", this.started.elapsed().as_secs())?;
        page.gauge("connections", "Open connections, logged in or not", this.context.admission.count() as u64)?;
        page.gauge("sessions", "Bound resources", this.sessions.count() as u64)?;
        page.gauge("accounts_online", "Accounts with a bound resource", this.sessions.accounts() as u64)?;
        let (succeeded, failed) = this.logins.read();
        page.counters("logins", "Logins", "outcome", &[("succeeded", succeeded), ("failed", failed)])?;
        let hibernation = &this.context.hibernation;
        page.gauge("sessions_hibernated", "Sessions that wait for their clients", hibernation.waiting() as u64)?;
        page.counter("sessions_resumed", "Sessions that went on over another connection", hibernation.resumptions())?;
        let queues = self.queues();
        page.gauge("sessions_managed", "Sessions with stream management", queues.managed)?;
        page.gauge("sessions_inactive", "Sessions whose clients nobody looks at", queues.inactive)?;
        page.gauge("unacknowledged_stanzas", "Stanzas sent and not acknowledged", queues.unacknowledged)?;
        page.gauge("queued_stanzas", "Stanzas waiting to be written to clients", queues.stanzas)?;
        page.gauge("queued_bytes", "Bytes waiting to be written to clients", queues.bytes)?;
        page.gauge("queue_deepest_bytes", "Bytes waiting in the fullest queue", queues.deepest)
    }

    fn queues(&self) -> Queues {
        let mut queues = Queues::default();
        let mut after = 0;
        loop {
            let some = self.0.sessions.all(after, BATCH);
            for session in &some {
                queues.add(session);
            }
            match some.last() {
                Some(last) if some.len() == BATCH => after = last.id(),
                _ => return queues,
            }
        }
    }

    fn stanzas(&self, page: &mut Page<'_, '_>) -> Result<(), Error> {
        let counters = self.0.router.counters();
        let from = KINDS.map(|(name, kind)| (name, counters.from_clients(kind)));
        page.counters("stanzas_from_clients", "Stanzas received from clients", "kind", &from)?;
        let to = KINDS.map(|(name, kind)| (name, counters.to_clients(kind)));
        page.counters("stanzas_to_clients", "Stanzas queued for clients", "kind", &to)?;
        page.counter("stanza_errors", "Error replies made by the router", counters.errors())
    }

    fn store(&self, page: &mut Page<'_, '_>) -> Result<(), Error> {
        let metrics = self.0.store.metrics();
        let health = self.0.store.health();
        page.counter("store_commits", "Group commits", metrics.commits)?;
        page.counter("store_batches", "Batches and turns in them", metrics.batches)?;
        page.counter("store_entries", "Entries written or deleted", metrics.entries)?;
        page.counter("store_bytes", "Bytes handed to the backend", metrics.bytes)?;
        let cache = [("hit", metrics.cache_hits), ("miss", metrics.cache_misses)];
        page.counters("store_cache", "Partitions asked for", "outcome", &cache)?;
        page.gauge("store_cache_bytes", "Bytes of partitions in memory", self.0.store.cache_bytes() as u64)?;
        page.gauge("store_waiting_batches", "Batches waiting for their commit", health.waiting as u64)?;
        page.gauge("store_waiting_bytes", "Bytes waiting for their commit", health.waiting_bytes as u64)?;
        page.gauge("store_writable", "1 while writes are taken", u64::from(health.is_writable()))?;
        if let Some(free) = health.disk_free {
            page.gauge("store_disk_free_bytes", "Free disk space at the last look", free)?;
        }
        let bounds = LATENCY_BOUNDS_MS.iter().map(|ms| *ms as f64 / 1000.0).chain([f64::MAX]);
        let buckets: Vec<(f64, u64)> = bounds.zip(metrics.latency).collect();
        let mut encoder = page.0.encode_descriptor(
            "store_commit_seconds",
            "Duration of group commits",
            None,
            MetricType::Histogram,
        )?;
        encoder.encode_histogram::<NoLabelSet>(metrics.total_commit_us as f64 / 1e6, metrics.commits, &buckets, None)
    }

    fn wires(&self, page: &mut Page<'_, '_>) -> Result<(), Error> {
        let counts = self.0.wires.counts();
        let open = [("handshake", counts.shaking), ("waiting", counts.waiting), ("relayed", counts.relayed)];
        page.gauges("wires", "Connections that are no streams, open now", "state", &open)?;
        let refused: Vec<_> = Refusal::ALL.iter().map(|why| why.name()).zip(counts.refused).collect();
        page.counters("wires_refused", "Wires that ended before they were relayed", "why", &refused)?;
        page.counter("wire_relays", "Relays between two wires", counts.relays)?;
        page.counter("wire_bytes", "Bytes relayed", counts.bytes)
    }

    fn plugins(&self, page: &mut Page<'_, '_>) -> Result<(), Error> {
        let plugins = self.0.plugins.info();
        let each = |value: fn(&PluginInfo) -> u64| -> Vec<(&str, u64)> {
            plugins.iter().map(|p| (p.id.as_str(), value(p))).collect()
        };
        let label = "plugin";
        page.counters("plugin_calls", "Calls into the plugin", label, &each(|p| p.calls))?;
        page.counters("plugin_faults", "Calls that trapped or ran out of a limit", label, &each(|p| p.faults))?;
        page.counters("plugin_refused", "Calls not made after faults", label, &each(|p| p.refused))?;
        page.counters("plugin_sends", "Stanzas sent by the plugin", label, &each(|p| p.sends))?;
        page.counters("plugin_writes", "Rows written by the plugin", label, &each(|p| p.writes))?;
        let busy: Vec<_> = plugins.iter().map(|p| (p.id.as_str(), p.nanos as f64 / 1e9)).collect();
        page.seconds("plugin_busy_seconds", "Time spent in the plugin", label, &busy)?;
        page.gauges("plugin_instances", "Instances alive", label, &each(|p| p.instances as u64))?;
        page.gauges("plugin_memory_bytes", "Linear memory of its instances", label, &each(|p| p.memory as u64))?;
        let running = |p: &PluginInfo| u64::from(matches!(p.state, State::Running));
        page.gauges("plugin_running", "1 while it is called", label, &each(running))
    }
}

/// The page being written.
struct Page<'e, 'd>(&'e mut DescriptorEncoder<'d>);

impl Page<'_, '_> {
    fn gauge(&mut self, name: &str, help: &str, value: u64) -> Result<(), Error> {
        self.0.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> Result<(), Error> {
        self.0
            .encode_descriptor(name, help, None, MetricType::Counter)?
            .encode_counter::<NoLabelSet, _, f64>(&value, None)
    }

    fn counters(&mut self, name: &str, help: &str, label: &str, values: &[(&str, u64)]) -> Result<(), Error> {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (value, count) in values {
            encoder.encode_family(&[(label, *value)])?.encode_counter::<NoLabelSet, _, f64>(count, None)?;
        }
        Ok(())
    }

    fn seconds(&mut self, name: &str, help: &str, label: &str, values: &[(&str, f64)]) -> Result<(), Error> {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (value, seconds) in values {
            encoder.encode_family(&[(label, *value)])?.encode_counter::<NoLabelSet, _, f64>(seconds, None)?;
        }
        Ok(())
    }

    fn gauges(&mut self, name: &str, help: &str, label: &str, values: &[(&str, u64)]) -> Result<(), Error> {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (value, number) in values {
            encoder.encode_family(&[(label, *value)])?.encode_gauge(number)?;
        }
        Ok(())
    }
}
