//! DNS records: published with their claim, kept until mail relies on the new, shared with others and left to them.

use std::collections::BTreeMap;

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use sesinfra::engine::{Action, Address, Outcome, Rule};

use super::stage::Stage;

const DOMAIN: &str = "[identities.\"pivot.app\"]\n";
const FULL: &str = "[identities.\"pivot.app\"]\nmail_from = { subdomain = \"mail\" }\n\
                    dmarc = { policy = \"none\" }\n";
const SPF: &str = "\"v=spf1 include:amazonses.com ~all\"";

/// The zone's own records left out: `NAME TYPE` to values.
async fn records(stage: &Stage, zone: &str) -> BTreeMap<String, Vec<String>> {
    let client = aws_sdk_route53::Client::new(&stage.clients);
    let page = client.list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap();
    let sets = page.resource_record_sets.into_iter();
    let others = sets.filter(|set| !matches!(set.r#type, RrType::Ns | RrType::Soa));
    others
        .map(|set| {
            let values = set.resource_records().iter().map(|record| record.value.clone());
            (format!("{} {}", set.name.trim_end_matches('.'), set.r#type), values.collect())
        })
        .collect()
}

async fn change(stage: &Stage, zone: &str, action: ChangeAction, set: (&str, RrType, &[&str])) {
    let (name, kind, values) = set;
    let values =
        values.iter().map(|value| ResourceRecord::builder().value(*value).build().unwrap());
    let set = ResourceRecordSet::builder()
        .name(name)
        .r#type(kind)
        .ttl(1_800)
        .set_resource_records(Some(values.collect()))
        .build()
        .unwrap();
    let change = Change::builder().action(action).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    let client = aws_sdk_route53::Client::new(&stage.clients);
    let call = client.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
    call.send().await.unwrap();
}

fn claim(records: &BTreeMap<String, Vec<String>>) -> &str {
    let claims = &records["_sesinfra.pivot.app TXT"];
    assert_eq!(claims.len(), 1, "{claims:?}");
    &claims[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_come_with_their_claim_and_go_with_it() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    stage.converge(FULL).await;
    let there = records(&stage, &zone).await;
    assert_eq!(there.len(), 7, "{there:#?}");
    assert_eq!(there["mail.pivot.app MX"], ["10 feedback-smtp.us-east-1.amazonses.com."]);
    assert_eq!(there["mail.pivot.app TXT"], [SPF]);
    assert_eq!(there["_dmarc.pivot.app TXT"], ["\"v=DMARC1; p=none\""]);
    assert!(claim(&there).contains("easy1:") && claim(&there).ends_with(",mail-from:mail,dmarc\""));
    stage.converge("").await;
    assert_eq!(records(&stage, &zone).await, BTreeMap::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_longer_wanted_goes_and_the_rest_stays() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    stage.converge(FULL).await;
    stage.converge(DOMAIN).await;
    let there = records(&stage, &zone).await;
    assert_eq!(there.len(), 4, "{there:#?}");
    assert!(!claim(&there).contains("dmarc"));
    let moved = FULL.replace("\"mail\"", "\"bounce\"");
    stage.converge(FULL).await;
    stage.converge(&moved).await;
    let there = records(&stage, &zone).await;
    assert!(there.contains_key("bounce.pivot.app MX") && !there.contains_key("mail.pivot.app MX"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_by_hand_is_put_right() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    stage.converge(FULL).await;
    let before = records(&stage, &zone).await;
    let dkim = before.keys().find(|key| key.contains("_domainkey")).unwrap();
    let (name, target) = (dkim.trim_end_matches(" CNAME").to_owned(), before[dkim][0].clone());
    change(&stage, &zone, ChangeAction::Delete, (&name, RrType::Cname, &[&target])).await;
    let reject: &[&str] = &["\"v=DMARC1; p=reject\""];
    change(&stage, &zone, ChangeAction::Upsert, ("_dmarc.pivot.app", RrType::Txt, reject)).await;
    let plan = stage.converge(FULL).await;
    let fields = &plan.change(&Address::new("dns", "pivot.app")).unwrap().fields;
    assert!(fields.iter().any(|field| field.path == "records.dmarc.value"), "{fields:#?}");
    assert!(fields.iter().any(|field| field.path.ends_with(" of 3.name")), "{fields:#?}");
    assert_eq!(records(&stage, &zone).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_deleted_by_hand_is_made_again_and_still_owns() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    stage.converge(FULL).await;
    let before = records(&stage, &zone).await;
    let text = claim(&before).to_owned();
    change(&stage, &zone, ChangeAction::Delete, ("_sesinfra.pivot.app", RrType::Txt, &[&text]))
        .await;
    stage.converge(FULL).await;
    assert_eq!(records(&stage, &zone).await, before);
    stage.converge("").await;
    assert_eq!(records(&stage, &zone).await, BTreeMap::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_others_survive() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    let proof = "\"site-verification=abc\"";
    let other = "\"sesinfra1 owner=0123456789ab has=dmarc\"";
    let sets: [(&str, &[&str]); 3] = [
        ("mail.pivot.app", &[proof]),
        ("_dmarc.pivot.app", &["\"v=DMARC1; \" \"p=none\""]),
        ("_sesinfra.pivot.app", &[other]),
    ];
    for (name, values) in sets {
        change(&stage, &zone, ChangeAction::Create, (name, RrType::Txt, values)).await;
    }
    let before = records(&stage, &zone).await;
    stage.converge(FULL).await;
    let there = records(&stage, &zone).await;
    assert_eq!(there["mail.pivot.app TXT"], [proof, SPF]);
    assert_eq!(there["_dmarc.pivot.app TXT"], ["\"v=DMARC1; \" \"p=none\""]);
    assert!(there["_sesinfra.pivot.app TXT"].contains(&other.to_owned()));
    stage.converge("").await;
    assert_eq!(records(&stage, &zone).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_value_where_one_can_stand_is_refused_with_what_is_there() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    let exchanger: &[&str] = &["10 mx.example.com"];
    change(&stage, &zone, ChangeAction::Create, ("mail.pivot.app", RrType::Mx, exchanger)).await;
    let plan = stage.open(FULL).await.plan().await.unwrap();
    let address = Address::new("dns", "pivot.app");
    assert_eq!(plan.change(&address).unwrap().action, Action::Adopt);
    assert!(plan.change(&address).unwrap().notes[0].contains("10 mx.example.com"));
    assert!(plan.refusals.iter().any(|it| it.rule == Rule::Unowned && it.address == address));
    assert_eq!(records(&stage, &zone).await["mail.pivot.app MX"], ["10 mx.example.com"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_moved_to_another_zone_leave_the_old_one() {
    let stage = Stage::new().await;
    let old = stage.zone("pivot.app").await;
    stage.converge(FULL).await;
    let new = {
        let client = aws_sdk_route53::Client::new(&stage.clients);
        let call = client.create_hosted_zone().name("pivot.app").caller_reference("second");
        let made = call.send().await.unwrap().hosted_zone.unwrap().id;
        made.trim_start_matches("/hostedzone/").to_owned()
    };
    let before = records(&stage, &old).await;
    let moved = format!("{FULL}zone = \"{new}\"\n");
    let plan = stage.converge(&moved).await;
    let impact = &plan.change(&Address::new("dns", "pivot.app")).unwrap().impact;
    assert!(impact.reason.contains("delegated"), "{impact:?}");
    assert_eq!(records(&stage, &old).await, BTreeMap::new());
    assert_eq!(records(&stage, &new).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delegated_name_is_published_in_its_own_zone() {
    let stage = Stage::new().await;
    let (zone, below) = (stage.zone("pivot.app").await, stage.zone("mail.pivot.app").await);
    stage.converge(FULL).await;
    let there = records(&stage, &below).await;
    assert_eq!(there["mail.pivot.app TXT"], [SPF]);
    assert!(there["_sesinfra.mail.pivot.app TXT"][0].ends_with("has=mail-from:@\""));
    assert!(!records(&stage, &zone).await.contains_key("mail.pivot.app MX"));
    stage.converge(DOMAIN).await;
    assert_eq!(records(&stage, &below).await, BTreeMap::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tracking_domain_has_its_alias_and_goes_with_the_set() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    let tracked = format!(
        "{DOMAIN}[configuration_sets.web]\ntracking = {{ domain = \"links.pivot.app\" }}\n\
         [configuration_sets.web.events.all]\ntypes = [\"click\"]\nevent_bus = \"default\"\n"
    );
    stage.converge(&tracked).await;
    let there = records(&stage, &zone).await;
    assert_eq!(there["links.pivot.app CNAME"], ["r.us-east-1.awstrack.me."]);
    let untracked = tracked.replace("tracking = { domain = \"links.pivot.app\" }\n", "");
    stage.converge(&untracked).await;
    assert!(!records(&stage, &zone).await.contains_key("links.pivot.app CNAME"));
    stage.converge(&tracked).await;
    stage.converge("").await;
    assert_eq!(records(&stage, &zone).await, BTreeMap::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_stay_while_a_tenant_uses_the_identity() {
    let stage = Stage::new().await;
    let zone = stage.zone("pivot.app").await;
    stage.converge(DOMAIN).await;
    let before = records(&stage, &zone).await;
    let ses = aws_sdk_sesv2::Client::new(&stage.clients);
    ses.create_tenant().tenant_name("acme").send().await.unwrap();
    let arn = "arn:aws:ses:us-east-1:123456789012:identity/pivot.app";
    let link = ses.create_tenant_resource_association().tenant_name("acme").resource_arn(arn);
    let open = stage.open("").await;
    let plan = open.plan().await.unwrap();
    link.send().await.unwrap();
    let report = open.carry_out(&plan).await;
    let failed = report.steps.iter().find_map(|step| match &step.outcome {
        Outcome::Failed(error) => Some(error.to_string()),
        _ => None,
    });
    assert!(failed.unwrap().contains("acme"));
    assert_eq!(records(&stage, &zone).await, before);
    // The next plan knows.
    let refusals = stage.open("").await.plan().await.unwrap().refusals;
    assert_eq!(refusals.len(), 1, "{refusals:#?}");
    assert_eq!(refusals[0].rule, Rule::Held);
    assert_eq!(refusals[0].address.to_string(), "identity.pivot.app");
}
