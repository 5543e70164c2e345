use std::sync::Arc;
use std::time::Duration;

use xylem_ops::OpError;
use xylem_ops::backend::Answer;
use xylem_ops::server::ending::{Ending, EndingReport, Endings, StayReport};

use crate::ending::Planned;
use crate::instance::Instance;

/// `server.stop`, `server.restart` and `server.stay`
pub struct EndingBackend(pub Arc<Instance>);

/// What is told of a planned end.
pub fn report(instance: &Instance, planned: Planned) -> EndingReport {
    let Planned { ending, reason, at, .. } = planned;
    EndingReport { ending, at, reason, sessions: instance.sessions.count() as u64 }
}

impl Endings for EndingBackend {
    fn plan(&self, ending: Ending, delay: u64, reason: Option<String>) -> Answer<'_, EndingReport> {
        Box::pin(async move {
            if ending == Ending::Restart && !self.0.endings.can_restart() {
                return Err(OpError::Conflict("a throw-away server has nothing to come back to".to_owned()));
            }
            let planned = self.0.endings.plan(ending, Duration::from_secs(delay), reason);
            tracing::warn!(
                seconds = delay,
                reason = planned.reason.as_deref(),
                "the end of the server is planned: {ending:?}"
            );
            Ok(report(&self.0, planned))
        })
    }

    fn call_off(&self) -> Answer<'_, StayReport> {
        Box::pin(async move {
            let called_off = self.0.endings.call_off();
            Ok(StayReport { called_off: called_off.map(|planned| report(&self.0, planned)) })
        })
    }

    fn planned(&self) -> Answer<'_, Option<EndingReport>> {
        Box::pin(async move { Ok(self.0.endings.planned().map(|planned| report(&self.0, planned))) })
    }
}
