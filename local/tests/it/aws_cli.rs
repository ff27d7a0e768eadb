//! What an environment file says, AWS's own command line sees: in the identity, its set and destinations, the policies
//! of topic, queue and sender, and the records.

use serde_json::{Value, json};

use super::folder::Folder;
use super::python_tools::AWS;
use super::served::{Served, local, text};

const FILE: &str = r#"
project = "pivot"

[aws]
account = "111122223333"
region = "eu-west-1"

[tags]
team = "platform"

[identities."pivot.app"]
configuration_set = "transactional"
mail_from = { subdomain = "bounce" }
dmarc = { policy = "quarantine", reports_to = ["dmarc@pivot.app"] }
feedback_forwarding = false

[configuration_sets.transactional]
tls = "require"
suppress = ["bounce", "complaint"]

[configuration_sets.transactional.events.feedback]
types = ["bounce", "complaint"]
topic = "ses-feedback"

[topics.ses-feedback]
display_name = "Pivot mail"
subscriptions = [{ queue = "ses-feedback", raw = true }]

[queues.ses-feedback]
retention = "7d"

[send_policies.api]
from = ["*@pivot.app"]
attach = { roles = ["pivot-api"] }
"#;

fn arn(service: &str, name: &str) -> String {
    format!("arn:aws:{service}:eu-west-1:111122223333:{name}")
}

#[test]
fn the_aws_command_line_sees_what_the_file_says() {
    let Some(aws) = AWS.find() else { return };
    let folder = Folder::new("aws-sees");
    folder.write("environments/prod.toml", FILE);
    let applied = local(folder.path(), &["apply", "prod", "--yes"]);
    assert!(applied.status.success(), "{}{}", text(&applied.stdout), text(&applied.stderr));
    let served = Served::start(folder.path(), aws, "eu-west-1");
    mail(&served);
    events(&served);
    sender(&served);
    records(&served);
}

fn mail(served: &Served) {
    let identity = served.aws(&["sesv2", "get-email-identity", "--email-identity", "pivot.app"]);
    assert_eq!(identity["ConfigurationSetName"], "transactional");
    assert_eq!(identity["FeedbackForwardingStatus"], false);
    assert_eq!(identity["VerifiedForSendingStatus"], true, "{identity:#}");
    assert_eq!(identity["MailFromAttributes"]["MailFromDomain"], "bounce.pivot.app");
    assert_eq!(identity["MailFromAttributes"]["MailFromDomainStatus"], "SUCCESS");
    assert!(has_tags(&identity["Tags"], &["team=platform", "sesinfra:environment=prod"]));
    let set = ["--configuration-set-name", "transactional"];
    let read = served.aws(&[&["sesv2", "get-configuration-set"], &set[..]].concat());
    assert_eq!(read["DeliveryOptions"]["TlsPolicy"], "REQUIRE");
    assert_eq!(sorted(&read["SuppressionOptions"]["SuppressedReasons"]), ["BOUNCE", "COMPLAINT"]);
    assert_eq!(read["SendingOptions"]["SendingEnabled"], true);
    let command = ["sesv2", "get-configuration-set-event-destinations"];
    let read = served.aws(&[&command, &set[..]].concat());
    let [destination] = &read["EventDestinations"].as_array().unwrap()[..] else {
        panic!("{read:#}")
    };
    assert_eq!(destination["Name"], "feedback");
    assert_eq!(destination["Enabled"], true);
    assert_eq!(sorted(&destination["MatchingEventTypes"]), ["BOUNCE", "COMPLAINT"]);
    assert_eq!(destination["SnsDestination"]["TopicArn"], arn("sns", "ses-feedback"));
}

fn events(served: &Served) {
    let topic = arn("sns", "ses-feedback");
    let read = served.aws(&["sns", "get-topic-attributes", "--topic-arn", &topic]);
    assert_eq!(read["Attributes"]["DisplayName"], "Pivot mail");
    let statement = allowing(&read["Attributes"]["Policy"], "ses.amazonaws.com");
    assert_eq!(statement["Action"].as_str().unwrap().to_ascii_lowercase(), "sns:publish");
    assert!(statement["Condition"].to_string().contains("configuration-set/*"), "{statement:#}");
    let read = served.aws(&["sns", "list-subscriptions-by-topic", "--topic-arn", &topic]);
    let [subscription] = &read["Subscriptions"].as_array().unwrap()[..] else { panic!("{read:#}") };
    assert_eq!(subscription["Protocol"], "sqs");
    assert_eq!(subscription["Endpoint"], arn("sqs", "ses-feedback"));
    let url = served.aws(&["sqs", "get-queue-url", "--queue-name", "ses-feedback"]);
    let url = url["QueueUrl"].as_str().unwrap();
    let command = ["sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All"];
    let read = served.aws(&command);
    assert_eq!(read["Attributes"]["MessageRetentionPeriod"], "604800");
    let statement = allowing(&read["Attributes"]["Policy"], "sns.amazonaws.com");
    assert!(statement["Condition"].to_string().contains(&topic), "{statement:#}");
}

fn sender(served: &Served) {
    let policy = "arn:aws:iam::111122223333:policy/pivot-prod-api";
    let held = served.aws(&["iam", "list-attached-role-policies", "--role-name", "pivot-api"]);
    assert_eq!(held["AttachedPolicies"][0]["PolicyArn"], policy, "{held:#}");
    let read = served.aws(&["iam", "get-policy", "--policy-arn", policy]);
    let version = read["Policy"]["DefaultVersionId"].as_str().unwrap();
    let command = ["iam", "get-policy-version", "--policy-arn", policy, "--version-id", version];
    let read = served.aws(&command);
    let document = &read["PolicyVersion"]["Document"];
    let [statement] = &document["Statement"].as_array().unwrap()[..] else {
        panic!("{document:#}")
    };
    assert_eq!(statement["Effect"], "Allow");
    assert_eq!(sorted(&statement["Action"]), ["ses:SendEmail", "ses:SendRawEmail"]);
    let resources =
        [arn("ses", "configuration-set/transactional"), arn("ses", "identity/pivot.app")];
    assert_eq!(sorted(&statement["Resource"]), resources);
    let from = &statement["Condition"]["StringLike"]["ses:FromAddress"];
    assert!(from == "*@pivot.app" || *from == json!(["*@pivot.app"]), "{statement:#}");
}

fn records(served: &Served) {
    let zones = served.aws(&["route53", "list-hosted-zones"]);
    let zone = zones["HostedZones"][0]["Id"].as_str().unwrap();
    let command = ["route53", "list-resource-record-sets", "--hosted-zone-id", zone];
    let read = served.aws(&command);
    let sets = read["ResourceRecordSets"].as_array().unwrap();
    let values = |name: &str, kind: &str| {
        let set = sets.iter().find(|set| set["Name"] == name && set["Type"] == kind);
        set.map(|set| set["ResourceRecords"][0]["Value"].as_str().unwrap().to_owned())
    };
    let exchanger = values("bounce.pivot.app.", "MX").unwrap();
    assert_eq!(exchanger.trim_end_matches('.'), "10 feedback-smtp.eu-west-1.amazonses.com");
    let sender = values("bounce.pivot.app.", "TXT").unwrap();
    assert!(sender.starts_with("\"v=spf1 include:amazonses.com"), "{sender}");
    let dmarc = values("_dmarc.pivot.app.", "TXT").unwrap();
    assert_eq!(dmarc, "\"v=DMARC1; p=quarantine; rua=mailto:dmarc@pivot.app\"");
    let identity = served.aws(&["sesv2", "get-email-identity", "--email-identity", "pivot.app"]);
    let zone = identity["DkimAttributes"]["SigningHostedZone"].as_str().unwrap();
    let tokens = identity["DkimAttributes"]["Tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 3);
    for token in tokens.iter().map(|token| token.as_str().unwrap()) {
        let target = values(&format!("{token}._domainkey.pivot.app."), "CNAME").unwrap();
        assert_eq!(target.trim_end_matches('.'), format!("{token}.{zone}"));
    }
}

/// The statement of a policy, given as a text, that allows something to a service.
fn allowing(policy: &Value, service: &str) -> Value {
    let policy: Value = serde_json::from_str(policy.as_str().unwrap()).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter();
    let mut found = statements.filter(|statement| {
        statement["Effect"] == "Allow" && statement["Principal"]["Service"] == service
    });
    found.next().unwrap_or_else(|| panic!("{service} is allowed nothing: {policy:#}")).clone()
}

fn has_tags(tags: &Value, wanted: &[&str]) -> bool {
    let tags = tags.as_array().unwrap().iter();
    let tags = tags
        .map(|tag| format!("{}={}", tag["Key"].as_str().unwrap(), tag["Value"].as_str().unwrap()));
    let tags: Vec<String> = tags.collect();
    wanted.iter().all(|wanted| tags.iter().any(|tag| tag == wanted))
}

/// The texts of a list in order, or of a text alone.
fn sorted(list: &Value) -> Vec<String> {
    let mut texts: Vec<String> = match list {
        Value::Array(items) => items.iter().map(|it| it.as_str().unwrap().to_owned()).collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    };
    texts.sort();
    texts
}
