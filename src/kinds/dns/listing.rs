//! The record sets of a zone, as far as they were read, in the order in which Route 53 has them.
//!
//! Invariant: what is asked of a listing was read before. A name that was not is no answer, which debug builds check.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{RecordType, normal_name, normal_value};

/// A name with its labels reversed and a dot at the end (`app.pivot.mail.`), so that all names below one are together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(String);

impl Key {
    /// That of a name in normal form.
    pub(super) fn of(name: &str) -> Self {
        let mut key = String::with_capacity(name.len() + 1);
        for label in name.rsplit('.') {
            key.push_str(label);
            key.push('.');
        }
        Self(key)
    }

    /// The name.
    pub(super) fn name(&self) -> String {
        let labels: Vec<&str> = self.0.trim_end_matches('.').rsplit('.').collect();
        labels.join(".")
    }

    /// Whether it is below `other`, or that itself.
    fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Whether Route 53 lists it before `other`. It is documented that names are compared with their labels reversed, dots
    /// included; if it compared label by label, `a-b` and `a` would change places. So both must say so.
    fn is_before(&self, other: &Self) -> bool {
        self.0 < other.0 && self.0.split('.').lt(other.0.split('.'))
    }

    /// Itself and the keys of all names above it, the closest first.
    fn lineage(&self) -> impl Iterator<Item = Self> {
        let ends = self.0.match_indices('.').map(|(at, _)| at + 1);
        let ends: Vec<usize> = ends.collect();
        ends.into_iter().rev().map(|end| Self(self.0[..end].to_owned()))
    }
}

/// A part of a zone that is to be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    key: Key,
    /// Whether all names below belong to it.
    is_tree: bool,
}

impl Part {
    /// One name, in normal form.
    pub(super) fn name(name: &str) -> Self {
        Self { key: Key::of(name), is_tree: false }
    }

    /// A name in normal form, and all below it.
    pub(super) fn tree(name: &str) -> Self {
        Self { key: Key::of(name), is_tree: true }
    }

    /// Where it begins.
    pub(super) const fn start(&self) -> &Key {
        &self.key
    }

    /// Whether all of it is listed before `next`.
    pub(super) fn is_before(&self, next: &Key) -> bool {
        self.key.is_before(next) && !(self.is_tree && next.is_within(&self.key))
    }

    /// Whether all of it is listed after `start`.
    pub(super) fn is_after(&self, start: &Key) -> bool {
        start.is_before(&self.key)
    }
}

/// Parts of a zone, or all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    is_all: bool,
    parts: BTreeSet<Part>,
}

impl Parts {
    /// The whole zone.
    pub(super) const fn all() -> Self {
        Self { is_all: true, parts: BTreeSet::new() }
    }

    /// Whether it is the whole zone.
    pub(super) const fn is_all(&self) -> bool {
        self.is_all
    }

    /// These as well.
    pub(super) fn extend(&mut self, parts: impl IntoIterator<Item = Part>) {
        if !self.is_all {
            self.parts.extend(parts);
        }
    }

    /// Those of `other` as well.
    pub(super) fn add(&mut self, other: &Self) {
        if other.is_all {
            *self = Self::all();
        }
        self.extend(other.parts.iter().cloned());
    }

    /// The parts that lie within no other, in the order of their names.
    pub(super) fn outermost(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| {
            let around = |key| self.parts.contains(&Part { key, is_tree: true });
            let mut above = part.key.lineage().skip(usize::from(part.is_tree));
            !above.any(around)
        })
    }

    /// Those that `seen` does not have; all, if everything is asked for.
    pub(super) fn without(&self, seen: &Self) -> Self {
        if self.is_all || seen.is_all {
            return if seen.is_all { Self::default() } else { self.clone() };
        }
        let missing = self.parts.iter().filter(|part| !seen.has(part));
        Self { is_all: false, parts: missing.cloned().collect() }
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_all && self.parts.is_empty()
    }

    /// Whether the name belongs to it.
    pub(super) fn holds(&self, key: &Key) -> bool {
        self.has(&Part { key: key.clone(), is_tree: false })
    }

    fn has(&self, part: &Part) -> bool {
        let around = |key| self.parts.contains(&Part { key, is_tree: true });
        self.is_all || self.parts.contains(part) || part.key.lineage().any(around)
    }
}

/// All values of one name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecordSet {
    /// How long resolvers may remember it; an alias of Route 53's own has none.
    pub(super) ttl: Option<i64>,
    /// The values as Route 53 gave them, which a delete must repeat.
    pub(super) values: Vec<String>,
    /// Whether it is one plain set, without routing policy, health check or alias target.
    pub(super) is_plain: bool,
}

/// A name, and a type as Route 53 writes it.
type Place = (Key, String);

/// The record sets of a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    sets: BTreeMap<Place, RecordSet>,
    /// What of the zone was read.
    seen: Parts,
}

impl Listing {
    /// What of the zone was read.
    pub(super) const fn seen(&self) -> &Parts {
        &self.seen
    }

    /// From now on `parts` count as read, and nothing stands in them but what is added.
    pub(super) fn see(&mut self, parts: &Parts) {
        if parts.is_all {
            *self = Self { sets: BTreeMap::new(), seen: Parts::all() };
            return;
        }
        for part in &parts.parts {
            let in_part = |key: &Key| match part.is_tree {
                true => key.is_within(&part.key),
                false => *key == part.key,
            };
            let from = self.sets.range((part.key.clone(), String::new())..);
            let places = from.map(|(place, _)| place).take_while(|(key, _)| in_part(key));
            let gone: Vec<Place> = places.cloned().collect();
            for place in gone {
                self.sets.remove(&place);
            }
        }
        self.seen.extend(parts.parts.iter().cloned());
    }

    /// Adds a set as Route 53 gives it.
    pub(super) fn add(&mut self, name: &str, kind: &str, set: RecordSet) {
        let place = (Key::of(&normal_name(name)), kind.to_owned());
        // Several sets of one name and type differ in their routing policy.
        self.sets.entry(place).and_modify(|set| set.is_plain = false).or_insert(set);
    }

    /// Puts another set in the place of the one that is there, or none.
    pub(super) fn replace(&mut self, name: &str, kind: RecordType, set: Option<RecordSet>) {
        let place = (Key::of(name), kind.as_str().to_owned());
        match set {
            Some(set) => self.sets.insert(place, set),
            None => self.sets.remove(&place),
        };
    }

    /// The set of this name and type.
    pub(super) fn set(&self, name: &str, kind: RecordType) -> Option<&RecordSet> {
        self.sets.get(&(self.key(name), kind.as_str().to_owned()))
    }

    /// The values of this name and type in normal form.
    pub(super) fn values(&self, name: &str, kind: RecordType) -> Vec<String> {
        let set = self.set(name, kind).into_iter();
        set.flat_map(|set| &set.values).map(|value| normal_value(kind, value)).collect()
    }

    /// The types that stand at `name`.
    pub(super) fn types_at(&self, name: &str) -> impl Iterator<Item = &str> {
        let key = self.key(name);
        let from = self.sets.range((key.clone(), String::new())..);
        from.take_while(move |((at, _), _)| *at == key).map(|((_, kind), _)| kind.as_str())
    }

    /// All names that were read and have a set of this type.
    pub(super) fn names(&self, kind: RecordType) -> impl Iterator<Item = String> {
        let of_kind = self.sets.keys().filter(move |(_, of)| of == kind.as_str());
        of_kind.map(|(key, _)| key.name())
    }

    /// Those of them that are `name` or below it.
    pub(super) fn names_below(&self, name: &str, kind: RecordType) -> impl Iterator<Item = String> {
        let top = Key::of(name);
        debug_assert!(self.seen.has(&Part::tree(name)), "{name} is asked for, and was not read");
        let below = self.sets.range((top.clone(), String::new())..).map(|(place, _)| place);
        let below = below.take_while(move |(key, _)| key.is_within(&top));
        below.filter(move |(_, of)| of == kind.as_str()).map(|(key, _)| key.name())
    }

    fn key(&self, name: &str) -> Key {
        let key = Key::of(name);
        debug_assert!(self.seen.holds(&key), "{name} is asked for, and was not read");
        key
    }

    #[cfg(test)]
    pub(super) fn of(sets: &[(&str, RecordType, &[&str])]) -> Self {
        let mut listing = Self { sets: BTreeMap::new(), seen: Parts::all() };
        for (name, kind, values) in sets {
            let values = values.iter().map(ToString::to_string).collect();
            let set = RecordSet { ttl: Some(super::record::TTL_SECONDS), values, is_plain: true };
            listing.add(name, kind.as_str(), set);
        }
        listing
    }

    /// The same with another time to live everywhere.
    #[cfg(test)]
    pub(super) fn lasting(mut self, seconds: i64) -> Self {
        for set in self.sets.values_mut() {
            set.ttl = Some(seconds);
        }
        self
    }
}

#[cfg(test)]
mod tests;
