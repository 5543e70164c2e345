use std::sync::Arc;

use xylem_ops::OpError;
use xylem_ops::backend::Answer;
use xylem_ops::session::message::{Callers, Messaged, SessionDetail};
use xylem_session::Session;
use xylem_stanza::Stanza;
use xylem_xml::El;

use super::sessions::row;
use crate::instance::Instance;

/// `session.show` and `session.message`
pub struct CallerBackend(pub Arc<Instance>);

impl CallerBackend {
    /// What the session's client said of itself when it got a token: software and device.
    async fn client(&self, session: &Session) -> (Option<String>, Option<String>) {
        // Resources of clients that said which device they are end with its name (XEP-0386).
        let Some((_, name)) = session.jid().resource().rsplit_once('/') else { return (None, None) };
        let account = session.jid().bare();
        let Ok(Some(record)) = self.0.accounts.find(&account).await else { return (None, None) };
        let Ok(known) = self.0.devices.list(&account, &record).await else { return (None, None) };
        let known = known.into_iter().find(|known| known.name == name);
        known.map_or((None, None), |known| (known.software, known.device))
    }
}

impl Callers for CallerBackend {
    fn show(&self, account: String, resource: String) -> Answer<'_, SessionDetail> {
        Box::pin(async move {
            let jid = self.0.accounts.address(&account)?;
            let session = self.0.sessions.find_resource(jid.as_str(), &resource);
            let session = session.ok_or_else(|| OpError::NotFound(format!("there is no session {jid}/{resource}")))?;
            let (software, device) = self.client(&session).await;
            let mut row = row(&session);
            row.client = software.or(row.client);
            let management = session.management();
            Ok(SessionDetail {
                row,
                device,
                queued_stanzas: session.queue().depth().0 as u64,
                resumable_seconds: management.and_then(|management| management.resume()).map(|time| time.as_secs()),
                presence: session.last_presence().map(|presence| presence.root().to_xml_string()),
            })
        })
    }

    fn message(
        &self,
        account: String,
        resource: Option<String>,
        subject: Option<String>,
        body: String,
    ) -> Answer<'_, Messaged> {
        Box::pin(async move {
            let jid = self.0.accounts.address(&account)?;
            let mut sessions = self.0.sessions.of(jid.as_str());
            sessions.retain(|session| resource.as_ref().is_none_or(|wanted| session.jid().resource() == wanted));
            if sessions.is_empty() {
                return Err(OpError::NotFound(format!("nobody is connected as {account}")));
            }
            let mut sent = 0;
            for session in &sessions {
                let message = message(session, subject.as_deref(), &body)?;
                if session.queue().push(message.outgoing()).is_ok() {
                    sent += 1;
                }
            }
            Ok(Messaged { sessions: sent })
        })
    }
}

/// A message of the server to a resource (RFC 6121 §5.2.2: `normal`, as it expects no conversation).
fn message(session: &Session, subject: Option<&str>, body: &str) -> Result<Stanza, OpError> {
    let jid = session.jid();
    let made = El::new("message", xylem_stanza::ns::CLIENT)
        .attr("from", jid.domain())
        .attr("to", jid.as_str())
        .attr("type", "normal")
        .child_opt(subject.map(|subject| El::new("subject", "").text(subject)))
        .child(El::new("body", "").text(body));
    Stanza::parse(&made.build()).map_err(|error| OpError::Invalid(format!("this cannot be sent: {error}")))
}
