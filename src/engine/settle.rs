//! Reading a family back after its last step: it must be as wanted, and only then is it marked as settled.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use super::{Address, BoxError, Family, Field, Marks, Ownership, Registry, World, difference};

/// A write was accepted, and reading does not show it.
#[derive(Debug, thiserror::Error)]
#[error("{address} was written, but reading it back shows something else{}", list(.fields))]
pub(super) struct NotConverged {
    address: Address,
    fields: Vec<Field>,
}

/// The marks of a root name children that this run neither found nor announced.
#[derive(Debug, thiserror::Error)]
#[error("another run announced {} under {root} meanwhile; run again once it has ended", .children.iter().cloned().collect::<Vec<_>>().join(", "))]
struct Contested {
    root: Address,
    children: BTreeSet<String>,
}

fn list(fields: &[Field]) -> String {
    let shown = |value: &Option<Value>| {
        value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string)
    };
    let lines = fields.iter().map(|field| {
        format!("\n  {}: wanted {}, found {}", field.path, shown(&field.to), shown(&field.from))
    });
    lines.collect()
}

/// A family with its members as they are to be found.
pub(super) struct Reread<'a> {
    pub family: &'a Family,
    pub members: BTreeMap<Address, Expected<'a>>,
}

/// How a member is to be found.
pub(super) struct Expected<'a> {
    /// Its spec; `None` for one that is to be gone.
    pub spec: Option<Arc<Value>>,
    /// Paths that others may have changed meanwhile.
    pub ignore: &'a BTreeSet<String>,
}

/// What reading a family back showed.
pub(super) enum ReadBack {
    /// It is as wanted, and its marks name these children.
    AsWanted(BTreeSet<String>),
    /// A write does not show, or not yet.
    Behind(NotConverged),
    Unreadable(BoxError),
}

/// Families on their way from being read back to being marked.
#[derive(Default)]
pub(super) struct Settling<'a> {
    /// Whether families are being read back: others are then only once this is done, so that they share listings.
    pub is_reading: bool,
    /// Found as wanted, with the children that their marks name.
    to_mark: VecDeque<(&'a Family, BTreeSet<String>)>,
    marking: usize,
    /// How often each family was found behind, and how many wait before they are read again.
    behind: BTreeMap<&'a Address, u32>,
    waiting: usize,
}

impl<'a> Settling<'a> {
    /// Whether anything is begun and not ended.
    pub(super) fn is_busy(&self) -> bool {
        self.is_reading || !self.to_mark.is_empty() || self.marking > 0 || self.waiting > 0
    }

    /// Whether one of `families` was read back before and not found as wanted. What was remembered of it is out of date.
    pub(super) fn was_behind(&self, families: &[&'a Family]) -> bool {
        families.iter().any(|family| self.behind.contains_key(&family.root))
    }

    pub(super) fn found_as_wanted(&mut self, family: &'a Family, marked: BTreeSet<String>) {
        self.to_mark.push_back((family, marked));
    }

    /// How often the family was found so by now.
    pub(super) fn found_behind(&mut self, family: &'a Family) -> u32 {
        self.waiting += 1;
        let times = self.behind.entry(&family.root).or_default();
        *times += 1;
        *times
    }

    /// One that was behind has waited.
    pub(super) const fn waited(&mut self) {
        self.waiting -= 1;
    }

    /// The next family to mark, as long as fewer than `most` are being marked.
    pub(super) fn next_to_mark(&mut self, most: usize) -> Option<(&'a Family, BTreeSet<String>)> {
        let next = self.to_mark.pop_front_if(|_| self.marking < most)?;
        self.marking += 1;
        Some(next)
    }

    /// One is marked, or could not be.
    pub(super) const fn marked(&mut self) {
        self.marking -= 1;
    }
}

/// Reads back all members of the families, in one pass.
///
/// A kind remembers nothing from before a write of its own, so the first read after the last write of a family shows what
/// the service says. What another family's read showed after that write is as good.
pub(super) async fn read_back<'a>(
    batch: Vec<Reread<'a>>,
    registry: &Registry,
) -> Vec<(&'a Family, ReadBack)> {
    let members = batch.iter().flat_map(|reread| &reread.members);
    let wanted =
        members.map(|(address, expected)| (address.clone(), expected.spec.clone())).collect();
    let world = match World::read_named(registry, wanted).await {
        Ok(world) => world,
        Err(error) => return all_unreadable(batch, error.as_ref()),
    };
    let found = batch.into_iter().map(|Reread { family, members }| {
        let behind = members.iter().find_map(|member| deviation(registry, &world, member));
        let marked = || world.get(&family.root).map(|live| live.marks.children.clone());
        let found = behind
            .map_or_else(|| ReadBack::AsWanted(marked().unwrap_or_default()), ReadBack::Behind);
        (family, found)
    });
    found.collect()
}

fn all_unreadable<'a>(
    batch: Vec<Reread<'a>>,
    error: &(dyn std::error::Error + 'static),
) -> Vec<(&'a Family, ReadBack)> {
    let message = super::report::chain(error);
    let failed = batch.into_iter().map(|Reread { family, .. }| {
        let error = format!("cannot read {} back: {message}", family.root);
        (family, ReadBack::Unreadable(error.into()))
    });
    failed.collect()
}

fn deviation(
    registry: &Registry,
    world: &World,
    (address, expected): (&Address, &Expected<'_>),
) -> Option<NotConverged> {
    let live = world.get(address).filter(|live| live.ownership == Ownership::Ours);
    let write_only = registry.get(address.kind()).map_or(&[][..], |kind| kind.write_only());
    let of_others = expected.ignore.iter().map(String::as_str);
    let ignored: Vec<&str> = write_only.iter().copied().chain(of_others).collect();
    let wanted = &expected.spec;
    let fields = difference(live.map(|live| &*live.spec), wanted.as_deref(), &ignored);
    let exists_wrongly = live.is_some() != wanted.is_some();
    (exists_wrongly || !fields.is_empty())
        .then(|| NotConverged { address: address.clone(), fields })
}

/// Marks a family that is as wanted. What another run announced meanwhile stays named, or its children would be nobody's:
/// `marked` is what the marks named when the family was read back.
pub(super) async fn mark(
    registry: &Registry,
    family: &Family,
    marked: &BTreeSet<String>,
) -> Result<(), BoxError> {
    let Some(digest) = family.digest.clone() else { return Ok(()) };
    let Some(kind) = registry.get(family.root.kind()) else { return Ok(()) };
    let of_others = marked - &family.children_meanwhile;
    let children = &family.children_afterwards | &of_others;
    let marks = Marks { children, digest: of_others.is_empty().then_some(digest) };
    kind.mark(family.root.name(), &marks).await?;
    if of_others.is_empty() {
        Ok(())
    } else {
        Err(Contested { root: family.root.clone(), children: of_others }.into())
    }
}
