//! The job as both tools are told it: one set with two destinations and their topics, N domains in one zone, each with DKIM,
//! MAIL FROM, DMARC and the set as its default, and a policy that allows sending.

use std::fmt::Write as _;
use std::path::Path;

use sesinfra_local::options::{ACCOUNT, REGION};

/// What the set does about TLS unless it is changed.
const TLS: &str = "require";

/// For sesinfra. `tls` is the changed field; empty: as it is at first.
pub(crate) fn environment(domains: usize, tls: &str) -> String {
    let tls = if tls.is_empty() { TLS } else { tls };
    let mut text = format!(
        r#"project = "bench"
[aws]
account = "{ACCOUNT}"
region = "{REGION}"
[configuration_sets.transactional]
tls = "{tls}"
suppress = ["bounce", "complaint"]
[configuration_sets.transactional.events.feedback]
types = ["bounce", "complaint"]
topic = "ses-feedback"
[configuration_sets.transactional.events.deliveries]
types = ["delivery"]
topic = "ses-deliveries"
[topics.ses-feedback]
[topics.ses-deliveries]
[send_policies.api]
from = ["*@*.bench.example"]
"#
    );
    for index in 1..=domains {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(
            text,
            r#"[identities."d{index}.bench.example"]
configuration_set = "transactional"
mail_from = {{ subdomain = "mail" }}
dmarc = {{ policy = "quarantine", reports_to = ["dmarc@d{index}.bench.example"] }}
feedback_forwarding = false"#
        );
    }
    text
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
