//! XEP-0050: the server's operations as ad-hoc commands, those of XEP-0133 among them.
//!
//! This plugin decides nothing. What somebody may do the table of operations knows, and it does it in his
//! name; here it gets a form and an answer that clients can show.

mod browsing;
mod command;
mod finishing;
mod form;
mod generic;
mod ns;
mod paging;
mod profile;
mod running;
mod session;
mod showing;
mod table;

use browsing::browse;
use finishing::done;
use running::command;

xylem_sdk::plugin!();
