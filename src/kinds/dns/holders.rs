//! What would keep an identity or a configuration set from being deleted after its records: SES deletes neither while a
//! tenant has it, nor an identity whose key a replica in another Region signs with (developer guide, "Tenants" and
//! "Deterministic Easy DKIM").
//!
//! Invariant: reads only.

use std::collections::BTreeSet;

use super::Dns;
use crate::aws::{AwsError, OrAbsent, failed};
use crate::engine::{Address, BoxError};

/// So many names tell what to look at.
const SHOWN_MAX: usize = 5;

/// Something would keep what the records are for from being deleted after them.
#[derive(Debug, thiserror::Error)]
enum StillUsed {
    #[error(
        "{what} belongs to the tenants {}: SES would not delete it, so its records stay; take it from them first", listed(.tenants)
    )]
    ByTenants { what: String, tenants: BTreeSet<String> },
    #[error(
        "replicas of the identity {identity} in {} sign with its key: SES would not delete it, and their mail needs its \
         records too, so these stay; delete the replicas first", listed(.regions)
    )]
    ByReplicas { identity: String, regions: BTreeSet<String> },
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
    /// Records must not go if what they are for, `parent`, could then not follow them.
    pub(super) async fn check_nothing_holds(&self, parent: &Address) -> Result<(), BoxError> {
        let (what, arn) = match parent.kind() {
            "identity" => ("identity", self.session.arns.identity(parent.name())),
            "configuration_set" => {
                ("configuration set", self.session.arns.configuration_set(parent.name()))
            }
            _ => return Ok(()),
        };
        let tenants = self.tenants(&arn, parent.name()).await?;
        if !tenants.is_empty() {
            let what = format!("the {what} {}", parent.name());
            return Err(StillUsed::ByTenants { what, tenants }.into());
        }
        if parent.kind() != "identity" {
            return Ok(());
        }
        let regions = self.identities.replicas(parent.name()).await?;
        if !regions.is_empty() {
            let identity = parent.name().to_owned();
            return Err(StillUsed::ByReplicas { identity, regions }.into());
        }
        Ok(())
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
