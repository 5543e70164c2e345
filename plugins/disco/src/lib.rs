//! Service discovery (XEP-0030) for the server and its accounts, from what all
//! plugins contribute, with capabilities (XEP-0115) and contact addresses (XEP-0157).

mod account;
mod base64;
mod caps;
mod contact;
mod info;
mod server;
mod sha1;

use account::{account_info, account_items};
use server::{announce, server_info, server_items};

xylem_sdk::plugin!();
