//! Dedicated IP pools.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::call::{Call, Page, put};
use super::errors::{Reply, already_exists, bad_request, limit_exceeded, not_found};
use super::input::{Choice, choices, simple_name};
use super::state::Tags;
use super::tags;

const MOST: usize = 50;

choices! {
    /// Who decides how many addresses a pool has.
    Scaling { Managed = "MANAGED", Standard = "STANDARD" }
}

/// A pool of addresses.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pool {
    scaling: Scaling,
    pub(super) tags: Tags,
}

fn missing(name: &str) -> fakecloud_core::service::AwsServiceError {
    not_found(format!("Dedicated IP pool <{name}> does not exist."))
}

/// `CreateDedicatedIpPool`.
pub(super) fn create(call: &mut Call<'_>) -> Reply {
    let input = call.input()?;
    let name = input.required_text("PoolName")?;
    let scaling = input.choice("ScalingMode")?.unwrap_or(Scaling::Standard);
    let tags = tags::given(&input)?;
    simple_name("pool name", name)?;
    let pools = &mut call.here().pools;
    if pools.contains_key(name) {
        return Err(already_exists(format!("Dedicated IP pool <{name}> already exists.")));
    }
    if pools.len() >= MOST {
        return Err(limit_exceeded("The maximum number of dedicated IP pools is reached."));
    }
    pools.insert(name.to_owned(), Pool { scaling, tags });
    Ok(json!({}))
}

/// `GetDedicatedIpPool`: without the tags.
pub(super) fn get(call: &mut Call<'_>) -> Reply {
    let name = call.label(0);
    let pool = call.here().pools.get(name).ok_or_else(|| missing(name))?;
    Ok(json!({ "DedicatedIpPool": { "PoolName": name, "ScalingMode": pool.scaling.text() } }))
}

/// `ListDedicatedIpPools`.
pub(super) fn list(call: &mut Call<'_>) -> Reply {
    let page = Page::of_query(call, 1000)?;
    let names = call.here().pools.keys().map(|name| (name.clone(), name.clone())).collect();
    let (names, next) = page.cut(names);
    let mut reply = json!({ "DedicatedIpPools": names });
    put(&mut reply, "NextToken", next);
    Ok(reply)
}

/// `DeleteDedicatedIpPool`: not while a set sends through it.
pub(super) fn delete(call: &mut Call<'_>) -> Reply {
    let name = call.label(0);
    let here = call.here();
    if !here.pools.contains_key(name) {
        return Err(missing(name));
    }
    let user = here.sets.iter().find(|(_, set)| {
        set.delivery.as_ref().is_some_and(|delivery| delivery.pool() == Some(name))
    });
    if let Some((set, _)) = user {
        return Err(bad_request(format!(
            "Dedicated IP pool <{name}> is used by configuration set <{set}>."
        )));
    }
    here.pools.remove(name);
    Ok(json!({}))
}

/// `PutDedicatedIpPoolScalingAttributes`: there is no way back from managed.
pub(super) fn put_scaling(call: &mut Call<'_>) -> Reply {
    let scaling: Scaling = call.input()?.required_choice("ScalingMode")?;
    let name = call.label(0);
    let pool = call.here().pools.get_mut(name).ok_or_else(|| missing(name))?;
    if (pool.scaling, scaling) == (Scaling::Managed, Scaling::Standard) {
        return Err(bad_request("A managed dedicated IP pool cannot be made a standard one."));
    }
    pool.scaling = scaling;
    Ok(json!({}))
}

/// `GetDedicatedIps`: this cloud leases none.
#[expect(clippy::unnecessary_wraps, reason = "every operation has this type")]
pub(super) fn list_addresses(_: &mut Call<'_>) -> Reply {
    Ok(json!({ "DedicatedIps": [] }))
}

/// `GetDedicatedIp`.
pub(super) fn get_address(call: &mut Call<'_>) -> Reply {
    Err(not_found(format!("Dedicated IP <{}> does not exist.", call.label(0))))
}
