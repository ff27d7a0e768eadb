//! Reading parts of a zone gives what reading all of it gives, in whichever of two orders its names are listed, and in no
//! more calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::kinds::dns::record::RecordType;

/// A zone with one or two texts at each of these names, in pages of `size` sets.
struct Toy {
    sets: Vec<ResourceRecordSet>,
    size: usize,
    by_label: bool,
    calls: AtomicUsize,
}

/// What a name is sorted by: its labels reversed, as one text or one by one.
fn order(name: &str, by_label: bool) -> (Vec<String>, String) {
    let name = name.trim_end_matches('.');
    let labels: Vec<String> = name.rsplit('.').map(ToOwned::to_owned).collect();
    let text = labels.join(".") + ".";
    if by_label { (labels, String::new()) } else { (Vec::new(), text) }
}

impl Toy {
    fn new(names: &BTreeMap<String, bool>, size: usize, by_label: bool) -> Self {
        let set = |name: &str, kind: RrType| {
            let record = aws_sdk_route53::types::ResourceRecord::builder().value("\"x\"");
            let set = ResourceRecordSet::builder().name(format!("{name}.")).r#type(kind).ttl(60);
            set.resource_records(record.build().unwrap()).build().unwrap()
        };
        let both = names.iter().flat_map(|(name, has_two)| {
            [RrType::Mx, RrType::Txt]
                .into_iter()
                .skip(usize::from(!has_two))
                .map(|kind| set(name, kind))
        });
        let mut sets: Vec<ResourceRecordSet> = both.collect();
        sets.sort_by_key(|set| (order(&set.name, by_label), set.r#type.as_str().to_owned()));
        Self { sets, size, by_label, calls: AtomicUsize::new(0) }
    }
}

#[async_trait]
impl Pages for Toy {
    async fn page(&self, start: Start) -> Result<ListResourceRecordSetsOutput, AwsError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let kind = start.kind.as_ref().map_or("", RrType::as_str);
        let from = start.name.map(|name| (order(&name, self.by_label), kind.to_owned()));
        let place = |set: &ResourceRecordSet| {
            (order(&set.name, self.by_label), set.r#type.as_str().to_owned())
        };
        let mut rest =
            self.sets.iter().filter(|set| from.as_ref().is_none_or(|from| place(set) >= *from));
        let page: Vec<ResourceRecordSet> = rest.by_ref().take(self.size).cloned().collect();
        let next = rest.next();
        let page = ListResourceRecordSetsOutput::builder()
            .set_resource_record_sets(Some(page))
            .is_truncated(next.is_some())
            .set_next_record_name(next.map(|set| set.name.clone()))
            .set_next_record_type(next.map(|set| set.r#type.clone()))
            .max_items(1);
        Ok(page.build().unwrap())
    }
}

/// Names of few labels that are close to one another, with what sorts before and after a dot.
fn name() -> impl Strategy<Value = String> {
    let label = prop::sample::select(vec!["a", "a-b", "a0", "_d", "_domainkey", "b", "z"]);
    prop::collection::vec(label, 1..4).prop_map(|labels| labels.join(".") + ".app")
}

fn parts() -> impl Strategy<Value = Parts> {
    let part = (name(), any::<bool>()).prop_map(|(name, is_tree)| match is_tree {
        true => Part::tree(&name),
        false => Part::name(&name),
    });
    prop::collection::vec(part, 1..8).prop_map(|all| {
        let mut parts = Parts::default();
        parts.extend(all);
        parts
    })
}

proptest! {
    #[test]
    fn parts_are_read_as_the_whole_is_in_no_more_calls(
        names in prop::collection::btree_map(name(), any::<bool>(), 0..60),
        missing in parts(),
        size in 1_usize..12,
        by_label in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let zone = Toy::new(&names, size, by_label);
        let whole = runtime.block_on(read(&zone, &Parts::all(), Listing::default())).unwrap();
        let pages = zone.calls.swap(0, Ordering::Relaxed);
        let part = runtime.block_on(read(&zone, &missing, Listing::default())).unwrap();
        let calls = zone.calls.load(Ordering::Relaxed);
        for kind in [RecordType::Mx, RecordType::Txt] {
            let within: BTreeSet<String> =
                whole.names(kind).filter(|name| missing.holds(&Key::of(name))).collect();
            prop_assert_eq!(&part.names(kind).collect::<BTreeSet<String>>(), &within);
            for name in &within {
                prop_assert_eq!(part.set(name, kind), whole.set(name, kind));
            }
        }
        let is_plain = names.keys().all(|name| !name.contains('-'));
        if is_plain && missing.outermost().all(|part| !part.start().name().contains('-')) {
            // Where both orders agree, no page is read twice.
            prop_assert!(calls <= pages, "{} calls for parts, {} pages", calls, pages);
        }
    }
}
