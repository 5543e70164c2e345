//! Stock clients against the server: each logs in over TLS, and as far as it can does
//! roster, presence, chat both ways, offline messages, blocking and a change of password.
//! Some of them meet in a room and administrate it.
//!
//! A client that is not installed is skipped with a word why; where `CI` is set that is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod environment;
mod profanity;
mod profanity_rooms;
mod script;
mod sendxmpp;
mod terminal;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use libtest_mimic::{Arguments, Completion, Trial};
use xylem_suite::server::{Server, Target};

use environment::{Missing, Play};

/// A test: `Err(Missing)` inside the error means that the client is not there.
type Test = fn(&Play) -> Result<()>;

const CLIENTS: [(&str, Test); 13] = [
    ("slixmpp", script::slixmpp),
    ("aioxmpp", script::aioxmpp),
    ("tokio-xmpp", script::tokio_xmpp),
    ("xmpp.js", script::xmpp_js),
    ("go-sendxmpp", sendxmpp::go_sendxmpp),
    ("profanity", profanity::profanity),
    ("slixmpp-bytestream", script::slixmpp_bytestream),
    ("slixmpp-rooms", script::slixmpp_rooms),
    ("aioxmpp-rooms", script::aioxmpp_rooms),
    ("nbxmpp-rooms", script::nbxmpp_rooms),
    ("slixmpp-devices", script::slixmpp_devices),
    ("nbxmpp-devices", script::nbxmpp_devices),
    ("profanity-rooms", profanity_rooms::rooms),
];

fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    if arguments.list {
        let trials = CLIENTS.iter().map(|(name, _)| Trial::test(*name, || Ok(()))).collect();
        return Ok(libtest_mimic::run(&arguments, trials).exit_code());
    }
    let server = Server::find().context("the server under test")?;
    let trials = CLIENTS.iter().map(|(name, test)| trial(name, *test, &server.target)).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    server.stop().context("stopping the server")?;
    Ok(conclusion.exit_code())
}

fn trial(name: &'static str, test: Test, target: &Arc<Target>) -> Trial {
    let target = Arc::clone(target);
    Trial::ignorable_test(name, move || {
        let play = Play::prepare(name, &target).map_err(|e| format!("{e:#}"))?;
        match test(&play) {
            Ok(()) => Ok(Completion::Completed),
            Err(e) => match e.downcast_ref::<Missing>() {
                Some(missing) if std::env::var_os("CI").is_none() => Ok(Completion::ignored_with(missing.to_string())),
                _ => Err(format!("{e:#}").into()),
            },
        }
    })
}
