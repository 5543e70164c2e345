//! rsasl's side of an exchange: the simple mechanisms, whose only message is a claim.

use rsasl::callback::{Context, SessionCallback, SessionData};
use rsasl::mechanisms::anonymous::{ANONYMOUS, AnonymousToken};
use rsasl::mechanisms::external::EXTERNAL;
use rsasl::mechanisms::plain::PLAIN;
use rsasl::prelude::{Mechname, Registry, SASLConfig, SASLServer, Validation};
use rsasl::property::{AuthId, AuthzId, Password};
use rsasl::validate::{Validate, ValidationError};

use crate::mechanism::Mechanism;

static SIMPLE: &[rsasl::prelude::Mechanism] = &[PLAIN, EXTERNAL, ANONYMOUS];

/// What a client's message claims.
#[derive(PartialEq, Eq)]
pub(crate) enum Claim {
    Plain { username: String, authzid: Option<String>, password: Vec<u8> },
    External { authzid: Option<String> },
    Anonymous { trace: String },
}

/// Reads the message of a simple mechanism; none if it breaks the mechanism's grammar.
pub(crate) fn claim(mechanism: Mechanism, message: &[u8]) -> Option<Claim> {
    let registry = Registry::with_mechanisms(SIMPLE);
    let config = SASLConfig::builder().with_registry(registry).with_callback(Callback { mechanism }).ok()?;
    let name = Mechname::parse(mechanism.name().as_bytes()).ok()?;
    let mut session = SASLServer::<ClaimOf>::new(config).start_suggested(name).ok()?;
    session.step(Some(message), &mut Vec::new()).ok()?;
    session.validation()
}

struct ClaimOf;

impl Validation for ClaimOf {
    type Value = Claim;
}

struct Callback {
    mechanism: Mechanism,
}

impl SessionCallback for Callback {
    fn validate(
        &self,
        _: &SessionData,
        context: &Context<'_>,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        let authzid = || context.get_ref::<AuthzId>().filter(|id| !id.is_empty()).map(str::to_owned);
        let claim = match self.mechanism {
            Mechanism::Scram { .. } => return Ok(()),
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
