//! What a plan prints of the DNS records that somebody else publishes.

use super::project::Project;

const FILE: &str = r#"
[identities."pivot.app"]
dmarc = { policy = "none" }

[identities."acme.example"]
mail_from = { subdomain = "pivot" }
dns = "manual"

[identities."globex.example"]
dns = "manual"

[configuration_sets.web]
tracking = { domain = "click.globex.example", dns = "manual" }

[configuration_sets.web.events.all]
types = ["click"]
event_bus = "default"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_prints_the_records_of_what_it_brings_alone() {
    let project = Project::with("manual-records-target", FILE).await;
    for (arguments, acme, globex) in [
        (&["plan", "prod"][..], true, true),
        (&["plan", "prod", "--target", "dns.pivot.app"], false, false),
        (&["plan", "prod", "--target", "mail_from.acme.example"], true, false),
        (&["plan", "prod", "--target", "configuration_set.web"], false, true),
    ] {
        let plan = project.expect(0, arguments).await.output;
        assert_eq!(plan.contains("pivot.acme.example. 1800"), acme, "{arguments:?}: {plan}");
        assert_eq!(plan.contains("click.globex.example. 1800"), globex, "{arguments:?}: {plan}");
    }
}
