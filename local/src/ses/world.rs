//! SES over the world of one cloud: how it sees the DNS and reaches topics, buses, metrics and streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use fakecloud_cloudwatch::delivery::CloudwatchDeliveryImpl;
use fakecloud_core::auth::{ConditionContext, InternalCaller, Principal, PrincipalType};
use fakecloud_core::delivery::{
    CloudwatchDelivery, CrossServiceEvent, DeliveryBus, EventBridgeDelivery,
};
use fakecloud_eventbridge::delivery::EventBridgeDeliveryImpl;
use fakecloud_iam::evaluator::{
    EvalRequest, PolicyDocument, collect_identity_policies, evaluate, evaluate_resource_policy_only,
};
use fakecloud_route53::model::ResourceRecordSet;
use fakecloud_servicequotas::state::applied_key;
use fakecloud_sns::delivery::SnsDeliveryImpl;

use super::dns::host;
use super::ports::{
    BusEvent, Datum, OnBehalf, PublicDns, Quotas, Record, Refused, Settings, Sinks, Topics,
};
use super::state::Arn;
use super::{Dependencies, SesCloud};
use crate::delivery::{self, GuardedQueues};
use crate::world::World;

impl SesCloud {
    /// SES over a world.
    #[must_use]
    pub fn over(world: &Arc<World>) -> Self {
        let seen = Arc::new(Neighbours(Arc::clone(world)));
        let (clock, options) = (Arc::clone(&world.clock), Arc::clone(&world.options));
        let settings = move || {
            let options = options.read();
            let delay = options.verification.as_millis();
            Settings {
                verification_delay: i64::try_from(delay).unwrap_or(i64::MAX),
                choices: options.ses.clone(),
                ..Settings::default()
            }
        };
        let with = Dependencies {
            clock: Arc::new(move || clock.now().timestamp_millis()),
            dns: Arc::clone(&seen) as Arc<_>,
            topics: Arc::clone(&seen) as Arc<_>,
            sinks: Arc::clone(&seen) as Arc<_>,
            quotas: seen,
            settings: Arc::new(settings),
        };
        Self::new(Arc::clone(&world.ses), with)
    }
}

/// The other services of the same world.
struct Neighbours(Arc<World>);

impl PublicDns for Neighbours {
    /// Answered from the public zones that lie closest around the name, whoever owns them.
    fn records(&self, name: &str) -> Vec<Record> {
        let route53 = self.0.route53.read();
        let zones = route53.accounts.values().flat_map(|account| account.hosted_zones.values());
        let around: Vec<_> = zones
            .filter(|zone| !zone.private_zone && is_around(undotted(&zone.name), name))
            .collect();
        let closest = around.iter().map(|zone| undotted(&zone.name).len()).max();
        let zones = around.iter().filter(|zone| Some(undotted(&zone.name).len()) == closest);
        let sets = zones.flat_map(|zone| &zone.resource_record_sets);
        // Zones are large and asked often: most names differ in length already.
        let sets = sets.filter(|set| {
            matches!(set.name.len().wrapping_sub(name.len()), 0 | 1)
                && undotted(&set.name).eq_ignore_ascii_case(name)
        });
        sets.map(record).collect()
    }

    fn snapshot(&self) -> Box<dyn PublicDns> {
        let mut all = Zones::default();
        let route53 = self.0.route53.read();
        let zones = route53.accounts.values().flat_map(|account| account.hosted_zones.values());
        for zone in zones.filter(|zone| !zone.private_zone) {
            let names = all.0.entry(host(&zone.name)).or_default();
            for set in &zone.resource_record_sets {
                names.entry(host(&set.name)).or_default().push(record(set));
            }
        }
        Box::new(all)
    }
}

impl Quotas for Neighbours {
    fn raised(&self, account: &str, region: &str, code: &str) -> Option<f64> {
        let accounts = self.0.quotas.read();
        accounts.get(account)?.applied.get(&applied_key(region, false, "ses", code)).copied()
    }
}

fn undotted(name: &str) -> &str {
    name.trim_end_matches('.')
}

/// Whether a zone holds a name, by their names alone.
fn is_around(zone: &str, name: &str) -> bool {
    let start = name.len().checked_sub(zone.len());
    start.is_some_and(|start| {
        let whole = start == 0 || name.as_bytes().get(start - 1) == Some(&b'.');
        whole && name.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(zone))
    })
}

fn record(set: &ResourceRecordSet) -> Record {
    let records = set.resource_records.iter().flat_map(|records| &records.resource_record);
    Record {
        kind: set.record_type.clone(),
        values: records.map(|record| record.value.clone()).collect(),
    }
}

/// The public zones at one time: records by zone and name.
#[derive(Default)]
struct Zones(BTreeMap<String, BTreeMap<String, Vec<Record>>>);

impl PublicDns for Zones {
    fn records(&self, name: &str) -> Vec<Record> {
        let mut around = Some(name);
        while let Some(zone) = around {
            if let Some(names) = self.0.get(zone) {
                return names.get(name).cloned().unwrap_or_default();
            }
            around = zone.split_once('.').map(|(_, parent)| parent);
        }
        Vec::new()
    }

    fn snapshot(&self) -> Box<dyn PublicDns> {
        Box::new(Self(self.0.clone()))
    }
}

impl Topics for Neighbours {
    fn publish(
        &self,
        topic_arn: &str,
        caller: &OnBehalf,
        subject: &str,
        message: &str,
    ) -> Result<(), Refused> {
        delivery::may_publish(&self.0, topic_arn, &caller.source_arn, &caller.source_account)
            .map_err(|refusal| Refused(refusal.to_string()))?;
        delivery::publish(&self.0, topic_arn, Some(subject), message);
        Ok(())
    }
}

impl Sinks for Neighbours {
    fn event_bridge(&self, account: &str, region: &str, event: &BusEvent) {
        let queues = Arc::new(GuardedQueues::new(&self.0));
        let to_queues = Arc::new(DeliveryBus::new().with_sqs(queues.clone()));
        let topics = SnsDeliveryImpl::new(Arc::clone(&self.0.sns), to_queues);
        let bus = DeliveryBus::new().with_sqs(queues).with_sns(Arc::new(topics));
        let put = EventBridgeDeliveryImpl::new(Arc::clone(&self.0.events), Arc::new(bus))
            .put_event(&CrossServiceEvent {
                source: "aws.ses",
                detail_type: event.detail_type,
                detail: &event.detail.to_string(),
                event_bus: "default",
                account_id: account,
                region,
                resources: &event.resources,
                principal_arn: None,
            });
        if let Err(error) = put {
            tracing::info!(%error, "an event of SES is lost");
        }
    }

    fn metric(&self, account: &str, region: &str, datum: &Datum) {
        CloudwatchDeliveryImpl::new(Arc::clone(&self.0.cloudwatch)).put_metric(
            account,
            region,
            "AWS/SES",
            datum.metric,
            datum.value,
            Some("Count"),
            datum.dimensions.clone(),
            datum.at,
        );
    }

    /// Records go no further: this cloud has no S3 for the stream to write to.
    fn firehose(&self, stream_arn: &str, record: &str) {
        tracing::debug!(stream_arn, record, "an event of SES for a stream");
    }

    fn firehose_usable(&self, stream_arn: &str, role_arn: &str) -> Result<(), Refused> {
        let stream = Arn::parse(stream_arn).filter(|arn| {
            let name = arn.resource.strip_prefix("deliverystream/").unwrap_or_default();
            let accounts = self.0.firehose.read();
            let streams = accounts.get(arn.account).and_then(|account| account.streams(arn.region));
            streams.is_some_and(|streams| streams.contains_key(name))
        });
        let role = Arn::parse(role_arn);
        let (Some(stream), Some(role)) = (stream, role) else {
            return Err(Refused(format!("{stream_arn} or {role_arn} does not exist")));
        };
        let accounts = self.0.iam.read();
        let Some(account) = accounts.get(role.account) else {
            return Err(Refused(format!("{role_arn} does not exist")));
        };
        let Some(found) = account.roles.values().find(|found| found.arn == role_arn) else {
            return Err(Refused(format!("{role_arn} does not exist")));
        };
        let ses = InternalCaller::Service {
            service: "ses.amazonaws.com".to_owned(),
            source_arn: stream_arn.to_owned(),
            source_account: stream.account.to_owned(),
        };
        let context =
            ConditionContext { service_keys: ses.condition_keys(), ..ConditionContext::default() };
        let trust = PolicyDocument::parse(&found.assume_role_policy_document);
        let assume = EvalRequest {
            principal: &ses.principal(),
            action: "sts:AssumeRole".to_owned(),
            resource: role_arn.to_owned(),
            context,
        };
        if !evaluate_resource_policy_only(&trust, &assume).is_allow() {
            return Err(Refused(format!("{role_arn} does not trust ses.amazonaws.com")));
        }
        let principal = Principal {
            arn: format!("arn:aws:sts::{}:assumed-role/{}/ses", role.account, found.role_name),
            user_id: found.role_id.clone(),
            account_id: role.account.to_owned(),
            principal_type: PrincipalType::AssumedRole,
            source_identity: None,
            tags: None,
        };
        let put = EvalRequest {
            principal: &principal,
            action: "firehose:PutRecordBatch".to_owned(),
            resource: stream_arn.to_owned(),
            context: ConditionContext::default(),
        };
        if !evaluate(&collect_identity_policies(account, &principal), &put).is_allow() {
            return Err(Refused(format!("{role_arn} may not write to {stream_arn}")));
        }
        Ok(())
    }
}
