//! A caller with nothing but a policy, and what the command line says to it.

use aws_credential_types::Credentials;
use serde_json::Value;
use sesinfra::environment::{self, names::FileName};
use sesinfra_local::{Cloud, Options, seeds};

use crate::it::account::{ACCOUNT, REGION, administrator, cloud};
use crate::it::folder::Folder;
use crate::it::program::{Ran, sesinfra, sesinfra_on};

/// An environment with every kind, and keys from where permissions are needed to read them.
pub(super) const FILE: &str = r#"
[account]
suppress = ["bounce"]
sending = false
vdm = { enabled = true }
dedicated_ip_warmup = false
[identities."pivot.app"]
configuration_set = "transactional"
dkim = { key = "rsa-1024" }
mail_from = { subdomain = "mail" }
dmarc = { policy = "none" }
feedback_forwarding = false
policies = { partner = { principals = ["210987654321"] } }
[identities."pivot.dev"]
dkim = { selector = "s1", private_key = { ssm = "/mail/dkim" } }
[identities."pivot.io"]
dkim = { selector = "s1", private_key = { secret = "dkim" } }
[configuration_sets.transactional]
tracking = { domain = "track.pivot.app" }
[configuration_sets.letters]
[configuration_sets.transactional.events.feedback]
types = ["bounce", "complaint"]
topic = "ses-feedback"
[configuration_sets.transactional.events.stream]
types = ["delivery"]
firehose = { stream = "mail", role = "ses-firehose" }
[topics.ses-feedback]
display_name = "Pivot"
encryption_key = "alias/mail"
subscriptions = [{ queue = "ses-feedback", raw = true }]
[queues.ses-feedback]
dead_letter = { max_receives = 3 }
[alarms]
topic = "ses-feedback"
[send_policies.api]
from = ["*@pivot.app"]
attach = { roles = ["pivot-api"], users = ["deploy"], groups = ["senders"] }
"#;

/// The same with something of every kind changed, and nothing gone: what is gone needs the permissions of the file before.
pub(super) const CHANGED: &str = r#"
[tags]
team = "mail"
[account]
suppress = ["bounce", "complaint"]
sending = true
vdm = { enabled = false }
dedicated_ip_warmup = true
[identities."pivot.app"]
configuration_set = "letters"
dkim = { key = "rsa-2048" }
mail_from = { subdomain = "return" }
dmarc = { policy = "quarantine" }
policies = { partner = { principals = ["999999999999"] } }
[identities."pivot.dev"]
dkim = { selector = "s2", private_key = { ssm = "/mail/dkim" } }
signing = false
[identities."pivot.io"]
dkim = { selector = "s2", private_key = { secret = "dkim" } }
[configuration_sets.transactional]
tls = "require"
suppress = []
reputation_metrics = false
sending = false
tracking = { domain = "links.pivot.app" }
[configuration_sets.letters]
[configuration_sets.transactional.events.feedback]
types = ["bounce"]
topic = "ses-feedback"
[configuration_sets.transactional.events.stream]
types = ["send"]
firehose = { stream = "mail", role = "ses-firehose" }
[topics.ses-feedback]
encryption_key = "alias/mail"
subscriptions = [{ queue = "ses-feedback" }]
[queues.ses-feedback]
retention = "7d"
dead_letter = { max_receives = 9 }
[alarms]
topic = "ses-feedback"
bounce_rate = "4%"
[send_policies.api]
from = ["api@pivot.app"]
attach = { roles = ["pivot-api"], users = ["deploy"], groups = ["senders"] }
"#;

/// The name of the caller.
const CALLER: &str = "ci";

/// An account with a caller who may do what a policy says, and a project.
pub(super) struct Place {
    pub(super) cloud: Cloud,
    folder: Folder,
    credentials: Credentials,
}

impl Place {
    pub(super) async fn new(name: &str) -> Self {
        let cloud = cloud(Options::default()).await;
        let folder = Folder::new(&format!("least-privilege-{name}"));
        let iam = aws_sdk_iam::Client::new(&administrator(&cloud, ACCOUNT));
        iam.create_user().user_name(CALLER).send().await.unwrap();
        let key = iam.create_access_key().user_name(CALLER).send().await.unwrap();
        let key = key.access_key.unwrap();
        let credentials =
            Credentials::new(key.access_key_id, key.secret_access_key, None, None, "test");
        let place = Self { cloud, folder, credentials };
        for body in [CHANGED, FILE] {
            place.write(body);
            let file = FileName::parse("test").unwrap();
            let loaded = environment::load(place.folder.path(), &file).unwrap();
            seeds::seed(place.cloud.world(), &loaded);
        }
        place
    }

    /// The same account and project in a cloud of its own.
    pub(super) async fn again(&self, name: &str) -> Self {
        let folder = Folder::new(&format!("least-privilege-{name}"));
        let cloud = self.cloud.fork().await.unwrap();
        Self { cloud, folder, credentials: self.credentials.clone() }
    }

    pub(super) fn write(&self, body: &str) {
        let head =
            format!("project = \"pivot\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n");
        self.folder.write("environments/test.toml", &(head + body));
    }

    /// The policy that is printed, by whoever may do everything.
    pub(super) async fn printed(&self, flag: &str) -> Value {
        let ran =
            sesinfra(&self.cloud, ACCOUNT, self.folder.path(), &["permissions", "test", flag])
                .await;
        assert_eq!(ran.code, 0, "{}", ran.errors);
        serde_json::from_str(&ran.output).unwrap()
    }

    /// From now on the caller may do this and nothing else.
    pub(super) async fn grant(&self, policy: &Value) {
        let iam = aws_sdk_iam::Client::new(&administrator(&self.cloud, ACCOUNT));
        let put = iam.put_user_policy().user_name(CALLER).policy_name("mail");
        put.policy_document(policy.to_string()).send().await.unwrap();
    }

    /// Runs `sesinfra ARGUMENTS` as the caller.
    pub(super) async fn run(&self, arguments: &[&str]) -> Ran {
        let credentials = self.credentials.clone();
        sesinfra_on(&self.cloud, ACCOUNT, self.folder.path(), arguments, |host| {
            host.access.credentials = Some(credentials);
        })
        .await
    }

    /// Runs it, and it must end well.
    pub(super) async fn expect(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments).await;
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.output, ran.errors);
        ran
    }
}

const APPLY: [&str; 3] = ["apply", "test", "--yes"];
const DESTROY: [&str; 3] = ["destroy", "test", "--yes"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_printed_for_a_plan_reads_everything_and_writes_nothing() {
    let place = Place::new("plan").await;
    place.grant(&place.printed("--plan").await).await;
    let plan = place.expect(&["plan", "test"]).await;
    assert!(plan.output.contains("Plan: "), "{}", plan.output);
    place.expect(&["output", "test"]).await;
    place.expect(&["list", "test"]).await;
    place.expect(&["permissions", "test"]).await;
    // The first that is to be written is the lock.
    let log = place.cloud.calls();
    log.clear();
    let denied = place.run(&APPLY).await;
    assert_eq!(denied.code, 1, "{}", denied.errors);
    let lock = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/sesinfra/pivot/test/lock");
    for words in ["ssm:PutParameter", lock.as_str()] {
        assert!(denied.errors.contains(words), "no `{words}` in {}", denied.errors);
    }
    assert_eq!(log.writes(), ["ssm:PutParameter"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_printed_for_an_apply_makes_changes_and_destroys() {
    let place = Place::new("apply").await;
    place.grant(&place.printed("--apply").await).await;
    place.expect(&APPLY).await;
    let plan = place.expect(&["plan", "test"]).await;
    assert!(plan.output.contains("\nNo changes."), "{}", plan.output);
    place.write(CHANGED);
    place.grant(&place.printed("--apply").await).await;
    place.expect(&APPLY).await;
    let plan = place.expect(&["plan", "test"]).await;
    assert!(plan.output.contains("\nNo changes."), "{}", plan.output);
    // And with what is printed for a plan that is seen as well, now that everything is there.
    place.grant(&place.printed("--plan").await).await;
    let plan = place.expect(&["plan", "test"]).await;
    assert!(plan.output.contains("\nNo changes."), "{}", plan.output);
    place.grant(&place.printed("--apply").await).await;
    let gone = place.expect(&DESTROY).await;
    assert!(gone.output.contains("Destroy complete!"), "{}", gone.output);
}
