//! A server with no file descriptors left serves whom it has, waits without spinning, and takes new clients
//! again when some have gone.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use xylem_suite::server::{Server, Target, program};
use xylem_suite::session::{Login, Session, Via};
use xylem_suite::xml::Event;

/// Descriptors that the server may have.
const LIMIT: usize = 128;
/// How long its rest is watched, and how much of that it may compute: a spinning loop takes all of it, sanity
/// a hundredth.
const WATCHED: Duration = Duration::from_secs(2);
const MOST: Duration = Duration::from_millis(300);

#[test]
fn without_descriptors_the_server_waits_and_recovers() {
    let mut command = Command::new("sh");
    // Soft and hard limit: nothing to raise it to.
    command.args(["-c", &format!("ulimit -n {LIMIT} && exec \"$@\""), "sh"]);
    command.arg(program().unwrap()).args(["dev", "--backend", "memory"]);
    let server = Server::run(&mut command).unwrap();
    let pid = server.pid().unwrap();
    let target = &server.target;
    let mut romeo = log_in(target, "romeo");
    let mut juliet = log_in(target, "juliet");

    let crowd: Vec<TcpStream> = (0..2 * LIMIT).map(|_| TcpStream::connect(target.c2s).unwrap()).collect();
    wait("all descriptors are taken", || descriptors(pid) >= LIMIT);

    let before = computed(pid);
    let until = Instant::now() + WATCHED;
    let mut number = 0;
    while Instant::now() < until {
        number += 1;
        chat(&mut romeo, &mut juliet, number);
        std::thread::sleep(Duration::from_millis(100));
    }
    let spent = computed(pid).saturating_sub(before);
    assert!(spent < MOST, "{spent:?} of computing in {WATCHED:?} with nothing to accept with");
    assert!(descriptors(pid) >= LIMIT, "there was room again");

    drop(crowd);
    let mut nurse = log_in(target, "nurse");
    chat(&mut romeo, &mut nurse, 0);
    server.stop().unwrap();
}

fn log_in(target: &Arc<Target>, name: &str) -> Session {
    let login = Login {
        domain: target.domain.clone(),
        local: Some(name.to_owned()),
        password: "secret".to_owned(),
        resource: Some("a".to_owned()),
        mechanism: None,
        sasl2: false,
        via: Via::StartTls,
    };
    Session::open(target, Via::StartTls, &target.domain).unwrap().register(&login.domain, name, "secret").unwrap();
    let mut session = Session::open(target, Via::StartTls, &target.domain).unwrap();
    session.login(&login).unwrap();
    session
}

fn chat(from: &mut Session, to: &mut Session, number: u32) {
    let there = to.full.clone().unwrap();
    from.send(&format!("<message to='{there}' id='{number}' type='chat'><body>still here</body></message>")).unwrap();
    match to.receive().unwrap() {
        Some(Event::Element(it)) => assert_eq!(it.attribute("id"), Some(number.to_string().as_str())),
        other => panic!("the message was due, not {other:?}"),
    }
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < until, "in vain waited until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// What the process has computed, in ticks of a hundredth of a second (proc(5)).
fn computed(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The second field is a name in parentheses that may have spaces; utime and stime are 14 and 15.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields.iter().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
