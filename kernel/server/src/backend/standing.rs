use std::sync::Arc;

use xylem_ops::OpError;
use xylem_ops::backend::Answer;
use xylem_ops::user::Account;
use xylem_ops::user::standing::{Reset, SignedOut, Standing};
use xylem_stanza::{BareJid, StreamCondition};

use super::accounts::AccountBackend;
use crate::accounts::AccountError;
use crate::instance::Instance;
use crate::tokens::Tokens;

/// Characters of a password that the server makes: 26 of 32 letters are 130 bits.
const LENGTH: usize = 26;

/// `user.disable` and its neighbours
pub struct StandingBackend(pub Arc<Instance>);

impl StandingBackend {
    /// Tells all sessions of an account to end; how many.
    fn end(&self, account: &BareJid, why: &'static str) -> usize {
        let sessions = self.0.sessions.of(account.as_str());
        for session in &sessions {
            session.queue().end(StreamCondition::NotAuthorized, Some(why));
        }
        sessions.len()
    }

    /// Ends all API tokens of an account; how many.
    async fn end_tokens(&self, account: &BareJid) -> Result<usize, OpError> {
        let tokens = Tokens::new(self.0.store.clone());
        let all = tokens.list(Some(account.as_str())).await?;
        for token in &all {
            tokens.revoke(&token.id, None).await?;
        }
        Ok(all.len())
    }
}

impl Standing for StandingBackend {
    fn set_disabled(&self, account: String, disabled: bool) -> Answer<'_, Account> {
        Box::pin(async move {
            let jid = self.0.accounts.address(&account)?;
            let record = self.0.accounts.set_disabled(&jid, disabled).await?;
            if disabled {
                // Who logs in at this moment meets the record as it is now when he binds.
                self.end(&jid, "the account was disabled");
            }
            Ok(AccountBackend(Arc::clone(&self.0)).show_record(&jid, &record))
        })
    }

    fn reset(&self, account: String, sign_out: bool, tokens: bool) -> Answer<'_, Reset> {
        Box::pin(async move {
            let jid = self.0.accounts.address(&account)?;
            let password = password()?;
            self.0.accounts.set_password(&jid, password.clone()).await?;
            self.0.router.password_changed(&jid);
            let sessions = if sign_out { self.end(&jid, "the password was reset") } else { 0 };
            let tokens = if tokens { self.end_tokens(&jid).await? } else { 0 };
            Ok(Reset { account: jid.to_string(), password, sessions, tokens })
        })
    }

    fn sign_out(&self, account: String, tokens: bool) -> Answer<'_, SignedOut> {
        Box::pin(async move {
            let jid = self.0.accounts.address(&account)?;
            let record = self.0.accounts.find(&jid).await?.ok_or_else(|| AccountError::Missing(jid.clone()))?;
            // Tokens first, so that nobody is back before they are gone.
            let devices = self.0.devices.revoke_all(&jid, &record).await.map_err(AccountError::Store)?;
            let sessions = self.end(&jid, "signed out everywhere");
            let tokens = if tokens { self.end_tokens(&jid).await? } else { 0 };
            let browsers = match self.0.console.get() {
                Some(login) => login.sign_out(jid.as_str()).await.map_err(|e| OpError::Failed(e.to_string()))?,
                None => 0,
            };
            Ok(SignedOut { account: jid.to_string(), sessions, browsers, devices, tokens })
        })
    }
}

/// A password that nobody can guess, of letters that nobody mistakes for each other.
pub(super) fn password() -> Result<String, OpError> {
    const LETTERS: [char; 32] = [
        'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y',
        'z', '2', '3', '4', '5', '6', '7', '8', '9', '0',
    ];
    let mut random = [0; LENGTH];
    getrandom::fill(&mut random).map_err(|error| OpError::Failed(format!("no randomness: {error}")))?;
    Ok(random.iter().filter_map(|byte| LETTERS.get(usize::from(byte % 32))).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn passwords_are_long_and_not_twice_the_same() {
        let (one, other) = (password().unwrap(), password().unwrap());
        assert_eq!(one.len(), LENGTH);
        assert_ne!(one, other);
    }
}
