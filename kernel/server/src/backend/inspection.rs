use std::sync::Arc;

use xylem_ops::OpError;
use xylem_ops::backend::Answer;
use xylem_ops::stanza::{Inspector, Unlocked};

use crate::instance::Instance;

/// `stanza.unlock`
pub struct InspectionBackend(pub Arc<Instance>);

impl Inspector for InspectionBackend {
    fn unlock(&self, who: String, minutes: u64) -> Answer<'_, Unlocked> {
        Box::pin(async move {
            let given = self.0.inspector.keys.give(who, minutes);
            let (unlock, until) = given.ok_or_else(|| OpError::Unavailable("too many can see text already".into()))?;
            Ok(Unlocked { unlock, until: until / 1000 })
        })
    }
}
