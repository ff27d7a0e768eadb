//! What an environment implies, in words of e-mail: which resources, with which settings, in which order.
//!
//! Invariant: pure. An [`Environment`] and [`Facts`] go in, a graph comes out; no call, no file, no clock.

mod account;
mod alarms;
mod dmarc;
mod domains;
#[cfg(test)]
mod drawn;
mod events;
mod ignored;
mod messaging;
mod permissions;
mod records;
mod senders;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::aws::Facts;
use crate::engine::{Address, Graph, PROTECTED, Pool, Resource};
use crate::environment::names::IdentityName;
use crate::environment::{Environment, Finding, Severity};

pub use permissions::permissions;
pub use records::{ManualRecord, RecordType, manual_records};

/// What to do about a finding that no file should be able to bring about.
const OUR_FAULT: &str = "please report this: it is a fault of sesinfra's, not of the file";

/// Everything that an environment implies.
#[derive(Clone, Debug)]
pub struct Blueprint {
    /// The resources.
    pub graph: Graph,
    /// What may not be meant. Errors give no blueprint.
    pub findings: Vec<Finding>,
    /// Roots of which the file says, each by itself, whether they are protected.
    pub protection: BTreeMap<Address, bool>,
}

/// What the parts of a blueprint write into.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    resources: Vec<Resource>,
    /// Where each of them is among those.
    places: BTreeMap<Address, usize>,
    children: BTreeMap<Address, Vec<Address>>,
    findings: Vec<Finding>,
    /// Who needs which records, see [`Draft::records_of`].
    records: BTreeMap<Address, BTreeSet<Address>>,
    protection: BTreeMap<Address, bool>,
    specs: Pool,
}

impl Draft {
    /// Adds a resource.
    pub(crate) fn add(&mut self, resource: Resource) {
        self.places.insert(resource.address.clone(), self.resources.len());
        if let Some(parent) = &resource.parent {
            self.children.entry(parent.clone()).or_default().push(resource.address.clone());
        }
        self.resources.push(resource);
    }

    /// A resource with a typed spec, to be completed and given to [`Draft::add`]. `None` with a finding, should the
    /// spec have no JSON form.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers make the address for this and nothing else"
    )]
    pub(crate) fn resource<S: Serialize>(
        &mut self,
        address: Address,
        spec: &S,
    ) -> Option<Resource> {
        match Resource::new(address.clone(), spec) {
            Ok(resource) => Some(resource.pooled(&mut self.specs)),
            Err(error) => {
                let finding =
                    Finding::error("internal", format!("{address} has no JSON form: {error}"));
                self.find(finding.helped(OUR_FAULT));
                None
            }
        }
    }

    /// The same with what the file says of its protection, which its marks say too, should the file forget it.
    pub(crate) fn protected(&mut self, root: Resource, protect: Option<bool>) -> Resource {
        let Some(protect) = protect else { return root };
        self.protection.insert(root.address.clone(), protect);
        if protect { root.known_as(PROTECTED) } else { root }
    }

    /// Adds a finding.
    pub(crate) fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Remembers that `user` needs records that the resource `records` publishes.
    pub(crate) fn needs_records(&mut self, user: &Address, records: Address) {
        self.records.entry(user.clone()).or_default().insert(records);
    }

    /// The resources that publish the records that `user` needs; none where somebody else publishes them.
    pub(crate) fn records_of(&self, user: &Address) -> BTreeSet<Address> {
        self.records.get(user).cloned().unwrap_or_default()
    }

    /// The resources of one kind that were added already.
    pub(crate) fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Resource> {
        let from = self.places.range(Address::new(kind, "")..);
        let of_kind = from.take_while(move |(address, _)| address.kind() == kind);
        of_kind.filter_map(|(_, place)| self.resources.get(*place))
    }

    /// The children of `parent` that were added already.
    pub(crate) fn children_of(&self, parent: &Address) -> impl Iterator<Item = &Address> {
        self.children.get(parent).into_iter().flatten()
    }

    /// Whether a resource of this address was added already.
    pub(crate) fn has(&self, address: &Address) -> bool {
        self.places.contains_key(address)
    }
}

/// Draws up everything that `environment` implies in the account that `facts` tell of.
pub fn blueprint(environment: &Environment, facts: &Facts) -> Result<Blueprint, Vec<Finding>> {
    let mut draft = Draft::default();
    // What something may have to come after is drawn up before it: records before what relies on them, subscriptions
    // before what publishes to them, sets and senders before the identities whose default a set is.
    records::records(environment, facts, &mut draft);
    account::account(environment, &mut draft);
    messaging::messaging(environment, facts, &mut draft);
    alarms::alarms(environment, facts, &mut draft);
    events::events(environment, facts, &mut draft);
    senders::senders(environment, facts, &mut draft);
    domains::domains(environment, facts, &mut draft);
    let Draft { resources, mut findings, protection, .. } = draft;
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    let mut ignored = ignored::ignored(environment, facts);
    let resources = resources.into_iter().map(|resource| {
        let paths = ignored.remove(&resource.address).unwrap_or_default();
        resource.ignoring(paths)
    });
    let graph = Graph::new(resources.collect::<Vec<_>>());
    match graph {
        // What is left is not declared at all: then whatever is there is left alone.
        Ok(graph) => {
            let graph = graph.leaving(ignored.into_keys());
            Ok(Blueprint { graph, findings, protection })
        }
        Err(error) => {
            findings.push(Finding::error("order", error.to_string()).helped(OUR_FAULT));
            Err(findings)
        }
    }
}

/// The address of an identity.
pub(crate) fn identity_address(name: &IdentityName) -> Address {
    Address::new("identity", name.to_string())
}
