//! Everything the services of one cloud know: one state per service, each split by account and, where AWS does, by
//! Region. Services hold no state of their own, so that a deep copy of the world answers as the cloud did then.

use std::collections::BTreeMap;
use std::sync::Arc;

use fakecloud_cloudwatch::SharedCloudWatchState;
use fakecloud_core::multi_account::{AccountState, MultiAccountState};
use fakecloud_eventbridge::SharedEventBridgeState;
use fakecloud_firehose::SharedFirehoseState;
use fakecloud_iam::SharedIamState;
use fakecloud_kms::SharedKmsState;
use fakecloud_resource_groups_tagging::SharedResourceGroupsTaggingState;
use fakecloud_route53::SharedRoute53State;
use fakecloud_secretsmanager::SharedSecretsManagerState;
use fakecloud_servicequotas::SharedServiceQuotasState;
use fakecloud_sns::SharedSnsState;
use fakecloud_sqs::SharedSqsState;
use fakecloud_ssm::SharedSsmState;
use parking_lot::RwLock;

use crate::clock::Clock;
use crate::options::Options;
use crate::persistence;
use crate::ses::SharedSesState;
use crate::strict::Memory;
use crate::tagging::Sightings;

/// One shared state.
pub type Shared<T> = Arc<RwLock<T>>;

/// The states of all services, and what they share.
pub struct World {
    /// The time.
    pub clock: Arc<Clock>,
    /// How the cloud behaves now.
    pub options: Shared<Options>,
    /// Where the cloud answers, as `http://127.0.0.1:PORT`.
    pub endpoint: String,
    /// IAM and STS.
    pub iam: SharedIamState,
    /// Topics and subscriptions.
    pub sns: SharedSnsState,
    /// Queues.
    pub sqs: SharedSqsState,
    /// Hosted zones and records.
    pub route53: SharedRoute53State,
    /// Metrics and alarms.
    pub cloudwatch: SharedCloudWatchState,
    /// Quotas.
    pub quotas: SharedServiceQuotasState,
    /// Parameters.
    pub ssm: SharedSsmState,
    /// Keys.
    pub kms: SharedKmsState,
    /// Secrets.
    pub secrets: SharedSecretsManagerState,
    /// Event buses.
    pub events: SharedEventBridgeState,
    /// Firehose streams.
    pub firehose: SharedFirehoseState,
    /// Tags given through the tagging API itself.
    pub tagging: SharedResourceGroupsTaggingState,
    /// What the strict layers have to remember.
    pub memory: Shared<Memory>,
    /// What the tagging API has seen.
    pub sightings: Shared<Sightings>,
    /// Identities, configuration sets and the rest of SES.
    pub ses: SharedSesState,
}

impl World {
    /// A world in which nothing exists yet.
    #[must_use]
    pub fn new(options: Options, endpoint: &str) -> Self {
        let (account, region) = (options.account.clone(), options.region.clone());
        Self {
            clock: Arc::default(),
            iam: accounts(&account, &region, endpoint),
            sns: accounts(&account, &region, endpoint),
            sqs: accounts(&account, &region, endpoint),
            route53: Arc::default(),
            cloudwatch: Arc::default(),
            quotas: accounts(&account, &region, endpoint),
            ssm: accounts(&account, &region, endpoint),
            kms: accounts(&account, &region, endpoint),
            secrets: accounts(&account, &region, endpoint),
            events: accounts(&account, &region, endpoint),
            firehose: Arc::default(),
            tagging: accounts(&account, &region, endpoint),
            memory: Arc::default(),
            sightings: Arc::default(),
            ses: Arc::default(),
            options: Arc::new(RwLock::new(options)),
            endpoint: endpoint.to_owned(),
        }
    }

    /// All that is kept between runs, by service, as JSON.
    pub fn values(&self) -> serde_json::Result<BTreeMap<&'static str, serde_json::Value>> {
        persistence::values(self)
    }

    /// A world of its own that begins as this one is now: neither time, options nor changes of one reach the other. What
    /// nothing of sesinfra's writes (buses, tags that the tagging API keeps itself) is shared.
    #[must_use]
    pub fn fork(&self, endpoint: &str) -> Self {
        Self {
            clock: Arc::new(self.clock.fork()),
            options: copy(&self.options),
            memory: copy(&self.memory),
            quotas: copy(&self.quotas),
            sightings: Arc::default(),
            endpoint: endpoint.to_owned(),
            ..self.copy()
        }
    }

    /// A copy of the world as it is now, which later changes do not reach. Its time and options are the same.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self {
            clock: Arc::clone(&self.clock),
            options: Arc::clone(&self.options),
            endpoint: self.endpoint.clone(),
            iam: copy(&self.iam),
            sns: copy(&self.sns),
            sqs: copy(&self.sqs),
            route53: copy(&self.route53),
            cloudwatch: copy(&self.cloudwatch),
            ssm: copy(&self.ssm),
            kms: copy(&self.kms),
            secrets: copy(&self.secrets),
            firehose: copy(&self.firehose),
            // Nothing reads these back in a way that could be stale.
            quotas: Arc::clone(&self.quotas),
            events: Arc::clone(&self.events),
            tagging: Arc::clone(&self.tagging),
            memory: Arc::clone(&self.memory),
            sightings: Arc::clone(&self.sightings),
            ses: copy(&self.ses),
        }
    }
}

fn accounts<T: AccountState>(
    account: &str,
    region: &str,
    endpoint: &str,
) -> Shared<MultiAccountState<T>> {
    Arc::new(RwLock::new(MultiAccountState::new(account, region, endpoint)))
}

fn copy<T: Clone>(state: &Shared<T>) -> Shared<T> {
    Arc::new(RwLock::new(state.read().clone()))
}
