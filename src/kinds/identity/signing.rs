//! Signing a domain's mail with a key of one's own (BYODKIM).
//!
//! Invariant: SES is switched to the key only after its public half is published, since the graph puts this after the
//! DNS records. The private key is fetched inside `put` and nowhere else; what stays behind is a digest in a tag.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sesv2::types::{DkimSigningAttributes, DkimSigningAttributesOrigin};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::documented::ONLY_AT_CREATION;
use super::impact::unsigned;
use super::reading::{Identities, Origin, SIGNING_KEY_TAG, State};
use crate::aws::{TagChanges, failed, hex};
use crate::engine::{
    BoxError, Change, Field, Impact, Kind, Life, Live, Marks, Put, Reading, Wanted, touches,
};
use crate::environment::types::SecretSource;
use crate::kinds::{Documented, Input, Permission, Scope};

/// What stands for a key that is not known: one that sesinfra did not put, since SES never gives a key back, or one that
/// is not at hand.
pub const UNKNOWN_KEY: &str = "unknown";

/// The kind `signing`.
pub struct Signing {
    identities: Arc<Identities>,
}

/// Which key it is, and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// The selector: the record is `SELECTOR._domainkey.DOMAIN`.
    pub selector: String,
    /// Digest of selector and public key: [`key_digest`].
    pub key: String,
    /// Where the private key is read from when it is put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SecretSource>,
    /// Whether receivers are told to refuse mail that is not signed: by DMARC, with no SPF that aligns.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_be_signed: bool,
}

/// A digest that names a key pair without giving any of it away: 16 hex digits over selector and public key.
#[must_use]
pub fn key_digest(selector: &str, public_key: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(selector.as_bytes());
    // No selector holds a zero byte, so no two pairs run together to one text.
    hash.update([0]);
    hash.update(public_key.as_bytes());
    hex(hash.finalize().into_iter().take(8))
}

impl Signing {
    /// The keys of one's own of one account and Region.
    #[must_use]
    pub fn new(identities: &Arc<Identities>) -> Self {
        Self { identities: Arc::clone(identities) }
    }
}

#[async_trait]
impl Kind for Signing {
    const NAME: &'static str = "signing";
    const LIFE: Life = Life::Aspect;
    const SETTING_OF: Option<&'static str> = Some("identity");
    const WRITE_ONLY: &'static [&'static str] = &["source", "must_be_signed"];

    type Spec = Spec;
    type Outputs = ();

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        reading: Reading,
    ) -> Result<Vec<Live<Spec, ()>>, BoxError> {
        let names = wanted.iter().map(|one| one.name.clone());
        let states = self.identities.read(names, reading).await?;
        let selectors: BTreeMap<&str, &str> = wanted
            .iter()
            .filter_map(|one| Some((one.name.as_str(), one.spec.as_ref()?.selector.as_str())))
            .collect();
        let live = states
            .iter()
            .filter_map(|state| live(state, selectors.get(state.name.as_str()).copied()));
        Ok(live.collect())
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<()>, BoxError> {
        let (name, to) = (&change.name, &change.to);
        let Some(source) = &to.source else {
            return Err("nothing says where the private key is read from".into());
        };
        let session = self.identities.session();
        let key = session.private_key(source).await?;
        if key_digest(&to.selector, &key.public_key()) != to.key {
            return Err("the private key does not belong to `public_key`: the record that is published would not match the signatures".into());
        }
        // A tag that names the old key goes before the Put: should the process die between the Put and the new tag, it
        // would go on naming a key that SES no longer has.
        if change.from.as_ref().is_some_and(|from| from.key != UNKNOWN_KEY && from.key != to.key) {
            self.identities.forget_key(name).await?;
        }
        let call = session.ses().put_email_identity_dkim_signing_attributes().email_identity(name);
        let attributes = DkimSigningAttributes::builder()
            .domain_signing_selector(&to.selector)
            .domain_signing_private_key(key.to_base64().as_str())
            .build();
        let call = call
            .signing_attributes_origin(DkimSigningAttributesOrigin::External)
            .signing_attributes(attributes);
        let answer = call.send().await;
        self.identities.forget(name);
        answer.map_err(failed("ses:PutEmailIdentityDkimSigningAttributes", name))?;
        // Written after the Put: should the process die in between, the next plan finds the key unknown and puts it again.
        let set = BTreeMap::from([(SIGNING_KEY_TAG.to_owned(), to.key.clone())]);
        self.identities.tag(name, TagChanges { set, unset: BTreeSet::new() }).await?;
        Ok(Put::Done(None))
    }

    async fn delete(&self, name: &str, _live: &Spec) -> Result<Put<()>, BoxError> {
        // The identity's own put switches back to Easy DKIM; what is left is the note of the old key.
        if self.identities.state(name).await?.is_some_and(|state| state.names_key()) {
            self.identities.forget_key(name).await?;
        }
        Ok(Put::Done(None))
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
        match (from, to) {
            (None, Some(to)) => unsigned(
                to.must_be_signed,
                "mail is unsigned from the switch until SES finds the record of the new key",
            ),
            (Some(_), Some(to)) if touches(fields, "selector") || touches(fields, "key") => {
                unsigned(
                    to.must_be_signed,
                    "mail may be unsigned from the switch until SES finds the record of the new key; the old record stays until then",
                )
            }
            _ => Impact::safe(),
        }
    }

    fn examples() -> Vec<Spec> {
        let source = Some(SecretSource::Env("DKIM_KEY".to_owned()));
        let of = |selector: &str, public: &str| Spec {
            selector: selector.to_owned(),
            key: key_digest(selector, public),
            source: source.clone(),
            must_be_signed: selector == "s2",
        };
        vec![of("s1", "MIIB"), of("s1", "MIIC"), of("s2", "MIIC")]
    }
}

impl Documented for Signing {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("ses:GetEmailIdentity", Scope::Identity),
        Permission::to_plan("ssm:GetParameter", Scope::Parameter),
        Permission::to_plan("secretsmanager:GetSecretValue", Scope::Secret),
        Permission::to_apply("ses:PutEmailIdentityDkimSigningAttributes", Scope::Identity),
        Permission::to_apply("ses:TagResource", Scope::Identity),
        Permission::to_apply("ses:UntagResource", Scope::Identity),
    ];
    const INPUTS: &'static [Input] = &[Input {
        operation: "PutEmailIdentityDkimSigningAttributes",
        service: "sesv2",
        managed: &[
            "email_identity",
            "signing_attributes_origin",
            "signing_attributes.domain_signing_selector",
            "signing_attributes.domain_signing_private_key",
        ],
        excluded: &[
            ("signing_attributes.domain_signing_attributes_origin", ONLY_AT_CREATION),
            (
                "signing_attributes.next_signing_key_length",
                "a key of one's own has the length it has",
            ),
        ],
    }];
}

fn live(state: &State, wanted_selector: Option<&str>) -> Option<Live<Spec, ()>> {
    if !state.is_domain || state.origin != Origin::External {
        return None;
    }
    let key = state.all_tags.get(SIGNING_KEY_TAG).map_or(UNKNOWN_KEY, String::as_str);
    // SES gives the selector as the token, or no token at all; the digest covers the selector too.
    let selector = state.dkim_tokens.first().map(String::as_str).or(wanted_selector);
    Some(Live {
        name: state.name.clone(),
        spec: Spec {
            selector: selector.unwrap_or_default().to_owned(),
            key: key.to_owned(),
            source: None,
            must_be_signed: false,
        },
        outputs: (),
        ownership: state.ownership.clone(),
        parent: Some(state.address()),
        tokens: BTreeSet::new(),
        marks: Marks::default(),
        uses: BTreeSet::new(),
        notes: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_covers_the_selector_and_the_key_and_where_one_ends() {
        let digest = key_digest("s1", "MIIB");
        assert_eq!(digest.len(), 16);
        assert_ne!(digest, key_digest("s2", "MIIB"));
        assert_ne!(digest, key_digest("s1", "MIIC"));
        assert_ne!(digest, key_digest("s1M", "IIB"));
    }
}
