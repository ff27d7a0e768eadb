//! The job as both tools are told it: one set with two destinations and their topics, N domains in one zone, each with DKIM,
//! MAIL FROM, DMARC and the set as its default, and a policy that allows sending.

use std::path::Path;

use sesinfra_local::options::{ACCOUNT, REGION};

/// What the set does about TLS unless it is changed.
const TLS: &str = "require";

/// For sesinfra. `tls` is the changed field; empty: as it is at first. `manual` leaves the DNS records to others.
pub(crate) fn environment(domains: usize, tls: &str, manual: bool) -> String {
    let tls = if tls.is_empty() { TLS } else { tls };
    let account = include_str!("../../bench/account.toml")
        .replace(&format!("tls = \"{TLS}\""), &format!("tls = \"{tls}\""));
    let head =
        format!("project = \"bench\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n");
    let domain = |index| {
        include_str!("../../bench/domain.toml")
            .replace("@DOMAIN@", &format!("d{index}.bench.example"))
            + if manual { "dns = \"manual\"\n" } else { "" }
    };
    [head, account].into_iter().chain((1..=domains).map(domain)).collect()
}

/// For Terraform, the way its provider's documentation shows each resource.
pub(crate) fn terraform(domains: usize, tls: &str, endpoint: &str) -> String {
    let tls = if tls.is_empty() { TLS } else { tls }.to_uppercase();
    let names: Vec<String> =
        (1..=domains).map(|index| format!("\"d{index}.bench.example\"")).collect();
    include_str!("job.tf")
        .replace("@DOMAINS@", &names.join(", "))
        .replace("@TLS@", &tls)
        .replace("@ENDPOINT@", endpoint)
        .replace("@REGION@", REGION)
        .replace("@ACCOUNT@", ACCOUNT)
}

/// A command line configuration with which Terraform takes its providers from this folder.
pub(crate) fn mirrored(folder: &Path) -> String {
    format!(
        "provider_installation {{\n  filesystem_mirror {{ path = \"{}\" }}\n}}\n",
        folder.display()
    )
}
