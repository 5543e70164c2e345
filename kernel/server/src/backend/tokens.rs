use std::sync::Arc;

use xylem_ops::Caller;
use xylem_ops::backend::{Answer, Tokens};

use crate::instance::Instance;

/// `token.*`
#[expect(dead_code, reason = "no token can be made yet")]
pub struct TokenBackend(pub Arc<Instance>);

impl Tokens for TokenBackend {
    fn bearer(&self, _token: String, _from: String) -> Answer<'_, Option<Caller>> {
        // None can be made yet.
        Box::pin(async { Ok(None) })
    }
}
