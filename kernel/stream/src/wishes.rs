//! What a client says with `<authenticate/>` beside its login: who it is, and what it
//! wants at once (XEP-0388 §2.3).

use xylem_sasl::{DecoyKey, Failure, SaslCondition, TokenMechanism};
use xylem_stanza::{Condition, ns};
use xylem_xml::{Element, Node};

use crate::management::{Enable, Resume};
use crate::profile::failure;
use crate::session::client_state;

/// An installation of a client, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAgent {
    /// A UUID in lower case that stays the same for this installation. Nobody but the
    /// account's owner may see it.
    pub id: String,
    /// Name of the program; one line, at most [`UserAgent::LONGEST`] characters.
    pub software: Option<String>,
    /// What it runs on; the same.
    pub device: Option<String>,
}

impl UserAgent {
    /// Characters kept of a description.
    pub const LONGEST: usize = 128;

    /// What the server calls this installation of this account (a bare JID): letters and
    /// digits that are always the same and do not tell the id.
    pub fn name(&self, account: &str, key: &DecoyKey) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let bytes = key.derive("name of a client", &[account.as_bytes(), self.id.as_bytes()]);
        let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).map(|b| char::from(*b));
        bytes.iter().filter_map(letter).take(NAME_LETTERS).collect()
    }

    /// None for a client that does not tell its id: it is nobody to be remembered.
    fn parse(element: Node<'_>) -> Result<Option<Self>, Failure> {
        let Some(id) = element.attr("id") else { return Ok(None) };
        if !is_uuid(&id) {
            return Err(failure(SaslCondition::MalformedRequest, "the id of the user agent is no UUID"));
        }
        let described = |name| element.child(ns::SASL2, name).and_then(|child| line(&child.text()));
        let (software, device) = (described("software"), described("device"));
        Ok(Some(Self { id: id.to_ascii_lowercase(), software, device }))
    }
}

/// Everything that is asked for.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    pub agent: Option<UserAgent>,
    /// An earlier stream to go on with (XEP-0198 §9.2), or what is wrong about that.
    pub resume: Option<Result<Resume, Condition>>,
    pub bind: Option<BindWish>,
    /// The login itself is by a token.
    pub fast: Option<TokenUse>,
    /// A token for the next time, for this mechanism.
    pub token: Option<TokenMechanism>,
    /// Names of tasks by which the server gets further keys (XEP-0480 §2.2).
    pub upgrades: Vec<String>,
}

/// XEP-0386 §3.2.
#[derive(Debug, Default)]
pub(crate) struct BindWish {
    /// What the client would be called by.
    pub tag: Option<String>,
    /// Stream management (XEP-0198 §9.1).
    pub enable: Option<Enable>,
    /// Whether anybody looks at the client (XEP-0352).
    pub active: Option<bool>,
    /// Other features to begin with, in the order given.
    pub inline: Vec<Element>,
}

/// XEP-0484 §3.4–§3.6.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TokenUse {
    /// How often the client has used it.
    pub count: Option<u64>,
    /// It is not to be used again.
    pub invalidate: bool,
}

/// Upgrades that one login may ask for; there are two.
const MOST_UPGRADES: usize = 8;

/// Letters of a name: 60 bits.
pub(crate) const NAME_LETTERS: usize = 12;

/// Features that one binding may begin with; clients know of four.
const MOST_INLINE: usize = 16;

impl Wishes {
    pub(crate) fn parse(authenticate: Node<'_>) -> Result<Self, Failure> {
        let agent = authenticate.child(ns::SASL2, "user-agent");
        let token = authenticate.child(ns::FAST, "request-token");
        let upgrades =
            authenticate.children().filter(|child| child.ns() == ns::SASL_UPGRADE && child.name() == "upgrade");
        Ok(Self {
            agent: agent.map(UserAgent::parse).transpose()?.flatten(),
            resume: authenticate
                .child(ns::STREAM_MANAGEMENT, "resume")
                .map(|resume| Resume::parse(resume).ok_or(Condition::BadRequest)),
            bind: authenticate.child(ns::BIND2, "bind").map(BindWish::parse),
            fast: authenticate.child(ns::FAST, "fast").map(TokenUse::parse).transpose()?,
            token: token.and_then(|token| TokenMechanism::parse(&token.attr("mechanism")?)),
            upgrades: upgrades.take(MOST_UPGRADES).map(|child| child.text().trim().to_owned()).collect(),
        })
    }
}

impl BindWish {
    fn parse(bind: Node<'_>) -> Self {
        let tag = bind.child(ns::BIND2, "tag").and_then(|tag| line(&tag.text()));
        let enable = bind.child(ns::STREAM_MANAGEMENT, "enable").map(Enable::parse);
        let active = bind.children().find_map(client_state);
        let ours = [ns::BIND2, ns::STREAM_MANAGEMENT, ns::CLIENT_STATE];
        let foreign = bind.children().filter(|child| !ours.contains(&child.ns()));
        let inline = foreign.filter_map(|child| Element::parse(&child.to_xml_string()).ok()).take(MOST_INLINE);
        Self { tag, enable, active, inline: inline.collect() }
    }
}

impl TokenUse {
    fn parse(fast: Node<'_>) -> Result<Self, Failure> {
        let count = match fast.attr("count") {
            None => None,
            Some(count) => {
                let number = count.trim().parse();
                Some(number.map_err(|_| failure(SaslCondition::MalformedRequest, "the count is no number"))?)
            }
        };
        let invalidate = fast.attr("invalidate").is_some_and(|value| matches!(value.trim(), "true" | "1"));
        Ok(Self { count, invalidate })
    }
}

/// The form of RFC 9562 §4.
fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

/// One line of a description that is not empty.
fn line(text: &str) -> Option<String> {
    let printable = text.trim().chars().filter(|c| !c.is_control());
    Some(printable.take(UserAgent::LONGEST).collect()).filter(|text: &String| !text.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn parse(children: &str) -> Result<Wishes, SaslCondition> {
        let xml = format!("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>{children}</authenticate>");
        Wishes::parse(Element::parse(&xml).unwrap().root()).map_err(|failure| failure.condition)
    }

    #[test]
    fn everything_at_once() {
        let wishes = parse(
            "<user-agent id='D4565FA7-4d72-4749-b3d3-740edbf87770'><software>Awesome\nXMPP</software></user-agent>\
             <bind xmlns='urn:xmpp:bind:0'><tag> A </tag><enable xmlns='urn:x'/></bind>\
             <fast xmlns='urn:xmpp:fast:0' count='3' invalidate='true'/>\
             <request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>",
        );
        let wishes = wishes.unwrap();
        let agent = wishes.agent.unwrap();
        assert_eq!(agent.id, "d4565fa7-4d72-4749-b3d3-740edbf87770");
        assert_eq!((agent.software.as_deref(), agent.device), (Some("AwesomeXMPP"), None));
        let bind = wishes.bind.unwrap();
        assert_eq!((bind.tag.as_deref(), bind.inline.len()), (Some("A"), 1));
        assert_eq!(bind.inline.first().unwrap().root().ns(), "urn:x");
        let fast = wishes.fast.unwrap();
        assert_eq!((fast.count, fast.invalidate), (Some(3), true));
        assert_eq!(wishes.token, Some(TokenMechanism::Unbound));
    }

    #[test]
    fn what_breaks_the_rules_is_malformed() {
        for bad in [
            "<user-agent id='me'/>",
            "<user-agent id=''/>",
            "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf8777g'/>",
            "<user-agent id='d4565fa74d724749b3d3740edbf877700000'/>",
            "<fast xmlns='urn:xmpp:fast:0' count='-1'/>",
            "<fast xmlns='urn:xmpp:fast:0' count=''/>",
        ] {
            assert_eq!(parse(bad).unwrap_err(), SaslCondition::MalformedRequest, "{bad}");
        }
        assert!(parse("<user-agent/>").unwrap().agent.is_none());
        assert!(parse("<request-token xmlns='urn:xmpp:fast:0' mechanism='PLAIN'/>").unwrap().token.is_none());
    }
}
