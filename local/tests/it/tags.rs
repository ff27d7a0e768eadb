//! The tagging API sees the services' own tags, per Region, filtered and in pages.

use std::time::Duration;

use aws_sdk_resourcegroupstagging::Client;
use aws_sdk_resourcegroupstagging::operation::get_resources::GetResourcesOutput;
use aws_sdk_resourcegroupstagging::types::TagFilter;
use aws_sdk_sns::types::Tag;
use sesinfra_local::{Cloud, Options};

use super::account::{ACCOUNT, REGION, administrator, caller, cloud};

async fn topic(cloud: &Cloud, name: &str, team: &str) {
    let tag = Tag::builder().key("team").value(team).build().unwrap();
    let topics = aws_sdk_sns::Client::new(&administrator(cloud, ACCOUNT));
    topics.create_topic().name(name).tags(tag).send().await.unwrap();
}

async fn tagged(cloud: &Cloud, team: &str) -> Vec<String> {
    let tags = Client::new(&administrator(cloud, ACCOUNT));
    let filter = TagFilter::builder().key("team").values(team).build();
    let pages = tags.get_resources().tag_filters(filter).into_paginator().send();
    let pages = pages.try_collect().await.unwrap();
    let all = pages.iter().flat_map(GetResourcesOutput::resource_tag_mapping_list);
    all.map(|resource| resource.resource_arn().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn tags_are_found_by_value_type_and_region() {
    let cloud = cloud(Options::default()).await;
    topic(&cloud, "mine", "a").await;
    topic(&cloud, "theirs", "b").await;
    aws_sdk_sns::Client::new(&administrator(&cloud, ACCOUNT))
        .create_topic()
        .name("plain")
        .send()
        .await
        .unwrap();
    let queues = aws_sdk_sqs::Client::new(&administrator(&cloud, ACCOUNT));
    queues.create_queue().queue_name("q").tags("team", "a").send().await.unwrap();
    let found = tagged(&cloud, "a").await;
    assert_eq!(
        found,
        [
            format!("arn:aws:sns:{REGION}:{ACCOUNT}:mine"),
            format!("arn:aws:sqs:{REGION}:{ACCOUNT}:q")
        ]
    );
    let tags = Client::new(&administrator(&cloud, ACCOUNT));
    let of_sns = tags.get_resources().resource_type_filters("sns").send().await.unwrap();
    assert_eq!(of_sns.resource_tag_mapping_list().len(), 2);
    let (key, secret) = Cloud::administrator(ACCOUNT);
    let credentials = aws_credential_types::Credentials::new(key, secret, None, None, "test");
    let elsewhere = Client::new(&caller(&cloud, credentials, "eu-west-1"));
    assert!(elsewhere.get_resources().send().await.unwrap().resource_tag_mapping_list().is_empty());
}

#[tokio::test]
async fn a_page_holds_a_hundred() {
    let cloud = cloud(Options::default()).await;
    for number in 0..101 {
        topic(&cloud, &format!("t{number:03}"), "a").await;
    }
    let tags = Client::new(&administrator(&cloud, ACCOUNT));
    let first = tags.get_resources().send().await.unwrap();
    assert_eq!(first.resource_tag_mapping_list().len(), 100);
    assert_eq!(tagged(&cloud, "a").await.len(), 101);
}

#[tokio::test]
async fn it_lags_and_shows_ghosts_on_request() {
    let cloud = cloud(Options::default()).await;
    cloud.change(|options| options.tagging_lag = Duration::from_mins(1));
    topic(&cloud, "new", "a").await;
    assert!(tagged(&cloud, "a").await.is_empty());
    cloud.change(|options| options.tagging_lag = Duration::ZERO);
    assert_eq!(tagged(&cloud, "a").await.len(), 1);
    cloud.change(|options| options.ghosts = Duration::from_mins(1));
    let topics = aws_sdk_sns::Client::new(&administrator(&cloud, ACCOUNT));
    topics
        .delete_topic()
        .topic_arn(format!("arn:aws:sns:{REGION}:{ACCOUNT}:new"))
        .send()
        .await
        .unwrap();
    assert_eq!(tagged(&cloud, "a").await.len(), 1);
    cloud.change(|options| options.ghosts = Duration::ZERO);
    assert!(tagged(&cloud, "a").await.is_empty());
}
