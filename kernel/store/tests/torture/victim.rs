//! Starting, killing and asking the processes of `child.rs`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long a check may take before it counts as hanging; long, as the machine may be starved.
const CHECK: Duration = Duration::from_secs(600);
const OPEN: Duration = Duration::from_secs(300);

pub(crate) struct Victim {
    child: Child,
    opened: Receiver<()>,
    reader: std::thread::JoinHandle<Last>,
    heard: Arc<AtomicU64>,
}

/// What was heard of a process until its end.
#[derive(Default)]
pub(crate) struct Last {
    pub(crate) opened: bool,
    pub(crate) acknowledged: Option<u64>,
    /// Why a turn failed.
    pub(crate) failed: Option<String>,
}

impl Victim {
    pub(crate) fn start(kind: &str, dir: &Path) -> Self {
        let mut child = command("write", kind, dir).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, opened) = channel();
        let heard = Arc::new(AtomicU64::new(0));
        let hearing = Arc::clone(&heard);
        let reader = std::thread::spawn(move || {
            let mut last = Last::default();
            for line in out.lines().map_while(Result::ok) {
                if line == "open" {
                    last.opened = true;
                    let _ = tell.send(());
                } else if let Ok(number) = line.parse() {
                    // Acknowledged in order, so the last one counts.
                    last.acknowledged = Some(number);
                    hearing.store(number, Ordering::Release);
                } else {
                    last.failed = Some(line);
                }
            }
            last
        });
        Self { child, opened, reader, heard }
    }

    pub(crate) fn wait_until_open(&self) {
        self.opened.recv_timeout(OPEN).expect("the database does not open");
    }

    /// The last number that was acknowledged up to now; 0 when there was none.
    pub(crate) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Acquire)
    }

    /// SIGKILL, then everything it had said.
    pub(crate) fn kill(mut self) -> Last {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.reader.join().unwrap()
    }
}

/// Opens the database in a process of its own and returns the digest it tells.
pub(crate) fn check(kind: &str, dir: &Path, clean: bool, seed: u64) -> String {
    let mut command = command("check", kind, dir);
    let mut child = command.arg(if clean { "clean" } else { "exit" }).spawn().unwrap();
    let deadline = Instant::now() + CHECK;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("reading hangs; {kind}, seed {seed}, data in {}", dir.display());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "the database is unreadable; {kind}, seed {seed}, data in {}", dir.display());
    told.trim().to_owned()
}

fn command(what: &str, kind: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["child", what, kind]).arg(dir).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}
