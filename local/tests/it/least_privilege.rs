//! The permissions that are printed for an environment are enough, and each that is missing is named.

use sesinfra::aws::{Access, Session, connect};
use sesinfra::blueprint::{blueprint, permissions};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sesinfra::engine::{Control, Event, Options as PlanOptions, plan};
use sesinfra::environment::{self, names::FileName};
use sesinfra::kinds::{Phase, registry};
use sesinfra_local::Options;

use crate::it::account::{ACCOUNT, REGION, administrator, cloud};
use crate::it::folder::Folder;

const FILE: &str = r#"
[account]
suppress = ["bounce"]
sending = true
vdm = { enabled = true }
dedicated_ip_warmup = false
[identities."pivot.app"]
configuration_set = "transactional"
dkim = { key = "rsa-1024" }
mail_from = { subdomain = "mail" }
dmarc = { policy = "none" }
feedback_forwarding = false
policies = { partner = { principals = ["210987654321"] } }
[configuration_sets.transactional]
tracking = { domain = "track.pivot.app" }
[configuration_sets.transactional.events.feedback]
types = ["bounce", "complaint"]
topic = "ses-feedback"
[topics.ses-feedback]
display_name = "Pivot"
subscriptions = [{ queue = "ses-feedback", raw = true }]
[queues.ses-feedback]
dead_letter = { max_receives = 3 }
[alarms]
topic = "ses-feedback"
[send_policies.api]
from = ["*@pivot.app"]
attach = { roles = ["pivot-api"] }
"#;

#[tokio::test]
async fn what_is_printed_is_enough_to_plan_to_apply_and_to_destroy() {
    let cloud = cloud(Options::default()).await;
    let owner = administrator(&cloud, ACCOUNT);
    let zones = aws_sdk_route53::Client::new(&owner);
    zones.create_hosted_zone().name("pivot.app").caller_reference("1").send().await.unwrap();
    let iam = aws_sdk_iam::Client::new(&owner);
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}"#;
    let role = iam.create_role().role_name("pivot-api").assume_role_policy_document(trust);
    role.send().await.unwrap();
    iam.create_user().user_name("ci").send().await.unwrap();
    let key = iam.create_access_key().user_name("ci").send().await.unwrap().access_key.unwrap();

    let folder = Folder::new("least-privilege");
    let head =
        format!("project = \"pivot\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n");
    folder.write("environments/test.toml", &(head + FILE));
    let name = FileName::parse("test").unwrap();
    let environment = environment::load(folder.path(), &name).unwrap();
    let access = |id: &str, secret: &str| Access {
        endpoint: Some(cloud.endpoint().to_owned()),
        credentials: Some(aws_credential_types::Credentials::new(id, secret, None, None, "test")),
        root: folder.path().to_owned(),
        ..Access::default()
    };
    let (admin_id, admin_secret) = sesinfra_local::Cloud::administrator(ACCOUNT);
    let (_, facts) = connect(&environment, &access(&admin_id, admin_secret)).await.unwrap();
    let implied = blueprint(&environment, &facts).unwrap();
    let grant = async |phase| {
        let document = permissions(&environment.settings, &facts, &implied.graph, phase).document();
        let put = iam.put_user_policy().user_name("ci").policy_name("mail");
        put.policy_document(document).send().await.unwrap();
    };

    grant(Phase::Plan).await;
    let own = access(&key.access_key_id, &key.secret_access_key);
    let (session, own_facts) = connect(&environment, &own).await.unwrap();
    let kinds = registry(&session);
    let graph = blueprint(&environment, &own_facts).unwrap().graph;
    let first = plan(&graph, &kinds, &PlanOptions::default()).await.unwrap();
    assert!(!first.is_empty());

    // With the permissions of a plan nothing can be written, and each failure says what is missing.
    let patient = Patient(Arc::clone(&session));
    let report = sesinfra::engine::apply(&first, &kinds, &patient).await;
    assert_eq!(report.done(), 0);
    let denied = format!("{report:?}");
    assert!(denied.contains("sns:CreateTopic") && denied.contains("ses-feedback"), "{denied}");

    grant(Phase::Apply).await;
    session.forget_reads();
    let again = plan(&graph, &kinds, &PlanOptions::default()).await.unwrap();
    let report = sesinfra::engine::apply(&again, &kinds, &patient).await;
    assert!(report.is_complete(), "{report:#?}");
    session.forget_reads();
    let left = plan(&graph, &kinds, &PlanOptions::default()).await.unwrap();
    assert!(left.is_empty(), "{:#?}", left.pending().collect::<Vec<_>>());

    let nothing = sesinfra::engine::Graph::default();
    let gone = plan(&nothing, &kinds, &PlanOptions::default()).await.unwrap();
    let report = sesinfra::engine::apply(&gone, &kinds, &patient).await;
    assert!(report.is_complete(), "{report:#?}");
}

/// Waits a moment for what SES is still to find.
struct Patient(Arc<Session>);

#[async_trait]
impl Control for Patient {
    fn hear(&self, _event: Event) {}

    fn is_stopped(&self) -> bool {
        false
    }

    async fn pause(&self, attempt: u32) -> bool {
        tokio::time::sleep(Duration::from_millis(20)).await;
        attempt < 5
    }

    async fn pause_for_reads(&self, attempt: u32) -> bool {
        self.pause(attempt).await
    }

    fn forget_reads(&self) {
        self.0.forget_reads();
    }

    fn parallelism(&self) -> usize {
        4
    }
}
