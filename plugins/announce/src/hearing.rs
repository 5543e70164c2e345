//! What an account has heard, and what it is told when it comes.
//!
//! The row of an account has two numbers, times in milliseconds since 1970: until when it has heard all that
//! was said, and when it was made, as long as it has not been welcomed.

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;
use xylem_sdk::sessions;

use crate::standing::{MOTD, NOTICE, Standing, WELCOME};
use crate::stores::{HEARD, HERE, STANDING};

const ROW: &str = "heard";
const SINCE: &str = "since";

struct Heard {
    until: u64,
    /// 0 for an account that is not new.
    born: u64,
}

impl Heard {
    fn load() -> Result<Self, Fault> {
        let row = HEARD.text(ROW)?.unwrap_or_default();
        let (until, born) = row.split_once(' ').unwrap_or((&row, ""));
        Ok(Self { until: until.parse().unwrap_or(0), born: born.parse().unwrap_or(0) })
    }

    fn save(&self) -> Result<(), Fault> {
        HEARD.put(ROW, [&self.until.to_string(), " ", &self.born.to_string()].concat().as_bytes(), &[])
    }
}

/// A session that can be told something.
pub(crate) fn came(cx: &Cx, event: &Event) -> Result<(), Failure> {
    if event.detail.starts_with('-') {
        return Ok(());
    }
    // What was said while another session was here that one has told.
    let here = HERE.text(SINCE)?.and_then(|since| since.parse::<u64>().ok());
    if here.is_none() {
        HERE.put(SINCE, cx.now().to_string().as_bytes(), &[])?;
    }
    let rows = STANDING.scan("", None, 1000)?;
    let heard = Heard::load()?;
    if rows.is_empty() && heard.born == 0 {
        return Ok(());
    }
    let mut told = 0;
    let news = |time: u64| time > heard.until && here.is_none_or(|since| time <= since);
    for row in &rows {
        let Some(standing) = std::str::from_utf8(&row.value).ok().and_then(Standing::parse) else { continue };
        let kind = match row.key.as_str() {
            WELCOME if heard.born > 0 => "normal",
            // Who is new was not there when it was said.
            name if name.starts_with(NOTICE) && news(standing.time) && standing.time > heard.born => {
                if standing.until <= cx.now() {
                    continue;
                }
                "normal"
            }
            MOTD if news(standing.time) => "headline",
            _ => continue,
        };
        send(standing.message(cx, kind).attr("to", event.subject))?;
        told += 1;
    }
    if told > 0 || heard.born > 0 {
        Heard { until: cx.now(), born: 0 }.save()?;
    }
    Ok(())
}

/// When the last session goes, the account has heard all that was said while it was here.
pub(crate) fn went(_cx: &Cx, _event: &Event) -> Result<(), Failure> {
    if sessions::all()?.iter().any(|session| session.available && session.priority >= 0) {
        return Ok(());
    }
    let Some(since) = HERE.text(SINCE)?.and_then(|since| since.parse::<u64>().ok()) else { return Ok(()) };
    HERE.delete(SINCE)?;
    let heard = Heard::load()?;
    let mut last = heard.until;
    for row in STANDING.scan("", None, 1000)? {
        let standing = std::str::from_utf8(&row.value).ok().and_then(Standing::parse);
        // At the same moment it may have been said before.
        let Some(standing) = standing.filter(|standing| row.key != WELCOME && standing.time > since) else { continue };
        last = last.max(standing.time);
    }
    if last > heard.until {
        Heard { until: last, ..heard }.save()?;
    }
    Ok(())
}

/// A new account is welcomed, and hears nothing of what was said before it was there but the message of the day.
pub(crate) fn created(cx: &Cx, _event: &Event) -> Result<(), Failure> {
    Ok(Heard { until: 0, born: cx.now().max(1) }.save()?)
}
