//! What is disturbed: a first apply, an update that touches every kind, and a destroy, in an account where other people
//! have things too.

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use sesinfra_local::{Cloud, seeds};

use crate::it::account::ACCOUNT;
use crate::it::stage::Stage;

/// The private key in the file, one line of base64; no other place may ever hold it.
pub(super) const SECRET: &str = include_str!("../ses/keys/rsa1024.pkcs8");

/// An environment with every kind.
pub(super) const FIRST: &str = r#"
[tags]
team = "mail"
[account]
suppress = ["complaint"]
dedicated_ip_warmup = false

[identities."pivot.app"]
dkim = { selector = "s1", private_key = { file = "one.key" } }
configuration_set = "web"
mail_from = { subdomain = "bounce", on_mx_failure = "reject" }
dmarc = { policy = "none", reports_to = ["dmarc@pivot.app"] }
feedback_forwarding = false
[identities."pivot.app".policies.partner]
principals = ["arn:aws:iam::999999999999:root"]
[identities."easy.pivot.app"]
mail_from = { subdomain = "mail" }
tags = { tenant = "easy" }
[identities."ops@pivot.dev"]

[configuration_sets.web]
tls = "require"
suppress = ["bounce", "complaint"]
tracking = { domain = "click.pivot.app" }
[configuration_sets.web.events.feedback]
types = ["bounce", "complaint"]
topic = "feedback"
[configuration_sets.web.events.bus]
types = ["send"]
event_bus = "default"
[configuration_sets.web.events.stream]
types = ["delivery"]
firehose = { stream = "mail", role = "ses-firehose" }
[configuration_sets.web.events.metrics]
types = ["open"]
cloudwatch = [{ dimension = "campaign", source = "message-tag", default = "none" }]

[topics.feedback]
display_name = "Pivot"
subscriptions = [
  { queue = "inbox", raw = true, filter = { eventType = ["Bounce"] }, dead_letter = "lost" },
  { email = "ops@pivot.app" },
]
[queues.inbox]
dead_letter = { queue = "lost", max_receives = 3 }
[queues.lost]

[topics.ops]
[alarms]
topic = "ops"
without = ["bounce-rate-warning", "complaint-rate", "complaint-rate-warning", "daily-quota", "rejects", "rendering-failures", "sending-paused"]
[alarms.custom.slow]
comparison = ">"
threshold = 3
metric = { namespace = "Pivot", name = "Latency", statistic = "p99" }

[send_policies.api]
from = ["*@pivot.app"]
attach = { roles = ["pivot-api"], groups = ["senders"] }
"#;

/// The same with something of every kind changed, gone and new.
pub(super) const SECOND: &str = r#"
[tags]
team = "platform"
[account]
suppress = ["bounce", "complaint"]
dedicated_ip_warmup = true

[identities."pivot.app"]
dkim = { selector = "s2", private_key = { ssm = "/mail/dkim" } }
configuration_set = "letters"
mail_from = { subdomain = "return" }
dmarc = { policy = "quarantine", reports_to = ["dmarc@pivot.app"] }
[identities."pivot.app".policies.partner]
principals = ["arn:aws:iam::888888888888:root"]
[identities."pivot.app".policies.other]
principals = ["arn:aws:iam::999999999999:root"]
[identities."easy.pivot.app"]
dkim = { key = "rsa-1024" }
signing = false
[identities."new.pivot.app"]
configuration_set = "web"

[configuration_sets.web]
tls = "optional"
suppress = []
tracking = { domain = "links.pivot.app" }
[configuration_sets.web.events.feedback]
types = ["bounce", "complaint", "reject"]
topic = "events"
[configuration_sets.web.events.bus]
types = ["send"]
enabled = false
event_bus = "default"
[configuration_sets.web.events.metrics]
types = ["click"]
cloudwatch = [{ dimension = "letter", source = "message-tag", default = "none" }]
[configuration_sets.letters]

[topics.feedback]
subscriptions = [{ queue = "inbox", filter = { eventType = ["Complaint"] } }]
[topics.events]
[queues.inbox]
retention = "7d"
dead_letter = { queue = "lost", max_receives = 9 }
[queues.lost]
visibility_timeout = "2m"

[topics.ops]
[alarms]
topic = "ops"
bounce_rate = "4%"
without = ["bounce-rate-warning", "complaint-rate", "complaint-rate-warning", "daily-quota", "dead-letters", "rejects", "sending-paused"]
[alarms.custom.slow]
comparison = ">="
threshold = 5
missing = "breaching"
metric = { namespace = "Pivot", name = "Latency", statistic = "p99", period = "1m" }

[send_policies.api]
from = ["api@pivot.app"]
attach = { roles = ["pivot-worker"], users = ["deploy"] }
"#;

/// A run that is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Job {
    /// From nothing to the first environment.
    Make,
    /// From the first to the second.
    Change,
    /// From the first to nothing.
    Destroy,
}

pub(super) const JOBS: [Job; 3] = [Job::Make, Job::Change, Job::Destroy];

impl Job {
    /// The environment that is there before; `""` is none.
    pub(super) const fn before(self) -> &'static str {
        match self {
            Self::Make => "",
            Self::Change | Self::Destroy => FIRST,
        }
    }

    /// The environment that is wanted.
    pub(super) const fn wanted(self) -> &'static str {
        match self {
            Self::Make => FIRST,
            Self::Change => SECOND,
            Self::Destroy => "",
        }
    }

    /// What somebody wants after an interrupted run instead.
    pub(super) const fn instead(self) -> &'static str {
        match self {
            Self::Make | Self::Destroy => SECOND,
            Self::Change => FIRST,
        }
    }
}

/// An account as it is before the job.
pub(super) async fn scene(job: Job) -> Stage {
    let stage = prepared(Stage::new().await).await;
    if job.before().is_empty() {
        return stage;
    }
    stage.converge(job.before()).await;
    if job == Job::Change {
        strangers_below_ours(&stage).await;
    }
    stage
}

/// The stage of one disturbed run: the same account in a cloud of its own.
pub(super) async fn again(scene: &Stage) -> Stage {
    let stage = Stage::over(scene.cloud.fork().await.unwrap());
    stage.write("one.key", SECRET);
    stage
}

/// An account with all that the environments refer to, and other people's things beside it.
async fn prepared(stage: Stage) -> Stage {
    stage.write("one.key", SECRET);
    for text in [FIRST, SECOND] {
        seeds::seed(stage.cloud.world(), &stage.check(text).unwrap());
    }
    strangers(&stage).await;
    stage
}

/// Another environment, as its claims call it.
pub(super) const STRANGER: &str = "0123456789ab";

async fn strangers(stage: &Stage) {
    let ses = aws_sdk_sesv2::Client::new(&stage.clients);
    ses.create_email_identity().email_identity("other.example").send().await.unwrap();
    ses.create_configuration_set().configuration_set_name("theirs").send().await.unwrap();
    let topics = aws_sdk_sns::Client::new(&stage.clients);
    topics.create_topic().name("theirs").send().await.unwrap();
    let queues = aws_sdk_sqs::Client::new(&stage.clients);
    queues.create_queue().queue_name("theirs").send().await.unwrap();
    let iam = aws_sdk_iam::Client::new(&stage.clients);
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}"#;
    let made = iam.create_policy().policy_name("theirs").policy_document(document).send().await;
    let arn = made.unwrap().policy.unwrap().arn.unwrap();
    iam.attach_role_policy().role_name("pivot-api").policy_arn(arn).send().await.unwrap();
    let zone = zone(&stage.cloud);
    let zones = aws_sdk_route53::Client::new(&stage.clients);
    for (name, value) in [
        ("pivot.app", "v=spf1 -all"),
        ("bounce.pivot.app", "stranger-verification=1"),
        ("return.pivot.app", "stranger-verification=2"),
        ("_sesinfra.pivot.app", &format!("sesinfra1 owner={STRANGER} has=dkim:theirs")),
        ("theirs._domainkey.pivot.app", "p=theirs"),
    ] {
        let record = ResourceRecord::builder().value(format!("\"{value}\"")).build().unwrap();
        let set = ResourceRecordSet::builder().name(name).r#type(RrType::Txt).ttl(300);
        let set = set.resource_records(record).build().unwrap();
        let change = Change::builder().action(ChangeAction::Create).resource_record_set(set);
        let batch = ChangeBatch::builder().changes(change.build().unwrap()).build().unwrap();
        let asked = zones.change_resource_record_sets().hosted_zone_id(&zone);
        asked.change_batch(batch).send().await.unwrap();
    }
}

/// What other people add to things of ours.
async fn strangers_below_ours(stage: &Stage) {
    let topics = aws_sdk_sns::Client::new(&stage.clients);
    let topic = format!("arn:aws:sns:us-east-1:{ACCOUNT}:feedback");
    let subscribing = topics.subscribe().topic_arn(topic).protocol("email");
    subscribing.endpoint("somebody@pivot.app").send().await.unwrap();
    let iam = aws_sdk_iam::Client::new(&stage.clients);
    let policy = format!("arn:aws:iam::{ACCOUNT}:policy/pivot-test-api");
    iam.attach_role_policy().role_name("ses-firehose").policy_arn(policy).send().await.unwrap();
    let ses = aws_sdk_sesv2::Client::new(&stage.clients);
    let document = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::777777777777:root"}},"Action":"ses:SendEmail","Resource":"arn:aws:ses:us-east-1:{ACCOUNT}:identity/pivot.app"}}]}}"#
    );
    let policy = ses.create_email_identity_policy().email_identity("pivot.app");
    policy.policy_name("theirs").policy(document).send().await.unwrap();
}

fn zone(cloud: &Cloud) -> String {
    let accounts = cloud.world().route53.read();
    let zones = &accounts.get(ACCOUNT).unwrap().hosted_zones;
    zones.iter().find(|(_, zone)| zone.name == "pivot.app.").unwrap().0.clone()
}
