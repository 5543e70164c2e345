use std::fmt;

/// The hash functions of the SCRAM family (RFC 5802, RFC 7677, and the
/// registered SCRAM-SHA-512).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

impl Hash {
    /// Every hash, weakest first.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// Length of its output in bytes, and so of each stored key.
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// A SASL mechanism this server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// RFC 5802 and RFC 7677; `plus` binds it to the TLS channel.
    Scram { hash: Hash, plus: bool },
    /// RFC 4616, only on an encrypted stream.
    Plain,
    /// RFC 4422 appendix A as profiled by XEP-0178.
    External,
    /// RFC 4505.
    Anonymous,
}

const fn scram(hash: Hash, plus: bool) -> Mechanism {
    Mechanism::Scram { hash, plus }
}

impl Mechanism {
    /// What a stream offers unless configured otherwise, most preferred first
    /// (RFC 6120 §6.3.3). ANONYMOUS is missing on purpose.
    pub const DEFAULT: [Self; 8] = [
        Self::External,
        scram(Hash::Sha512, true),
        scram(Hash::Sha256, true),
        scram(Hash::Sha1, true),
        scram(Hash::Sha512, false),
        scram(Hash::Sha256, false),
        scram(Hash::Sha1, false),
        Self::Plain,
    ];

    /// Every mechanism this crate knows.
    pub const ALL: [Self; 9] = {
        let [a, b, c, d, e, f, g, h] = Self::DEFAULT;
        [a, b, c, d, e, f, g, h, Self::Anonymous]
    };

    /// The name registered with IANA.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scram { hash: Hash::Sha1, plus: false } => "SCRAM-SHA-1",
            Self::Scram { hash: Hash::Sha1, plus: true } => "SCRAM-SHA-1-PLUS",
            Self::Scram { hash: Hash::Sha256, plus: false } => "SCRAM-SHA-256",
            Self::Scram { hash: Hash::Sha256, plus: true } => "SCRAM-SHA-256-PLUS",
            Self::Scram { hash: Hash::Sha512, plus: false } => "SCRAM-SHA-512",
            Self::Scram { hash: Hash::Sha512, plus: true } => "SCRAM-SHA-512-PLUS",
            Self::Plain => "PLAIN",
            Self::External => "EXTERNAL",
            Self::Anonymous => "ANONYMOUS",
        }
    }

    /// The mechanism of that registered name; names are upper case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name() == name)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
