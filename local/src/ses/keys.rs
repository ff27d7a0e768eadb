//! What a private key that is brought along must be, and the public key that belongs to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::{Decode as _, Encode as _};

/// Why a private key is not taken; never quotes the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyProblem {
    #[error("it is not base64 text on one line, without PEM header and footer")]
    NotBase64,
    #[error("it is not an unencrypted RSA private key")]
    NotRsa,
    #[error("it must have 1024 to 2048 bits")]
    Length,
}

/// The public key of a base64 private key, as it stands in a DKIM record.
pub(super) fn public_key(private_key: &str) -> Result<String, KeyProblem> {
    let bytes = STANDARD.decode(private_key).map_err(|_| KeyProblem::NotBase64)?;
    // Both the form that OpenSSL writes for RSA and the general one are taken.
    let inner = match pkcs8::PrivateKeyInfo::from_der(&bytes) {
        Ok(general) if general.algorithm.oid == pkcs1::ALGORITHM_OID => {
            general.private_key.to_vec()
        }
        Ok(_) => return Err(KeyProblem::NotRsa),
        Err(_) => bytes,
    };
    let key = pkcs1::RsaPrivateKey::from_der(&inner).map_err(|_| KeyProblem::NotRsa)?;
    let modulus = key.modulus.as_bytes();
    let bits = modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if !(1024..=2048).contains(&bits) {
        return Err(KeyProblem::Length);
    }
    let rsa = key.public_key().to_der().map_err(|_| KeyProblem::NotRsa)?;
    let info = pkcs8::SubjectPublicKeyInfoRef {
        algorithm: pkcs1::ALGORITHM_ID,
        subject_public_key: der::asn1::BitStringRef::from_bytes(&rsa)
            .map_err(|_| KeyProblem::NotRsa)?,
    };
    let encoded = info.to_der().map_err(|_| KeyProblem::NotRsa)?;
    Ok(STANDARD.encode(encoded))
}
