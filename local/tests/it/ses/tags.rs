//! Tags, at create and later.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sesv2::types::Tag;

use super::super::account::{ACCOUNT, REGION, code};
use super::{Bench, refusal, refused};

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

fn arn(resource: &str) -> String {
    format!("arn:aws:ses:{REGION}:{ACCOUNT}:{resource}")
}

async fn tags(bench: &Bench, arn: &str) -> BTreeMap<String, String> {
    let found = bench.ses.list_tags_for_resource().resource_arn(arn).send().await.unwrap();
    found.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

#[tokio::test]
async fn tags_are_merged_and_unknown_keys_do_not_matter() {
    let bench = Bench::start().await;
    let create = bench.ses.create_configuration_set().configuration_set_name("main");
    create.tags(tag("team", "platform")).tags(tag("empty", "")).send().await.unwrap();
    let arn = arn("configuration-set/main");
    let add = bench.ses.tag_resource().resource_arn(&arn);
    add.tags(tag("team", "mail")).tags(tag("Team", "x")).send().await.unwrap();
    let take = bench.ses.untag_resource().resource_arn(&arn);
    take.tag_keys("empty").tag_keys("nothing").send().await.unwrap();
    let expected = BTreeMap::from([
        ("Team".to_owned(), "x".to_owned()),
        ("team".to_owned(), "mail".to_owned()),
    ]);
    assert_eq!(tags(&bench, &arn).await, expected);
    let get = bench.ses.get_configuration_set().configuration_set_name("main");
    assert_eq!(get.send().await.unwrap().tags().len(), 2);
}

#[tokio::test]
async fn tags_have_limits() {
    let bench = Bench::start().await;
    let create = |tags: Vec<Tag>| {
        let create = bench.ses.create_configuration_set().configuration_set_name("main");
        create.set_tags(Some(tags)).send()
    };
    refused(create(vec![tag("aws:team", "x")]).await, "BadRequestException");
    refused(create(vec![tag("", "x")]).await, "BadRequestException");
    refused(create(vec![tag(&"k".repeat(129), "x")]).await, "BadRequestException");
    refused(create(vec![tag("k", &"v".repeat(257))]).await, "BadRequestException");
    refused(create(vec![tag("k", "a"), tag("k", "b")]).await, "BadRequestException");
    let fifty = |from: usize| (from..from + 50).map(|n| tag(&format!("k{n}"), "v")).collect();
    create(fifty(0)).await.unwrap();
    let add = bench.ses.tag_resource().resource_arn(arn("configuration-set/main"));
    refused(add.tags(tag("one", "more")).send().await, "BadRequestException");
    let none = bench.ses.tag_resource().resource_arn(arn("configuration-set/main"));
    refused(none.set_tags(Some(Vec::new())).send().await, "BadRequestException");
}

#[tokio::test]
async fn an_arn_must_be_of_this_region_and_of_something_that_is_there() {
    let bench = Bench::start().await;
    bench.ses.create_email_identity().email_identity("pivot.app").send().await.unwrap();
    let add = |arn: String| bench.ses.tag_resource().resource_arn(arn).tags(tag("k", "v")).send();
    add(arn("identity/pivot.app")).await.unwrap();
    let west = format!("arn:aws:ses:us-west-2:{ACCOUNT}:identity/pivot.app");
    let (code, message) = refusal(add(west).await);
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("BadRequestException", "Failed to tag resource")
    );
    let (code, message) = refusal(add(arn("identity/no.app")).await);
    assert_eq!(code, "NotFoundException");
    assert_eq!(message, "No EmailIdentity present with name: no.app");
    let (code, message) = refusal(add(arn("configuration-set/no")).await);
    assert_eq!(code, "NotFoundException");
    assert_eq!(message, "No ConfigurationSet present with name: no");
}

#[tokio::test]
async fn the_tagging_service_sees_identities_sets_and_pools() {
    let bench = Bench::start().await;
    let team = || tag("team", "mail");
    let create = bench.ses.create_email_identity().email_identity("pivot.app");
    create.tags(team()).send().await.unwrap();
    let create = bench.ses.create_configuration_set().configuration_set_name("main");
    create.tags(team()).send().await.unwrap();
    let create = bench.ses.create_dedicated_ip_pool().pool_name("pool");
    create.tags(team()).send().await.unwrap();
    let create = bench.ses.create_tenant().tenant_name("one");
    create.tags(team()).send().await.unwrap();
    bench.ses.create_email_identity().email_identity("untagged.app").send().await.unwrap();
    let west = bench.ses_in("us-west-2");
    let create = west.create_email_identity().email_identity("pivot.app");
    create.tags(team()).send().await.unwrap();
    let tagging = aws_sdk_resourcegroupstagging::Client::new(&bench.config);
    let found = tagging.get_resources().send().await.unwrap();
    let mut arns: Vec<_> = found
        .resource_tag_mapping_list()
        .iter()
        .map(|found| found.resource_arn().unwrap().to_owned())
        .collect();
    arns.sort();
    let expected = ["configuration-set/main", "dedicated-ip-pool/pool", "identity/pivot.app"];
    assert_eq!(arns, expected.map(arn));
    let of_type = tagging.get_resources().resource_type_filters("ses:identity");
    assert_eq!(of_type.send().await.unwrap().resource_tag_mapping_list().len(), 1);
}

#[tokio::test]
async fn an_identity_is_made_tagged_and_deleted_by_one_caller_at_a_time() {
    let bench = Bench::start().await;
    bench.cloud.change(|options| options.latency = Duration::from_millis(300));
    let create = |name: &str| bench.ses.create_email_identity().email_identity(name).send();
    let (one, two, other) =
        tokio::join!(create("pivot.app"), create("pivot.app"), create("other.app"));
    let mut codes = [code(one), code(two)];
    codes.sort();
    assert_eq!(codes, ["ConcurrentModificationException", "none"]);
    assert_eq!(code(other), "none");
    let arn = arn("identity/pivot.app");
    let add = bench.ses.tag_resource().resource_arn(&arn).tags(tag("team", "x")).send();
    let take = bench.ses.untag_resource().resource_arn(&arn).tag_keys("team").send();
    let delete = bench.ses.delete_email_identity().email_identity("pivot.app").send();
    let (add, take, delete) = tokio::join!(add, take, delete);
    let codes = [code(add), code(take), code(delete)];
    assert_eq!(codes.iter().filter(|code| *code == "none").count(), 1, "{codes:?}");
}
