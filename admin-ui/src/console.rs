use std::sync::Arc;

use xylem_ops::Ops;

use crate::assets::Assets;
use crate::caller::SignIn;
use crate::followers::Followers;

/// What every handler can reach. A cheap handle.
#[derive(Clone)]
pub struct Console(Arc<Parts>);

struct Parts {
    ops: Arc<Ops>,
    sign_in: Arc<dyn SignIn>,
    assets: Assets,
    followers: Followers,
}

impl Console {
    #[must_use]
    pub fn new(ops: Arc<Ops>, sign_in: Arc<dyn SignIn>, assets: Assets) -> Self {
        let followers = Followers::default();
        Self(Arc::new(Parts { ops, sign_in, assets, followers }))
    }

    #[must_use]
    pub fn ops(&self) -> &Arc<Ops> {
        &self.0.ops
    }

    #[must_use]
    pub fn sign_in(&self) -> &Arc<dyn SignIn> {
        &self.0.sign_in
    }

    pub(crate) fn assets(&self) -> &Assets {
        &self.0.assets
    }

    pub(crate) fn followers(&self) -> &Followers {
        &self.0.followers
    }
}
