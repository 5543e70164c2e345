//! From the proof to `<success/>` (XEP-0388 §2.6.1): what the client wanted along with its
//! login is done first, step by step, and the answers go out in one piece.

use xylem_stanza::{FullJid, ns};
use xylem_xml::El;

use crate::action::Action;
use crate::auth::Authenticated;
use crate::bind::{Bind, BindRefusal, Bound};
use crate::conversation::{Conversation, write};
use crate::fast::Token;
use crate::features;
use crate::profile::text;
use crate::session::Session;
use crate::stream::State;
use crate::wishes::{NAME_LETTERS, Wishes};

/// The client has proved who it is and does not know yet.
pub(crate) struct Entering {
    client: Authenticated,
    wishes: Wishes,
    additional: Option<Vec<u8>>,
    token: Option<Token>,
    bound: Option<Bound>,
    /// Answers of inline features, as XML.
    answers: Vec<String>,
    step: Step,
}

/// What the driver was asked last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Nothing,
    Token,
    Bind,
    Inline,
}

impl Entering {
    pub(crate) const fn new(client: Authenticated, wishes: Wishes) -> Self {
        Self { client, wishes, additional: None, token: None, bound: None, answers: Vec::new(), step: Step::Nothing }
    }

    /// With the mechanism's last data.
    pub(crate) fn answer(mut self, additional: Option<Vec<u8>>) -> Self {
        self.additional = additional;
        self
    }

    /// With a token that is there already.
    pub(crate) fn token(mut self, token: Option<Token>) -> Self {
        self.token = token;
        self
    }

    pub(crate) fn begin(mut self, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        let host = conversation.host();
        out.push(Action::SetLimits(host.limits));
        match (self.wishes.token, &self.wishes.agent) {
            // XEP-0484 §4.1: a token is a client's, so the client must have a name.
            (Some(mechanism), Some(agent)) if host.tokens => {
                let (account, agent) = (self.client.account().clone(), agent.clone());
                out.push(Action::IssueToken { account, agent, mechanism });
                self.step = Step::Token;
                State::Entering(Box::new(self))
            }
            _ => self.bind(conversation, out),
        }
    }

    pub(crate) fn issued(
        mut self: Box<Self>,
        token: Option<Token>,
        conversation: &mut Conversation,
        out: &mut Vec<Action>,
    ) -> State {
        if self.step != Step::Token {
            return State::Entering(self);
        }
        self.token = token;
        self.bind(conversation, out)
    }

    /// XEP-0386 §3.2.
    fn bind(mut self, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        let Some(wish) = &self.wishes.bind else { return self.succeed(conversation, out) };
        out.push(self.place(wish.tag.as_deref(), conversation));
        self.step = Step::Bind;
        State::Entering(Box::new(self))
    }

    /// The address: the same for every login of the same client under the same tag.
    fn place(&self, tag: Option<&str>, conversation: &Conversation) -> Action {
        let account = self.client.account();
        let agent = self.wishes.agent.as_ref();
        let name = agent.map(|agent| agent.name(account.as_str(), &conversation.host().decoy));
        let fresh = || conversation.env.token().chars().take(NAME_LETTERS).collect();
        let unique = match (&name, tag) {
            (Some(name), _) => name.clone(),
            (None, Some(_)) => fresh(),
            (None, None) => return Action::Bind { account: account.clone(), requested: None },
        };
        let tagged = tag.and_then(|tag| account.with_resource(&format!("{tag}/{unique}")).ok());
        match tagged.or_else(|| account.with_resource(&unique).ok()) {
            Some(requested) => Action::BindClient { account: account.clone(), requested, name },
            None => Action::Bind { account: account.clone(), requested: None },
        }
    }

    pub(crate) fn bound(
        mut self: Box<Self>,
        result: Result<FullJid, BindRefusal>,
        conversation: &mut Conversation,
        out: &mut Vec<Action>,
    ) -> State {
        if self.step != Step::Bind {
            return State::Entering(self);
        }
        let host = conversation.host();
        // Where there is no session for it, the client has still logged in and may bind as RFC 6120 §7 has it.
        self.bound = result.ok().and_then(|jid| Bound::new(&self.client, jid));
        let Some(bound) = &self.bound else { return self.succeed(conversation, out) };
        let mut inline = self.wishes.bind.take().unwrap_or_default().inline;
        inline.retain(|element| host.inline_features.iter().any(|ns| ns == element.root().ns()));
        if inline.is_empty() && !host.inline_always {
            return self.succeed(conversation, out);
        }
        out.push(Action::Inline { jid: bound.jid().clone(), requests: inline });
        self.step = Step::Inline;
        State::Entering(self)
    }

    pub(crate) fn inlined(
        mut self: Box<Self>,
        answers: Vec<String>,
        conversation: &mut Conversation,
        out: &mut Vec<Action>,
    ) -> State {
        if self.step != Step::Inline {
            return State::Entering(self);
        }
        self.answers = answers;
        self.succeed(conversation, out)
    }

    /// Says it all, and the features of the stream as it is now; it is not restarted.
    fn succeed(self, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        let host = conversation.host();
        let jid = self.bound.as_ref().map_or(self.client.account().as_str(), |bound| bound.jid().as_str());
        let additional = self.additional.map(|data| El::new("additional-data", "").text(&text(&data)));
        let bound = self.bound.as_ref().map(|_| El::new("bound", ns::BIND2).raw(&self.answers.concat()));
        let token = self
            .token
            .map(|token| El::new("token", ns::FAST).attr("expiry", &token.expiry).attr("token", &token.secret));
        let mut text = El::new("success", ns::SASL2)
            .child_opt(additional)
            .child(El::new("authorization-identifier", "").text(jid))
            .child_opt(bound)
            .child_opt(token)
            .build();
        match self.bound {
            Some(bound) => {
                text.push_str(&features::with_session(&host));
                write(out, text);
                out.push(Action::Established(bound.jid().clone()));
                State::Session(Session::new(bound))
            }
            None => {
                text.push_str(&features::after_auth(&host));
                write(out, text);
                State::Bind(Bind::new(self.client))
            }
        }
    }
}
