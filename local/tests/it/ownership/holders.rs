//! What holds on to an identity is found before its records go: replicas in other Regions, and tenants.

use aws_credential_types::Credentials;
use sesinfra_local::{Cloud, Effect, Fault};

use crate::it::account::{ACCOUNT, REGION, caller};
use crate::it::project::Project;

const EUROPE: &str = "eu-west-1";
const PARENT: &str = "[identities.\"pivot.app\"]\ndmarc = { policy = \"none\" }\n";

/// The file of an environment in Europe.
fn europe(body: &str) -> String {
    format!("project = \"pivot\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{EUROPE}\"\n{body}")
}

fn replica() -> String {
    europe("[identities.\"pivot.app\"]\ndkim = { replica_of = \"us-east-1\" }\n")
}

fn ses(project: &Project, region: &str) -> aws_sdk_sesv2::Client {
    let (key, secret) = Cloud::administrator(ACCOUNT);
    let credentials = Credentials::new(key, secret, None, None, "test");
    aws_sdk_sesv2::Client::new(&caller(&project.cloud, credentials, region))
}

/// The names of all records that are not of the zone itself.
async fn names(project: &Project) -> Vec<String> {
    let zones = aws_sdk_route53::Client::new(&project.clients());
    let zone = zones.list_hosted_zones().send().await.unwrap().hosted_zones.remove(0).id;
    let listed = zones.list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap();
    let sets = listed.resource_record_sets.into_iter();
    sets.filter(|set| !matches!(set.r#type.as_str(), "NS" | "SOA")).map(|set| set.name).collect()
}

async fn parent_and_replica(name: &str) -> (Project, Vec<String>) {
    let project = Project::with(name, PARENT).await;
    project.expect(0, &["apply", "prod", "--yes", "--wait"]).await;
    project.write_whole("europe", &replica());
    project.expect(0, &["apply", "europe", "--yes", "--wait"]).await;
    let before = names(&project).await;
    assert!(before.iter().filter(|name| name.contains("._domainkey.")).count() == 3, "{before:?}");
    (project, before)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_stay_while_a_replica_in_another_region_signs_with_the_key() {
    let (project, before) = parent_and_replica("holders-replica").await;
    let said = "replicas of the identity pivot.app in eu-west-1 sign with its key";
    let kept = async |arguments: &[&str]| {
        let ran = project.run(arguments).await;
        assert!(ran.output.contains(said), "{arguments:?}: {}{}", ran.output, ran.errors);
        assert_eq!(ran.code, 3, "{arguments:?}");
        assert_eq!(names(&project).await, before, "{arguments:?}");
        assert!(!ran.output.contains("SES keeps the identity"), "{}", ran.output);
        for region in [REGION, EUROPE] {
            let call = ses(&project, region).get_email_identity().email_identity("pivot.app");
            assert!(call.send().await.unwrap().verified_for_sending_status(), "{region}");
        }
    };
    kept(&["destroy", "prod", "--yes"]).await;
    project.write("prod", "");
    kept(&["apply", "prod", "--yes"]).await;
    // What the file no longer says is there until somebody applies it.
    project.write_whole("europe", &europe(""));
    kept(&["apply", "prod", "--yes"]).await;
    project.expect(0, &["apply", "europe", "--yes"]).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    assert_eq!(names(&project).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_was_never_made_holds_nothing() {
    let project = Project::with("holders-declared", PARENT).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    let in_europe = format!("arn:aws:ses:{EUROPE}:{ACCOUNT}:identity/pivot.app");
    let permitted = async || project.expect(0, &["permissions", "prod"]).await.output;
    assert!(!permitted().await.contains(&in_europe));
    project.write_whole("europe", &replica());
    assert!(permitted().await.contains(&in_europe), "{}", permitted().await);
    project.expect(0, &["destroy", "prod", "--yes"]).await;
    assert_eq!(names(&project).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_no_file_tells_of_is_said_with_the_way_back() {
    let (project, before) = parent_and_replica("holders-unknown").await;
    project.remove("europe");
    let ran = project.run(&["destroy", "prod", "--yes"]).await;
    assert_eq!(ran.code, 4, "{}{}", ran.output, ran.errors);
    for said in
        ["has a replica in eu-west-1", "SES keeps the identity pivot.app", "publishes them anew"]
    {
        assert!(ran.output.contains(said), "{}", ran.output);
    }
    project.expect(0, &["apply", "prod", "--yes", "--wait"]).await;
    assert_eq!(names(&project).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_that_cannot_be_read_holds_what_a_file_declares_there() {
    let (project, before) = parent_and_replica("holders-denied").await;
    let deny = || {
        // The first such call of a destroy reads the identity itself.
        let fault = Fault::nth("ses:GetEmailIdentity", 2, Effect::Deny);
        project.cloud.faults().arm(fault);
    };
    deny();
    let ran = project.run(&["destroy", "prod", "--yes"]).await;
    assert_eq!(ran.code, 1, "{}{}", ran.output, ran.errors);
    assert!(ran.errors.contains("pivot.app in eu-west-1: AccessDenied"), "{}", ran.errors);
    assert_eq!(names(&project).await, before);
    project.expect(0, &["destroy", "europe", "--yes"]).await;
    project.write_whole("europe", &europe(""));
    deny();
    project.expect(0, &["destroy", "prod", "--yes"]).await;
    assert_eq!(names(&project).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_with_a_replica_may_still_be_published_by_somebody_else() {
    let (project, _) = parent_and_replica("holders-manual").await;
    project.write("prod", &format!("{PARENT}dns = \"manual\"\n"));
    project.expect(0, &["apply", "prod", "--yes"]).await;
    assert_eq!(names(&project).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_tenants_count_however_many_pages_they_fill() {
    let project = Project::with("holders-tenants", PARENT).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    let before = names(&project).await;
    let ses = ses(&project, REGION);
    let arn = format!("arn:aws:ses:{REGION}:{ACCOUNT}:identity/pivot.app");
    // One more than a page holds.
    for number in 0..=1_000 {
        let name = format!("tenant-{number:04}");
        ses.create_tenant().tenant_name(&name).send().await.unwrap();
        let give = ses.create_tenant_resource_association().tenant_name(&name).resource_arn(&arn);
        give.send().await.unwrap();
    }
    let ran = project.run(&["destroy", "prod", "--yes"]).await;
    assert!(ran.output.contains("tenant-0000"), "{}", ran.output);
    assert!(ran.output.contains(" and 996 others"), "{}", ran.output);
    assert_eq!(names(&project).await, before);
}
