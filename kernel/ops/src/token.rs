//! `token.*`: what scripts sign in with, in place of a password.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::caller::{Caller, Rank, Role};
use crate::error::OpError;
use crate::operation::operation;
use crate::page::{Page, Paging};
use crate::scopes::Scopes;

/// A token, without what is secret of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenRow {
    pub id: String,
    /// Whose it is.
    pub account: String,
    /// What its account calls it.
    pub name: String,
    /// It is worth no more than this, and never more than its account is.
    pub ceiling: Role,
    /// The operations that it is good for.
    pub scopes: Scopes,
    /// Seconds since 1970 UTC.
    pub created: u64,
    /// When it ends; null means when it is revoked.
    pub expires: Option<u64>,
    /// When it was last used since the server started.
    pub used: Option<u64>,
}

/// A new token. This is the one time that it is seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenMade {
    #[serde(flatten)]
    pub row: TokenRow,
    /// What to send: `Authorization: Bearer TOKEN`. Only a hash of it is kept.
    pub token: String,
}

/// A token that is none any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenGone {
    pub id: String,
}

/// A token that is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub account: String,
    pub name: String,
    pub ceiling: Role,
    pub scopes: Scopes,
    /// Seconds from now; none: until revoked.
    pub lifetime: Option<u64>,
}

const DAY: u64 = 86_400;
/// How long a token lasts unless something else is said.
const DAYS: u64 = 90;

operation! {
    Create {
        account: Option<String>,
        name: String,
        scopes: Vec<String>,
        role: Option<Rank>,
        domains: Option<Vec<String>>,
        days: Option<u64>,
    } -> TokenMade,
    name: "token.create",
    help: "Makes a token to sign in with instead of a password, for scripts.",
    route: post "/tokens",
    arguments: [
        Argument::optional("account", Kind::Account, "whose it is; the own account unless given"),
        Argument::required("name", Kind::Text { max: 128 }, "what it is for, to know it again"),
        Argument::required(
            "scopes",
            Kind::List { items: Scopes::MOST, max: 130 },
            "the operations it is good for: names, or a noun with .*; * for all",
        ),
        Argument::optional("role", Kind::choice(&Rank::WORDS), "the most it is worth; its account's role unless given"),
        Argument::optional("domains", Kind::List { items: 64, max: 1023 }, "the domains it is limited to"),
        Argument::optional("days", Kind::Number { min: 0, max: 3650 }, "how long it lasts; 90 unless given, 0 for ever"),
    ],
    result: "the token, which is shown this once",
    roles: Roles::OWN.and_own(),
    about: About::account(),
    audit: |it| format!("make the token {:?} for {}", it.name, it.account.as_deref().unwrap_or("the own account")),
    allow: |it, caller| {
        if caller.narrowed.is_some() {
            return Err(OpError::Denied("a token makes no tokens".into()));
        }
        Scopes::parse(it.scopes.clone()).map(drop)
    },
    run: |it, backend, caller| Box::pin(async move {
        let wanted = it.wanted(caller)?;
        backend.tokens.create(wanted).await
    }),
}

operation! {
    #[derive(Default)]
    List { account: Option<String>, #[serde(flatten)] paging: Paging } -> Page<TokenRow>,
    name: "token.list",
    help: "Lists tokens, without what is secret of them.",
    route: get "/tokens",
    arguments: [Argument::optional("account", Kind::Account, "only those of this account")],
    pages: ["created", "expires", "name", "account"],
    result: "a list of tokens",
    roles: Roles::ADMINISTER.and_own(),
    about: About::account(),
    run: |it, backend| backend.tokens.list(it.account, it.paging),
}

operation! {
    Revoke { id: String, account: Option<String> } -> TokenGone,
    name: "token.revoke",
    help: "Ends a token at once.",
    route: delete "/tokens/{id}",
    arguments: [
        Argument::required("id", Kind::Text { max: 64 }, "the token's id, as token.list shows it"),
        Argument::optional("account", Kind::Account, "only if it is of this account"),
    ],
    result: "the id",
    roles: Roles::ADMINISTER.and_own(),
    about: About::account(),
    danger: Danger::confirm("Whatever uses the token is refused from now on."),
    audit: |it| format!("revoke the token {}", it.id),
    state: |it, backend| backend.tokens.show(it.id.clone()),
    run: |it, backend, caller| Box::pin(async move {
        // Whose it is does not have to be said, and still nobody ends those of who is more.
        let account = backend.tokens.show(it.id.clone()).await?.account;
        if !caller.is_all_of(&account) {
            match backend.accounts.role(account.clone()).await {
                Ok(role) if !caller.covers(&role) => {
                    return Err(OpError::Denied(format!("{account} is {role}, and may be changed by who is as much")));
                }
                Ok(_) | Err(OpError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        backend.tokens.revoke(it.id, it.account).await
    }),
}

impl Create {
    fn wanted(self, caller: &Caller) -> Result<Wanted, OpError> {
        let nobody = || OpError::Invalid("account is missing: whose token it is".into());
        let account = self.account.or_else(|| caller.account.clone()).ok_or_else(nobody)?;
        let scopes = Scopes::parse(self.scopes)?;
        let domains = self.domains.filter(|domains| !domains.is_empty());
        // Without a word of it, all that the account is.
        let ceiling = Role { rank: self.role.unwrap_or(Rank::Owner), domains };
        let lifetime = Some(self.days.unwrap_or(DAYS)).filter(|days| *days > 0).map(|days| days * DAY);
        Ok(Wanted { account, name: self.name, ceiling, scopes, lifetime })
    }
}
