//! The DNS records that an environment needs: those that sesinfra publishes, and those that somebody else does.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::open::Opened;
use crate::blueprint::{ManualRecord, manual_records};
use crate::engine::{Action, Address, Arg, LiveValue, Plan};
use crate::kinds::dns::{self, RecordType};
use crate::kinds::identity::KEY_AT_HAND;
use crate::view::{Record, Verdict};

/// Outputs by the resource that has them.
type Known = BTreeMap<Address, Value>;

/// The records that somebody else publishes for what is in `plan` and was read, with what is known of them by now.
pub(super) fn planned_records(opened: &Opened, plan: &Plan) -> Vec<Record> {
    let is_planned = |record: &ManualRecord| {
        plan.change(&record.needed_by).is_some() && !plan.unread.contains(&record.needed_by)
    };
    let planned = || manual_records(&opened.environment, &opened.facts).filter(is_planned);
    // Counted first, since there may be tens of thousands.
    let mut records = Vec::with_capacity(planned().count());
    records.extend(planned().map(|record| by_others(&record, &plan.outputs)));
    records
}

fn by_others(record: &ManualRecord, known: &Known) -> Record {
    let owner = Arc::clone(&record.owner);
    let purpose = Cow::Borrowed(record.purpose);
    one(owner, purpose, record.kind, (&record.name, &record.value), known)
}

/// What this plan removes is not there for long, whatever the DNS says now.
pub(super) fn mark_going(records: &mut [Record], plan: &Plan) {
    let changes = plan.pending().filter(|change| change.address.kind() == "dns");
    let changes = changes.filter(|change| change.action != Action::Forget);
    let going: BTreeSet<(String, &str)> = changes
        .flat_map(|it| dns::removed(it.from.as_deref(), it.to.as_deref(), &it.notes))
        .map(|(name, kind)| (name, kind.as_str()))
        .collect();
    for record in records {
        let Some(name) = record.name.as_deref().map(dns::normal_name) else { continue };
        let may_be_there = matches!(record.verdict, Some(Verdict::Ok | Verdict::Unanswered(_)));
        if may_be_there && going.contains(&(name, &*record.kind)) {
            record.verdict = Some(Verdict::Going);
        }
    }
}

/// All records that the environment needs, whoever publishes them.
pub(super) fn all_records<'a>(
    opened: &Opened,
    live: impl Iterator<Item = &'a LiveValue>,
) -> Vec<Record> {
    let live: BTreeMap<&Address, &LiveValue> = live.map(|one| (&one.address, one)).collect();
    let known: Known =
        live.values().map(|one| (one.address.clone(), one.outputs.clone())).collect();
    let resources = opened.blueprint.graph.in_order().filter(|it| it.address.kind() == "dns");
    let published = resources.flat_map(|resource| {
        let records = dns::Spec::deserialize(&*resource.spec).unwrap_or_default().records;
        let owner: Arc<str> = resource.address.name().into();
        let published = live.get(&resource.address);
        let published = published.and_then(|one| dns::Spec::deserialize(&*one.spec).ok());
        let published = published.unwrap_or_default().records;
        let records = records.iter().map(|(label, record)| {
            // Where the key is not at hand, what is published is all that can be told of it.
            let published = published.get(label).filter(|_| is_of_key(&record.value));
            let value = published.map_or(&record.value, |it| &it.value);
            one(
                Arc::clone(&owner),
                label.clone().into(),
                record.kind,
                (&record.name, value),
                &known,
            )
        });
        records.collect::<Vec<_>>()
    });
    let manual = manual_records(&opened.environment, &opened.facts);
    published.chain(manual.map(|record| by_others(&record, &known))).collect()
}

fn one(
    owner: Arc<str>,
    purpose: Cow<'static, str>,
    kind: RecordType,
    (name, value): (&Arg<String>, &Arg<String>),
    known: &Known,
) -> Record {
    let is_key = is_of_key(value);
    let (name, value) = (resolved(name, known), resolved(value, known));
    Record {
        owner,
        purpose,
        kind: kind.as_str().into(),
        // No identity tells the key that signs for it: nothing makes it known.
        known_after: name.as_ref().and(value.as_ref()).err().filter(|_| !is_key).cloned(),
        name: name.ok(),
        value: value.ok(),
        verdict: None,
    }
}

/// Whether it takes a private key that is not at hand.
fn is_of_key(value: &Arg<String>) -> bool {
    matches!(value, Arg::Output { path, .. } if path == KEY_AT_HAND.path())
}

/// A value, or the resource that makes it known.
fn resolved(arg: &Arg<String>, known: &Known) -> Result<String, Address> {
    let (address, path) = match arg {
        Arg::Known(value) => return Ok(value.clone()),
        Arg::Output { address, path } => (address, path),
    };
    let output = known.get(address).and_then(|outputs| outputs.get(path));
    output.and_then(Value::as_str).map(ToOwned::to_owned).ok_or_else(|| address.clone())
}
