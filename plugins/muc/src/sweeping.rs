//! What is left of temporary rooms. Such a room is gone with the server, but what was said in it
//! stands in the archive: a timer, which outlives the server as well, looks whether it is there still.

use xylem_sdk::outbox::{cancel_wake, wake};
use xylem_sdk::prelude::*;
use xylem_sdk::{Wake, runtime};

use crate::room::Room;
use crate::stores::{HISTORY, KEPT};

const NAME: &str = "sweep";
/// Milliseconds between two looks.
const PAUSE: u64 = 86_400_000;

/// Of a temporary room something is kept now.
pub(crate) fn look_after(room: &Room) -> Result<(), Fault> {
    if room.shelf == KEPT || HISTORY.count()? == 0 {
        return Ok(());
    }
    match wake(NAME, runtime::now().saturating_add(PAUSE), "") {
        // So many rooms: what is left of some is found when a room of the same name begins.
        Err(Fault::Quota) => Ok(()),
        done => done,
    }
}

/// The time has come.
pub(crate) fn sweep(cx: &Cx, _wake: &Wake<'_>) -> Result<(), Failure> {
    match Room::open(&cx.key())? {
        Some(room) => Ok(look_after(&room)?),
        None => Ok(HISTORY.purge(0)?),
    }
}

/// The room is no more, nor what was said in it.
pub(crate) fn forget() -> Result<(), Fault> {
    if HISTORY.count()? > 0 {
        HISTORY.purge(0)?;
        cancel_wake(NAME)?;
    }
    Ok(())
}
