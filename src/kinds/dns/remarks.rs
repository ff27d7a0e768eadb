//! What is worth knowing beside the records of a domain: those that others made and that are used as they are, and those
//! that are left over from something earlier.
//!
//! Invariant: what is remarked on is never touched. A record of Easy DKIM that no claim holds may be that of an identity
//! in another Region, which reads cannot tell from a leftover.

use std::sync::PoisonError;

use super::claim::Entry;
use super::listing::Listing;
use super::needs::Needs;
use super::record::{RecordType, normal_name};
use super::standing::Standing;
use super::{Dns, Spec};
use crate::engine::{Address, Aim, BoxError, Wanted};

impl Dns {
    /// See [`crate::engine::Kind::remarks`].
    pub(super) async fn remarks_on(
        &self,
        wanted: &[Wanted<Spec>],
    ) -> Result<Vec<(String, String)>, BoxError> {
        let wanted = self.with_known_names(wanted).await?;
        let mut remarks = Vec::new();
        for one in wanted.iter().filter(|one| one.aim != Aim::Delete) {
            let Some(spec) = &one.spec else { continue };
            let abandoned = self.abandoned_under(&spec.belongs_to);
            remarks.extend(abandoned.into_iter().map(|zone| {
                let text = format!(
                    "the zone {zone} is let go of: what sesinfra published there stays, and is claimed there still"
                );
                (one.name.clone(), text)
            }));
            let owner = self.session.owner.dns_id(&one.name);
            let needs = Needs::of(&one.name, Some(spec));
            for zone in self.zones_of(&one.name, Some(spec)) {
                let listing = self.zones.read(&zone, &needs).await?;
                let Some(listing) = listing.as_ref() else { continue };
                let standing = Standing::of(&one.name, &zone, &owner, listing);
                let is_kept = one.aim == Aim::Keep;
                let said = [
                    used(&one.name, spec, &standing).filter(|_| is_kept),
                    leftovers(&one.name, spec, &standing, listing),
                ];
                remarks.extend(said.into_iter().flatten().map(|text| (one.name.clone(), text)));
            }
        }
        Ok(remarks)
    }
}

impl Dns {
    /// The abandoned zones that the marks on `parent` name.
    fn abandoned_under(&self, parent: &str) -> Vec<String> {
        let places = self.abandoned.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(parent) = parent.parse::<Address>() else { return Vec::new() };
        let from = places.range((parent.clone(), String::new())..);
        let under = from.take_while(|(address, _)| *address == parent);
        under.map(|(_, zone)| zone.clone()).collect()
    }
}

/// Records that others made and that are as wanted: they are used, and stay when they are no longer wanted.
fn used(domain: &str, spec: &Spec, standing: &Standing<'_>) -> Option<String> {
    let records = spec.records.iter().filter(|(_, record)| record.zone == standing.zone());
    let found = records.filter_map(|(label, record)| {
        let record = record.known().ok()?;
        let entry = Entry::of(label, &record.name, domain)?;
        let is_unclaimed =
            standing.hold(&entry).is_none() && standing.other_holder(&entry).is_none();
        let is_as_wanted = standing.found(&entry).iter().eq([&record.value]);
        (is_unclaimed && is_as_wanted && standing.mine.is_none()).then(|| label.clone())
    });
    let labels: Vec<String> = found.collect();
    if labels.is_empty() {
        return None;
    }
    let address = Address::new("dns", domain);
    Some(format!(
        "there already, made by others, and used as they are: {}. They stay when this goes, unless they are adopted too \
         (--adopt '{address}')",
        labels.join(", ")
    ))
}

/// Records of Easy DKIM beside the domain that no claim holds and that are not wanted.
fn leftovers(
    domain: &str,
    spec: &Spec,
    standing: &Standing<'_>,
    listing: &Listing,
) -> Option<String> {
    let keys = format!("_domainkey.{domain}");
    let wanted: Vec<String> = spec
        .records
        .values()
        .filter_map(|record| record.name.get().ok())
        .map(|name| normal_name(name))
        .collect();
    let is_left = |name: &String| {
        let token = name.strip_suffix(&keys).and_then(|rest| rest.strip_suffix('.'));
        let Some(token) = token.filter(|token| !token.contains('.')) else { return false };
        let points_to_ses = |target: &String| {
            target.strip_prefix(token).is_some_and(|rest| {
                rest.starts_with('.') && rest.contains(".dkim.") && rest.ends_with(".amazonses.com")
            })
        };
        let entry = Entry::EasyDkim { number: 0, token: token.to_owned() };
        !wanted.contains(name)
            && listing.values(name, RecordType::Cname).iter().any(points_to_ses)
            && standing.hold(&entry).is_none()
            && standing.other_holder(&entry).is_none()
    };
    let left: Vec<String> = listing.names_below(&keys, RecordType::Cname).filter(is_left).collect();
    if left.is_empty() {
        return None;
    }
    Some(format!(
        "left alone, since no claim holds them: {}. They are left over from an earlier identity, or belong to one that is \
         managed elsewhere; once nothing signs with them, delete them by hand",
        left.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::dns::record::known_record;

    const MINE: &str = "3f2a91bc04de";
    const DMARC: &str = "v=DMARC1; p=none";

    fn spec() -> Spec {
        let dmarc = known_record("Z1", "_dmarc.pivot.app", RecordType::Txt, DMARC);
        let dkim = known_record(
            "Z1",
            "now._domainkey.pivot.app",
            RecordType::Cname,
            "now.dkim.amazonses.com",
        );
        Spec {
            belongs_to: "identity.pivot.app".to_owned(),
            records: [("dmarc".to_owned(), dmarc), ("dkim 1 of 3".to_owned(), dkim)].into(),
        }
    }

    fn zone(claim: &str) -> Listing {
        let claim = format!("\"{claim}\"");
        let dmarc = format!("\"{DMARC}\"");
        let easy = |token: &'static str| (format!("{token}._domainkey.pivot.app."), token);
        let targets = ["now", "old", "claimed"].map(|it| format!("{it}.dkim.amazonses.com."));
        let names = ["now", "old", "claimed"].map(easy);
        Listing::of(&[
            ("_sesinfra.pivot.app.", RecordType::Txt, &[&claim]),
            ("_dmarc.pivot.app.", RecordType::Txt, &[&dmarc]),
            (&names[0].0, RecordType::Cname, &[&targets[0]]),
            (&names[1].0, RecordType::Cname, &[&targets[1]]),
            (&names[2].0, RecordType::Cname, &[&targets[2]]),
            ("s1._domainkey.pivot.app.", RecordType::Cname, &["s1.domainkey.sendgrid.net."]),
        ])
    }

    #[test]
    fn easy_dkim_records_that_no_claim_holds_are_left_over() {
        let listing = zone("sesinfra1 owner=0000aaaa1111 has=easy1:claimed");
        let standing = Standing::of("pivot.app", "Z1", MINE, &listing);
        let said = leftovers("pivot.app", &spec(), &standing, &listing).unwrap();
        assert!(said.contains("old._domainkey.pivot.app"), "{said}");
        for other in ["now.", "claimed.", "s1."] {
            assert!(!said.contains(&format!("{other}_domainkey")), "{said}");
        }
    }

    #[test]
    fn records_of_others_that_are_as_wanted_are_used() {
        let listing = zone("v=spf1 -all");
        let standing = Standing::of("pivot.app", "Z1", MINE, &listing);
        let said = used("pivot.app", &spec(), &standing).unwrap();
        assert!(said.contains("dkim 1 of 3, dmarc"), "{said}");
        assert!(said.contains("--adopt 'dns.pivot.app'"), "{said}");
        let ours = zone("sesinfra1 owner=3f2a91bc04de has=dmarc,easy1:now");
        let standing = Standing::of("pivot.app", "Z1", MINE, &ours);
        assert_eq!(used("pivot.app", &spec(), &standing), None);
    }
}
