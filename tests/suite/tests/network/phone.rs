//! The phone: a script in the namespace, and what it says.

use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use xylem_suite::server::Target;

use crate::link::Link;

/// How long it may take to say something.
const PATIENCE: Duration = Duration::from_secs(30);

/// The Python that `tests/clients/setup` made.
pub(crate) fn python() -> Result<PathBuf> {
    let folder = match std::env::var_os("XYLEM_TEST_VENV") {
        Some(folder) => PathBuf::from(folder),
        None => {
            let own = std::env::current_exe()?;
            own.ancestors().nth(3).context("the test stands in no target folder")?.join("clients-venv")
        }
    };
    let python = folder.join("bin/python");
    ensure!(python.exists(), "slixmpp is not set up, run tests/clients/setup ({})", python.display());
    Ok(python)
}

pub(crate) struct Phone {
    child: Child,
    orders: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Phone {
    pub(crate) fn start(link: &Link, python: &Path, target: &Target, password: &str) -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/slixmpp_phone.py");
        let mut child = Command::new("ip")
            .args(["netns", "exec", &link.space])
            .arg(python)
            .arg("-B")
            .arg(script)
            .env("XYLEM_HOST", target.c2s.ip().to_string())
            .env("XYLEM_PORT", target.c2s.port().to_string())
            .env("XYLEM_DOMAIN", &target.domain)
            .env("XYLEM_CERTIFICATE", &target.certificate)
            .env("XYLEM_ROMEO", format!("romeo@{}", target.domain))
            .env("XYLEM_JULIET", format!("juliet@{}", target.domain))
            .env("XYLEM_PASSWORD", password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = BufReader::new(child.stdout.take().context("no stdout")?);
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                drop(tell.send(line));
            }
        });
        let orders = child.stdin.take();
        Ok(Self { child, orders, lines })
    }

    pub(crate) fn told(&mut self, order: &str) -> Result<()> {
        writeln!(self.orders.as_mut().context("it is stopped")?, "{order}")?;
        Ok(())
    }

    /// Waits for its next line, which has to be this.
    pub(crate) fn says(&mut self, expected: &str) -> Result<()> {
        let line = self.lines.recv_timeout(PATIENCE).with_context(|| format!("it does not say {expected:?}"))?;
        ensure!(line == expected, "it says {line:?}, not {expected:?}");
        Ok(())
    }

    /// Waits for messages with these numbers, in order and with nothing between them.
    pub(crate) fn hears(&mut self, numbers: RangeInclusive<u32>) -> Result<()> {
        numbers.into_iter().try_for_each(|number| self.says(&format!("message {number}")))
    }

    pub(crate) fn is_silent(&mut self) -> Result<()> {
        match self.lines.recv_timeout(Duration::from_millis(500)) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            said => bail!("it says {said:?}"),
        }
    }

    pub(crate) fn stop(mut self) -> Result<()> {
        self.orders = None;
        let status = self.child.wait()?;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
