//! Changes of many resources that read alike: the first is shown in full, the others by their addresses alone.
//!
//! Invariant: nothing is left out. What is alike reads the same but for the name of its root and, where it is deleted, for
//! the values that are lost.

use std::collections::BTreeMap;

use super::groups::Group;

/// So many at least, or each is shown in full.
const MANY: usize = 10;

/// What is shown in full, and what is like it.
pub(super) struct Alike<'a> {
    pub(super) first: Group<'a>,
    pub(super) others: Vec<Group<'a>>,
}

/// Puts together what has one shape, where the first of them stands.
pub(super) fn alike<'a>(
    groups: Vec<Group<'a>>,
    shape: impl Fn(&Group<'a>) -> String,
) -> Vec<Alike<'a>> {
    let shapes: Vec<String> = groups.iter().map(&shape).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for shape in &shapes {
        *counts.entry(shape).or_default() += 1;
    }
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all: Vec<Alike<'a>> = Vec::new();
    for (group, shape) in groups.into_iter().zip(&shapes) {
        let is_of_many = counts.get(shape.as_str()).is_some_and(|count| *count >= MANY);
        let place = places.get(shape.as_str()).filter(|_| is_of_many);
        if let Some(alike) = place.and_then(|place| all.get_mut(*place)) {
            alike.others.push(group);
        } else {
            places.insert(shape, all.len());
            all.push(Alike { first: group, others: Vec::new() });
        }
    }
    all
}
