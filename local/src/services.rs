//! Puts the services together over one world. The order of the layers, from the wire inwards: the front (log, faults,
//! limits, latency), the dispatcher (signature, IAM), our strict layer, the service itself.

use std::sync::Arc;

use fakecloud_cloudwatch::CloudWatchService;
use fakecloud_core::auth::{
    CredentialResolver, IamMode, MultiResourcePolicyProvider, ResourcePolicyProvider,
};
use fakecloud_core::delivery::{DeliveryBus, KmsHook};
use fakecloud_core::dispatch::DispatchConfig;
use fakecloud_core::registry::ServiceRegistry;
use fakecloud_core::service::AwsService;
use fakecloud_eventbridge::EventBridgeService;
use fakecloud_firehose::FirehoseService;
use fakecloud_iam::iam_service::IamService;
use fakecloud_iam::policy_evaluator::IamPolicyEvaluatorImpl;
use fakecloud_iam::resource_policy::StsResourcePolicyProvider;
use fakecloud_iam::sts_service::StsService;
use fakecloud_kms::KmsService;
use fakecloud_kms::hook::KmsServiceHook;
use fakecloud_kms::resource_policy::KmsResourcePolicyProvider;
use fakecloud_route53::Route53Service;
use fakecloud_secretsmanager::SecretsManagerService;
use fakecloud_servicequotas::{QuotaSettings, RequestApproval, ServiceQuotasService};
use fakecloud_sns::SnsService;
use fakecloud_sns::delivery::SnsDeliveryImpl;
use fakecloud_sns::resource_policy::SnsResourcePolicyProvider;
use fakecloud_sqs::SqsService;
use fakecloud_sqs::resource_policy::SqsResourcePolicyProvider;
use fakecloud_ssm::SsmService;
use parking_lot::RwLock;

use crate::authorization;
use crate::delivery::GuardedQueues;
use crate::quotas::FollowSes;
use crate::ses::SesCloud;
use crate::strict::{self, Checked};
use crate::tagging;
use crate::world::World;

/// All services over `world`.
pub(crate) fn registry(world: &Arc<World>) -> ServiceRegistry {
    let mut registry = ServiceRegistry::new();
    for service in basic(world).into_iter().chain(strict_ones(world)) {
        registry.register(service);
    }
    registry
}

/// Services whose crate is as strict as AWS, at least where sesinfra would notice.
fn basic(world: &Arc<World>) -> Vec<Arc<dyn AwsService>> {
    let keys = keys(world);
    let bus = Arc::new(
        DeliveryBus::new()
            .with_sqs(Arc::new(GuardedQueues::new(world)))
            .with_sns(Arc::new(SnsDeliveryImpl::new(Arc::clone(&world.sns), queues(world)))),
    );
    vec![
        Arc::new(Checked::new(
            IamService::new(Arc::clone(&world.iam)),
            strict::iam::Entities(Arc::clone(world)),
        )),
        Arc::new(StsService::new(Arc::clone(&world.iam))),
        Arc::new(KmsService::new(Arc::clone(&world.kms))),
        authorization::enforced(
            world,
            Checked::new(
                CloudWatchService::new(Arc::clone(&world.cloudwatch)),
                strict::cloudwatch::Alarms(Arc::clone(world)),
            ),
        ),
        authorization::enforced(
            world,
            Checked::new(
                ServiceQuotasService::new(
                    Arc::clone(&world.quotas),
                    Arc::default(),
                    // At AWS somebody decides, and not at once.
                    Arc::new(RwLock::new(QuotaSettings {
                        request_approval: RequestApproval::Manual,
                        ..QuotaSettings::default()
                    })),
                ),
                FollowSes(Arc::clone(world)),
            ),
        ),
        authorization::enforced(
            world,
            SecretsManagerService::new(Arc::clone(&world.secrets)).with_kms_hook(Arc::clone(&keys)),
        ),
        authorization::enforced(world, EventBridgeService::new(Arc::clone(&world.events), bus)),
        authorization::enforced(world, FirehoseService::new(Arc::clone(&world.firehose))),
        authorization::enforced(world, tagging::service(world)),
        authorization::enforced(world, SsmService::new(Arc::clone(&world.ssm)).with_kms_hook(keys)),
    ]
}

/// Services in front of which we check what their crate does not.
fn strict_ones(world: &Arc<World>) -> Vec<Arc<dyn AwsService>> {
    let keys = keys(world);
    let topics =
        SnsService::new(Arc::clone(&world.sns), queues(world)).with_kms_hook(Arc::clone(&keys));
    let queues = SqsService::new(Arc::clone(&world.sqs)).with_kms_hook(keys);
    let zones = Route53Service::new(Arc::clone(&world.route53));
    vec![
        Arc::new(Checked::new(topics, strict::sns::Topics(Arc::clone(world)))),
        Arc::new(Checked::new(queues, strict::sqs::Queues(Arc::clone(world)))),
        Arc::new(SesCloud::over(world)),
        authorization::enforced(
            world,
            Checked::new(zones, strict::route53::Zones(Arc::clone(world))),
        ),
    ]
}

fn keys(world: &World) -> Arc<dyn KmsHook> {
    Arc::new(KmsServiceHook::new(Arc::clone(&world.kms), Arc::default()))
}

fn queues(world: &Arc<World>) -> Arc<DeliveryBus> {
    Arc::new(DeliveryBus::new().with_sqs(Arc::new(GuardedQueues::new(world))))
}

/// What the dispatcher needs to know of callers and policies.
pub(crate) fn dispatching(
    world: &World,
    credentials: Arc<dyn CredentialResolver>,
    enforce: bool,
) -> DispatchConfig {
    let options = world.options.read();
    let mut config = DispatchConfig::new(options.region.clone(), options.account.clone());
    config.iam_mode = if enforce { IamMode::Strict } else { IamMode::Off };
    config.credential_resolver = Some(credentials);
    config.policy_evaluator = Some(IamPolicyEvaluatorImpl::shared(Arc::clone(&world.iam)));
    config.resource_policy_provider = Some(policies(world));
    config
}

/// The policies that resources carry themselves.
pub(crate) fn policies(world: &World) -> Arc<dyn ResourcePolicyProvider> {
    Arc::new(MultiResourcePolicyProvider::new(vec![
        SnsResourcePolicyProvider::shared(Arc::clone(&world.sns)),
        SqsResourcePolicyProvider::shared(Arc::clone(&world.sqs)),
        KmsResourcePolicyProvider::shared(Arc::clone(&world.kms)),
        StsResourcePolicyProvider::shared(Arc::clone(&world.iam)),
    ]))
}
