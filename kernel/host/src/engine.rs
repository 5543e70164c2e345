//! The WebAssembly engine: its settings, its clock, and compiled code on disk.

mod code_cache;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use wasmtime::component::Component;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::error::HostError;
pub(crate) use code_cache::CodeCache;

/// How often running guests are looked at.
pub(crate) const TICK: Duration = Duration::from_millis(2);
/// The same while nobody was called for a second: a quiet server sleeps.
const IDLE_TICK: Duration = Duration::from_millis(20);
const IDLE_AFTER: u32 = 500;
/// Most instances of all plugins together.
const INSTANCES: u32 = 1000;
/// Most memory one instance can be given, as manifests may ask.
const MEMORY: usize = 256 << 20;

/// One engine for all plugins of the server.
pub(crate) struct PluginEngine {
    pub(crate) engine: Engine,
    cache: Option<CodeCache>,
    ticker: Ticker,
}

impl PluginEngine {
    /// Starts the engine; a pool of memories where the address space allows it.
    pub(crate) fn new(cache: Option<CodeCache>) -> Result<Self, HostError> {
        let engine = Engine::new(&settings(true)).or_else(|error| {
            tracing::warn!(%error, "no pool of plugin memories; each is made when needed");
            Engine::new(&settings(false))
        });
        let engine = engine.map_err(|error| HostError::Engine(format!("{error:#}")))?;
        let ticker = Ticker::start(&engine).map_err(|error| HostError::Engine(error.to_string()))?;
        Ok(Self { engine, cache, ticker })
    }

    /// A call begins: its deadline needs the clock at full pace.
    pub(crate) fn busy(&self) {
        if !self.ticker.busy.load(Ordering::Relaxed) {
            self.ticker.busy.store(true, Ordering::Relaxed);
        }
    }

    /// Compiles a component, or takes what was compiled before.
    pub(crate) fn compile(&self, plugin: &str, component: &[u8]) -> Result<Component, HostError> {
        if let Some(found) = self.cache.as_ref().and_then(|cache| cache.load(&self.engine, component)) {
            return Ok(found);
        }
        let compiled = Component::from_binary(&self.engine, component)
            .map_err(|error| HostError::component(plugin, format!("does not compile: {error:#}")))?;
        if let Some(cache) = &self.cache {
            cache.save(&self.engine, component, &compiled);
        }
        Ok(compiled)
    }
}

/// Synchronous calls, no guest threads, interruption by epoch: see the cost
/// sheet in the README for what each of these buys.
fn settings(pooling: bool) -> Config {
    let mut config = Config::new();
    config.concurrency_support(false);
    config.epoch_interruption(true);
    config.memory_init_cow(true);
    config.wasm_memory64(false);
    config.max_wasm_stack(512 << 10);
    if pooling {
        let mut pool = PoolingAllocationConfig::default();
        // A component from Rust has three core instances, one from Python dozens.
        pool.total_component_instances(INSTANCES);
        pool.total_core_instances(INSTANCES * 8);
        pool.max_core_instances_per_component(64);
        pool.max_memories_per_component(4);
        pool.max_tables_per_component(32);
        pool.total_memories(INSTANCES);
        pool.total_tables(INSTANCES * 4);
        pool.max_memory_size(MEMORY);
        pool.table_elements(20_000);
        pool.max_unused_warm_slots(64);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        // Reserve what a memory may grow to, not 4 GiB: a thousand fit anywhere.
        config.memory_reservation(MEMORY as u64);
        config.memory_guard_size(64 << 10);
    }
    config
}

/// Advances the epoch while the engine lives.
struct Ticker {
    busy: Arc<AtomicBool>,
}

impl Ticker {
    fn start(engine: &Engine) -> std::io::Result<Self> {
        let busy = Arc::new(AtomicBool::new(true));
        let watched: Weak<AtomicBool> = Arc::downgrade(&busy);
        let engine = engine.weak();
        let tick = move || {
            let mut quiet = 0u32;
            loop {
                std::thread::sleep(if quiet < IDLE_AFTER { TICK } else { IDLE_TICK });
                let (Some(busy), Some(engine)) = (watched.upgrade(), engine.upgrade()) else { return };
                quiet = if busy.swap(false, Ordering::Relaxed) { 0 } else { quiet.saturating_add(1) };
                engine.increment_epoch();
            }
        };
        std::thread::Builder::new().name("plugin-clock".into()).spawn(tick)?;
        Ok(Self { busy })
    }
}

/// Ticks that cover a time.
pub(crate) fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_micros().div_ceil(TICK.as_micros())).unwrap_or(u64::MAX).max(1)
}
