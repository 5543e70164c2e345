//! The text of a story, read into clients and steps.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::fleet::Settings;
use crate::session::Via;

/// One file.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// The first comment.
    pub title: String,
    /// The sections it proves, as written.
    pub proves: Vec<String>,
    /// Server name and reason.
    pub skip_on: Vec<(String, String)>,
    /// How its server is set, where that differs from `xylem dev`.
    pub server: Settings,
    pub clients: Vec<Client>,
    /// Pairs that have each other's presence before the story begins.
    pub friends: Vec<(String, String)>,
    pub steps: Vec<Step>,
}

/// A named client.
#[derive(Debug, Clone)]
pub struct Client {
    pub name: String,
    /// `None` for the anonymous domain.
    pub local: Option<String>,
    /// The domain as written: `localhost` or `anon.localhost`.
    pub domain: String,
    pub resource: Option<String>,
    pub password: Option<String>,
    pub mechanism: Option<String>,
    /// Whether it logs in by XEP-0388.
    pub sasl2: bool,
    pub via: Via,
    /// Whether the account is made before the story begins.
    pub register: bool,
    /// The addresses in the certificate it shows, perhaps none; `None` shows no certificate.
    pub certificate: Option<Vec<String>>,
    /// Whether the certificate is of the authority that servers can be told to trust.
    pub trusted: bool,
    /// What its account is to the server, where that is more than a user: `owner`.
    pub role: Option<String>,
    /// How long any one answer to it may take, where that is not the usual.
    pub patience: Option<Duration>,
}

/// One line that does something, with the text under it.
#[derive(Debug, Clone)]
pub struct Step {
    pub line: usize,
    pub who: String,
    pub act: Act,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Opens,
    LogsIn,
    Connects,
    ComesOnline,
    CannotConnect(String),
    StartsTls,
    Sends(String),
    SendsByteByByte(String),
    Receives(String),
    ReceivesInAnyOrder(String),
    ReceivesOneOf(String),
    ReceivesNothing,
    ReceivesBytes(String),
    ReceivesASpace,
    CatchesUp,
    Disconnects,
    Drops,
    IsDisconnected,
    IsRemoved,
    /// Words for `xylem`, on one line each.
    IsAdministered(String),
}

impl Story {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or does not keep to the format.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Reads the text of a story.
    ///
    /// # Errors
    /// With the number of the line that does not keep to the format.
    pub fn parse(text: &str) -> Result<Self> {
        let mut story = Self::default();
        let lines: Vec<&str> = text.lines().collect();
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            let number = at + 1;
            at += 1;
            if line.trim().is_empty() {
                continue;
            }
            if let Some(comment) = line.strip_prefix('#') {
                story.comment(comment.trim());
                continue;
            }
            ensure!(!line.starts_with(char::is_whitespace), "line {number}: text that belongs to no step");
            let body: Vec<&str> = lines
                .get(at..)
                .unwrap_or_default()
                .iter()
                .take_while(|l| l.starts_with(char::is_whitespace) && !l.trim().is_empty())
                .map(|l| l.trim())
                .collect();
            at += body.len();
            story.take(number, line.trim(), &body).with_context(|| format!("line {number}: {line}"))?;
        }
        story.check()?;
        Ok(story)
    }

    fn comment(&mut self, comment: &str) {
        if let Some(rest) = comment.strip_prefix("skip-on:") {
            let (server, reason) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
            self.skip_on.push((server.to_owned(), reason.trim().to_owned()));
        } else if self.title.is_empty() {
            comment.clone_into(&mut self.title);
        } else if self.steps.is_empty() && (comment.starts_with("RFC ") || comment.starts_with("XEP-")) {
            self.proves.extend(comment.split(';').map(|s| s.trim().to_owned()));
        }
    }

    fn take(&mut self, number: usize, line: &str, body: &[&str]) -> Result<()> {
        if let Some(name) = line.strip_prefix("[Client]") {
            self.clients.push(client(name.trim(), body)?);
        } else if line == "[Server]" {
            for setting in body {
                let (key, value) = setting.split_once(':').context("a setting is written `timeouts.login: 1s`")?;
                self.server.push((key.trim().to_owned(), value.trim().to_owned()));
            }
        } else if line == "[Friends]" {
            for pair in body {
                let (a, b) = pair.split_once(',').context("a pair is written `Romeo, Juliet`")?;
                self.friends.push((a.trim().to_owned(), b.trim().to_owned()));
            }
        } else {
            let (who, what) = line.split_once(' ').context("a step begins with a name")?;
            let act = act(what.trim(), &join(body))?;
            self.steps.push(Step { line: number, who: who.to_owned(), act });
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        ensure!(!self.title.is_empty(), "a story begins with `# title`");
        ensure!(!self.proves.is_empty(), "a story names what it proves: `# RFC 6121 §2.1.6`");
        ensure!(!self.steps.is_empty(), "a story without steps");
        let known = |name: &str| self.clients.iter().any(|c| c.name == name);
        for step in &self.steps {
            ensure!(known(&step.who), "line {}: no client is called {:?}", step.line, step.who);
        }
        for (a, b) in &self.friends {
            ensure!(known(a) && known(b), "[Friends]: {a}, {b}: no such clients");
        }
        Ok(())
    }

    /// Whether only a server that is started for it will do.
    #[must_use]
    pub fn wants_our_server(&self) -> bool {
        !self.server.is_empty()
            || self.clients.iter().any(|client| client.role.is_some())
            || self.steps.iter().any(|step| matches!(step.act, Act::IsRemoved | Act::IsAdministered(_)))
    }

    /// The client of this name.
    #[must_use]
    pub fn client(&self, name: &str) -> Option<&Client> {
        self.clients.iter().find(|c| c.name == name)
    }
}

impl Client {
    fn address(&mut self, jid: &str) {
        let (bare, resource) = jid.split_once('/').map_or((jid, None), |(b, r)| (b, Some(r)));
        let (local, domain) = bare.split_once('@').map_or((None, bare), |(l, d)| (Some(l), d));
        self.local = local.map(str::to_owned);
        self.resource = resource.map(str::to_owned);
        domain.clone_into(&mut self.domain);
    }
}

fn client(heading: &str, body: &[&str]) -> Result<Client> {
    let (name, jid) = heading.split_once(':').map_or((heading, None), |(n, j)| (n, Some(j.trim())));
    ensure!(!name.is_empty() && name.chars().all(char::is_alphanumeric), "a client's name is one word");
    let mut client = Client {
        name: name.to_owned(),
        local: None,
        domain: String::new(),
        resource: None,
        password: None,
        mechanism: None,
        sasl2: false,
        via: Via::StartTls,
        register: true,
        certificate: None,
        trusted: true,
        role: None,
        patience: None,
    };
    client.address(jid.unwrap_or("localhost"));
    for line in body {
        match line.split_once(':').map(|(k, v)| (k.trim(), v.trim())) {
            Some(("jid", jid)) => client.address(jid),
            Some(("password", v)) => client.password = Some(v.to_owned()),
            Some(("sasl", v)) => client.mechanism = Some(v.to_owned()),
            Some(("profile", "sasl2")) => client.sasl2 = true,
            Some(("via", "starttls")) => client.via = Via::StartTls,
            Some(("via", "tls")) => client.via = Via::DirectTls,
            Some(("register", "no")) => client.register = false,
            Some(("certificate", "no address")) => client.certificate = Some(Vec::new()),
            Some(("certificate", jids)) => {
                client.certificate = Some(jids.split(',').map(|jid| jid.trim().to_owned()).collect());
            }
            Some(("authority", "unknown")) => client.trusted = false,
            Some(("role", v)) => client.role = Some(v.to_owned()),
            Some(("patience", v)) => client.patience = Some(Duration::from_secs(v.parse().context("seconds")?)),
            _ => bail!(
                "{line:?} is none of jid, password, sasl, profile: sasl2, via: starttls|tls, register: no, certificate, \
                 authority: unknown, role, patience"
            ),
        }
    }
    Ok(client)
}

fn act(what: &str, body: &str) -> Result<Act> {
    let text = || {
        ensure!(!body.is_empty(), "the text to send or receive stands indented under this line");
        Ok(body.to_owned())
    };
    let act = match what {
        "sends:" => return text().map(Act::Sends),
        "sends byte by byte:" => return text().map(Act::SendsByteByByte),
        "receives:" => return text().map(Act::Receives),
        "receives in any order:" => return text().map(Act::ReceivesInAnyOrder),
        "receives one of:" => return text().map(Act::ReceivesOneOf),
        "is administered:" => return text().map(Act::IsAdministered),
        "receives bytes matching:" => return text().map(Act::ReceivesBytes),
        "opens" => Act::Opens,
        "logs in" => Act::LogsIn,
        "connects" => Act::Connects,
        "comes online" => Act::ComesOnline,
        "starts TLS" => Act::StartsTls,
        "receives nothing" => Act::ReceivesNothing,
        "receives a space" => Act::ReceivesASpace,
        "catches up" => Act::CatchesUp,
        "disconnects" => Act::Disconnects,
        "drops" => Act::Drops,
        "is removed" => Act::IsRemoved,
        "is disconnected" => Act::IsDisconnected,
        other => match other.strip_prefix("cannot connect:") {
            Some(condition) => Act::CannotConnect(condition.trim().to_owned()),
            None => bail!("{other:?} is nothing that a client does"),
        },
    };
    ensure!(body.is_empty(), "this step takes no text");
    Ok(act)
}

/// Joins lines as XML would not notice: nothing where a tag ends or begins, else a space.
fn join(lines: &[&str]) -> String {
    let mut out = String::new();
    for line in lines {
        if !(out.is_empty() || out.ends_with('>') || line.starts_with('<')) {
            out.push(' ');
        }
        out.push_str(line);
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn a_story() {
        let story = Story::parse(
            "# Title\n# RFC 6121 §8.5; XEP-0199 §4\n# skip-on: prosody it differs\n\n\
             [Client] Romeo: romeo@localhost/orchard\n\tvia: tls\n\nRomeo connects\n\n\
             Romeo sends:\n\t<a\n\tb='c'>\n\t<d/></a>\n",
        )
        .unwrap();
        assert_eq!(story.proves, ["RFC 6121 §8.5", "XEP-0199 §4"]);
        assert_eq!(story.skip_on, [("prosody".to_owned(), "it differs".to_owned())]);
        assert_eq!(story.clients[0].resource.as_deref(), Some("orchard"));
        assert_eq!(story.steps[1].act, Act::Sends("<a b='c'><d/></a>".to_owned()));
    }

    #[test]
    fn what_is_refused() {
        for (text, why) in [
            ("# T\n# RFC 1\n[Client] R\nR dances\n", "nothing that a client does"),
            ("# T\n# RFC 1\n[Client] R\nJ connects\n", "no client is called"),
            ("# T\n[Client] R\nR connects\n", "names what it proves"),
            ("# T\n# RFC 1\n[Client] R\nR sends:\n", "stands indented"),
        ] {
            let error = format!("{:#}", Story::parse(text).unwrap_err());
            assert!(error.contains(why), "{error}");
        }
    }
}
