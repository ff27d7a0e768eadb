//! One environment's access to AWS: one account, one Region, one client for each service, and what was read already.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use aws_sdk_sesv2::operation::get_account::GetAccountOutput;

use super::calls::client;
use super::connect::Connection;
use super::roots::PassedOver;
use super::{
    Arns, AwsError, Gauge, Memo, Neighbours, Owner, QueueAttributes, Reads, Zones, failed,
};
use crate::environment::names::RoleArn;

/// Tags by ARN of everything that carries this environment's tags.
pub type TaggedResources = BTreeMap<String, BTreeMap<String, String>>;

/// Whose tags are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Ours,
    Anybody,
}

/// Access to the account and Region of one environment.
#[derive(Debug)]
pub struct Session {
    /// Every ARN.
    pub arns: Arns,
    /// Whose everything is.
    pub owner: Owner,
    caller: OnceLock<String>,
    connection: Connection,
    zones: OnceLock<Zones>,
    abandoned: OnceLock<BTreeSet<String>>,
    neighbours: OnceLock<Neighbours>,
    pub(super) passed_over: PassedOver,
    pub(super) everywhere: OnceLock<()>,
    reads: Reads,
    /// How far reading identities is, one call each.
    pub gauge: Gauge,
    ses: aws_sdk_sesv2::Client,
    sns: aws_sdk_sns::Client,
    sqs: aws_sdk_sqs::Client,
    iam: aws_sdk_iam::Client,
    route53: aws_sdk_route53::Client,
    tagging: aws_sdk_resourcegroupstagging::Client,
    kms: aws_sdk_kms::Client,
    ssm: aws_sdk_ssm::Client,
    secrets: aws_sdk_secretsmanager::Client,
    sts: aws_sdk_sts::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    quotas: aws_sdk_servicequotas::Client,
    tagged: Memo<Whose, Arc<TaggedResources>>,
    account: Memo<(), Arc<GetAccountOutput>>,
    pub(super) queues: Memo<String, QueueAttributes>,
    zone_clients: Memo<RoleArn, aws_sdk_route53::Client>,
    ses_elsewhere: Memo<String, aws_sdk_sesv2::Client>,
}

impl Session {
    pub(super) fn new(arns: Arns, owner: Owner, connection: Connection) -> Self {
        let (config, calls) = (&connection.config, &connection.calls);
        let reads = Reads::default();
        Self {
            arns,
            owner,
            caller: OnceLock::new(),
            ses: client!(aws_sdk_sesv2, config, calls),
            sns: client!(aws_sdk_sns, config, calls),
            sqs: client!(aws_sdk_sqs, config, calls),
            iam: client!(aws_sdk_iam, config, calls),
            route53: client!(aws_sdk_route53, config, calls),
            tagging: client!(aws_sdk_resourcegroupstagging, config, calls),
            kms: client!(aws_sdk_kms, config, calls),
            ssm: client!(aws_sdk_ssm, config, calls),
            secrets: client!(aws_sdk_secretsmanager, config, calls),
            sts: client!(aws_sdk_sts, config, calls),
            cloudwatch: client!(aws_sdk_cloudwatch, config, calls),
            quotas: client!(aws_sdk_servicequotas, config, calls),
            connection,
            zones: OnceLock::new(),
            abandoned: OnceLock::new(),
            neighbours: OnceLock::new(),
            passed_over: PassedOver::default(),
            everywhere: OnceLock::new(),
            tagged: Memo::new(&reads),
            account: Memo::new(&reads),
            queues: Memo::new(&reads),
            // Clients are not read from anywhere, so forgetting reads leaves them.
            zone_clients: Memo::new(&Reads::default()),
            ses_elsewhere: Memo::new(&Reads::default()),
            reads,
            gauge: Gauge::default(),
        }
    }

    /// The ARN of whoever makes the calls, once it is known.
    #[must_use]
    pub fn caller(&self) -> Option<&str> {
        self.caller.get().map(String::as_str)
    }

    /// Remembers who makes the calls.
    pub(super) fn know_caller(&self, arn: &str) {
        // Credentials do not change within a session, so the first answer stands.
        let _ = self.caller.set(arn.to_owned());
    }

    /// Whether AWS is out of reach: a call failed for want of an answer, and no other has got one since.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        self.connection.way.is_cut_off()
    }

    /// From now on no call is made, not even the next attempt at one under way.
    pub fn shut(&self) {
        self.connection.way.shut();
    }

    /// Amazon SES, API v2.
    #[must_use]
    pub const fn ses(&self) -> &aws_sdk_sesv2::Client {
        &self.ses
    }

    /// Amazon SNS.
    #[must_use]
    pub const fn sns(&self) -> &aws_sdk_sns::Client {
        &self.sns
    }

    /// Amazon SQS.
    #[must_use]
    pub const fn sqs(&self) -> &aws_sdk_sqs::Client {
        &self.sqs
    }

    /// AWS IAM.
    #[must_use]
    pub const fn iam(&self) -> &aws_sdk_iam::Client {
        &self.iam
    }

    /// Amazon Route 53 in this environment's own account.
    #[must_use]
    pub const fn route53(&self) -> &aws_sdk_route53::Client {
        &self.route53
    }

    /// The Resource Groups Tagging API.
    #[must_use]
    pub const fn tagging(&self) -> &aws_sdk_resourcegroupstagging::Client {
        &self.tagging
    }

    /// AWS KMS.
    #[must_use]
    pub const fn kms(&self) -> &aws_sdk_kms::Client {
        &self.kms
    }

    /// AWS Systems Manager.
    #[must_use]
    pub const fn ssm(&self) -> &aws_sdk_ssm::Client {
        &self.ssm
    }

    /// AWS Secrets Manager.
    #[must_use]
    pub const fn secrets(&self) -> &aws_sdk_secretsmanager::Client {
        &self.secrets
    }

    /// AWS STS.
    #[must_use]
    pub const fn sts(&self) -> &aws_sdk_sts::Client {
        &self.sts
    }

    /// Amazon CloudWatch.
    #[must_use]
    pub const fn cloudwatch(&self) -> &aws_sdk_cloudwatch::Client {
        &self.cloudwatch
    }

    /// Service Quotas.
    #[must_use]
    pub const fn quotas(&self) -> &aws_sdk_servicequotas::Client {
        &self.quotas
    }

    /// Amazon Route 53 as `role`, for a zone in another account; without a role this account's.
    pub async fn route53_for(
        &self,
        role: Option<&RoleArn>,
    ) -> Result<aws_sdk_route53::Client, AwsError> {
        let Some(role) = role else { return Ok(self.route53.clone()) };
        let client = || async { Ok(self.connection.route53_as(role).await) };
        self.zone_clients.get(role.clone(), client).await
    }

    /// Amazon SES in another Region of this account.
    pub async fn ses_in(&self, region: &str) -> Result<aws_sdk_sesv2::Client, AwsError> {
        let client = || async { Ok(self.connection.ses_in(region, self.arns.account().as_str())) };
        self.ses_elsewhere.get(region.to_owned(), client).await
    }

    /// The public hosted zones within reach, as they were when the session began.
    #[must_use]
    pub fn zones(&self) -> &Zones {
        static NONE: Zones = Zones::none();
        self.zones.get().unwrap_or(&NONE)
    }

    /// From now on the hosted zones with these ids count as gone: they are neither read nor written.
    pub fn abandon_zones(&self, zones: BTreeSet<String>) {
        // Set once, by the one who plans.
        let _ = self.abandoned.set(zones);
    }

    /// Whether the hosted zone `id` counts as gone.
    #[must_use]
    pub fn has_abandoned(&self, id: &str) -> bool {
        self.abandoned.get().is_some_and(|zones| zones.contains(id))
    }

    /// What the other environment files of the project say.
    #[must_use]
    pub fn neighbours(&self) -> &Neighbours {
        static NONE: Neighbours = Neighbours::none();
        self.neighbours.get().unwrap_or(&NONE)
    }

    pub(super) fn know_neighbours(&self, neighbours: Neighbours) {
        // Set once, by the one who connects.
        let _ = self.neighbours.set(neighbours);
    }

    /// The root of the project, against which files are named.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.connection.root
    }

    pub(super) fn remember_zones(&self, zones: Zones) {
        // Set once, by the one who connects.
        let _ = self.zones.set(zones);
    }

    /// A memory that is emptied by [`Session::forget_reads`].
    #[must_use]
    pub fn memo<K: Ord + Clone, V: Clone>(&self) -> Memo<K, V> {
        Memo::new(&self.reads)
    }

    /// A number that differs from before whenever reads were forgotten in between, for memories of other forms.
    #[must_use]
    pub fn age_of_reads(&self) -> u64 {
        self.reads.now()
    }

    /// Everything read so far is forgotten: reads from now on come from the services.
    pub fn forget_reads(&self) {
        self.reads.forget();
    }

    /// What SES says of the account in this Region: its settings, its quota, and what AWS thinks of it.
    pub async fn account(&self) -> Result<Arc<GetAccountOutput>, AwsError> {
        let read = || async {
            let answer = self.ses.get_account().send().await;
            answer.map(Arc::new).map_err(failed("ses:GetAccount", self.arns.region()))
        };
        self.account.get((), read).await
    }

    /// What SES said of the account is out of date.
    pub fn forget_account(&self) {
        self.account.forget_key(&());
    }

    /// Everything in this Region that carries this environment's tags, in one pass over all types.
    ///
    /// The tagging API lags behind the services and remembers what is gone, so this names candidates and proves nothing.
    pub async fn tagged(&self) -> Result<Arc<TaggedResources>, AwsError> {
        let list = || async {
            let filters = self.owner.tag_filters();
            self.list_tagged(&filters).await.map(Arc::new)
        };
        self.tagged.get(Whose::Ours, list).await
    }

    /// Everything in this Region that was ever tagged by anybody.
    pub(super) async fn tagged_by_anybody(&self) -> Result<Arc<TaggedResources>, AwsError> {
        self.tagged
            .get(Whose::Anybody, || async { self.list_tagged(&[]).await.map(Arc::new) })
            .await
    }

    async fn list_tagged(&self, filters: &[(&str, &str)]) -> Result<TaggedResources, AwsError> {
        use aws_sdk_resourcegroupstagging::types::TagFilter;
        let filter =
            |(key, value): &(&str, &str)| TagFilter::builder().key(*key).values(*value).build();
        let filters: Vec<TagFilter> = filters.iter().map(filter).collect();
        let mut pages = self
            .tagging
            .get_resources()
            .set_tag_filters((!filters.is_empty()).then_some(filters))
            .resources_per_page(100)
            .into_paginator()
            .send();
        let mut tagged = TaggedResources::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed("tag:GetResources", self.arns.region()))?;
            for mapping in page.resource_tag_mapping_list.unwrap_or_default() {
                let Some(arn) = mapping.resource_arn else { continue };
                let tags = mapping.tags.unwrap_or_default();
                tagged.insert(arn, tags.into_iter().map(|tag| (tag.key, tag.value)).collect());
            }
        }
        Ok(tagged)
    }
}
