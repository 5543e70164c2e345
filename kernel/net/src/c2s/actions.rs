//! Carrying out what the stream's state machine wants.

use std::cell::RefCell;
use std::sync::Arc;

use xylem_sasl::ChannelBindings;
use xylem_session::{BindError, Binding, Bound, Conflict, Endpoint, Resource, Security};
use xylem_stanza::{BareJid, FullJid, Stanza, StreamCondition};
use xylem_stream::{Action, BindRefusal, Ending, Event, HostConfig, Phase, Stream, Tls};
use xylem_xml::Element;

use crate::c2s::driver::{Driver, Login, Place, Stage};
use crate::c2s::work::Work;
use crate::tls;

thread_local! {
    /// The list that the state machine fills; each stanza passes through it.
    static ACTIONS: RefCell<Vec<Action>> = const { RefCell::new(Vec::new()) };
}

impl Driver {
    /// Tells the stream what happened and does what it says.
    pub(super) fn handle(&mut self, event: Event) {
        let Some(stream) = &mut self.stream else { return };
        let mut actions = ACTIONS.take();
        stream.handle(event, &mut actions);
        for action in actions.drain(..) {
            if self.work.is_none() && self.later.is_empty() {
                self.act(action);
            } else {
                self.later.push_back(action);
            }
        }
        ACTIONS.set(actions);
        if self.phase() == Some(Phase::Closing) {
            self.timing.closing();
        }
    }

    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Stanza(stanza) => self.stanza(stanza),
            Action::Write(bytes) => self.answers.extend_from_slice(&bytes),
            Action::Reply(bytes) => self.reply(bytes),
            Action::Acknowledged(h) => self.acknowledged(h),
            Action::Settle => self.work = self.context.entry.settled().map(Work::Settle),
            Action::StartTls => self.start_tls(),
            Action::Restart => self.framer.restart(),
            Action::SetLimits(limits) => self.framer.set_limits(limits),
            Action::LookUp { account, costly } => {
                let lookup = self.context.entry.look_up(&account, self.peer);
                self.work = Some(Work::Secrets { lookup, costly });
            }
            Action::LoggedIn { account, mechanism, anonymous } => {
                self.login = Some(Login { mechanism, anonymous });
                self.context.entry.logged_in(&account, mechanism, anonymous, self.peer);
            }
            Action::LoginFailed { account, failure } => {
                self.context.entry.login_failed(account.as_ref(), &failure, self.peer);
            }
            Action::CheckToken(claim) => {
                let checked = self.context.entry.check_token(claim, self.peer);
                self.work = Some(Work::Answered(Box::pin(async { Event::TokenChecked(checked.await) })));
            }
            Action::IssueToken { account, agent, mechanism } => {
                let issued = self.context.entry.issue_token(&account, agent, mechanism);
                self.work = Some(Work::Answered(Box::pin(async { Event::TokenIssued(issued.await) })));
            }
            Action::Upgrade { account, was, now } => {
                let kept = self.context.entry.upgrade(&account, was, now);
                self.work = Some(Work::Answered(Box::pin(async { Event::Upgraded(kept.await) })));
            }
            Action::BindClient { account, requested, name } => self.bind_client(&account, &requested, name.as_deref()),
            Action::Inline { requests, .. } => self.inline(requests),
            Action::PreAuthIq { stanza, host } => self.stranger(stanza, &host),
            Action::Bind { account, requested } => self.bind(&account, requested.as_ref()),
            Action::Established { jid, with_login } => self.established(&jid, with_login),
            Action::Manage(terms) => self.manage(terms),
            Action::Resume { account, request } => self.resume_session(&account, request),
            Action::Reestablished(_) => self.reestablished(),
            Action::ClientState { active } => self.client_state(active),
            Action::Close(ending) => self.close(&ending),
            other => tracing::warn!(?other, "the stream wants something unknown"),
        }
    }

    fn stanza(&mut self, stanza: Stanza) {
        let Some(session) = self.session() else { return };
        if let Some(waiting) = self.context.entry.stanza(session, stanza) {
            self.work = Some(Work::Entry(waiting));
        }
    }

    fn stranger(&mut self, stanza: Stanza, host: &Arc<HostConfig>) {
        let answer = self.context.entry.pre_auth_iq(stanza, host, self.peer);
        self.work = Some(Work::Answer(answer));
    }

    /// What the client sent before TLS is dropped, so nobody in between can put words
    /// into its mouth (RFC 6120 §5.4.3.3).
    fn start_tls(&mut self) {
        self.framer.discard();
        self.framer.restart();
        let answers = std::mem::take(&mut self.answers);
        if self.transport.queue(&answers).is_ok() {
            self.begin_tls();
        }
    }

    /// Begins the handshake with the certificate of the stream's domain, or the one that
    /// the client names in it.
    pub(super) fn begin_tls(&mut self) {
        let config = self.context.tls.config(self.domain().as_deref());
        let begun = config.map(|config| self.transport.start_tls(config));
        if let Some(Ok(())) = begun {
            self.stage = Stage::Handshake;
            self.timing.handshake();
        } else {
            tracing::error!(peer = %self.peer, ?begun, "TLS cannot begin");
            self.abandon();
        }
    }

    /// The handshake is done, or far enough for early data.
    pub(super) fn secured(&mut self) {
        let Some(facts) = self.tls_facts() else { return self.abandon() };
        self.stage = Stage::Open;
        self.timing.login();
        if self.stream.is_some() {
            self.handle(Event::TlsEstablished(facts));
        } else {
            let environment = self.context.environment.clone();
            self.stream = Some(Box::new(Stream::new(environment, Some(facts))));
        }
    }

    fn tls_facts(&self) -> Option<Tls> {
        let connection = self.transport.tls()?;
        let sni = connection.server_name().map(str::to_owned);
        let shown = self.context.tls.certificate(sni.as_deref(), self.domain().as_deref());
        let chain = connection.peer_certificates();
        let addresses = chain.map(|chain| self.context.tls.client_addresses(chain)).unwrap_or_default();
        Some(Tls {
            bindings: ChannelBindings {
                tls_exporter: tls::exporter(connection),
                tls_server_end_point: shown.and_then(|shown| tls::server_end_point(&shown)),
            },
            alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
            early: self.transport.is_handshaking(),
            certificate: addresses.iter().filter_map(|jid| BareJid::parse(jid).ok()).collect(),
            sni,
        })
    }

    fn domain(&self) -> Option<String> {
        let host = self.stream.as_ref()?.host()?;
        Some(host.domain.as_str().to_owned())
    }

    fn bind(&mut self, account: &BareJid, requested: Option<&FullJid>) {
        let resource = requested.map_or(Resource::Generate, |jid| Resource::Wanted(jid.resource()));
        self.bind_resource(account, resource, self.config.conflict);
    }

    /// The client's earlier sessions end, whatever tag they go by (XEP-0386 §3.2).
    fn bind_client(&mut self, account: &BareJid, requested: &FullJid, name: Option<&str>) {
        let is_its = |resource: &str| name.is_some_and(|name| resource.rsplit('/').next() == Some(name));
        for session in self.context.sessions.of(account.as_str()) {
            if session.jid() != requested && is_its(session.jid().resource()) {
                session.queue().end(StreamCondition::Conflict, Some("replaced by a new session"));
            }
        }
        self.bind_resource(account, Resource::Wanted(requested.resource()), Conflict::Replace);
    }

    fn bind_resource(&mut self, account: &BareJid, resource: Resource<'_>, conflict: Conflict) {
        let binding = Binding { account, resource, conflict, endpoint: self.endpoint() };
        match self.context.sessions.bind(binding) {
            Ok(Bound { session, replaced }) => {
                let jid = session.jid().clone();
                if self.context.lobby.is_closed() {
                    // The word to leave went to the place given up here.
                    session.queue().end(StreamCondition::SystemShutdown, None);
                }
                self.place = Place::Session { session, open: false };
                let replaced = replaced.filter(|old| old.retire());
                let ended = replaced.and_then(|old| self.context.entry.ended(&old, &replaced_ending()));
                match ended {
                    Some(ended) => self.work = Some(Work::Succession { ended, jid }),
                    None => self.handle(Event::Bound(Ok(jid))),
                }
            }
            Err(error) => self.handle(Event::Bound(Err(refusal(error)))),
        }
    }

    fn inline(&mut self, requests: Vec<Element>) {
        let Some(session) = self.session() else { return };
        let inlined = self.context.entry.inline(session, requests);
        self.work = Some(Work::Answered(Box::pin(async { Event::Inlined(inlined.await) })));
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        let tls = self.transport.tls().map(|tls| Security {
            protocol: match tls.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
                _ => "TLSv1.2",
            },
            cipher: tls.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or("unknown"),
        });
        let login = self.login.unwrap_or(Login { mechanism: "", anonymous: false });
        Endpoint { peer: self.peer, tls, mechanism: login.mechanism, anonymous: login.anonymous }
    }

    fn established(&mut self, jid: &FullJid, with_login: bool) {
        let Place::Session { session, open } = &mut self.place else { return };
        session.note_login(with_login);
        *open = true;
        self.timing.session();
        tracing::debug!(peer = %self.peer, %jid, "session begins");
        if let Some(waiting) = self.context.entry.bound(session) {
            self.work = Some(Work::Entry(waiting));
        }
    }

    fn close(&mut self, ending: &Ending) {
        tracing::debug!(peer = %self.peer, ?ending, "stream ends");
        self.stage = Stage::Draining { shut: false };
        self.timing.draining();
        self.leave(ending);
    }
}

fn replaced_ending() -> Ending {
    Ending::Failed(StreamCondition::Conflict.into())
}

fn refusal(error: BindError) -> BindRefusal {
    match error {
        BindError::Conflict => BindRefusal::Conflict,
        BindError::TooMany(_) => BindRefusal::ResourceConstraint,
        BindError::BadResource => BindRefusal::BadRequest,
        _ => BindRefusal::InternalServerError,
    }
}
