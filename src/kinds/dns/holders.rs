//! What would keep an identity or a configuration set from being deleted after its records: SES deletes neither while a
//! tenant has it, nor an identity whose key a replica in another Region signs with (developer guide, "Tenants" and
//! "Deterministic Easy DKIM").
//!
//! Invariant: reads only.

use std::collections::BTreeSet;

use super::Dns;
use crate::aws::{AwsError, OrAbsent, failed};
use crate::engine::Address;

/// So many names tell what to look at.
const SHOWN_MAX: usize = 5;

/// Whoever keeps something from being deleted.
#[derive(Debug, thiserror::Error)]
pub(super) enum Held {
    /// Tenants that have it.
    #[error("{what} belongs to the tenants {}, and SES deletes nothing that a tenant has", listed(.tenants))]
    ByTenants {
        /// The identity or the configuration set.
        what: String,
        /// Their names.
        tenants: BTreeSet<String>,
    },
    /// Its replicas.
    #[error(
        "replicas of the identity {identity} in {} sign with its key, and SES deletes no identity that has replicas", listed(.regions)
    )]
    ByReplicas {
        /// The identity.
        identity: String,
        /// Their Regions.
        regions: BTreeSet<String>,
    },
}

/// The names, or the first of them if they are many.
fn listed(names: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = names.iter().map(String::as_str).take(SHOWN_MAX).collect();
    match names.len().saturating_sub(SHOWN_MAX) {
        0 => shown.join(", "),
        others => format!("{} and {others} others", shown.join(", ")),
    }
}

impl Dns {
    /// What would keep `parent`, which records are for, from being deleted after them.
    pub(super) async fn held(&self, parent: &Address) -> Result<Option<Held>, AwsError> {
        let (arns, name) = (&self.session.arns, parent.name());
        let (what, arn) = match parent.kind() {
            "identity" => ("identity", arns.identity(name)),
            "configuration_set" => ("configuration set", arns.configuration_set(name)),
            _ => return Ok(None),
        };
        let tenants = self.tenants(&arn, name).await?;
        if !tenants.is_empty() {
            return Ok(Some(Held::ByTenants { what: format!("the {what} {name}"), tenants }));
        }
        if parent.kind() != "identity" {
            return Ok(None);
        }
        let regions = self.identities.replicas(name).await?;
        let identity = name.to_owned();
        Ok((!regions.is_empty()).then_some(Held::ByReplicas { identity, regions }))
    }

    /// The tenants that have the resource `arn`, called `name`.
    async fn tenants(&self, arn: &str, name: &str) -> Result<BTreeSet<String>, AwsError> {
        let call = self.session.ses().list_resource_tenants().resource_arn(arn);
        let mut pages = call.into_paginator().send();
        let mut tenants = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed("ses:ListResourceTenants", name)).or_absent()?;
            let listed = page.and_then(|page| page.resource_tenants).unwrap_or_default();
            tenants.extend(listed.into_iter().filter_map(|tenant| tenant.tenant_name));
        }
        Ok(tenants)
    }
}
