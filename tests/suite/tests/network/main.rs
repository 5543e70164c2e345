//! A phone on a bad network: its link stalls, breaks, and comes back with another address. What is said to it and by
//! it meanwhile arrives, once and in order (XEP-0198).
//!
//! The phone is slixmpp in a network namespace of its own, joined to ours by a pair of virtual interfaces. Where that
//! cannot be made (no root, no `ip`) or there is no slixmpp, nothing is tested, and the test says so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod link;
mod phone;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use xylem_suite::server::{Server, Target};
use xylem_suite::session::{Login, LoginError, Session, Via};
use xylem_suite::xml::{CLIENT, Event};

use link::Link;
use phone::Phone;

const PASSWORD: &str = "secret";
/// Long enough for segments to be sent again several times, short enough for no timeout.
const STALL: Duration = Duration::from_secs(2);

#[test]
fn a_phone_on_a_bad_network_misses_nothing() -> Result<()> {
    let python = match phone::python() {
        Ok(python) => python,
        Err(missing) => return skip(&missing.to_string()),
    };
    let link = match Link::make() {
        Ok(link) => link,
        Err(missing) => return skip(&format!("no network to test on: {missing:#}")),
    };
    let server = Server::start(&["--backend", "memory", "--address", &link.server])?;
    let target = Arc::clone(&server.target);
    for name in ["romeo", "juliet"] {
        Session::open(&target, Via::StartTls, &target.domain)?.register(&target.domain, name, PASSWORD)?;
    }
    let mut romeo = log_in(&target, "romeo")?;
    let mut phone = Phone::start(&link, &python, &target, PASSWORD)?;
    phone.says("online")?;
    speak(&mut romeo, 1..=1)?;
    phone.hears(1..=1)?;

    stalls(&link, &mut romeo, &mut phone).context("the link stalls")?;
    moves(&link, &mut romeo, &mut phone).context("the link comes back with another address")?;
    moves_amid_words(&link, &mut romeo, &mut phone).context("the phone had something to say")?;

    phone.is_silent()?;
    phone.stop()?;
    server.stop()
}

/// TCP alone makes up for it: no new connection.
fn stalls(link: &Link, romeo: &mut Session, phone: &mut Phone) -> Result<()> {
    link.down()?;
    speak(romeo, 2..=6)?;
    std::thread::sleep(STALL);
    link.up()?;
    phone.hears(2..=6)
}

/// The server finds out about the lost connection when the phone comes by another.
fn moves(link: &Link, romeo: &mut Session, phone: &mut Phone) -> Result<()> {
    link.down()?;
    speak(romeo, 7..=9)?;
    link.move_to(3)?;
    link.up()?;
    phone.told("moved")?;
    phone.says("resumed")?;
    phone.hears(7..=9)?;
    speak(romeo, 10..=10)?;
    phone.hears(10..=10)
}

/// What it said into the void is said again, and heard once.
fn moves_amid_words(link: &Link, romeo: &mut Session, phone: &mut Phone) -> Result<()> {
    link.down()?;
    for number in 1..=3 {
        phone.told(&format!("say {number}"))?;
    }
    std::thread::sleep(Duration::from_millis(300));
    link.move_to(4)?;
    link.up()?;
    phone.told("moved")?;
    phone.says("resumed")?;
    for number in 1..=3 {
        ensure!(heard(romeo)? == number.to_string(), "not {number}");
    }
    phone.told("say 4")?;
    ensure!(heard(romeo)? == "4", "something came twice");
    Ok(())
}

fn log_in(target: &Arc<Target>, name: &str) -> Result<Session> {
    let login = Login {
        domain: target.domain.clone(),
        local: Some(name.to_owned()),
        password: PASSWORD.to_owned(),
        resource: Some("desk".to_owned()),
        mechanism: None,
        via: Via::StartTls,
        sasl2: false,
    };
    let mut session = Session::open(target, Via::StartTls, &target.domain)?;
    session.login(&login).map_err(|error| match error {
        LoginError::Refused(condition) => anyhow::anyhow!("login refused: {condition}"),
        LoginError::Broken(error) => error,
    })?;
    session.send("<presence/>")?;
    Ok(session)
}

fn speak(romeo: &mut Session, numbers: std::ops::RangeInclusive<u32>) -> Result<()> {
    for number in numbers {
        romeo.send(&format!("<message type='chat' to='juliet@localhost'><body>{number}</body></message>"))?;
    }
    Ok(())
}

/// The next message that Romeo gets.
fn heard(romeo: &mut Session) -> Result<String> {
    loop {
        match romeo.receive()?.context("nothing")? {
            Event::Element(tree) if tree.name == "message" => {
                return Ok(tree.child(CLIENT, "body").context("no body")?.text());
            }
            _ => {}
        }
    }
}

#[allow(clippy::unnecessary_wraps, reason = "what the test returns")]
fn skip(why: &str) -> Result<()> {
    println!("not tested: {why}");
    Ok(())
}
