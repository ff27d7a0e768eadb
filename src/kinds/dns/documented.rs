//! What the kind `dns` documents of itself: permissions, inputs, examples.

use std::collections::BTreeMap;

use super::super::{Documented, Input, Permission, Scope};
use super::Dns;
use super::record::{Record, RecordType, Spec};
use crate::engine::Arg;

impl Documented for Dns {
    const PERMISSIONS: &'static [Permission] = &[
        Permission::to_plan("route53:ListHostedZones", Scope::Everything),
        Permission::to_plan("route53:ListResourceRecordSets", Scope::HostedZone),
        Permission::to_plan("ses:GetEmailIdentity", Scope::Identity),
        Permission::to_plan("tag:GetResources", Scope::Everything),
        Permission::to_plan("ses:GetConfigurationSet", Scope::ConfigurationSet),
        Permission::to_plan("ses:ListResourceTenants", Scope::Everything),
        Permission::to_plan("ses:GetEmailIdentity", Scope::Replica),
        Permission::to_apply("route53:ChangeResourceRecordSets", Scope::HostedZone),
    ];
    const INPUTS: &'static [Input] = &[Input {
        operation: "ChangeResourceRecordSets",
        service: "route53",
        managed: &[
            "hosted_zone_id",
            "change_batch.changes.action",
            "change_batch.changes.resource_record_set.name",
            "change_batch.changes.resource_record_set.r#type",
            "change_batch.changes.resource_record_set.ttl",
            "change_batch.changes.resource_record_set.resource_records.value",
            "change_batch.comment",
        ],
        excluded: &[
            (ROUTING[0], PLAIN),
            (ROUTING[1], PLAIN),
            (ROUTING[2], PLAIN),
            (ROUTING[3], PLAIN),
            (ROUTING[4], PLAIN),
            (ROUTING[5], PLAIN),
            (ROUTING[6], PLAIN),
            (ROUTING[7], PLAIN),
            (ROUTING[8], PLAIN),
            (ROUTING[9], PLAIN),
            (ROUTING[10], PLAIN),
        ],
    }];
}

const PLAIN: &str =
    "mail needs plain records; a set with this is never written and never overwritten";

const ROUTING: [&str; 11] = [
    "change_batch.changes.resource_record_set.set_identifier",
    "change_batch.changes.resource_record_set.weight",
    "change_batch.changes.resource_record_set.region",
    "change_batch.changes.resource_record_set.geo_location",
    "change_batch.changes.resource_record_set.failover",
    "change_batch.changes.resource_record_set.multi_value_answer",
    "change_batch.changes.resource_record_set.alias_target",
    "change_batch.changes.resource_record_set.health_check_id",
    "change_batch.changes.resource_record_set.traffic_policy_instance_id",
    "change_batch.changes.resource_record_set.cidr_routing_config",
    "change_batch.changes.resource_record_set.geo_proximity_location",
];

/// Specs that together set every field.
pub(super) fn examples() -> Vec<Spec> {
    let record = |name: &str, kind, value: &str| {
        Record::declared(
            "Z0123456789ABC",
            Arg::Known(name.to_owned()),
            kind,
            Arg::Known(value.to_owned()),
        )
    };
    let records = [
        (
            "dkim 1 of 3",
            record("a._domainkey.pivot.app", RecordType::Cname, "a.dkim.amazonses.com"),
        ),
        (
            "dkim 2 of 3",
            record("b._domainkey.pivot.app", RecordType::Cname, "b.dkim.amazonses.com"),
        ),
        (
            "dkim 3 of 3",
            record("c._domainkey.pivot.app", RecordType::Cname, "c.dkim.amazonses.com"),
        ),
        (
            "mail-from mx",
            record("mail.pivot.app", RecordType::Mx, "10 feedback-smtp.us-east-1.amazonses.com"),
        ),
        (
            "mail-from spf",
            record("mail.pivot.app", RecordType::Txt, "v=spf1 include:amazonses.com ~all"),
        ),
        ("dmarc", record("_dmarc.pivot.app", RecordType::Txt, "v=DMARC1; p=none")),
    ];
    let records: BTreeMap<String, Record> =
        records.into_iter().map(|(label, record)| (label.to_owned(), record)).collect();
    let tracking = record("links.pivot.app", RecordType::Cname, "r.us-east-1.awstrack.me");
    vec![
        Spec { belongs_to: "identity.pivot.app".to_owned(), records },
        Spec {
            belongs_to: "configuration_set.transactional".to_owned(),
            records: BTreeMap::from([("tracking".to_owned(), tracking)]),
        },
    ]
}
