//! Tests of plugins against the real thing: the server's own dispatch, store and
//! outbox in the process of the test, with scripted clients and a clock that the
//! test moves. No sockets, no sleeping.
//!
//! ```no_run
//! use xylem_testing::Kit;
//!
//! let server = Kit::new().plugin("example.hello").start();
//! server.account("juliet");
//! let mut juliet = server.client("juliet@localhost/balcony");
//! juliet.send("<iq type='get' to='localhost' id='1'><hello xmlns='urn:example:hello'/></iq>");
//! juliet.receives("<iq type='result' from='localhost' id='1'><hello xmlns='urn:example:hello'>Hello, juliet!</hello></iq>");
//! juliet.receives_nothing();
//! ```
//!
//! [`Kit`] says what the server is made of, [`Server`] is what runs, [`Client`] is a
//! session of it, [`Stranger`] a stream that has not logged in. Whatever does not go
//! as the test says is a panic that shows what came instead.
//!
//! Every call that makes the server do something returns when all that follows from
//! it has happened: turns are committed, what they send is delivered and read. That
//! is looked up and not guessed, so [`Client::receives_nothing`] is a proof.
#![allow(clippy::panic, reason = "a test is told by a panic that it failed")]

mod accounts;
mod backend;
mod client;
mod clock;
mod kit;
mod line;
mod matching;
mod operations;
mod packages;
mod server;
mod stranger;
mod world;

pub use client::Client;
pub use kit::Kit;
pub use matching::Received;
pub use serde_json::{Value, json};
pub use server::Server;
pub use stranger::Stranger;
