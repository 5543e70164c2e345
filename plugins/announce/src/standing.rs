//! What stands to be told. A row of text: four lines, and the text behind them.

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;

use crate::stores::STANDING;

/// The row of the message of the day.
pub(crate) const MOTD: &str = "motd";
/// The row of the welcome.
pub(crate) const WELCOME: &str = "welcome";
/// Before the names of announcements to all.
pub(crate) const NOTICE: &str = "n/";

/// A message that is told to each account once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// When it was set, milliseconds since 1970. Who has heard what was said until then has heard it.
    pub(crate) time: u64,
    /// When it stops standing; 0 for never.
    pub(crate) until: u64,
    /// Empty for none.
    pub(crate) subject: String,
    pub(crate) text: String,
}

impl Standing {
    /// What an operation says.
    pub(crate) fn of(call: &Operation, time: u64, until: u64) -> Self {
        // One line: it is one in a message, too.
        let subject = call.text("subject").unwrap_or_default().replace(['\n', '\r'], " ");
        Self { time, until, subject, text: call.required("text").to_owned() }
    }

    pub(crate) fn read(name: &str) -> Result<Option<Self>, Fault> {
        Ok(STANDING.text(name)?.and_then(|row| Self::parse(&row)))
    }

    pub(crate) fn save(&self, name: &str) -> Result<(), Fault> {
        let row = [&self.time.to_string(), &self.until.to_string(), &self.subject, self.text.as_str()].join("\n");
        STANDING.put(name, row.as_bytes(), &[])
    }

    pub(crate) fn parse(row: &str) -> Option<Self> {
        let mut lines = row.splitn(4, '\n');
        let mut number = || lines.next()?.parse::<u64>().ok();
        let (time, until) = (number()?, number()?);
        Some(Self { time, until, subject: lines.next()?.to_owned(), text: lines.next()?.to_owned() })
    }

    /// As a message of this type, from the server.
    pub(crate) fn message(&self, cx: &Cx, kind: &str) -> Xml {
        let subject = Some(&self.subject).filter(|subject| !subject.is_empty());
        Xml::message(kind)
            .attr("from", &cx.domain())
            .child_opt(subject.map(|subject| Xml::new("subject").text(subject)))
            .leaf("body", &self.text)
    }

    /// For administrators.
    pub(crate) fn shown(&self) -> Json {
        let subject = Some(self.subject.as_str()).filter(|subject| !subject.is_empty());
        Json::object().with("subject", subject).with("text", self.text.as_str()).with("time", self.time / 1000)
    }
}

/// The same where there may be none.
pub(crate) fn shown(standing: Option<&Standing>) -> Json {
    let nothing = || Json::object().with("subject", Json::Null).with("text", Json::Null).with("time", Json::Null);
    standing.map_or_else(nothing, Standing::shown)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::Standing;

    #[test]
    fn rows_are_read_as_written() {
        let row = "17\n0\n\nfirst\nsecond";
        let standing = Standing::parse(row).unwrap();
        assert_eq!((standing.time, standing.until), (17, 0));
        assert_eq!((standing.subject.as_str(), standing.text.as_str()), ("", "first\nsecond"));
        for broken in ["", "x\n0\n\nt", "1\n0\n"] {
            assert_eq!(Standing::parse(broken), None, "{broken:?}");
        }
    }
}
