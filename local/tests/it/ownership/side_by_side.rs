//! Accounts, environments and Regions that share one zone and one domain: each publishes its own beside the others', and
//! one that goes leaves the others' mail whole.

use aws_credential_types::Credentials;
use aws_sdk_sesv2::types::{DkimStatus, MailFromDomainStatus};
use sesinfra_local::Cloud;

use crate::it::account::{administrator, caller};
use crate::it::project::Project;

/// The account that has the zone.
const ZONE_OWNER: &str = "999999999999";

/// One environment of the domain.
struct Member {
    name: &'static str,
    account: &'static str,
    region: &'static str,
    domain: &'static str,
    mail_from: &'static str,
}

const MEMBERS: [Member; 4] = [
    member("prod", "123456789012", "us-east-1", "pivot.app", "bounce"),
    member("europe", "123456789012", "eu-west-1", "pivot.app", "bounce-eu"),
    member("partner", "210987654321", "us-east-1", "pivot.app", "bounce-partner"),
    member("news", "123456789012", "us-east-1", "news.pivot.app", "bounce"),
];

const fn member(
    name: &'static str,
    account: &'static str,
    region: &'static str,
    domain: &'static str,
    mail_from: &'static str,
) -> Member {
    Member { name, account, region, domain, mail_from }
}

impl Member {
    fn file(&self) -> String {
        let Self { name, account, region, domain, mail_from } = self;
        format!(
            "project = \"pivot\"\n[aws]\naccount = \"{account}\"\nregion = \"{region}\"\n\
             [zones.\"pivot.app\"]\nrole = \"arn:aws:iam::{ZONE_OWNER}:role/dns-{name}\"\n\
             [identities.\"{domain}\"]\nmail_from = {{ subdomain = \"{mail_from}\" }}\n\
             dmarc = {{ policy = \"quarantine\", reports_to = [\"dmarc@pivot.app\"] }}\n"
        )
    }

    /// SES has found every record of it.
    async fn expect_mail(&self, cloud: &Cloud) {
        let (key, secret) = Cloud::administrator(self.account);
        let config = caller(cloud, Credentials::new(key, secret, None, None, "test"), self.region);
        let ses = aws_sdk_sesv2::Client::new(&config);
        let found = ses.get_email_identity().email_identity(self.domain).send().await.unwrap();
        let dkim = found.dkim_attributes().unwrap();
        assert!(found.verified_for_sending_status(), "{}", self.name);
        assert_eq!(dkim.status(), Some(&DkimStatus::Success), "{}", self.name);
        let mail_from = found.mail_from_attributes().unwrap();
        let status = mail_from.mail_from_domain_status();
        assert_eq!(status, &MailFromDomainStatus::Success, "{}", self.name);
    }
}

/// All names in the zone, with their types.
async fn records(project: &Project) -> Vec<(String, String)> {
    let zones = aws_sdk_route53::Client::new(&administrator(&project.cloud, ZONE_OWNER));
    let zone = zones.list_hosted_zones().send().await.unwrap().hosted_zones.remove(0).id;
    let listed = zones.list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap();
    let sets = listed.resource_record_sets.into_iter();
    let records = sets.filter(|set| !matches!(set.r#type.as_str(), "NS" | "SOA"));
    records.map(|set| (set.name, set.r#type.as_str().to_owned())).collect()
}

async fn run(project: &Project, member: &Member, code: u8, arguments: &[&str]) -> String {
    let ran = project.run_as(member.account, arguments).await;
    assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.output, ran.errors);
    ran.output
}

#[tokio::test]
async fn whichever_goes_leaves_the_mail_of_the_others_whole() {
    let project = Project::new("side-by-side").await;
    for member in &MEMBERS {
        project.write_whole(member.name, &member.file());
        run(&project, member, 0, &["apply", member.name, "--yes", "--wait"]).await;
    }
    for member in &MEMBERS {
        let plan = run(&project, member, 0, &["plan", member.name, "--detailed-exitcode"]).await;
        assert!(plan.contains("No changes."), "{plan}");
        member.expect_mail(&project.cloud).await;
    }
    let all = records(&project).await;
    assert!(!all.iter().any(|(name, _)| name == "pivot.app."), "nothing at the apex: {all:?}");
    for gone in &MEMBERS {
        let plan = run(&project, gone, 0, &["plan", gone.name, "--destroy"]).await;
        let others = MEMBERS.iter().filter(|it| it.name != gone.name && it.domain == gone.domain);
        let others: Vec<&Member> = others.collect();
        // The one DMARC record of the domain is everybody's.
        let stays =
            plan.contains("_dmarc.pivot.app TXT is not removed: another environment (pivot/");
        assert_eq!(stays, !others.is_empty(), "{}: {plan}", gone.name);
        run(&project, gone, 0, &["destroy", gone.name, "--yes"]).await;
        for member in MEMBERS.iter().filter(|it| it.name != gone.name) {
            let plan =
                run(&project, member, 0, &["plan", member.name, "--detailed-exitcode"]).await;
            assert!(plan.contains("No changes."), "{} without {}: {plan}", member.name, gone.name);
            member.expect_mail(&project.cloud).await;
        }
        run(&project, gone, 0, &["apply", gone.name, "--yes", "--wait"]).await;
    }
    for member in &MEMBERS {
        run(&project, member, 0, &["destroy", member.name, "--yes"]).await;
    }
    assert_eq!(records(&project).await, [], "the last one takes what was everybody's");
}
