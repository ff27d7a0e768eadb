//! The wire, held against an emulator that has nothing in common with our local cloud: what our kinds make of Route 53,
//! SNS, SQS and IAM in moto converges, changes and goes. SES is left out, since moto has too little of it.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use sesinfra::aws::Access;
use sesinfra::engine::{Address, Arg, Graph, Resource};
use sesinfra::kinds::dns::{self, Record, RecordType};

use super::account::REGION;
use super::folder::Folder;
use super::python_tools::{MOTO, Tool};
use super::stage::Open;

/// How long moto may take to answer its first call.
const STARTING: Duration = Duration::from_mins(2);
/// How long the whole test may take.
const LIMIT: Duration = Duration::from_mins(5);

const FILE: &str = r#"
project = "pivot"

[aws]
account = "123456789012"
region = "us-east-1"

[tags]
team = "platform"

[topics.ses-feedback]
display_name = "Pivot mail"
subscriptions = [{ queue = "ses-feedback", raw = true }, { https = "https://api.pivot.app/hooks" }]

[queues.ses-feedback]
retention = "7d"
visibility_timeout = "2m"
dead_letter = { max_receives = 5 }

[send_policies.api]
from = ["*@pivot.app"]
identities = ["arn:aws:ses:us-east-1:123456789012:identity/pivot.app"]
attach = { roles = ["pivot-api"], users = ["deploy"], groups = ["senders"] }
"#;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// A moto that ends with the test.
struct Moto {
    process: Child,
    endpoint: String,
}

impl Moto {
    fn start(tool: Tool) -> Option<Self> {
        let program = tool.find()?;
        // The port is free now, and whoever takes it before moto does lets this test fail, not others.
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Self { process, endpoint: format!("http://127.0.0.1:{port}") };
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(started.elapsed() < STARTING, "moto does not answer");
            std::thread::park_timeout(Duration::from_millis(100));
        }
        Some(moto)
    }

    fn credentials() -> Credentials {
        Credentials::new("AKIAMOTO", "moto", None, None, "test")
    }

    fn clients(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(&self.endpoint)
            .credentials_provider(SharedCredentialsProvider::new(Self::credentials()))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build()
    }

    fn access(&self) -> Access {
        Access {
            endpoint: Some(self.endpoint.clone()),
            credentials: Some(Self::credentials()),
            ..Access::default()
        }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moto_agrees_with_our_wire() {
    let Some(moto) = Moto::start(MOTO) else { return };
    tokio::time::timeout(LIMIT, Box::pin(agree(&moto))).await.unwrap();
}

async fn agree(moto: &Moto) {
    let clients = moto.clients();
    let zone = given(&clients).await;
    let folder = Folder::new("moto");
    converge(moto, &folder, FILE, records(&zone, "v=DMARC1; p=none")).await;
    // Of the queue nothing is changed but its tags: moto forgets its policy whenever another attribute is set.
    let changed = FILE
        .replace("Pivot mail", "Pivot")
        .replace("{ https = \"https://api.pivot.app/hooks\" }", "")
        .replace("\"*@pivot.app\"", "\"hello@pivot.app\"")
        .replace("users = [\"deploy\"], ", "")
        .replace("\"platform\"", "\"mail\"");
    converge(moto, &folder, &changed, records(&zone, "v=DMARC1; p=reject")).await;
    let published = aws_sdk_route53::Client::new(&clients);
    let listed = published.list_resource_record_sets().hosted_zone_id(&zone).send().await.unwrap();
    let values = listed
        .resource_record_sets
        .iter()
        .flat_map(aws_sdk_route53::types::ResourceRecordSet::resource_records);
    let values: Vec<&str> = values.map(aws_sdk_route53::types::ResourceRecord::value).collect();
    assert!(values.contains(&"\"v=DMARC1; p=reject\""), "{values:?}");
    assert!(!values.contains(&"\"v=DMARC1; p=none\""), "{values:?}");
}

/// What the account has before: a zone, whose id is returned, and those who hold the send policy.
async fn given(clients: &SdkConfig) -> String {
    let iam = aws_sdk_iam::Client::new(clients);
    let role = iam.create_role().role_name("pivot-api").assume_role_policy_document(TRUST);
    role.send().await.unwrap();
    iam.create_user().user_name("deploy").send().await.unwrap();
    iam.create_group().group_name("senders").send().await.unwrap();
    let zones = aws_sdk_route53::Client::new(clients);
    let made = zones.create_hosted_zone().name("pivot.app").caller_reference("1").send().await;
    made.unwrap().hosted_zone.unwrap().id.trim_start_matches("/hostedzone/").to_owned()
}

/// Records as a domain has them, with what SES would tell already known.
fn records(zone: &str, dmarc: &str) -> Resource {
    let record = |name: &str, kind, value: &str| {
        let known = |text: &str| Arg::Known(text.to_owned());
        Record::declared(zone, known(name), kind, known(value))
    };
    let all = [
        (
            "dkim 1 of 3",
            record("abc._domainkey.pivot.app", RecordType::Cname, "abc.dkim.amazonses.com"),
        ),
        (
            "mail-from mx",
            record("mail.pivot.app", RecordType::Mx, "10 feedback-smtp.us-east-1.amazonses.com"),
        ),
        (
            "mail-from spf",
            record("mail.pivot.app", RecordType::Txt, "v=spf1 include:amazonses.com ~all"),
        ),
        ("dmarc", record("_dmarc.pivot.app", RecordType::Txt, dmarc)),
    ];
    let records = all.into_iter().map(|(label, record)| (label.to_owned(), record)).collect();
    // Without an identity there must be another parent, whose marks name the zone.
    let parent = Address::new("topic", "ses-feedback");
    let spec = dns::Spec { belongs_to: parent.to_string(), records };
    let resource = Resource::new(Address::new("dns", "pivot.app"), &spec).unwrap();
    resource.under(parent).known_as(dns::token(zone))
}

/// Applies a file and records, and makes sure that nothing is left to do.
async fn converge(moto: &Moto, folder: &Folder, file: &str, records: Resource) {
    folder.write("environments/prod.toml", file);
    let open = || Open::with(moto.access(), folder.path(), "prod", with(&records));
    let (_, report) = open().await.apply().await;
    assert!(report.is_complete(), "{report:#?}");
    let again = open().await.plan().await.unwrap();
    let left: Vec<_> = again.pending().collect();
    assert!(left.is_empty(), "{left:#?}");
}

/// The graph of a file with `records` beside.
fn with(records: &Resource) -> impl FnOnce(Graph) -> Graph {
    let records = records.clone();
    move |graph| Graph::new(graph.in_order().cloned().chain([records])).unwrap()
}
