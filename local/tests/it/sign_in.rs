//! Signing in: the right account before anything else, roles, keys from where they are kept, and patience with AWS.

use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_sdk_ssm::types::ParameterType;
use base64::Engine as _;
use sesinfra::aws::{
    Access, Class, ConnectError, Facts, Listener, Note, PrivateKeys, SecretError, Session, connect,
};
use sesinfra::environment::{self, names::FileName};
use sesinfra_local::{Cloud, Effect, Fault, Options};

use super::account::{ACCOUNT, REGION, administrator, cloud};
use super::folder::Folder;

const OTHER: &str = "999999999999";

/// A cloud without IAM in the way, and a folder for the environment file.
struct Place {
    cloud: Cloud,
    clients: SdkConfig,
    folder: Folder,
}

/// Writes down what it hears.
#[derive(Debug, Default)]
struct Notes(Mutex<Vec<Note>>);

impl Listener for Notes {
    fn hear(&self, note: Note) {
        self.0.lock().unwrap().push(note);
    }
}

impl Place {
    async fn new(name: &str) -> Self {
        let cloud = cloud(Options { enforce_iam: false, ..Options::default() }).await;
        let clients = administrator(&cloud, ACCOUNT);
        Self { cloud, clients, folder: Folder::new(name) }
    }

    async fn connect(
        &self,
        account: &str,
        rest: &str,
        notes: &Arc<Notes>,
    ) -> Result<(Arc<Session>, Facts), ConnectError> {
        let text = format!(
            "project = \"pivot\"\n[aws]\naccount = \"{account}\"\nregion = \"{REGION}\"\n{rest}"
        );
        self.folder.write("environments/test.toml", &text);
        let name = FileName::parse("test").unwrap();
        let environment = environment::load(self.folder.path(), &name).unwrap();
        let (key, secret) = Cloud::administrator(ACCOUNT);
        let listener: Arc<dyn Listener> = notes.clone();
        let access = Access {
            endpoint: Some(self.cloud.endpoint().to_owned()),
            credentials: Some(Credentials::new(key, secret, None, None, "test")),
            root: self.folder.path().to_owned(),
            listener: Some(listener),
            ..Access::default()
        };
        connect(&environment, &access, PrivateKeys::Read).await
    }

    async fn facts(&self, rest: &str) -> Result<Facts, ConnectError> {
        self.connect(ACCOUNT, rest, &Arc::default()).await.map(|(_, facts)| facts)
    }
}

async fn zone(clients: &SdkConfig, name: &str) -> String {
    let call = aws_sdk_route53::Client::new(clients).create_hosted_zone().name(name);
    let made = call.caller_reference(name).send().await.unwrap().hosted_zone.unwrap().id;
    made.trim_start_matches("/hostedzone/").to_owned()
}

async fn role(clients: &SdkConfig, name: &str) {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let call = aws_sdk_iam::Client::new(clients).create_role().role_name(name);
    call.assume_role_policy_document(trust).send().await.unwrap();
}

#[tokio::test]
async fn credentials_of_another_account_make_one_call_and_no_more() {
    let place = Place::new("wrong-account").await;
    place.cloud.calls().clear();
    let error = place.connect(OTHER, "", &Arc::default()).await.unwrap_err();
    assert!(matches!(error, ConnectError::WrongAccount { .. }), "{error}");
    assert!(error.to_string().contains(ACCOUNT) && error.to_string().contains(OTHER), "{error}");
    assert_eq!(place.cloud.calls().actions(), ["sts:GetCallerIdentity"]);
}

#[tokio::test]
async fn a_role_is_assumed_before_its_account_is_checked() {
    let place = Place::new("role").await;
    role(&place.clients, "apply").await;
    place.cloud.calls().clear();
    let wanted = format!("role = \"arn:aws:iam::{ACCOUNT}:role/apply\"\n");
    let (session, _) = place.connect(ACCOUNT, &wanted, &Arc::default()).await.unwrap();
    assert!(session.caller().unwrap().contains("assumed-role/apply/sesinfra"));
    let calls = place.cloud.calls().actions();
    assert_eq!(&calls[..2], ["sts:AssumeRole", "sts:GetCallerIdentity"], "{calls:?}");
}

#[tokio::test]
async fn a_zone_of_another_account_is_found_with_its_role_and_instead_of_ours() {
    let place = Place::new("zones").await;
    let theirs = administrator(&place.cloud, OTHER);
    role(&theirs, "dns-writer").await;
    let (ours, other) = (zone(&place.clients, "pivot.app").await, zone(&theirs, "pivot.app").await);
    assert_eq!(place.facts("").await.unwrap().zones.iter().next().unwrap().id, ours);
    let role = format!("arn:aws:iam::{OTHER}:role/dns-writer");
    let facts = place.facts(&format!("[zones.\"pivot.app\"]\nrole = \"{role}\"\n")).await.unwrap();
    let found: Vec<_> = facts.zones.iter().collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].id.as_str(), found[0].role.as_ref().unwrap().as_str()),
        (other.as_str(), role.as_str())
    );
}

/// An RSA key of 1,024 bits in PKCS#1 form, whose numbers belong to nobody.
fn private_key() -> String {
    let number = |bytes: usize, fill: u8| {
        let mut der = vec![2];
        match bytes {
            0..=127 => der.push(u8::try_from(bytes).unwrap()),
            _ => der.extend([0x81, u8::try_from(bytes).unwrap()]),
        }
        der.extend(std::iter::repeat_n(fill, bytes));
        der
    };
    let mut modulus = vec![2, 0x81, 129, 0];
    modulus.extend([0xc1; 128]);
    let fields = [vec![2, 1, 0], modulus, vec![2, 3, 1, 0, 1], number(128, 0x71)];
    let halves = std::iter::repeat_n(number(64, 0x71), 5);
    let body: Vec<u8> = fields.into_iter().chain(halves).flatten().collect();
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    let der: Vec<u8> = [0x30, 0x82].into_iter().chain(length).chain(body).collect();
    base64::engine::general_purpose::STANDARD.encode(der)
}

fn identity(source: &str) -> String {
    format!(
        "[identities.\"pivot.app\"]\ndns = \"manual\"\ndkim = {{ selector = \"s1\", private_key = {source} }}\n"
    )
}

#[tokio::test]
async fn a_key_is_read_from_wherever_it_is_kept_and_never_shown() {
    let place = Place::new("keys").await;
    let key = private_key();
    place.folder.write("key.pem", &key);
    let ssm = aws_sdk_ssm::Client::new(&place.clients);
    let put = ssm.put_parameter().name("/dkim/key").value(&key).r#type(ParameterType::SecureString);
    put.send().await.unwrap();
    let secrets = aws_sdk_secretsmanager::Client::new(&place.clients);
    secrets.create_secret().name("dkim").secret_string(&key).send().await.unwrap();
    let mut found = Vec::new();
    for source in ["{ file = \"key.pem\" }", "{ ssm = \"/dkim/key\" }", "{ secret = \"dkim\" }"] {
        let facts = place.facts(&identity(source)).await.unwrap();
        assert!(!format!("{facts:?}").contains(&key), "{source}");
        found.extend(facts.keys.into_values());
    }
    assert_eq!(found.len(), 3);
    assert!(
        found
            .iter()
            .all(|key| *key == found[0] && key.starts_with("MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB"))
    );
}

#[tokio::test]
async fn a_key_that_is_not_there_is_said_to_be_missing_where_it_was_looked_for() {
    let place = Place::new("no-keys").await;
    place
        .folder
        .write("bad.pem", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n");
    for (source, said) in [
        ("{ file = \"key.pem\" }", "key.pem"),
        ("{ env = \"SESINFRA_NO_SUCH_KEY\" }", "SESINFRA_NO_SUCH_KEY"),
        ("{ ssm = \"/dkim/key\" }", "ParameterNotFound"),
        ("{ secret = \"dkim\" }", "ResourceNotFoundException"),
        ("{ file = \"bad.pem\" }", "bad.pem"),
    ] {
        let facts = place.facts(&identity(source)).await.unwrap();
        let (_, missing) = facts.missing_keys.first_key_value().unwrap();
        let reason = &missing.source;
        assert!(reason.to_string().contains(said), "{reason}");
        assert!(missing.hint().contains("public_key"));
        assert!(!matches!(reason, SecretError::Key { .. }) || said == "bad.pem");
    }
}

#[tokio::test]
async fn throttling_is_waited_out_and_said() {
    let place = Place::new("throttled").await;
    let notes = Arc::new(Notes::default());
    for nth in 1..=8 {
        place.cloud.faults().arm(Fault::nth("route53:ListHostedZones", nth, Effect::Throttle));
    }
    place.connect(ACCOUNT, "", &notes).await.unwrap();
    let heard = notes.0.lock().unwrap();
    assert_eq!(heard.len(), 8, "{heard:?}");
    let Note::Throttled { action, attempts, .. } = &heard[7];
    assert_eq!((action.as_str(), *attempts), ("route53:ListHostedZones", 8));
}

#[tokio::test]
async fn other_failures_are_tried_five_times() {
    let place = Place::new("failing").await;
    for effect in [Effect::ServerError, Effect::Refuse] {
        place.cloud.faults().clear();
        place.cloud.faults().arm(Fault::from_nth("route53:ListHostedZones", 1, effect));
        place.cloud.calls().clear();
        let error = place.facts("").await.unwrap_err();
        let ConnectError::Aws(error) = error else { panic!("{error}") };
        assert_eq!(error.action, "route53:ListHostedZones");
        assert!(matches!(error.class, Class::Other | Class::Network), "{error:?}");
        assert_eq!(place.cloud.calls().count("route53:ListHostedZones"), 5, "{effect:?}");
    }
}

#[tokio::test]
async fn a_denied_call_names_the_permission() {
    let place = Place::new("denied").await;
    place.cloud.faults().arm(Fault::from_nth("route53:ListHostedZones", 1, Effect::Deny));
    let publishes = "[identities.\"pivot.app\"]\n";
    let ConnectError::Aws(error) = place.facts(publishes).await.unwrap_err() else { panic!() };
    assert_eq!((error.class, error.request_id.is_some()), (Class::Denied, true), "{error:?}");
    assert!(error.hint().unwrap().contains("route53:ListHostedZones"));
    // Whoever publishes nothing needs no zones.
    assert_eq!(place.facts("").await.unwrap().zones.iter().count(), 0);
}
