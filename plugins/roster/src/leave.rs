//! The end of an account (RFC 6121 §3.2, §3.3).

use xylem_sdk::kv::Rows;
use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;

use crate::contact::Contact;
use crate::outbound::{say, withdraw_presence};
use crate::state::Flags;
use crate::stores::CONTACTS;

/// Contacts see the account's resources go and learn that it is over. Nothing is stored: the
/// list goes with the account.
pub(crate) fn leave(_cx: &Cx, _event: &Event) -> Result<(), Failure> {
    for row in CONTACTS.all()? {
        let text = std::str::from_utf8(&row.value).ok();
        let Some(Contact { jid, flags, .. }) = text.and_then(|text| Contact::parse(&row.key, text)) else { continue };
        if flags.has(Flags::FROM) {
            withdraw_presence(&jid)?;
        }
        if flags.has(Flags::FROM) || flags.has(Flags::PENDING) {
            send(say("unsubscribed", &jid))?;
        }
        if flags.has(Flags::TO) || flags.has(Flags::ASK) {
            send(say("unsubscribe", &jid))?;
        }
    }
    Ok(())
}
