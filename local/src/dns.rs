//! The public DNS of a cloud: what its hosted zones would answer, for commands that look records up.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use sesinfra::lookup::Lookup;

use crate::strict::records::{joined, shown};
use crate::world::World;

/// Answers from the public hosted zones of all accounts, the closest around a name alone. Of zones that have one name, as two
/// accounts may, no registry says here which of them is delegated to, so together they answer as one, as they do to SES.
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
        let around: Vec<_> = around.collect();
        let closest = around.iter().map(|zone| zone.name.len()).max();
        let sets = around
            .iter()
            .filter(|zone| Some(zone.name.len()) == closest)
            .flat_map(|zone| &zone.resource_record_sets)
            .filter(|set| set.name == name && set.record_type == kind);
        let values =
            sets.flat_map(|set| &set.resource_records).flat_map(|records| &records.resource_record);
        // The same value in two zones is one value.
        let values: BTreeSet<String> = values.map(|record| plain(kind, &record.value)).collect();
        Ok(values.into_iter().collect())
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

    /// Makes a zone with texts at `a.mail.pivot.app`.
    fn zone(world: &World, account: &str, id: &str, name: &str, texts: &[&str]) {
        let mut zone = build_hosted_zone(id, name, id.to_owned(), None, false, Vec::new(), None);
        let records = texts.iter().map(|text| ResourceRecord { value: (*text).to_owned() });
        if !texts.is_empty() {
            zone.resource_record_sets.push(ResourceRecordSet {
                name: "a.mail.pivot.app.".to_owned(),
                record_type: "TXT".to_owned(),
                resource_records: Some(ResourceRecords { resource_record: records.collect() }),
                ..ResourceRecordSet::default()
            });
        }
        world.route53.write().entry(account).hosted_zones.insert(id.to_owned(), zone);
    }

    #[tokio::test]
    async fn the_closest_zone_answers() {
        let world = World::new(Options::default(), "");
        zone(&world, "1", "Z1", "pivot.app", &["\"far\""]);
        zone(&world, "1", "Z2", "mail.pivot.app", &["\"ne\" \"ar\""]);
        let dns = Dns(Arc::new(world));
        assert_eq!(dns.values("a.mail.pivot.app", "TXT").await, Ok(vec!["near".to_owned()]));
        assert_eq!(dns.values("a.mail.pivot.app", "MX").await, Ok(Vec::new()));
        assert_eq!(dns.values("other.app", "TXT").await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn zones_of_one_name_in_two_accounts_answer_as_one() {
        let world = World::new(Options::default(), "");
        for (account, texts) in
            [("1", &["\"one\"", "\"both\""][..]), ("2", &["\"both\"", "\"two\""]), ("3", &[])]
        {
            zone(&world, account, &format!("Z{account}"), "pivot.app", texts);
        }
        let dns = Dns(Arc::new(world));
        let found = dns.values("a.mail.pivot.app", "TXT").await;
        assert_eq!(found, Ok(["both", "one", "two"].map(ToOwned::to_owned).to_vec()));
    }
}
