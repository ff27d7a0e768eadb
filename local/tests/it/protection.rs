//! Protection, as an operator meets it: each change that stops mail is refused with the flag that allows it, goes through
//! with that flag, and what only degrades mail is not held up.

use serde_json::Value;

use super::account::{ACCOUNT, REGION};
use super::project::Project;

const FILE: &str = r#"
[identities."pivot.app"]
configuration_set = "main"
mail_from = { subdomain = "bounce" }
dmarc = { policy = "reject" }
policies.partner = { principals = ["999999999999"] }

[configuration_sets.main]
suppress = ["bounce", "complaint"]
tls = "require"

[configuration_sets.main.events.feedback]
types = ["bounce", "complaint"]
topic = "feedback"

[topics.feedback]
subscriptions = [{ queue = "feedback" }]

[queues.feedback]

[send_policies.api]
from = ["*@pivot.app"]
configuration_sets = ["main"]
attach = { roles = ["api", "worker"] }
"#;

/// Something an operator does to the file.
struct Deed {
    /// What is taken out of [`FILE`], and what comes in its place.
    edits: &'static [(&'static str, &'static str)],
    /// Which change is the worst, how bad it is, and some words of why.
    at: &'static str,
    severity: &'static str,
    why: &'static str,
}

const WHOLE_DOMAIN: &str = "[identities.\"pivot.app\"]\nconfiguration_set = \"main\"\nmail_from = { subdomain = \"bounce\" }\ndmarc = { policy = \"reject\" }\npolicies.partner = { principals = [\"999999999999\"] }\n";

const STOPPING: [Deed; 9] = [
    Deed {
        edits: &[(WHOLE_DOMAIN, "")],
        at: "identity.pivot.app",
        severity: "stops mail",
        why: "can no longer be sent",
    },
    Deed {
        edits: &[(
            "configuration_set = \"main\"\n",
            "configuration_set = \"main\"\nsigning = false\n",
        )],
        at: "identity.pivot.app",
        severity: "stops mail",
        why: "mail leaves unsigned",
    },
    Deed {
        edits: &[("tls = \"require\"", "tls = \"require\"\nsending = false")],
        at: "configuration_set.main",
        severity: "stops mail",
        why: "no longer sent",
    },
    Deed {
        edits: &[("[\"*@pivot.app\"]", "[\"news@pivot.app\"]")],
        at: "send_policy.pivot-prod-api",
        severity: "stops mail",
        why: "senders are no longer allowed",
    },
    Deed {
        edits: &[("[\"api\", \"worker\"]", "[\"api\"]")],
        at: "attachment.pivot-prod-api/role/worker",
        severity: "stops mail",
        why: "role worker can no longer send",
    },
    Deed {
        edits: &[("policies.partner = { principals = [\"999999999999\"] }\n", "")],
        at: "identity_policy.pivot.app/partner",
        severity: "stops mail",
        why: "can no longer send as this identity",
    },
    Deed {
        edits: &[("[\"999999999999\"]", "[\"210987654321\"]")],
        at: "identity_policy.pivot.app/partner",
        severity: "stops mail",
        why: "others may no longer send as this identity",
    },
    Deed {
        edits: &[("from = [\"*@pivot.app\"]", "path = \"/mail/\"\nfrom = [\"*@pivot.app\"]")],
        at: "send_policy.pivot-prod-api",
        severity: "stops mail",
        why: "while it is made anew nobody can send by it",
    },
    Deed {
        edits: &[("subscriptions = [{ queue = \"feedback\" }]\n\n[queues.feedback]\n", "")],
        at: "queue.feedback",
        severity: "irreversible",
        why: "the messages in the queue, bounces and complaints among them, are lost",
    },
];

const DEGRADING: [Deed; 8] = [
    Deed {
        edits: &[("policy = \"reject\"", "policy = \"none\"")],
        at: "dns.pivot.app",
        severity: "degrades",
        why: "DMARC is loosened from reject to none",
    },
    Deed {
        edits: &[("[\"bounce\", \"complaint\"]\ntls", "[]\ntls")],
        at: "configuration_set.main",
        severity: "degrades",
        why: "suppression is off",
    },
    Deed {
        edits: &[("types = [\"bounce\", \"complaint\"]", "types = [\"bounce\"]")],
        at: "event_destination.main/feedback",
        severity: "degrades",
        why: "events of type complaint no longer arrive",
    },
    Deed {
        edits: &[("subscriptions = [{ queue = \"feedback\" }]\n", "")],
        at: "subscription.feedback/sqs:arn:aws:sqs:us-east-1:123456789012:feedback",
        severity: "degrades",
        why: "no longer receives what the topic publishes",
    },
    Deed {
        edits: &[(
            "mail_from = { subdomain = \"bounce\" }",
            "mail_from = { subdomain = \"post\" }",
        )],
        at: "mail_from.pivot.app",
        severity: "degrades",
        why: "SPF does not align",
    },
    Deed {
        edits: &[(
            "{ subdomain = \"bounce\" }",
            "{ subdomain = \"bounce\", on_mx_failure = \"reject\" }",
        )],
        at: "mail_from.pivot.app",
        severity: "degrades",
        why: "SES refuses to send",
    },
    Deed {
        edits: &[("configuration_set = \"main\"\n", "")],
        at: "default_set.pivot.app",
        severity: "degrades",
        why: "bounces and complaints are not published",
    },
    Deed {
        edits: &[("tls = \"require\"", "tls = \"optional\"")],
        at: "configuration_set.main",
        severity: "degrades",
        why: "delivered in the clear",
    },
];

impl Deed {
    fn file(&self) -> String {
        let mut file = FILE.to_owned();
        for (old, new) in self.edits {
            assert!(file.contains(old), "{}: no {old}", self.at);
            file = file.replacen(old, new, 1);
        }
        if self.edits[0].0 == WHOLE_DOMAIN {
            // What names the domain goes with it, or names it by its ARN.
            let arn = format!("arn:aws:ses:{REGION}:{ACCOUNT}:identity/pivot.app");
            file = file.replacen("from = [", &format!("identities = [\"{arn}\"]\nfrom = ["), 1);
        }
        file
    }

    /// The plan's change there.
    fn check(&self, plan: &Value) {
        let changes = plan["resource_changes"].as_array().unwrap();
        let change = changes.iter().find(|it| it["address"] == self.at);
        let change = change.unwrap_or_else(|| panic!("no change of {}", self.at));
        assert_eq!(change["impact"], self.severity, "{}", self.at);
        let why = change["impact_reason"].as_str().unwrap();
        assert!(why.contains(self.why), "{}: {why}", self.at);
    }
}

/// A project to which [`FILE`] was applied; afterwards it is protected.
async fn applied(name: &str) -> Project {
    let project = Project::with(name, FILE).await;
    project.expect(0, &["apply", "prod", "--yes", "--wait"]).await;
    let queues = aws_sdk_sqs::Client::new(&project.clients());
    let url = queues.get_queue_url().queue_name("feedback").send().await.unwrap().queue_url;
    queues.send_message().set_queue_url(url).message_body("a bounce").send().await.unwrap();
    project
}

fn protect(project: &Project, body: &str) {
    project.write_whole(
        "prod",
        &format!(
            "project = \"pivot\"\nprotect = true\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n{body}"
        ),
    );
}

async fn planned(project: &Project, code: u8) -> Value {
    let ran = project.expect(code, &["plan", "prod", "--format", "json"]).await;
    serde_json::from_str(&ran.output).unwrap()
}

#[tokio::test]
async fn what_stops_mail_is_refused_until_it_is_named() {
    for (number, deed) in STOPPING.iter().enumerate() {
        let project = applied(&format!("protection-stops-{number}")).await;
        protect(&project, &deed.file());
        let plan = planned(&project, 3).await;
        deed.check(&plan);
        let refused = plan["refusals"].as_array().unwrap();
        let mut arguments = vec!["apply", "prod", "--yes"];
        for one in refused {
            assert_eq!(one["rule"], "protected", "{one}");
            let address = one["address"].as_str().unwrap();
            assert!(one["remedy"].as_str().unwrap().ends_with(&format!("--allow '{address}'")));
            arguments.extend(["--allow", address]);
        }
        assert!(refused.iter().any(|one| one["address"] == deed.at), "{refused:#?}");
        let log = project.cloud.calls();
        log.clear();
        project.expect(3, &["apply", "prod", "--yes"]).await;
        let mut writes = log.writes();
        writes.retain(|write| !write.starts_with("ssm:"));
        assert!(writes.is_empty(), "{}: {writes:?}", deed.at);
        project.expect(0, &arguments).await;
        project.expect_nothing("prod").await;
    }
}

#[tokio::test]
async fn what_degrades_mail_is_said_and_not_held_up() {
    for (number, deed) in DEGRADING.iter().enumerate() {
        let project = applied(&format!("protection-degrades-{number}")).await;
        protect(&project, &deed.file());
        let plan = planned(&project, 0).await;
        deed.check(&plan);
        assert!(plan["refusals"].as_array().is_none_or(Vec::is_empty), "{}", deed.at);
    }
}

#[tokio::test]
async fn one_resource_is_protected_with_all_that_belongs_to_it_and_nothing_else() {
    let project = applied("protection-own").await;
    let own = |body: String| body.replacen("tls =", "protect = true\ntls =", 1);
    project.write("prod", &own(FILE.to_owned()));
    let ran = project.expect(0, &["apply", "prod", "--yes"]).await;
    assert!(ran.output.contains("notes on it that it is protected"), "{}", ran.output);
    project.expect_nothing("prod").await;
    // The partner's policy belongs to the domain, which is not protected.
    let [.., partner, _, _, _] = &STOPPING;
    project.write("prod", &own(partner.file()));
    project.expect(0, &["apply", "prod", "--yes"]).await;
    let off = partner.file().replacen("tls =", "protect = true\nsending = false\ntls =", 1);
    project.write("prod", &off);
    let ran = project.expect(3, &["plan", "prod"]).await;
    assert!(ran.output.contains("--allow 'configuration_set.main'"), "{}", ran.output);
    // Whoever takes the protection away says so in the file, and it is taken off the marks.
    project.write("prod", &partner.file());
    project.expect(0, &["apply", "prod", "--yes"]).await;
    project.expect(0, &["destroy", "prod", "--yes"]).await;
}

#[tokio::test]
async fn what_was_protected_by_itself_is_not_destroyed_unnamed() {
    let file = "[topics.keep]\n[queues.keep]\nprotect = true\n";
    let project = Project::with("protection-destroy", file).await;
    project.expect(0, &["apply", "prod", "--yes"]).await;
    let queues = aws_sdk_sqs::Client::new(&project.clients());
    let url = queues.get_queue_url().queue_name("keep").send().await.unwrap().queue_url;
    queues.send_message().set_queue_url(url).message_body("a bounce").send().await.unwrap();
    for body in [file, "[topics.keep]\n", ""] {
        project.write("prod", body);
        let ran = project.expect(3, &["destroy", "prod", "--yes"]).await;
        assert!(ran.output.contains("--allow 'queue.keep'"), "{body}: {}", ran.output);
    }
    project.expect(0, &["destroy", "prod", "--yes", "--allow", "queue.keep"]).await;
}

#[tokio::test]
async fn what_is_refused_ends_with_one_line_that_permits_all_of_it() {
    let project = applied("protection-line").await;
    protect(&project, FILE);
    let refused = project.expect(3, &["destroy", "prod", "--yes"]).await;
    let typo = ["destroy", "prod", "--yes", "--allow", "configuration_set.mian"];
    let typo = project.expect(3, &typo).await.errors;
    assert!(typo.contains("did you mean `configuration_set.main`?"), "{typo}");
    let line = refused.errors.trim_end().lines().last().unwrap();
    let command = line.split_once("if all of it is meant: sesinfra ").unwrap().1.replace('\'', "");
    let mut arguments: Vec<&str> = command.split(' ').collect();
    assert!(arguments.iter().filter(|it| **it == "--allow").count() > 3, "{line}");
    arguments.push("--yes");
    project.expect(0, &arguments).await;
    let left = project.expect(0, &["list", "prod", "--format", "json"]).await;
    assert_eq!(left.output.trim(), "[]");
}
