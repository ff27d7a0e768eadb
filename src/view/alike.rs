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
    // Each shape is held once, under a number: where thousands are alike, their text is that of one.
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut counts: Vec<usize> = Vec::new();
    let numbered = groups.iter().map(|group| {
        let number = *numbers.entry(shape(group)).or_insert(counts.len());
        match counts.get_mut(number) {
            Some(count) => *count += 1,
            None => counts.push(1),
        }
        number
    });
    let shapes: Vec<usize> = numbered.collect();
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    let mut all: Vec<Alike<'a>> = Vec::new();
    for (group, shape) in groups.into_iter().zip(shapes) {
        let is_of_many = counts.get(shape).is_some_and(|count| *count >= MANY);
        let place = places.get(&shape).filter(|_| is_of_many);
        if let Some(alike) = place.and_then(|place| all.get_mut(*place)) {
            alike.others.push(group);
        } else {
            places.insert(shape, all.len());
            all.push(Alike { first: group, others: Vec::new() });
        }
    }
    all
}
