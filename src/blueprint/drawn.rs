//! For tests: what the text of an environment file implies, drawn up as a run would, without a cloud.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Blueprint, blueprint};
use crate::aws::{Arns, Facts, HostedZone, Neighbours, Owner, Zones};
use crate::engine::{Address, Resource};
use crate::environment;
use crate::environment::names::{AccountId, FileName, IdentityName, ProjectName, Region};

/// The public key that `drawn` knows of `keyed.app`.
pub(super) const KEY: &str = "MIIBpublic";

/// The blueprint of a file with `rest` as its body, in an account with the zones `pivot.app` and `keyed.app`.
pub(super) fn drawn(rest: &str) -> Blueprint {
    let arns =
        Arns::new(AccountId::parse("123456789012").unwrap(), Region::parse("us-east-1").unwrap());
    let (project, name) = (ProjectName::parse("pivot").unwrap(), FileName::parse("prod").unwrap());
    let owner = Owner::new(project, name.clone(), &arns);
    let zone = |name: &str| HostedZone {
        id: format!("Z-{name}"),
        name: name.to_owned(),
        role: None,
        sets: None,
    };
    let keys = BTreeMap::from([(IdentityName::parse("keyed.app").unwrap(), KEY.to_owned())]);
    let facts = Facts {
        arns,
        owner,
        zones: Zones::new([zone("pivot.app"), zone("keyed.app")]),
        keys,
        neighbours: Neighbours::default(),
        missing_keys: BTreeMap::new(),
        daily_quota: None,
    };
    let file = format!(
        "project = \"pivot\"\n[aws]\naccount = \"123456789012\"\nregion = \"us-east-1\"\n{rest}"
    );
    blueprint(&environment::of_text(&name, &file), &facts).unwrap()
}

/// The resource at `address`.
pub(super) fn at<'a>(blueprint: &'a Blueprint, address: &str) -> &'a Resource {
    blueprint.graph.get(&address.parse().unwrap()).unwrap_or_else(|| panic!("no {address}"))
}

/// The addresses that `address` depends on directly.
pub(super) fn dependencies(blueprint: &Blueprint, address: &str) -> Vec<String> {
    let dependencies = blueprint.graph.dependencies(&address.parse().unwrap());
    dependencies.iter().map(ToString::to_string).collect()
}

/// Every address of one kind.
pub(super) fn of_kind(blueprint: &Blueprint, kind: &str) -> Vec<String> {
    let all = blueprint.graph.in_order().map(|resource| &resource.address);
    let mut names: Vec<String> =
        all.filter(|it| it.kind() == kind).map(Address::name).map(ToOwned::to_owned).collect();
    names.sort();
    names
}

/// The spec at `address`.
pub(super) fn spec(blueprint: &Blueprint, address: &str) -> Value {
    Value::clone(&at(blueprint, address).spec)
}
