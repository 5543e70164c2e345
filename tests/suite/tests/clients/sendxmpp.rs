//! go-sendxmpp: sends from its standard input, listens to its standard output.
//! It has no roster, blocking or change of password.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};

use anyhow::{Context as _, Result, ensure};

use crate::environment::{Play, STEP, on_path};

pub(crate) fn go_sendxmpp(play: &Play) -> Result<()> {
    let program = on_path("go-sendxmpp", "go-sendxmpp")?;
    // Nobody listens yet: the message waits at the server.
    send(play, &program, &play.romeo, &play.juliet, "Are you asleep?", &play.password)?;
    let juliet = Listener::start(play, &program, &play.juliet)?;
    juliet.hears(&format!("{}: Are you asleep?", play.romeo)).context("offline message")?;
    send(play, &program, &play.romeo, &play.juliet, "She speaks!", &play.password)?;
    juliet.hears(&format!("{}: She speaks!", play.romeo)).context("chat")?;
    let romeo = Listener::start(play, &program, &play.romeo)?;
    send(play, &program, &play.juliet, &play.romeo, "Ay me & <you>", &play.password)?;
    romeo.hears(&format!("{}: Ay me & <you>", play.juliet)).context("chat back")?;
    let refused = send(play, &program, &play.romeo, &play.juliet, "?", "wrong");
    ensure!(refused.is_err(), "a wrong password was taken");
    Ok(())
}

fn send(play: &Play, program: &Path, from: &str, to: &str, text: &str, password: &str) -> Result<()> {
    let mut child = play
        .command(program)
        .args(["-u", from, "-p", password, "-j", &play.target.c2s.to_string(), to])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("no stdin")?.write_all(format!("{text}\n").as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "sending failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

struct Listener {
    child: Child,
    lines: Receiver<String>,
    _stdin: Option<ChildStdin>,
}

impl Listener {
    fn start(play: &Play, program: &Path, who: &str) -> Result<Self> {
        let mut child = play
            .command(program)
            .args(["-l", "-u", who, "-p", &play.password, "-j", &play.target.c2s.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = BufReader::new(child.stdout.take().context("no stdout")?);
        let stdin = child.stdin.take();
        let (heard, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if heard.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, lines, _stdin: stdin })
    }

    fn hears(&self, end: &str) -> Result<()> {
        loop {
            let line = self.lines.recv_timeout(STEP).with_context(|| format!("waiting for {end:?}"))?;
            if line.ends_with(end) {
                return Ok(());
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
