use std::sync::Arc;

use xylem_ops::OpError;
use xylem_ops::backend::{Answer, SecondFactors};
use xylem_ops::user::factor::FactorReport;

use crate::accounts::AccountError;
use crate::instance::Instance;

/// `user.factors` and `user.reset-second-factor`
pub struct FactorBackend(pub Arc<Instance>);

impl FactorBackend {
    async fn report(&self, account: String) -> Result<FactorReport, OpError> {
        let jid = self.0.accounts.address(&account)?;
        let record = self.0.accounts.find(&jid).await?.ok_or_else(|| AccountError::Missing(jid.clone()))?;
        let Some(login) = self.0.console.get() else {
            return Ok(FactorReport { account, ..FactorReport::default() });
        };
        let kept =
            login.kept(jid.as_str(), record.created).await.map_err(|error| OpError::Failed(error.to_string()))?;
        let number = |number: usize| number as u64;
        let (passkeys, recovery, sessions) = (number(kept.passkeys), number(kept.recovery), number(kept.sessions));
        Ok(FactorReport { account, totp: kept.totp, passkeys, recovery, sessions })
    }
}

impl SecondFactors for FactorBackend {
    fn show(&self, account: String) -> Answer<'_, FactorReport> {
        Box::pin(self.report(account))
    }

    fn reset(&self, account: String) -> Answer<'_, FactorReport> {
        Box::pin(async move {
            let there = self.report(account).await?;
            let Some(login) = self.0.console.get() else {
                return Err(OpError::Conflict("this server has no console".to_owned()));
            };
            login.reset(&there.account).await.map_err(|error| OpError::Failed(error.to_string()))?;
            Ok(there)
        })
    }
}
