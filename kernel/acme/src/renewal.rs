//! When a certificate is replaced.

use std::time::{Duration, SystemTime};

use instant_acme::CertificateIdentifier;
use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};

use crate::error::AcmeError;
use crate::{Authority, account};

/// When two thirds of its life are over.
#[must_use]
pub fn two_thirds(from: SystemTime, until: SystemTime) -> SystemTime {
    from + until.duration_since(from).unwrap_or_default() / 3 * 2
}

/// When the authority wants it replaced (RFC 9773); none if it says nothing about that. It may be in the past:
/// so an authority calls certificates back that it has to revoke. `leaf` is the certificate, DER.
///
/// # Errors
/// As [`crate::order`].
pub async fn renewal(authority: &Authority, leaf: &[u8]) -> Result<Option<SystemTime>, AcmeError> {
    let certificate = CertificateDer::from(leaf);
    // One without the extension that names its issuer's key has no identifier.
    let Ok(id) = CertificateIdentifier::try_from(&certificate) else { return Ok(None) };
    let account = account::open(authority).await?;
    match account.renewal_info(&id).await {
        Ok((info, _)) => {
            let window = (SystemTime::from(info.suggested_window.start), SystemTime::from(info.suggested_window.end));
            Ok(Some(within(window, leaf)))
        }
        Err(instant_acme::Error::Unsupported(_)) => Ok(None),
        Err(error) => Err(AcmeError::of(&authority.directory, error)),
    }
}

/// A moment of the window that is as good as random, and the same whenever it is asked for (RFC 9773 §4.2 wants
/// all customers spread over it).
fn within((start, end): (SystemTime, SystemTime), leaf: &[u8]) -> SystemTime {
    let hash = Sha256::digest(leaf);
    let part = hash.iter().take(4).fold(0, |number: u32, byte| (number << 8) | u32::from(*byte));
    let whole = end.duration_since(start).unwrap_or_default();
    start + Duration::from_secs_f64(whole.as_secs_f64() * f64::from(part) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn windows_are_kept_and_all_of_them_is_used() {
        let (start, end) = (UNIX_EPOCH + Duration::from_secs(1000), UNIX_EPOCH + Duration::from_secs(5000));
        let moments: Vec<_> = (0..100_u8).map(|n| within((start, end), &[n])).collect();
        assert!(moments.iter().all(|moment| (start..=end).contains(moment)));
        assert!(moments.iter().any(|at| *at < start + Duration::from_secs(1000)));
        assert!(moments.iter().any(|at| *at > end - Duration::from_secs(1000)));
        assert_eq!(within((start, end), &[7]), within((start, end), &[7]));
        assert_eq!(within((end, start), &[7]), end, "a window that ends before it begins");
    }

    #[test]
    fn two_thirds_of_ninety_days_are_sixty() {
        let day = Duration::from_secs(86_400);
        assert_eq!(two_thirds(UNIX_EPOCH, UNIX_EPOCH + day * 90), UNIX_EPOCH + day * 60);
        assert_eq!(two_thirds(UNIX_EPOCH + day, UNIX_EPOCH), UNIX_EPOCH + day);
    }
}
