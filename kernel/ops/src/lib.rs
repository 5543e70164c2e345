//! Everything an administrator can do, as one table of typed operations.
//!
//! The command line, the web console, REST and ad-hoc commands are faces of
//! [`Ops`]: each hands over a name, arguments as JSON and a [`Caller`], and gets
//! JSON back. What an operation is called, takes, needs and writes to the audit
//! log stands once, beside its type, in [`user`], [`session`], [`device`], [`plugin`],
//! [`data`] and [`server`]. How it is done is behind the traits of [`backend`].

pub mod argument;
pub mod audit;
pub mod backend;
pub mod caller;
pub mod data;
pub mod device;
pub mod error;
pub mod operation;
pub mod plugin;
pub mod registry;
pub mod server;
pub mod session;
pub mod user;

pub use argument::{Argument, Kind};
pub use audit::AuditLog;
pub use backend::{Answer, Backend};
pub use caller::{Caller, Permission};
pub use error::OpError;
pub use operation::{Operation, Spec};
pub use registry::Ops;
