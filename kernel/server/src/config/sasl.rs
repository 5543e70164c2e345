use std::path::PathBuf;
use std::time::Duration;

use super::reader::Reader;

/// `[sasl]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sasl {
    /// In order of preference.
    pub mechanisms: Vec<String>,
    /// PBKDF2 rounds for new passwords.
    pub iterations: u32,
    /// Failed logins after which a stream is closed.
    pub attempts: u8,
    /// PEM bundle of the authorities whose client certificates are accepted (EXTERNAL).
    pub client_authorities: Option<PathBuf>,
    /// Failed logins allowed at once from one address.
    pub failures_per_address: u32,
    /// Failed logins allowed at once on one account.
    pub failures_per_account: u32,
    /// Time after which one of them is forgotten.
    pub forgive: Duration,
    /// For how long a device may log in with a token; zero: there are none.
    pub token_lifetime: Duration,
    /// Age at which a token that is used is replaced.
    pub token_rotation: Duration,
    /// Whether such a login may come as early data of TLS.
    pub early_data: bool,
}

const DAY: Duration = Duration::from_secs(86_400);

const MECHANISMS: [&str; 8] = [
    "EXTERNAL",
    "SCRAM-SHA-512-PLUS",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-512",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1",
    "PLAIN",
];

impl Sasl {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("sasl");
        let right = format!("mechanisms out of {}", MECHANISMS.join(", "));
        let iterations = section.number("iterations", 10_000, 4_096..=10_000_000);
        Self {
            mechanisms: section
                .list("mechanisms", &MECHANISMS, &right, |name| MECHANISMS.contains(&name).then(|| name.to_owned())),
            iterations: u32::try_from(iterations).unwrap_or(u32::MAX),
            attempts: u8::try_from(section.number("attempts", 5, 2..=255)).unwrap_or(u8::MAX),
            client_authorities: section.optional_path("client_authorities"),
            failures_per_address: small(section.number("failures_per_address", 20, 1..=100_000)),
            failures_per_account: small(section.number("failures_per_account", 30, 1..=100_000)),
            forgive: section.duration("forgive", Duration::from_secs(30), Duration::from_millis(1)..=DAY),
            token_lifetime: section.duration("token_lifetime", 21 * DAY, Duration::ZERO..=366 * DAY),
            token_rotation: section.duration("token_rotation", DAY, Duration::ZERO..=366 * DAY),
            early_data: section.flag("early_data", false),
        }
    }
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
