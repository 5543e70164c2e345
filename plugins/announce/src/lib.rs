//! Announcements, the message of the day and the welcome (XEP-0133 §4.23 to §4.28).
//!
//! What is for everybody is sent at once to those who are there; for the others it stands, and
//! each account is told when it comes. So nothing is ever done for all accounts at once.

mod announcing;
mod hearing;
mod motd;
mod standing;
mod welcome;

use announcing::{list, send, withdraw};
use hearing::{came, created, went};
use motd::{motd_delete, motd_set, motd_show, motd_update};
use welcome::{welcome_delete, welcome_set, welcome_show};

xylem_sdk::plugin!();
