//! The servers of a run: the one that most stories share, and those that are set otherwise.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Result, anyhow};
use tempfile::TempDir;

use crate::certificates::Authority;
use crate::server::{Server, Target};
use crate::story::Story;

/// Settings in a story and what they say, in the story's order.
pub type Settings = Vec<(String, String)>;

type Started = Arc<OnceLock<Result<Server, String>>>;

/// Servers, each started when it is first wanted. Stories that say the same share one.
pub struct Fleet {
    shared: Server,
    others: Mutex<HashMap<Settings, Started>>,
    /// With the certificate of [`Authority::known`].
    folder: TempDir,
}

impl Fleet {
    /// Takes or starts the server that most stories share.
    ///
    /// # Errors
    /// When there is none.
    pub fn find() -> Result<Self> {
        let folder = TempDir::with_prefix("xylem-suite-")?;
        std::fs::write(folder.path().join("authority.pem"), &Authority::known()?.pem)?;
        Ok(Self { shared: Server::find()?, others: Mutex::default(), folder })
    }

    /// The server for a story; none if it wants one set its way and the server under test is
    /// not ours to set.
    ///
    /// # Errors
    /// When it does not start.
    pub fn target(&self, story: &Story) -> Result<Option<Arc<Target>>> {
        if story.wants_our_server() && !self.shared.is_ours() {
            return Ok(None);
        }
        let settings = &story.server;
        if settings.is_empty() {
            return Ok(Some(self.shared.target.clone()));
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let started = others.entry(settings.clone()).or_default().clone();
        drop(others);
        let server = started.get_or_init(|| self.start(settings).map_err(|e| format!("{e:#}")));
        server.as_ref().map(|server| Some(server.target.clone())).map_err(|e| anyhow!("{e}"))
    }

    fn start(&self, settings: &Settings) -> Result<Server> {
        let authority = self.folder.path().join("authority.pem").display().to_string();
        let variables = settings.iter().map(|(key, value)| (variable(key), value.replace("{authority}", &authority)));
        Server::start_with(&[], &variables.collect::<Vec<_>>())
    }

    /// Stops all of them.
    ///
    /// # Errors
    /// When one does not end as it should.
    pub fn stop(self) -> Result<()> {
        let others = self.others.into_inner().unwrap_or_else(PoisonError::into_inner);
        for started in others.into_values() {
            if let Some(Ok(server)) = Arc::into_inner(started).and_then(OnceLock::into_inner) {
                server.stop()?;
            }
        }
        self.shared.stop()
    }
}

/// `plugins."xylem.offline".max_messages` as `XYLEM__PLUGINS__XYLEM.OFFLINE__MAX_MESSAGES`.
fn variable(key: &str) -> String {
    let mut variable = "XYLEM__".to_owned();
    for (at, piece) in key.split('"').enumerate() {
        // Every second piece stands in quotes; its dots are its own.
        let quoted = at % 2 == 1;
        variable.push_str(&if quoted { piece.to_uppercase() } else { piece.to_uppercase().replace('.', "__") });
    }
    variable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_variables() {
        assert_eq!(variable("timeouts.login"), "XYLEM__TIMEOUTS__LOGIN");
        assert_eq!(variable(r#"plugins."xylem.offline".max"#), "XYLEM__PLUGINS__XYLEM.OFFLINE__MAX");
    }
}
