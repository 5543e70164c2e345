//! rsasl's side of an exchange: the registry, and the callback through which
//! it asks for keys and hands out what it found.

use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::anonymous::{ANONYMOUS, AnonymousToken};
use rsasl::mechanisms::external::EXTERNAL;
use rsasl::mechanisms::plain::PLAIN;
use rsasl::mechanisms::scram::properties::ScramStoredPassword;
use rsasl::mechanisms::scram::{
    SCRAM_SHA1, SCRAM_SHA1_PLUS, SCRAM_SHA256, SCRAM_SHA256_PLUS, SCRAM_SHA512, SCRAM_SHA512_PLUS,
};
use rsasl::prelude::{
    ChannelBindingCallback, Mechname, Registry, SASLConfig, SASLServer, Session, SessionError, State, Validation,
};
use rsasl::property::{AuthId, AuthzId, Password};
use rsasl::validate::{Validate, ValidationError};

use crate::mechanism::Mechanism;
use crate::offer::{ChannelBindings, Offer};
use crate::secrets::StoredKeys;

/// Streams that offer -PLUS: rsasl then refuses a client's `y` flag by itself.
static BINDING: &[rsasl::prelude::Mechanism] =
    &[SCRAM_SHA512_PLUS, SCRAM_SHA256_PLUS, SCRAM_SHA1_PLUS, SCRAM_SHA512, SCRAM_SHA256, SCRAM_SHA1];
/// Streams that cannot bind to a channel.
static UNBOUND: &[rsasl::prelude::Mechanism] = &[SCRAM_SHA512, SCRAM_SHA256, SCRAM_SHA1, PLAIN, EXTERNAL, ANONYMOUS];

/// What a client's message claims, or, from SCRAM, has proved.
#[derive(PartialEq, Eq)]
pub(crate) enum Claim {
    /// The proof was right.
    Scram,
    Plain {
        username: String,
        authzid: Option<String>,
        password: Vec<u8>,
    },
    External {
        authzid: Option<String>,
    },
    Anonymous {
        trace: String,
    },
}

pub(crate) struct ClaimOf;

impl Validation for ClaimOf {
    type Value = Claim;
}

/// One run of one mechanism.
pub(crate) struct Engine(Session<ClaimOf, Bindings>);

/// What a step of the mechanism came to.
pub(crate) struct Outcome {
    /// Data for the client; empty if there is none.
    pub data: Vec<u8>,
    pub finished: bool,
    /// Present when the mechanism accepted the client's message as its last.
    pub claim: Option<Claim>,
}

impl Engine {
    /// `keys` are needed by SCRAM alone.
    pub(crate) fn new(mechanism: Mechanism, keys: Option<StoredKeys>, offer: &Offer) -> Option<Self> {
        let plus_offered = offer.announces_plus();
        let registry = match mechanism {
            Mechanism::Scram { .. } if plus_offered => BINDING,
            _ => UNBOUND,
        };
        let config = SASLConfig::builder()
            .with_registry(Registry::with_mechanisms(registry))
            .with_callback(Callback { mechanism, keys })
            .ok()?;
        let name = Mechname::parse(mechanism.name().as_bytes()).ok()?;
        let server = SASLServer::<ClaimOf, Bindings>::with_cb(config, Bindings(offer.bindings.clone()));
        server.start_suggested(name).ok().map(Self)
    }

    pub(crate) fn step(&mut self, input: &[u8]) -> Result<Outcome, SessionError> {
        let mut data = Vec::new();
        let state = self.0.step(Some(input), &mut data)?;
        let finished = matches!(state, State::Finished(_));
        Ok(Outcome { data, finished, claim: self.0.validation() })
    }
}

struct Bindings(ChannelBindings);

impl ChannelBindingCallback for Bindings {
    fn get_cb_data(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name)
    }
}

struct Callback {
    mechanism: Mechanism,
    keys: Option<StoredKeys>,
}

impl SessionCallback for Callback {
    fn callback(&self, _: &SessionData, _: &Context<'_>, request: &mut Request<'_>) -> Result<(), SessionError> {
        if let Some(keys) = &self.keys {
            request.satisfy::<ScramStoredPassword<'static>>(&ScramStoredPassword::new(
                keys.iterations,
                &keys.salt,
                &keys.stored_key,
                &keys.server_key,
            ))?;
        }
        Ok(())
    }

    fn enable_channel_binding(&self) -> bool {
        true
    }

    fn validate(
        &self,
        _: &SessionData,
        context: &Context<'_>,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        let authzid = || context.get_ref::<AuthzId>().filter(|id| !id.is_empty()).map(str::to_owned);
        let claim = match self.mechanism {
            Mechanism::Scram { .. } => Claim::Scram,
            Mechanism::Plain => Claim::Plain {
                username: required(context.get_ref::<AuthId>())?.to_owned(),
                authzid: authzid(),
                password: required(context.get_ref::<Password>())?.to_owned(),
            },
            Mechanism::External => Claim::External { authzid: authzid() },
            Mechanism::Anonymous => {
                Claim::Anonymous { trace: required(context.get_ref::<AnonymousToken>())?.to_owned() }
            }
        };
        validate.finalize::<ClaimOf>(claim);
        Ok(())
    }
}

fn required<T>(property: Option<T>) -> Result<T, ValidationError> {
    property.ok_or(ValidationError::MissingRequiredProperty)
}
