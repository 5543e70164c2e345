//! One certificate, from the account to the chain (RFC 8555 §7.4).

use std::time::Duration;

use instant_acme::{AuthorizationStatus, ChallengeType, Error, Identifier, NewOrder, Order, OrderStatus, RetryPolicy};
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};

use crate::challenge::Answers;
use crate::error::{AcmeError, said};
use crate::{Authority, Listeners, account};

/// How long the authority may take to look, and then to sign.
const PATIENCE: Duration = Duration::from_secs(90);

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub struct Issued {
    /// The certificate, then its intermediates.
    pub chain: String,
    /// The private key.
    pub key: String,
}

/// Gets a certificate for these names, all lower case ASCII; the first one is its main one. Takes seconds, and some
/// minutes at most.
///
/// # Errors
/// Says whose fault it is; nothing has changed then but that there may be an account.
pub async fn order(authority: &Authority, names: &[String], listeners: &Listeners) -> Result<Issued, AcmeError> {
    let mut account = account::open(authority).await?;
    let identifiers: Vec<_> = names.iter().map(|name| Identifier::Dns(name.clone())).collect();
    let wanted = NewOrder::new(&identifiers);
    let of = |error| AcmeError::of(&authority.directory, error);
    let mut order = match account.new_order(&wanted).await {
        Err(error) if account::forget_unknown(authority, &error) => {
            tracing::warn!("the certificate authority does not know the account any more; another one is made");
            account = account::open(authority).await?;
            account.new_order(&wanted).await.map_err(of)?
        }
        order => order.map_err(of)?,
    };
    let mut answers = Answers::new(listeners);
    prove(&mut order, &mut answers).await.map_err(|failure| failure.told(authority))?;
    let policy = RetryPolicy::new().timeout(PATIENCE);
    let ready = order.poll_ready(&policy).await;
    if !matches!(ready, Ok(OrderStatus::Ready)) {
        let why = refusals(&mut order).await;
        return Err(match ready {
            _ if !why.is_empty() => AcmeError::Refused(why.join("; ")),
            Err(error) => of(error),
            Ok(_) => AcmeError::Refused("it does not say why".to_owned()),
        });
    }
    drop(answers);
    sign(&mut order, names).await.map_err(|failure| failure.told(authority))
}

/// What came of a step.
enum Failure {
    Ours(AcmeError),
    Theirs(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Theirs(error)
    }
}

impl From<AcmeError> for Failure {
    fn from(error: AcmeError) -> Self {
        Self::Ours(error)
    }
}

impl From<rcgen::Error> for Failure {
    fn from(error: rcgen::Error) -> Self {
        Self::Ours(AcmeError::Request(error.to_string()))
    }
}

impl Failure {
    fn told(self, authority: &Authority) -> AcmeError {
        match self {
            Self::Ours(error) => error,
            Self::Theirs(error) => AcmeError::of(&authority.directory, error),
        }
    }
}

/// Puts out the answers and lets the authority ask.
async fn prove(order: &mut Order, answers: &mut Answers) -> Result<(), Failure> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        // What was proved for an earlier order holds for some days.
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let offers = |kind: &ChallengeType| authorization.challenges.iter().any(|offered| offered.r#type == *kind);
        let kind = answers.kinds().into_iter().find(offers);
        let kind = kind.ok_or_else(|| AcmeError::NoChallenge { name: name.clone() })?;
        let Some(mut challenge) = authorization.challenge(kind.clone()) else { continue };
        let answer = challenge.key_authorization();
        if kind == ChallengeType::Http01 {
            answers.http(&challenge.token, answer.as_str()).await?;
        } else {
            answers.tls(&name, answer.digest().as_ref()).await?;
        }
        challenge.set_ready().await?;
    }
    Ok(())
}

/// What the authority found out when it looked: for each name that was not proved.
async fn refusals(order: &mut Order) -> Vec<String> {
    let mut found = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let Ok(mut authorization) = authorization else { break };
        let Ok(state) = authorization.refresh().await else { break };
        let name = state.identifier().to_string();
        let problems = state.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        found.extend(problems.map(|problem| format!("{name}: {}", said(problem))));
    }
    found
}

/// A key that nobody else has, and the authority's signature under it.
async fn sign(order: &mut Order, names: &[String]) -> Result<Issued, Failure> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key)?;
    order.finalize_csr(request.der()).await?;
    let chain = order.poll_certificate(&RetryPolicy::new().timeout(PATIENCE)).await?;
    Ok(Issued { chain, key: key.serialize_pem() })
}
