//! Logging in with a token (XEP-0484 §3.4). The token is known to the server behind; it
//! checks the proof, so that nothing lies between checking a token and using it up.

use xylem_sasl::{Failure, SaslCondition, TokenMechanism, TokenMessage};
use xylem_stanza::BareJid;

use crate::action::Action;
use crate::auth::{self, Authenticated};
use crate::conversation::Conversation;
use crate::entering::Entering;
use crate::features::Features;
use crate::profile::{Profile, failure};
use crate::stream::State;
use crate::wishes::{UserAgent, Wishes};

/// A token for a client to keep (XEP-0484 §3.3).
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The secret itself: printable, without characters that XML escapes.
    pub secret: String,
    /// When it expires, as XEP-0082 writes times.
    pub expiry: String,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("expiry", &self.expiry).finish_non_exhaustive()
    }
}

/// A client says that it has a token.
#[derive(Debug, Clone)]
pub struct TokenClaim {
    pub account: BareJid,
    pub agent: UserAgent,
    /// The only one with which the token may be used.
    pub mechanism: TokenMechanism,
    /// What proves it.
    pub message: TokenMessage,
    /// The connection's part of the proof.
    pub binding: Vec<u8>,
    /// Where given, it must be higher than any before.
    pub count: Option<u64>,
    /// The token is not to be used again, and no other to be given unasked.
    pub invalidate: bool,
    /// A new token is asked for.
    pub request: Option<TokenMechanism>,
}

/// The proof was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenLogin {
    /// The server's own proof.
    pub answer: Vec<u8>,
    /// A token to use from now on.
    pub renewed: Option<Token>,
}

/// The proof is being checked.
pub(crate) struct Fast {
    features: Features,
    account: BareJid,
    mechanism: TokenMechanism,
    wishes: Wishes,
}

/// Begins a login by a mechanism for tokens.
pub(crate) fn begin(
    features: Features,
    mechanism: TokenMechanism,
    data: Option<&[u8]>,
    wishes: Wishes,
    conversation: &mut Conversation,
    out: &mut Vec<Action>,
) -> State {
    match claim(&features, mechanism, data, &wishes, conversation) {
        Ok(claim) => {
            let account = claim.account.clone();
            out.push(Action::CheckToken(Box::new(claim)));
            State::Fast(Box::new(Fast { features, account, mechanism, wishes }))
        }
        Err(failure) => auth::failed(Profile::Sasl2, features, None, failure, conversation, out),
    }
}

fn claim(
    features: &Features,
    mechanism: TokenMechanism,
    data: Option<&[u8]>,
    wishes: &Wishes,
    conversation: &Conversation,
) -> Result<TokenClaim, Failure> {
    let host = conversation.host();
    let malformed = |reason| failure(SaslCondition::MalformedRequest, reason);
    let offered = host.tokens && features.offer.token_mechanisms().any(|offered| offered == mechanism);
    let binding = mechanism.binding(&features.offer.bindings).filter(|_| offered);
    let binding = binding.ok_or(failure(SaslCondition::InvalidMechanism, "the mechanism was not offered"))?;
    let usage = wishes.fast.ok_or(malformed("a mechanism for tokens without <fast/>"))?;
    let agent = wishes.agent.clone().ok_or(malformed("a token without the id of the user agent"))?;
    let message = TokenMessage::parse(data.ok_or(malformed("a mechanism for tokens without a first message"))?)?;
    let account = BareJid::new(&message.username, &host.domain);
    let account = account.map_err(|_| failure(SaslCondition::NotAuthorized, "the user name cannot be an account's"))?;
    conversation.check_client(&account)?;
    Ok(TokenClaim {
        account,
        agent,
        mechanism,
        message,
        binding: binding.to_vec(),
        count: usage.count,
        invalidate: usage.invalidate,
        request: wishes.token,
    })
}

impl Fast {
    pub(crate) fn checked(
        mut self,
        result: Result<TokenLogin, Failure>,
        conversation: &mut Conversation,
        out: &mut Vec<Action>,
    ) -> State {
        match result {
            Ok(TokenLogin { answer, renewed }) => {
                let mechanism = self.mechanism.name();
                out.push(Action::LoggedIn { account: self.account.clone(), mechanism, anonymous: false });
                // The new one came with the answer.
                self.wishes.token = None;
                let client = Authenticated::proved(self.account);
                Entering::new(client, self.wishes).answer(Some(answer)).token(renewed).begin(conversation, out)
            }
            Err(failure) => auth::failed(Profile::Sasl2, self.features, Some(self.account), failure, conversation, out),
        }
    }
}
