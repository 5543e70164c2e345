//! Everything an administrator can do, as one table of typed operations.
//!
//! The command line, the web console, REST and ad-hoc commands are faces of
//! [`Ops`]: each hands over a name, arguments as JSON and a [`Caller`], and gets
//! JSON back. What an operation is called, takes, needs and writes to the audit
//! log stands once, beside its type, in [`user`], [`session`], [`device`], [`plugin`],
//! [`token`], [`audit`], [`domain`], [`certificate`], [`config`], [`log`], [`stanza`], [`store`], [`data`],
//! [`federation`], [`overview`], [`about`] and [`server`]; what plugins add comes through [`contributed`]. Who may
//! is decided in [`permit`], for all of them. How it is done is behind the traits of [`backend`].

pub mod about;
pub mod absent;
pub mod access;
pub mod argument;
pub mod audit;
pub mod backend;
pub mod caller;
pub mod certificate;
pub mod config;
pub mod contributed;
pub mod data;
pub mod describe;
pub mod device;
pub mod domain;
pub mod error;
pub mod federation;
pub mod files;
pub mod kind;
pub mod log;
pub mod operation;
pub mod overview;
pub mod page;
pub mod permit;
pub mod plugin;
pub mod registry;
pub mod route;
pub mod scopes;
pub mod server;
pub mod session;
pub mod stanza;
pub mod store;
pub mod streams;
pub mod token;
pub mod user;

pub use absent::Absent;
pub use access::{About, Danger, Roles};
pub use argument::{Argument, Kind, Words};
pub use audit::{AuditLog, AuditRow, Retention};
pub use backend::{Answer, Backend};
pub use caller::{Caller, Face, Narrowed, Rank, Role};
pub use contributed::Contributed;
pub use describe::Place;
pub use error::OpError;
pub use files::Files;
pub use operation::{Operation, Output, Spec};
pub use page::{Key, Order, Page, Paging};
pub use registry::{Ops, specs};
pub use route::{Method, Route};
pub use scopes::Scopes;
pub use streams::{Streams, Topic};
