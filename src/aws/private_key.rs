//! Private keys for DKIM: read at the moment they are needed, checked, and never shown.
//!
//! # Guarantees
//! The key's bytes are wiped when they are dropped. No error, log or `Debug` output holds any part of a key.

use std::fmt;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::asn1::{AnyRef, BitStringRef};
use der::{Decode, Encode};
use pkcs8::ObjectIdentifier;
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfo};
use zeroize::Zeroizing;

use super::{AwsError, Session, failed};
use crate::environment::types::SecretSource;

/// `rsaEncryption` (RFC 8017).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// What SES accepts (developer guide, "Bring your own DKIM").
const BITS: std::ops::RangeInclusive<usize> = 1024..=2048;
/// Many times the longest key that SES takes, which has some 1,700 bytes in PEM.
const FILE_BYTES_MAX: u64 = 65_536;

/// Why a text is no private key that SES takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is neither PEM nor base64.
    #[error("it is neither PEM nor base64")]
    NotBase64,
    /// It is encrypted.
    #[error("it is encrypted; give it without a passphrase (`openssl rsa -in KEY`)")]
    Encrypted,
    /// It is not an RSA private key.
    #[error("it is not an RSA private key in PKCS#1 or PKCS#8 form")]
    NotRsa,
    /// It is too short or too long.
    #[error("it has {0} bits; SES takes RSA keys of 1024 to 2048")]
    Bits(usize),
}

/// Why a private key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or not to text.
    #[error("the environment variable {0} is not set")]
    NoVariable(String),
    /// The file cannot be read.
    #[error("cannot read the file {path}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The parameter or secret cannot be read.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The parameter or secret holds no text.
    #[error("{0} holds no text")]
    Empty(String),
    /// What was read is no key that SES takes.
    #[error("the private key in {place} cannot be used")]
    Key {
        /// Where it was read from.
        place: String,
        /// Why.
        source: KeyError,
    },
}

/// An RSA private key.
pub struct PrivateKey {
    /// In PKCS#1 form, which SES documents.
    der: Zeroizing<Vec<u8>>,
    public: String,
}

impl PrivateKey {
    /// Parses PEM or bare base64, PKCS#1 or PKCS#8.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let der = Zeroizing::new(decoded(text)?);
        let pkcs1 = match pkcs8::PrivateKeyInfo::from_der(&der) {
            Ok(info) if info.algorithm.oid == RSA => Zeroizing::new(info.private_key.to_vec()),
            Ok(_) => return Err(KeyError::NotRsa),
            Err(_) => der,
        };
        let key = pkcs1::RsaPrivateKey::from_der(&pkcs1).map_err(|_| KeyError::NotRsa)?;
        let bits = bit_length(key.modulus.as_bytes());
        if !BITS.contains(&bits) {
            return Err(KeyError::Bits(bits));
        }
        let public = public_info(&key).ok_or(KeyError::NotRsa)?;
        Ok(Self { public, der: pkcs1 })
    }

    /// The public key in base64, as it stands in the DNS record.
    #[must_use]
    pub fn public_key(&self) -> String {
        self.public.clone()
    }

    /// The private key in base64, as SES takes it.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(&*self.der))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PrivateKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl Session {
    /// Reads a private key from where it is kept.
    pub async fn private_key(&self, source: &SecretSource) -> Result<PrivateKey, SecretError> {
        let (place, text) = match source {
            SecretSource::Env(name) => (format!("the variable {name}"), variable(name)?),
            SecretSource::File(path) => {
                let path = self.root().join(path);
                (path.display().to_string(), file(&path)?)
            }
            SecretSource::Ssm(name) => {
                (format!("the parameter {name}"), self.parameter(name).await?)
            }
            SecretSource::Secret(name) => (format!("the secret {name}"), self.secret(name).await?),
        };
        PrivateKey::parse(&text).map_err(|source| SecretError::Key { place, source })
    }

    async fn parameter(&self, name: &str) -> Result<Zeroizing<String>, SecretError> {
        let answer = self.ssm().get_parameter().name(name).with_decryption(true).send().await;
        let answer = answer.map_err(failed("ssm:GetParameter", name))?;
        let value = answer.parameter.and_then(|parameter| parameter.value);
        value.map(Zeroizing::new).ok_or_else(|| SecretError::Empty(format!("the parameter {name}")))
    }

    async fn secret(&self, name: &str) -> Result<Zeroizing<String>, SecretError> {
        let answer = self.secrets().get_secret_value().secret_id(name).send().await;
        let answer = answer.map_err(failed("secretsmanager:GetSecretValue", name))?;
        let value = answer.secret_string;
        value.map(Zeroizing::new).ok_or_else(|| SecretError::Empty(format!("the secret {name}")))
    }
}

fn variable(name: &str) -> Result<Zeroizing<String>, SecretError> {
    std::env::var(name).map(Zeroizing::new).map_err(|_| SecretError::NoVariable(name.to_owned()))
}

fn file(path: &Path) -> Result<Zeroizing<String>, SecretError> {
    let failed = |source| SecretError::File { path: path.display().to_string(), source };
    let mut text = Zeroizing::new(String::new());
    // A pipe is as good as a file here; a device that never ends is not.
    let opened = std::fs::File::open(path).map_err(failed)?;
    opened.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// The DER inside PEM or bare base64.
fn decoded(text: &str) -> Result<Vec<u8>, KeyError> {
    if text.contains("ENCRYPTED") {
        return Err(KeyError::Encrypted);
    }
    let body = match text.split_once("-----BEGIN ") {
        None => text,
        Some((_, rest)) => {
            let (label, rest) = rest.split_once("-----").ok_or(KeyError::NotBase64)?;
            if !matches!(label, "PRIVATE KEY" | "RSA PRIVATE KEY") {
                return Err(KeyError::NotRsa);
            }
            rest.split_once("-----END").ok_or(KeyError::NotBase64)?.0
        }
    };
    let compact: Zeroizing<String> =
        Zeroizing::new(body.chars().filter(|character| !character.is_whitespace()).collect());
    STANDARD.decode(compact.as_bytes()).map_err(|_| KeyError::NotBase64)
}

/// The public half as a `SubjectPublicKeyInfo`, in base64.
fn public_info(key: &pkcs1::RsaPrivateKey<'_>) -> Option<String> {
    let public = key.public_key().to_der().ok()?;
    let info = SubjectPublicKeyInfo {
        algorithm: AlgorithmIdentifierRef { oid: RSA, parameters: Some(AnyRef::NULL) },
        subject_public_key: BitStringRef::from_bytes(&public).ok()?,
    };
    Some(STANDARD.encode(info.to_der().ok()?))
}

fn bit_length(bytes: &[u8]) -> usize {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let unused = bytes.get(first).map_or(0, |byte| byte.leading_zeros() as usize);
    (bytes.len() - first) * 8 - unused
}

#[cfg(test)]
mod tests {
    use der::asn1::UintRef;

    use super::*;

    /// A key of this length in PKCS#1 form. Its numbers belong to nobody: only the form and the length count here.
    fn made_up(bits: usize) -> Vec<u8> {
        let (modulus, half) = (vec![0xc1; bits / 8], vec![0x71; bits / 16]);
        let number = |bytes| UintRef::new(bytes).unwrap();
        let key = pkcs1::RsaPrivateKey {
            modulus: number(&modulus),
            public_exponent: number(&[1, 0, 1]),
            private_exponent: number(&half),
            prime1: number(&half),
            prime2: number(&half),
            exponent1: number(&half),
            exponent2: number(&half),
            coefficient: number(&half),
            other_prime_infos: None,
        };
        key.to_der().unwrap()
    }

    fn pkcs8_of(pkcs1: &[u8], oid: &str) -> Vec<u8> {
        let oid = ObjectIdentifier::new(oid).unwrap();
        let algorithm = AlgorithmIdentifierRef { oid, parameters: Some(AnyRef::NULL) };
        pkcs8::PrivateKeyInfo::new(algorithm, pkcs1).to_der().unwrap()
    }

    fn pem(label: &str, der: &[u8]) -> String {
        let text = STANDARD.encode(der);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\r\n"))
    }

    #[test]
    fn every_form_of_one_key_gives_the_same() {
        let pkcs1 = made_up(2048);
        let pkcs8 = pkcs8_of(&pkcs1, "1.2.840.113549.1.1.1");
        let forms = [
            pem("RSA PRIVATE KEY", &pkcs1),
            pem("PRIVATE KEY", &pkcs8),
            STANDARD.encode(&pkcs1),
            format!("  {}\n", STANDARD.encode(&pkcs8)),
        ];
        for form in forms {
            let key = PrivateKey::parse(&form).unwrap();
            assert_eq!(*key.to_base64(), STANDARD.encode(&pkcs1), "{form}");
            // The start of every 2,048-bit public key as `openssl rsa -pubout` writes it.
            assert!(key.public_key().starts_with("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"));
            assert!(crate::environment::types::PublicKey::parse(&key.public_key()).is_ok());
        }
    }

    #[test]
    fn a_key_that_ses_refuses_is_refused_here() {
        let error = |text: &str| PrivateKey::parse(text).unwrap_err();
        assert_eq!(error(&pem("RSA PRIVATE KEY", &made_up(3072))), KeyError::Bits(3072));
        assert_eq!(error(&pem("RSA PRIVATE KEY", &made_up(512))), KeyError::Bits(512));
        assert_eq!(error(&pem("ENCRYPTED PRIVATE KEY", &[1])), KeyError::Encrypted);
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----";
        assert_eq!(error(old), KeyError::Encrypted);
        assert_eq!(error(&pem("EC PRIVATE KEY", &[1])), KeyError::NotRsa);
        assert_eq!(error(&pem("PUBLIC KEY", &[1])), KeyError::NotRsa);
        let curve = pkcs8_of(&made_up(1024), "1.2.840.10045.2.1");
        assert_eq!(error(&pem("PRIVATE KEY", &curve)), KeyError::NotRsa);
        assert_eq!(error("not a key"), KeyError::NotBase64);
        assert_eq!(error(&STANDARD.encode("nothing")), KeyError::NotRsa);
    }

    #[test]
    fn debug_output_shows_the_public_key_alone() {
        let key = PrivateKey::parse(&STANDARD.encode(made_up(1024))).unwrap();
        let shown = format!("{key:?}");
        assert!(shown.contains(&key.public_key()) && !shown.contains(key.to_base64().as_str()));
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = variable("SESINFRA_TEST_NO_SUCH_VARIABLE").unwrap_err();
        assert!(error.to_string().contains("SESINFRA_TEST_NO_SUCH_VARIABLE"));
    }
}
