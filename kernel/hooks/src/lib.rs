//! The hook points a stanza passes, the manifests that ask for them, and the
//! plan compiled from all manifests. No I/O: the router walks the plan, the
//! plugin host makes the calls, and both meet in the traits of [`call`].

pub mod call;
pub mod effect;
pub mod filter;
pub mod manifest;
pub mod page;
pub mod plan;
pub mod point;
pub mod recipients;
pub mod verdict;

pub use call::{Cause, Done, HookOutcome, IqOutcome, Parties, Plugins, Recorded, Release, Stamp};
pub use effect::{Effect, Pick};
pub use manifest::{Manifest, ManifestError, Treat};
pub use page::{PageEnd, PageError, PageOrder};
pub use plan::{Chain, Claim, ManifestEntry, Next, Party, Plan, PlanError, Step, Views, Walk};
pub use point::{EntityClass, EventPoint, HookPoint, Phase};
pub use recipients::{Recipient, Recipients};
pub use verdict::{Failure, Verdict};
