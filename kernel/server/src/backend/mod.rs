//! How operations are carried out on a running server.

mod accounts;
mod data;
mod devices;
mod plugins;
mod server;
mod sessions;
mod tokens;

pub use accounts::AccountBackend;
pub use data::DataBackend;
pub use devices::DeviceBackend;
pub use plugins::PluginBackend;
pub use server::ServerBackend;
pub use sessions::SessionBackend;
pub use tokens::TokenBackend;
