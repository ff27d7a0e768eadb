//! The public DNS of a cloud: what its hosted zones would answer, for commands that look records up.

use std::sync::Arc;

use async_trait::async_trait;
use sesinfra::lookup::Lookup;

use crate::strict::records::{joined, shown};
use crate::world::World;

/// Answers from the public hosted zones of all accounts, the closest zone around a name alone.
pub struct Dns(pub Arc<World>);

#[async_trait]
impl Lookup for Dns {
    async fn values(&self, name: &str, kind: &str) -> Result<Vec<String>, String> {
        let name = shown(name);
        let accounts = self.0.route53.read();
        let zones = accounts.accounts.values().flat_map(|account| account.hosted_zones.values());
        let around = zones.filter(|zone| {
            let below = name.strip_suffix(&zone.name);
            !zone.private_zone && below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        });
        let Some(zone) = around.max_by_key(|zone| zone.name.len()) else { return Ok(Vec::new()) };
        let sets = zone
            .resource_record_sets
            .iter()
            .filter(|set| set.name == name && set.record_type == kind);
        let values =
            sets.flat_map(|set| &set.resource_records).flat_map(|records| &records.resource_record);
        Ok(values.map(|record| plain(kind, &record.value)).collect())
    }
}

fn plain(kind: &str, value: &str) -> String {
    match kind {
        "TXT" => joined(value),
        _ => value.trim_end_matches('.').to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use fakecloud_route53::build_hosted_zone;
    use fakecloud_route53::model::{ResourceRecord, ResourceRecordSet, ResourceRecords};

    use super::*;
    use crate::options::Options;

    #[tokio::test]
    async fn the_closest_zone_answers() {
        let world = World::new(Options::default(), "");
        for (id, name, text) in
            [("Z1", "pivot.app", "\"far\""), ("Z2", "mail.pivot.app", "\"ne\" \"ar\"")]
        {
            let mut zone =
                build_hosted_zone(id, name, id.to_owned(), None, false, Vec::new(), None);
            zone.resource_record_sets.push(ResourceRecordSet {
                name: "a.mail.pivot.app.".to_owned(),
                record_type: "TXT".to_owned(),
                resource_records: Some(ResourceRecords {
                    resource_record: vec![ResourceRecord { value: text.to_owned() }],
                }),
                ..ResourceRecordSet::default()
            });
            world.route53.write().entry("1").hosted_zones.insert(id.to_owned(), zone);
        }
        let dns = Dns(Arc::new(world));
        assert_eq!(dns.values("a.mail.pivot.app", "TXT").await, Ok(vec!["near".to_owned()]));
        assert_eq!(dns.values("a.mail.pivot.app", "MX").await, Ok(Vec::new()));
        assert_eq!(dns.values("other.app", "TXT").await, Ok(Vec::new()));
    }
}
