//! Keys of one's own (BYODKIM): where they are read from, what changes when they change, and the way to and from Easy DKIM.

use std::process::Command;

use aws_sdk_sesv2::types::{DkimAttributes, DkimSigningAttributesOrigin as Origin, DkimStatus};
use sesinfra_local::{Cloud, Effect, Fault, Options};

use super::{reasons, record};
use crate::it::account::{ACCOUNT, administrator};
use crate::it::folder::Folder;
use crate::it::stage::Stage;

const FIRST: &str = include_str!("../ses/keys/rsa1024.private");
const FIRST_PUBLIC: &str = include_str!("../ses/keys/rsa1024.public");
/// The first key in the general form.
const FIRST_GENERAL: &str = include_str!("../ses/keys/rsa1024.pkcs8");
const SECOND: &str = include_str!("../ses/keys/second1024.private");
const SECOND_PUBLIC: &str = include_str!("../ses/keys/second1024.public");

fn domain(dkim: &str) -> String {
    format!("[identities.\"pivot.app\"]\n{dkim}")
}

fn brought(selector: &str, source: &str) -> String {
    domain(&format!("dkim = {{ selector = \"{selector}\", private_key = {source} }}"))
}

/// SES signs with the key that is published under this selector and nowhere else.
async fn expect_key(stage: &Stage, zone: &str, selector: &str, public: &str) {
    let dkim = stage.dkim("pivot.app").await;
    is_key(&dkim, selector);
    let mut records = stage.records(zone).await;
    records.retain(|name, _| name.contains("_domainkey"));
    let wanted =
        record(&format!("{selector}._domainkey.pivot.app TXT"), &format!("p={}", public.trim()));
    assert_eq!(records, [wanted].into());
}

fn is_key(dkim: &DkimAttributes, selector: &str) {
    assert_eq!(dkim.signing_attributes_origin(), Some(&Origin::External));
    assert_eq!(dkim.tokens(), [selector]);
    // The cloud compares the key it was given with the record.
    assert_eq!(dkim.status(), Some(&DkimStatus::Success));
    assert!(dkim.signing_enabled);
}

#[tokio::test]
async fn a_key_comes_from_a_file_a_parameter_or_a_secret_and_changes_with_it() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    let parameters = aws_sdk_ssm::Client::new(&stage.clients);
    let put = parameters.put_parameter().name("/mail/dkim").value(SECOND.trim());
    put.r#type(aws_sdk_ssm::types::ParameterType::SecureString).send().await.unwrap();
    let secrets = aws_sdk_secretsmanager::Client::new(&stage.clients);
    secrets.create_secret().name("dkim").secret_string(FIRST_GENERAL.trim()).send().await.unwrap();
    stage.write("dkim.key", FIRST);

    stage.converge(&brought("s1", "{ file = \"dkim.key\" }")).await;
    expect_key(&stage, &zone, "s1", FIRST_PUBLIC).await;
    // Another key under the same selector.
    stage.write("dkim.key", SECOND);
    let plan = stage.converge(&brought("s1", "{ file = \"dkim.key\" }")).await;
    assert!(!format!("{plan:?}").contains(&SECOND.trim()[..40]), "a key in a plan");
    expect_key(&stage, &zone, "s1", SECOND_PUBLIC).await;
    // Another selector with the same key, then the same key from elsewhere, which is no change of the key.
    stage.converge(&brought("s2", "{ file = \"dkim.key\" }")).await;
    expect_key(&stage, &zone, "s2", SECOND_PUBLIC).await;
    let puts = stage.cloud.calls().count("ses:PutEmailIdentityDkimSigningAttributes");
    stage.converge(&brought("s2", "{ ssm = \"/mail/dkim\" }")).await;
    assert_eq!(stage.cloud.calls().count("ses:PutEmailIdentityDkimSigningAttributes"), puts);
    // Selector and key at once.
    stage.converge(&brought("s3", "{ secret = \"dkim\" }")).await;
    expect_key(&stage, &zone, "s3", FIRST_PUBLIC).await;
    stage.converge("").await;
    assert!(stage.all_records(&zone).await.is_empty());
}

#[tokio::test]
async fn a_domain_goes_from_easy_dkim_to_its_own_key_and_back() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    stage.write("dkim.key", FIRST);
    let own = brought("s1", "{ file = \"dkim.key\" }");
    for easy in ["", "dkim = { key = \"rsa-1024\" }"] {
        stage.converge(&domain(easy)).await;
        let dkim = stage.dkim("pivot.app").await;
        assert_eq!(dkim.signing_attributes_origin(), Some(&Origin::AwsSes));
        stage.expect_dkim_records(&zone, "pivot.app").await;
        let tags = stage.identity("pivot.app").await.tags.unwrap();
        assert!(!tags.iter().any(|tag| tag.key == "sesinfra:signing-key"), "{tags:?}");
        stage.converge(&own).await;
        expect_key(&stage, &zone, "s1", FIRST_PUBLIC).await;
    }
    // Signing off and on again is no matter of the key.
    stage.converge(&format!("{own}\nsigning = false")).await;
    assert!(!stage.dkim("pivot.app").await.signing_enabled);
    stage.converge(&own).await;
    expect_key(&stage, &zone, "s1", FIRST_PUBLIC).await;
}

#[tokio::test]
async fn records_that_wait_for_a_switch_in_the_same_plan_are_not_deferred() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    stage.write("dkim.key", FIRST);
    stage.converge(&domain("")).await;
    let own = brought("s1", "{ file = \"dkim.key\" }");
    // The new record is published, and then the switch to it fails.
    let switch = "ses:PutEmailIdentityDkimSigningAttributes";
    stage.cloud.faults().arm(Fault::nth(switch, 1, Effect::Deny));
    let (_, report) = stage.open(&own).await.apply().await;
    assert!(report.has_failures(), "{report:#?}");
    let plan = stage.open(&own).await.plan().await.unwrap();
    let pending: Vec<(String, Option<String>)> = plan
        .pending()
        .map(|change| (change.address.to_string(), change.deferred.clone()))
        .collect();
    for address in ["dns.pivot.app", "signing.pivot.app"] {
        assert!(pending.contains(&(address.to_owned(), None)), "{pending:?}");
    }
    stage.converge(&own).await;
    expect_key(&stage, &zone, "s1", FIRST_PUBLIC).await;
}

#[tokio::test]
async fn a_key_put_by_somebody_else_is_put_again() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    stage.write("dkim.key", FIRST);
    let own = brought("s1", "{ file = \"dkim.key\" }");
    stage.converge(&own).await;
    let signing = aws_sdk_sesv2::types::DkimSigningAttributes::builder()
        .domain_signing_selector("theirs")
        .domain_signing_private_key(SECOND.trim())
        .build();
    let put = stage.ses().put_email_identity_dkim_signing_attributes().email_identity("pivot.app");
    put.signing_attributes_origin(Origin::External)
        .signing_attributes(signing)
        .send()
        .await
        .unwrap();
    stage.converge(&own).await;
    expect_key(&stage, &zone, "s1", FIRST_PUBLIC).await;
}

#[tokio::test]
async fn a_public_key_is_enough_for_a_plan_and_held_against_the_private_one() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    let with = |public: &str| {
        domain(&format!(
            "dkim = {{ selector = \"s1\", private_key = {{ file = \"dkim.key\" }}, public_key = \"{}\" }}",
            public.trim()
        ))
    };
    // Where the private key is not at hand.
    let plan = stage.open(&with(FIRST_PUBLIC)).await.plan().await.unwrap();
    assert!(!plan.is_empty());
    stage.write("dkim.key", FIRST);
    let (_, report) = stage.open(&with(SECOND_PUBLIC)).await.apply().await;
    let text = reasons(&report);
    assert!(text.contains("does not belong to `public_key`"), "{text}");
    stage.converge(&with(FIRST_PUBLIC)).await;
    expect_key(&stage, &zone, "s1", FIRST_PUBLIC).await;
}

/// A variable cannot be set for this process while other tests run in it, so the command is run with it.
#[tokio::test]
async fn a_key_comes_from_a_variable() {
    let folder = Folder::new("variable");
    let dkim = "dkim = { selector = \"s1\", private_key = { env = \"DKIM_KEY\" } }";
    let text = format!(
        "project = \"pivot\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"us-east-1\"\n{}\n",
        domain(dkim)
    );
    folder.write("environments/test.toml", &text);
    for (key, public) in [(FIRST, FIRST_PUBLIC), (SECOND, SECOND_PUBLIC)] {
        for arguments in [&["apply", "test", "--yes"][..], &["plan", "test", "--detailed-exitcode"]]
        {
            let output = Command::new(env!("CARGO_BIN_EXE_sesinfra-local"))
                .current_dir(folder.path())
                .env("DKIM_KEY", key.trim())
                .args(arguments)
                .output()
                .unwrap();
            let printed = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{arguments:?}: {printed}");
            assert!(!printed.contains(&key.trim()[..40]), "a key in the output");
        }
        let data = Some(folder.path().join(".local"));
        let cloud = Cloud::start(Options { data, ..Options::default() }).await.unwrap();
        let ses = aws_sdk_sesv2::Client::new(&administrator(&cloud, ACCOUNT));
        let found = ses.get_email_identity().email_identity("pivot.app").send().await.unwrap();
        is_key(found.dkim_attributes().unwrap(), "s1");
        let records = aws_sdk_route53::Client::new(&administrator(&cloud, ACCOUNT));
        let zone = records.list_hosted_zones().send().await.unwrap().hosted_zones.remove(0).id;
        let listed = records.list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap();
        assert!(format!("{listed:?}").contains(public.trim()), "{listed:?}");
    }
}

/// The two places that are empty on most machines: a variable that is not set, and a file that is not there.
const NOWHERE: [&str; 2] = ["{ env = \"SESINFRA_NO_SUCH_KEY\" }", "{ file = \"dkim.key\" }"];

#[tokio::test]
async fn only_what_publishes_a_key_needs_it() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    let manual = "[identities.\"manual.app\"]\ndns = \"manual\"\n";
    let both = |source: &str| {
        let key = format!("dkim = {{ selector = \"s1\", private_key = {source} }}\n");
        format!("{}\n{manual}{key}[topics.feedback]\n", brought("s1", source))
    };
    stage.write("dkim.key", FIRST);
    stage.converge(&both("{ file = \"dkim.key\" }")).await;
    stage.remove("dkim.key");
    for source in NOWHERE {
        stage.check(&both(source)).unwrap();
        let listed = stage.run(&["list", "test"]).await;
        assert_eq!(listed.code, 0, "{}", listed.errors);
        for address in ["dns.pivot.app", "signing.pivot.app", "signing.manual.app"] {
            assert!(listed.output.contains(address), "{}", listed.output);
        }
        assert!(!listed.output.contains("not declared"), "{}", listed.output);
        let output = stage.run(&["output", "test"]).await;
        assert_eq!(output.code, 0, "{}", output.errors);
        // What is published can be told, what somebody else is to publish cannot.
        assert!(output.output.contains(FIRST_PUBLIC.trim()), "{}", output.output);
        let said = "(not known without the private key)";
        assert!(output.output.contains(said), "{}", output.output);
        // Beside the identities, all goes on; what is about them says what it lacks.
        let beside = ["plan", "test", "--target", "topic.feedback"];
        let beside = stage.run(&beside).await;
        assert!(beside.code == 0 && beside.output.contains("No changes"), "{beside:?}");
        for arguments in [&["plan", "test"][..], &["plan", "test", "--target", "dns.pivot.app"]] {
            let refused = stage.run(arguments).await;
            assert_eq!(refused.code, 1, "{refused:?}");
            assert!(refused.errors.contains("app: no public key for DKIM"), "{}", refused.errors);
        }
        let plan = stage.run(&["plan", "test", "--destroy"]).await;
        assert!(plan.code == 0 && plan.output.contains("6 to destroy"), "{plan:?}");
    }
    let destroyed = stage.run(&["destroy", "test", "--yes"]).await;
    assert_eq!(destroyed.code, 0, "{destroyed:?}");
    assert!(stage.all_records(&zone).await.is_empty());
}
