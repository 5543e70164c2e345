use std::path::PathBuf;
use std::time::Duration;

/// How a store behaves. `Options::default()` is what a server wants.
#[derive(Clone, Debug)]
pub struct Options {
    /// Group commit: how long the first waiting batch waits for company.
    /// Zero commits at once. Default 5 ms.
    pub window: Duration,
    /// The same while only [`Class::Relaxed`] batches wait. Default 200 ms.
    pub relaxed_window: Duration,
    /// A group is closed early at this many batches. Default 4,096.
    pub group_batches: usize,
    /// A group is closed early at this many bytes. Default 8 MiB.
    pub group_bytes: usize,
    /// Submitting blocks while this many batches wait. Default 65,536.
    pub queue_batches: usize,
    /// Submitting blocks while this many bytes wait. Default 64 MiB.
    pub queue_bytes: usize,
    /// Below this much free disk space only deletes are taken.
    pub low_water: LowWater,
    /// The file system that is watched; set by [`crate::Store::open`].
    pub watch: Option<PathBuf>,
    /// Bytes of kv partitions held in memory. Default 64 MiB.
    pub cache_bytes: usize,
    /// A kv partition above this many bytes is read from the backend each
    /// time instead of being held. Default 256 KiB.
    pub partition_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window: Duration::from_millis(5),
            relaxed_window: Duration::from_millis(200),
            group_batches: 4096,
            group_bytes: 8 << 20,
            queue_batches: 65_536,
            queue_bytes: 64 << 20,
            low_water: LowWater::Auto,
            watch: None,
            cache_bytes: 64 << 20,
            partition_bytes: 256 << 10,
        }
    }
}

/// Free disk space that must remain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LowWater {
    /// 512 MiB or 5 % of the file system, whichever is smaller.
    Auto,
    /// This many bytes.
    Bytes(u64),
    /// Not watched.
    Off,
}

/// When a batch is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    /// After it reached the disk.
    #[default]
    Durable,
    /// At once; a crash may lose the last moments (`relaxed_window`).
    Relaxed,
}
