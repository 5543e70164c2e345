//! The transcript harness: plays the stories of `tests/transcripts` against a
//! running server, and starts that server. `tests/README.md` describes the format.

pub mod certificates;
pub mod fleet;
pub mod matching;
pub mod names;
pub mod play;
pub mod scram;
pub mod server;
pub mod session;
pub mod story;
pub mod wire;
pub mod xml;
