//! Which records go when a domain's records change, and what is said of those that do not.
//!
//! Invariant: what is said to stay is not counted among what goes: both are told from one sentence.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::record::{Known, RecordType, Spec};
use super::standing::known;

/// What is said of a record in our claim that is left although we no longer want it.
pub(super) fn stays(name: &str, kind: RecordType, why: &str) -> String {
    format!("{}: {why}", beginning(name, kind))
}

fn beginning(name: &str, kind: RecordType) -> String {
    format!("{name} {kind} is not removed")
}

/// What is no longer wanted of `from` where `to` is: records at names at which nothing is, in whatever zone.
pub(super) fn unwanted<'a>(from: Option<&'a Spec>, to: Option<&Spec>) -> Vec<Known<'a>> {
    let wanted: Vec<Known<'_>> = known(to).collect();
    let is_wanted = |record: &Known<'_>| {
        wanted.iter().any(|it| it.name == record.name && it.kind == record.kind)
    };
    known(from).filter(|record| !is_wanted(record)).collect()
}

/// The places (name and type) of the records that a planned change of a `dns` resource removes, by its specs and notes.
#[must_use]
pub fn removed(
    from: Option<&Value>,
    to: Option<&Value>,
    notes: &[String],
) -> BTreeSet<(String, RecordType)> {
    // A spec of another form belongs to another kind, which has no records.
    let spec = |value: Option<&Value>| value.and_then(|it| Spec::deserialize(it).ok());
    let (from, to) = (spec(from), spec(to));
    let is_left = |record: &Known<'_>| {
        let said = beginning(&record.name, record.kind);
        notes.iter().any(|note| note.starts_with(&said))
    };
    let going = unwanted(from.as_ref(), to.as_ref()).into_iter().filter(|it| !is_left(it));
    going.map(|record| (record.name, record.kind)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::record::known_record;
    use super::*;

    fn spec(names: &[(&str, RecordType)]) -> Value {
        let records = names.iter().enumerate().map(|(number, (name, kind))| {
            (format!("record {number}"), known_record("Z1", name, *kind, "value"))
        });
        let spec = Spec { belongs_to: "identity.a.app".to_owned(), records: records.collect() };
        serde_json::to_value(spec).unwrap()
    }

    #[test]
    fn what_is_still_wanted_or_said_to_stay_does_not_go() {
        let (dmarc, mx) = (("_dmarc.a.app", RecordType::Txt), ("mail.a.app", RecordType::Mx));
        let spf = ("mail.a.app", RecordType::Txt);
        let from = spec(&[dmarc, mx, spf]);
        let notes = [stays("_dmarc.a.app", RecordType::Txt, "another environment relies on it")];
        let going = |to: Option<&Value>, notes: &[String]| removed(Some(&from), to, notes);
        let places = |all: &[(&str, RecordType)]| {
            all.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect::<BTreeSet<_>>()
        };
        assert_eq!(going(None, &[]), places(&[dmarc, mx, spf]));
        assert_eq!(going(None, &notes), places(&[mx, spf]));
        assert_eq!(going(Some(&spec(&[mx])), &notes), places(&[spf]));
        assert_eq!(removed(None, Some(&from), &[]), places(&[]));
    }
}
