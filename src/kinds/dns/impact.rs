//! What changing the records of a domain does to mail.

use std::collections::BTreeMap;

use super::record::{Known, RecordType, Spec};
use super::standing::known;
use crate::engine::{Impact, Severity};

/// Before the names under which keys stand.
const KEY: &str = "._domainkey.";
/// What the names of DMARC records begin with.
const DMARC: &str = "_dmarc.";

/// What it does to mail when the records that stand as `from` become `to`.
pub(super) fn of(from: Option<&Spec>, to: Option<&Spec>) -> Impact {
    let Some(from) = from else { return Impact::safe() };
    let Some(to) = to else { return of_deleting(from) };
    let (old, new): (Vec<_>, Vec<_>) = (known(Some(from)).collect(), known(Some(to)).collect());
    let moved = old.iter().find_map(|record| {
        let elsewhere = |it: &&Known<'_>| it.name == record.name && it.kind == record.kind;
        new.iter().find(elsewhere).filter(|it| it.zone != record.zone)
    });
    if let Some(record) = moved {
        return Impact::new(
            Severity::StopsMail,
            format!(
                "the records move to the zone {}: the domain must be delegated to that zone first",
                record.zone
            ),
        );
    }
    let losses: Vec<String> = [of_keys(&old, &new), of_dmarc(&old, &new), of_links(from, to, &new)]
        .into_iter()
        .flatten()
        .collect();
    if losses.is_empty() {
        Impact::safe()
    } else {
        Impact::new(Severity::Degrades, losses.join("; "))
    }
}

/// A key of one's own that another takes the place of. An alias leads to keys of SES, which keeps the old ones for as long
/// as mail under way needs them; what is under a name of its own goes only after SES signs with the new.
fn of_keys(old: &[Known<'_>], new: &[Known<'_>]) -> Option<String> {
    let is_key = |record: &&Known<'_>| record.kind == RecordType::Txt && record.name.contains(KEY);
    let replaced = old
        .iter()
        .filter(is_key)
        .any(|was| new.iter().any(|it| it.is_at(was) && it.value != was.value));
    replaced.then(|| {
        "mail under way that was signed with the old key can no longer be verified: a new selector avoids that".to_owned()
    })
}

fn of_dmarc(old: &[Known<'_>], new: &[Known<'_>]) -> Option<String> {
    let text = |records: &[Known<'_>]| {
        let record = records.iter().find(|record| record.name.starts_with(DMARC));
        record.map(|record| record.value.clone())
    };
    match (text(old), text(new)) {
        (Some(old), None) => {
            let policy = Dmarc::of(&old).policy;
            Some(format!(
                "the domain has no DMARC policy any more ({policy} so far): receivers let mail through that others forge in its name, and nobody gets reports"
            ))
        }
        (Some(old), Some(new)) if old != new => Dmarc::of(&old).becoming(&Dmarc::of(&new)),
        (None, Some(new)) => Dmarc::default().becoming(&Dmarc::of(&new)),
        _ => None,
    }
}

fn of_links(from: &Spec, to: &Spec, new: &[Known<'_>]) -> Option<String> {
    let record = from.records.iter().find(|(label, _)| label.starts_with("tracking"));
    let was = record.and_then(|(_, record)| record.known().ok())?;
    let stays = to.records.values().any(|record| record.known().is_err())
        || new.iter().any(|it| it.is_at(&was));
    (!stays)
        .then(|| format!("tracked links in mail already sent lead to {}, and nowhere", was.name))
}

/// What a DMARC record asks of receivers, as far as it makes a difference to mail.
#[derive(Debug, Default, PartialEq, Eq)]
struct Dmarc {
    policy: Strength,
    subdomains: Strength,
    reports: String,
}

/// From weak to strong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    #[default]
    None,
    Quarantine,
    Reject,
}

impl std::fmt::Display for Strength {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        })
    }
}

impl Strength {
    fn of(word: &str) -> Self {
        match word {
            "quarantine" => Self::Quarantine,
            "reject" => Self::Reject,
            _ => Self::None,
        }
    }

    /// Under test a policy counts one step less (RFC 9989, tag `t`).
    const fn weaker(self) -> Self {
        match self {
            Self::Reject => Self::Quarantine,
            Self::Quarantine | Self::None => Self::None,
        }
    }
}

impl Dmarc {
    fn of(text: &str) -> Self {
        let tags: BTreeMap<String, String> = text
            .split(';')
            .filter_map(|tag| tag.split_once('='))
            .map(|(name, value)| {
                (name.trim().to_ascii_lowercase(), value.trim().to_ascii_lowercase())
            })
            .collect();
        let tag = |name: &str| tags.get(name).map_or("", String::as_str);
        let policy = Strength::of(tag("p"));
        let subdomains = tags.get("sp").map_or(policy, |word| Strength::of(word));
        let counted =
            |strength: Strength| if tag("t") == "y" { strength.weaker() } else { strength };
        Self {
            policy: counted(policy),
            subdomains: counted(subdomains),
            reports: tag("rua").to_owned(),
        }
    }

    fn becoming(&self, new: &Self) -> Option<String> {
        let parts =
            [("", self.policy, new.policy), (" for subdomains", self.subdomains, new.subdomains)];
        if let Some((whose, old, new)) = parts.into_iter().find(|(_, old, new)| new < old) {
            return Some(format!(
                "DMARC is loosened from {old} to {new}{whose}: receivers let more mail through that others forge in the domain's name"
            ));
        }
        if let Some((whose, old, new)) = parts.into_iter().find(|(_, old, new)| new > old) {
            return Some(format!(
                "DMARC is tightened from {old} to {new}{whose}: receivers no longer take mail of the domain that is neither signed nor aligned, whoever sends it"
            ));
        }
        (!self.reports.is_empty() && self.reports != new.reports)
            .then(|| format!("DMARC reports go to another place than {}", self.reports))
    }
}

fn of_deleting(from: &Spec) -> Impact {
    let signed = known(Some(from))
        .find_map(|record| record.name.split_once(KEY).map(|(_, domain)| domain.to_owned()));
    if let Some(domain) = signed {
        return Impact::new(
            Severity::StopsMail,
            format!(
                "removes the DKIM records in use: {domain} is no longer verified, and its mail fails DMARC"
            ),
        );
    }
    if from.records.contains_key("tracking") {
        Impact::new(Severity::Degrades, "tracked links in mail already sent lead nowhere")
    } else if from.records.is_empty() {
        Impact::safe()
    } else {
        Impact::new(
            Severity::Degrades,
            "mail of the domain loses SPF alignment or its DMARC policy",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Record;
    use super::*;
    use crate::engine::Arg;

    fn record(zone: &str, name: &str, kind: RecordType, value: &str) -> Record {
        Record::declared(zone, Arg::Known(name.to_owned()), kind, Arg::Known(value.to_owned()))
    }

    fn spec(records: &[(&str, Record)]) -> Spec {
        let records = records.iter().map(|(label, record)| ((*label).to_owned(), record.clone()));
        Spec { belongs_to: "identity.a.app".to_owned(), records: records.collect() }
    }

    fn dmarc(text: &str) -> Spec {
        spec(&[("dmarc", record("Z1", "_dmarc.a.app", RecordType::Txt, text))])
    }

    fn key(zone: &str, selector: &str, value: &str) -> Spec {
        let name = format!("{selector}._domainkey.a.app");
        spec(&[("dkim", record(zone, &name, RecordType::Txt, value))])
    }

    fn reason(from: &Spec, to: &Spec) -> String {
        let impact = of(Some(from), Some(to));
        assert_eq!(impact.severity == Severity::Safe, impact.reason.is_empty());
        impact.reason
    }

    #[test]
    fn dmarc_that_is_loosened_or_goes_is_said_and_so_is_one_that_is_tightened() {
        let (none, quarantine, reject) = (
            dmarc("v=DMARC1; p=none"),
            dmarc("v=DMARC1; p=quarantine"),
            dmarc("v=DMARC1; p=reject"),
        );
        assert!(reason(&reject, &none).starts_with("DMARC is loosened from reject to none:"));
        assert!(reason(&quarantine, &reject).starts_with("DMARC is tightened"));
        assert!(
            reason(&reject, &spec(&[]))
                .starts_with("the domain has no DMARC policy any more (reject")
        );
        assert!(reason(&spec(&[]), &reject).starts_with("DMARC is tightened from none to reject"));
        assert_eq!(reason(&spec(&[]), &none), "");
        assert_eq!(reason(&none, &none), "");
        let open = dmarc("v=DMARC1; p=reject; sp=none");
        assert!(reason(&reject, &open).contains("from reject to none for subdomains"));
        let tried = dmarc("v=DMARC1; p=reject; t=y");
        assert!(reason(&reject, &tried).contains("from reject to quarantine"));
    }

    #[test]
    fn reports_that_go_elsewhere_are_said() {
        let to = |address: &str| dmarc(&format!("v=DMARC1; p=none; rua=mailto:{address}"));
        assert!(reason(&to("a@a.app"), &to("b@a.app")).contains("mailto:a@a.app"));
        assert_eq!(reason(&dmarc("v=DMARC1; p=none"), &to("a@a.app")), "");
    }

    #[test]
    fn a_key_under_its_old_name_breaks_mail_under_way_and_one_under_a_new_name_does_not() {
        assert!(
            reason(&key("Z1", "s1", "p=A"), &key("Z1", "s1", "p=B")).contains("a new selector")
        );
        assert_eq!(reason(&key("Z1", "s1", "p=A"), &key("Z1", "s2", "p=B")), "");
        let alias = |target: &str| {
            spec(&[("dkim 1 of 3", record("Z1", "t._domainkey.a.app", RecordType::Cname, target))])
        };
        assert_eq!(reason(&alias("somewhere.example"), &alias("t.dkim.amazonses.com")), "");
    }

    #[test]
    fn records_that_move_to_another_zone_may_be_looked_for_in_vain() {
        let impact = of(Some(&key("Z1", "s1", "p=A")), Some(&key("Z2", "s1", "p=A")));
        assert_eq!(impact.severity, Severity::StopsMail);
    }

    #[test]
    fn what_goes_is_said_by_what_it_was_for() {
        let gone = |from: &Spec| of(Some(from), None);
        let keys = gone(&key("Z1", "s1", "p=A"));
        assert_eq!(keys.severity, Severity::StopsMail);
        assert!(keys.reason.contains("a.app is no longer verified"), "{keys:?}");
        let link = record("Z1", "click.a.app", RecordType::Cname, "r.us-east-1.awstrack.me");
        let links = spec(&[("tracking", link)]);
        assert!(gone(&links).reason.contains("tracked links"));
        assert!(reason(&links, &spec(&[])).contains("click.a.app"));
        assert_eq!(gone(&dmarc("v=DMARC1; p=none")).severity, Severity::Degrades);
        assert_eq!(gone(&spec(&[])), Impact::safe());
        assert_eq!(of(None, Some(&links)), Impact::safe());
    }
}
