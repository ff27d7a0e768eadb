//! The keys that an environment's file refers to: KMS keys for topics and queues, private keys that sign mail.

use std::collections::BTreeMap;

use chrono::Utc;
use fakecloud_kms::provisioner::{KeyCreationInput, build_kms_key, provision_alias};
use fakecloud_secretsmanager::{Secret, SecretVersion, secret_arn};
use fakecloud_ssm::{SsmParameter, param_arn};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::rand_core::OsRng;
use serde_json::json;
use sesinfra::environment::names::KeyReference;
use sesinfra::environment::types::SecretSource;

use super::Place;

impl Place<'_> {
    /// A customer key whose policy lets SES publish to what it encrypts and SNS deliver to it, as whoever made it for
    /// this purpose would have written it.
    pub(super) fn key(&self, key: &KeyReference) {
        let named = key.to_string();
        let last = named.rsplit_once(":key/").map_or(named.as_str(), |(_, id)| id);
        let alias = named.find("alias/").map(|at| &named[at..]);
        let known = |state: &fakecloud_kms::KmsState| match alias {
            Some(alias) => {
                state.aliases.get(self.region).is_some_and(|aliases| aliases.contains_key(alias))
            }
            None => state.keys.contains_key(last),
        };
        if alias.is_some_and(|alias| alias.starts_with("alias/aws/"))
            || self.world.kms.read().get(self.account).is_some_and(known)
        {
            return;
        }
        let services = ["ses.amazonaws.com", "sns.amazonaws.com", "cloudwatch.amazonaws.com"];
        let policy = json!({ "Version": "2012-10-17", "Statement": [
            { "Sid": "Owner", "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{}:root", self.account) },
              "Action": "kms:*", "Resource": "*" },
            { "Sid": "Mail", "Effect": "Allow", "Principal": { "Service": services },
              "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*" },
        ] });
        let input =
            KeyCreationInput { policy: Some(policy.to_string()), ..KeyCreationInput::default() };
        let Ok(mut made) = build_kms_key(self.region, self.account, &input) else { return };
        if alias.is_none() {
            made.arn = self.arn("kms", &format!("key/{last}"));
            last.clone_into(&mut made.key_id);
        }
        let id = made.key_id.clone();
        self.world.kms.write().get_or_create(self.account).keys.insert(id.clone(), made);
        if let Some(alias) = alias {
            // It cannot exist already, and the key does.
            let _ = provision_alias(&self.world.kms, self.account, self.region, alias, &id);
        }
    }

    /// A private key where the file says that it is kept, unless that is on this machine.
    pub(super) fn private_key(&self, source: &SecretSource) {
        match source {
            SecretSource::Ssm(name) => self.parameter(name),
            SecretSource::Secret(name) => self.secret(name),
            SecretSource::Env(_) | SecretSource::File(_) => {}
        }
    }

    fn parameter(&self, name: &str) {
        let mut accounts = self.world.ssm.write();
        let parameters = &mut accounts.regional_mut(self.account, self.region).parameters;
        if parameters.contains_key(name) {
            return;
        }
        let Some(value) = rsa_key() else { return };
        let parameter = SsmParameter {
            name: name.to_owned(),
            value,
            param_type: "String".to_owned(),
            version: 1,
            arn: param_arn(self.region, self.account, name),
            last_modified: Utc::now(),
            history: Vec::new(),
            tags: BTreeMap::new(),
            labels: BTreeMap::new(),
            description: None,
            allowed_pattern: None,
            key_id: None,
            data_type: "text".to_owned(),
            tier: "Standard".to_owned(),
            policies: None,
            expiration_notified: false,
            no_change_notified: false,
        };
        parameters.insert(name.to_owned(), parameter);
    }

    fn secret(&self, name: &str) {
        let mut accounts = self.world.secrets.write();
        let secrets = &mut accounts.regional_mut(self.account, self.region).secrets;
        if secrets.values().any(|secret| secret.name == name || secret.arn == name) {
            return;
        }
        let Some(value) = rsa_key() else { return };
        let (now, version) = (Utc::now(), uuid::Uuid::new_v4().to_string());
        let content = SecretVersion {
            version_id: version.clone(),
            secret_string: Some(value),
            secret_binary: None,
            stages: vec!["AWSCURRENT".to_owned()],
            created_at: now,
        };
        let arn = secret_arn(self.region, self.account, name);
        let secret = Secret {
            name: name.to_owned(),
            arn: if name.starts_with("arn:") { name.to_owned() } else { arn },
            description: None,
            kms_key_id: None,
            versions: BTreeMap::from([(version.clone(), content)]),
            current_version_id: Some(version),
            tags: Vec::new(),
            tags_ever_set: false,
            deleted: false,
            deletion_date: None,
            created_at: now,
            last_changed_at: now,
            last_accessed_at: None,
            rotation_enabled: None,
            rotation_lambda_arn: None,
            rotation_rules: None,
            last_rotated_at: None,
            resource_policy: None,
            replica_regions: Vec::new(),
            replica_settings: BTreeMap::new(),
            primary_region: None,
        };
        secrets.insert(secret.name.clone(), secret);
    }
}

/// A fresh RSA key in PKCS #8, as `openssl genrsa` writes it. The shortest that SES takes: a longer one takes a
/// program that is not optimised many seconds.
fn rsa_key() -> Option<String> {
    let key = RsaPrivateKey::new(&mut OsRng, 1024).ok()?;
    Some(key.to_pkcs8_pem(LineEnding::LF).ok()?.to_string())
}
