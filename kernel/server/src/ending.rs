//! The end of the server that somebody asked for by an operation, and starting again.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::Instant;
use xylem_ops::server::ending::Ending;

/// At the least: whoever asked is to get his answer.
const LEAST: Duration = Duration::from_millis(500);

/// An end that is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    pub ending: Ending,
    pub reason: Option<String>,
    /// Seconds since 1970 UTC.
    pub at: u64,
    due: Instant,
}

/// Where an end is planned, and waited for.
pub struct Endings {
    planned: watch::Sender<Option<Planned>>,
    /// Whether there is anything to come back to.
    can_restart: bool,
}

impl Endings {
    pub fn new(can_restart: bool) -> Self {
        Self { planned: watch::Sender::new(None), can_restart }
    }

    pub fn can_restart(&self) -> bool {
        self.can_restart
    }

    pub fn plan(&self, ending: Ending, delay: Duration, reason: Option<String>) -> Planned {
        let at = (SystemTime::now() + delay).duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let planned = Planned { ending, reason, at, due: Instant::now() + delay.max(LEAST) };
        self.planned.send_replace(Some(planned.clone()));
        planned
    }

    /// What was planned, and is no more.
    pub fn call_off(&self) -> Option<Planned> {
        self.planned.send_replace(None)
    }

    pub fn planned(&self) -> Option<Planned> {
        self.planned.borrow().clone()
    }

    /// Waits for an end that is planned and not called off.
    pub async fn due(&self) -> Planned {
        let mut watched = self.planned.subscribe();
        loop {
            let planned = watched.borrow_and_update().clone();
            let over = async {
                match &planned {
                    Some(planned) => tokio::time::sleep_until(planned.due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = over => if let Some(planned) = planned { return planned },
                // The sender is in this very object.
                _changed = watched.changed() => {}
            }
        }
    }
}

/// The program as it was started.
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
}

impl Program {
    /// Asked for at the start: afterwards another file may have taken its place, which is the one to start then.
    pub fn this() -> std::io::Result<Self> {
        Ok(Self { path: std::env::current_exe()?, arguments: std::env::args_os().skip(1).collect() })
    }

    /// Becomes that program, with the same arguments, surroundings and number; open files are closed on the way.
    /// What watches over this process sees no end of it.
    pub fn start_again(&self) -> std::io::Error {
        Command::new(&self.path).args(&self.arguments).exec()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_newest_plan_counts_unless_it_is_called_off() {
        let endings = Endings::new(true);
        let hour = Duration::from_secs(3600);
        endings.plan(Ending::Restart, hour, None);
        endings.plan(Ending::Stop, hour * 2, Some("moving".into()));
        assert!(tokio::time::timeout(hour + LEAST, endings.due()).await.is_err(), "the first was replaced");
        assert_eq!(endings.call_off().unwrap().reason.as_deref(), Some("moving"));
        assert!(tokio::time::timeout(hour * 48, endings.due()).await.is_err(), "called off");
        assert_eq!(endings.planned(), None);
        let now = Instant::now();
        endings.plan(Ending::Restart, Duration::ZERO, None);
        assert_eq!(endings.due().await.ending, Ending::Restart);
        assert!(now.elapsed() >= LEAST, "the answer was let out");
    }
}
