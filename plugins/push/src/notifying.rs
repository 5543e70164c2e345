//! When a device is told, and when it is not.

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;
use xylem_sdk::sessions::{self, Session};
use xylem_sdk::{Wake, outbox};

use crate::device::Device;
use crate::importance::Important;
use crate::notification::{Summary, publish};
use crate::views::ROSTER_CONTACTS;
use crate::waiting::{Waiting, hash};
use crate::{Config, enabling, limits};

/// When what was held back is told, in milliseconds.
const CATCH_UP: u64 = 60_000;
/// Bits of a roster row's first byte: approved, waiting, approved in advance.
const KNOWN: u8 = 2 | 8 | 16;

/// Where the session is that enabled a device.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whereabouts {
    Here,
    /// It has lost its connection and may take it up again (XEP-0198 §5); what comes is kept for it.
    Hibernated,
    Away,
}

/// A message has come and was delivered, kept or refused.
pub(crate) fn arrived(cx: &Cx, message: &Stanza) -> Result<Verdict, Failure> {
    if let Some(important) = Important::of(cx, message) {
        tell(cx, message, &important)?;
    }
    Ok(Verdict::Pass)
}

/// A message that nobody took. If it has just come, [`arrived`] sees it next; if not, a session has ended that never
/// read it.
pub(crate) fn returned(cx: &Cx, message: &Stanza) -> Result<Verdict, Failure> {
    if cx.actor().is_some() {
        return Ok(Verdict::Pass);
    }
    arrived(cx, message)
}

/// Somebody asks for a subscription, for the first time.
pub(crate) fn asked(cx: &Cx, presence: &Stanza) -> Result<Verdict, Failure> {
    let contact = Jid::new(presence.from().unwrap_or_default()).bare();
    let row = ROSTER_CONTACTS.get(contact)?;
    let known = row.and_then(|row| row.first().copied()).is_some_and(|flags| flags & KNOWN != 0);
    if known || contact == cx.key() {
        return Ok(Verdict::Pass);
    }
    let config = Config::load();
    let mut summary = Summary::of(&config, None)?;
    summary.requests += 1;
    let mut telling = Telling { cx, config, summary };
    let sessions = sessions::all()?;
    for device in Device::all()? {
        let mut waiting = Waiting::of(&device)?;
        let request = hash(&[contact, "", "subscribe"]);
        if whereabouts(&device, &sessions) != Whereabouts::Here && waiting.wake_for(request, cx.now()) {
            waiting.count -= 1;
            telling.tell(&device, &mut waiting)?;
        }
    }
    Ok(Verdict::Pass)
}

/// The device's session is here: it will see for itself.
pub(crate) fn back(_cx: &Cx, event: &Event) -> Result<(), Failure> {
    Ok(Waiting::forget_all(Jid::new(event.subject).resource().unwrap_or_default())?)
}

/// The device's session has lost its connection, and with it perhaps what was on its way.
pub(crate) fn hibernated(cx: &Cx, event: &Event) -> Result<(), Failure> {
    let unconfirmed = event.detail.parse().unwrap_or(0);
    let resource = Jid::new(event.subject).resource().unwrap_or_default();
    if unconfirmed == 0 || !Waiting::has_any(resource)? {
        return Ok(());
    }
    let config = Config::load();
    let summary = Summary::of(&config, None)?;
    let mut telling = Telling { cx, config, summary };
    for device in Device::all()?.iter().filter(|device| device.resource == resource) {
        let mut waiting = Waiting::of(device)?;
        if waiting.wake_for_last(unconfirmed, cx.now()) {
            telling.tell(device, &mut waiting)?;
        }
    }
    Ok(())
}

/// Tells at once what was held back because there was too much of it.
pub(crate) fn catch_up(cx: &Cx, _wake: &Wake) -> Result<(), Failure> {
    let config = Config::load();
    let summary = Summary::of(&config, None)?;
    let mut telling = Telling { cx, config, summary };
    for device in Device::all()? {
        let mut waiting = Waiting::of(&device)?;
        if std::mem::take(&mut waiting.owed) {
            telling.tell(&device, &mut waiting)?;
        }
    }
    Ok(())
}

fn tell(cx: &Cx, message: &Stanza, important: &Important) -> Result<(), Failure> {
    let config = Config::load();
    let in_room = message.is("groupchat");
    if in_room && !config.rooms {
        return Ok(());
    }
    let summary = Summary::of(&config, Some(important))?;
    let mut telling = Telling { cx, config, summary };
    let sessions = sessions::all()?;
    let addressed = message.to().and_then(|to| Jid::new(to).resource());
    for device in Device::all()? {
        // What is said in a room is for the one session that is in it.
        if in_room && addressed != Some(device.resource.as_str()) {
            continue;
        }
        let mut waiting = Waiting::of(&device)?;
        match whereabouts(&device, &sessions) {
            Whereabouts::Here => {
                waiting.note(important.hash, cx.now());
                waiting.save(&device)?;
            }
            Whereabouts::Away if in_room || !important.kept => {}
            Whereabouts::Away | Whereabouts::Hibernated => {
                if waiting.wake_for(important.hash, cx.now()) {
                    telling.tell(&device, &mut waiting)?;
                }
            }
        }
    }
    Ok(())
}

fn whereabouts(device: &Device, sessions: &[Session]) -> Whereabouts {
    match sessions.iter().find(|session| session.resource == device.resource) {
        Some(session) if session.hibernated => Whereabouts::Hibernated,
        Some(session) if session.available => Whereabouts::Here,
        _ => Whereabouts::Away,
    }
}

/// What all notifications of one moment have in common.
struct Telling<'a> {
    cx: &'a Cx,
    config: Config,
    summary: Summary,
}

impl Telling<'_> {
    /// Publishes, or remembers that it has to be done. Saves what waits.
    fn tell(&mut self, device: &Device, waiting: &mut Waiting) -> Result<(), Fault> {
        if device.is_forgotten(self.cx.now()) {
            return enabling::remove(&device.key).map(drop);
        }
        if !waiting.owed && device.is_due(self.cx.now(), self.config.retry) {
            let subject = [self.cx.key().as_str(), "\n", &device.key].concat();
            let published = if limits::NOTIFICATIONS.take(&subject) {
                publish(self.cx, device, waiting.count, &self.summary)
            } else {
                Err(Fault::Quota)
            };
            match published {
                Ok(()) => {}
                Err(Fault::Quota) => {
                    waiting.owed = true;
                    outbox::wake("catch-up", self.cx.now() + CATCH_UP, "")?;
                }
                Err(fault) => return Err(fault),
            }
        }
        waiting.save(device)
    }
}
