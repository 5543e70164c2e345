use std::sync::Arc;

use serde_json::Value;
use tracing::Level;
use xylem_ops::backend::Answer;
use xylem_ops::log::{LogLevel, LogLine, Logs};
use xylem_ops::{OpError, Page, Paging};

use crate::logs::{self, Line, Wanted};

/// `log.*`
pub struct LogBackend;

impl Logs for LogBackend {
    fn list(&self, level: Option<String>, plugin: Option<String>, paging: Paging) -> Answer<'_, Page<LogLine>> {
        Box::pin(async move {
            let wanted = wanted(level.as_deref(), plugin, paging.search.as_deref())?;
            let below = paging.after.as_ref().map(|after| after.parse::<u64>());
            let below =
                below.transpose().map_err(|_| OpError::Invalid("after must be what a page gave as next".into()))?;
            let limit = paging.limit();
            let search = move || logs::journal().page(&wanted, below, limit);
            let (lines, more) = tokio::task::spawn_blocking(search)
                .await
                .map_err(|_| OpError::Unavailable("the server is stopping".into()))?;
            let next = lines.last().filter(|_| more).map(|line| line.number.to_string());
            Ok(Page { items: lines.iter().map(told).collect(), next, total: None })
        })
    }

    fn set_level(&self, level: String) -> Answer<'_, LogLevel> {
        Box::pin(async move {
            let level = parse(&level)?;
            logs::set_level(level).ok_or_else(|| OpError::Conflict("the log is not written by this server".into()))?;
            Ok(LogLevel { filter: logs::filter_in_force() })
        })
    }
}

/// What a caller asks for, checked.
pub(super) fn wanted(level: Option<&str>, plugin: Option<String>, search: Option<&str>) -> Result<Wanted, OpError> {
    Ok(Wanted { level: level.map_or(Ok(Level::INFO), parse)?, plugin, search: search.map(str::to_lowercase) })
}

pub(super) fn told(line: &Arc<Line>) -> LogLine {
    let entry = &line.entry;
    LogLine {
        number: line.number,
        at: entry.at,
        level: entry.level.as_str().to_lowercase(),
        target: entry.target.clone(),
        message: entry.message.clone(),
        fields: entry.fields.clone(),
    }
}

/// As it goes to whoever follows.
pub(super) fn event(line: &Arc<Line>) -> Value {
    serde_json::to_value(told(line)).unwrap_or_default()
}

fn parse(level: &str) -> Result<Level, OpError> {
    level.parse().map_err(|_| OpError::Invalid(format!("{level} is not a level")))
}
