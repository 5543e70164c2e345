//! From the proof to `<success/>` (XEP-0388 §2.6.1): what the client wanted along with its
//! login is done first, step by step, and the answers go out in one piece.

use xylem_stanza::{Condition, FullJid, ns};
use xylem_xml::El;

use crate::action::Action;
use crate::auth::Authenticated;
use crate::bind::{Bind, BindRefusal, Bound};
use crate::closing;
use crate::conversation::{Conversation, write};
use crate::fast::Token;
use crate::features;
use crate::management::{self, ResumeRefusal, Resumed};
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
    /// Why an earlier stream does not go on.
    failed: Option<El>,
    /// Answers of inline features, as XML.
    answers: Vec<String>,
    step: Step,
}

/// What the driver was asked last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Nothing,
    Token,
    Resume,
    Bind,
    Inline,
}

impl Entering {
    pub(crate) const fn new(client: Authenticated, wishes: Wishes) -> Self {
        Self {
            client,
            wishes,
            additional: None,
            token: None,
            bound: None,
            failed: None,
            answers: Vec::new(),
            step: Step::Nothing,
        }
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
            _ => self.resume(conversation, out),
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
        self.resume(conversation, out)
    }

    /// XEP-0198 §9.2: before everything else.
    fn resume(mut self, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        match &self.wishes.resume {
            None => self.bind(conversation, out),
            Some(Err(condition)) => {
                self.failed = Some(management::failed(*condition, None));
                self.bind(conversation, out)
            }
            Some(Ok(request)) => {
                out.push(Action::Resume { account: self.client.account().clone(), request: request.clone() });
                self.step = Step::Resume;
                State::Entering(Box::new(self))
            }
        }
    }

    pub(crate) fn resumed(
        mut self: Box<Self>,
        result: Result<Resumed, ResumeRefusal>,
        conversation: &mut Conversation,
        out: &mut Vec<Action>,
    ) -> State {
        if self.step != Step::Resume {
            return State::Entering(self);
        }
        let found = result.and_then(|Resumed { jid, handled }| {
            let bound = Bound::new(&self.client, jid).ok_or(ResumeRefusal::NotFound(None))?;
            Ok((bound, handled))
        });
        match found {
            Ok((bound, handled)) => self.go_on(bound, handled, conversation, out),
            Err(ResumeRefusal::NotFound(handled)) => {
                self.failed = Some(management::failed(Condition::ItemNotFound, handled));
                self.bind(conversation, out)
            }
            Err(ResumeRefusal::HandledTooMany { h, sent }) => {
                closing::fail(management::too_high(h, sent), conversation, out)
            }
        }
    }

    /// The former session is this client's again. No features follow, and no binding is
    /// looked at (XEP-0198 §9.2).
    fn go_on(self, bound: Bound, handled: u32, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        let previd = self.wishes.resume.as_ref().and_then(|resume| Some(resume.as_ref().ok()?.previd.clone()));
        let resumed = management::resumed(&previd.unwrap_or_default(), handled);
        write(out, self.success(bound.jid().as_str()).child(resumed).build());
        out.push(Action::Reestablished(bound.jid().clone()));
        conversation.handled = Some(handled);
        State::Session(Session::new(bound))
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
        let mut inline = self.wishes.bind.as_mut().map(|wish| std::mem::take(&mut wish.inline)).unwrap_or_default();
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
    fn succeed(mut self, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        let host = conversation.host();
        let Some(bound) = self.bound.take() else {
            let success = self.success(self.client.account().as_str()).build();
            write(out, success + &features::after_auth(&host));
            return State::Bind(Bind::new(self.client));
        };
        let wish = self.wishes.bind.take().unwrap_or_default();
        let enabled = wish.enable.map(|enable| management::grant(enable, conversation, out));
        let answers = El::new("bound", ns::BIND2).child_opt(enabled).raw(&self.answers.concat());
        let success = self.success(bound.jid().as_str()).child(answers).build();
        write(out, success + &features::with_session(&host));
        out.push(Action::Established { jid: bound.jid().clone(), with_login: true });
        out.extend(wish.active.map(|active| Action::ClientState { active }));
        State::Session(Session::new(bound))
    }

    /// What every success says.
    fn success(&self, jid: &str) -> El {
        let additional = self.additional.as_ref().map(|data| El::new("additional-data", "").text(&text(data)));
        let token = self
            .token
            .as_ref()
            .map(|token| El::new("token", ns::FAST).attr("expiry", &token.expiry).attr("token", &token.secret));
        El::new("success", ns::SASL2)
            .child_opt(additional)
            .child(El::new("authorization-identifier", "").text(jid))
            .child_opt(self.failed.clone())
            .child_opt(token)
    }
}
