//! What an environment owns, and what others need to know of it: names, ARNs, records, the SMTP endpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::document::Record;
use super::line::clean;
use super::records;
use super::style::{Paint, Style};
use crate::engine::Address;

/// One resource that an environment owns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Owned {
    /// The resource.
    pub address: Address,
    /// The resource whose marks name it.
    pub parent: Option<Address>,
    /// Whether the environment file declares it.
    pub declared: bool,
    /// States worth showing.
    pub notes: Vec<String>,
}

/// What is owned, as text: one line each, which `grep` and `awk` can take apart.
#[must_use]
pub fn owned_text(owned: &[Owned]) -> String {
    let mut text = String::new();
    for one in owned {
        let mut remarks: Vec<String> = one.notes.iter().map(|note| clean(note)).collect();
        if !one.declared {
            remarks.insert(0, "no longer declared".to_owned());
        }
        text.push_str(&clean(&one.address.to_string()));
        if !remarks.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(text, "  ({})", remarks.join("; "));
        }
        text.push('\n');
    }
    text
}

/// What others need to know of an environment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outputs {
    /// The environment's name.
    pub environment: String,
    /// The AWS account.
    pub account: String,
    /// The AWS Region.
    pub region: String,
    /// The host that takes mail by SMTP.
    pub smtp_endpoint: String,
    /// The names of its configuration sets.
    pub configuration_sets: BTreeSet<String>,
    /// For each kind, the resources that exist: by name, what AWS computed of each.
    pub resources: BTreeMap<String, BTreeMap<String, Value>>,
    /// The DNS records that its identities need.
    pub dns_records: Vec<Record>,
}

/// The outputs as text.
#[must_use]
pub fn outputs_text(outputs: &Outputs, style: Style) -> String {
    let mut text = String::new();
    let sets: Vec<String> = outputs.configuration_sets.iter().map(|name| clean(name)).collect();
    // Writing to a String cannot fail: results of `write!` are let go.
    let _ = writeln!(text, "smtp_endpoint      = {}", clean(&outputs.smtp_endpoint));
    let _ = writeln!(text, "configuration_sets = {}", sets.join(", "));
    for (kind, resources) in &outputs.resources {
        let _ = writeln!(text, "\n{}", style.paint(Paint::Title, kind));
        for (name, computed) in resources {
            let _ = writeln!(text, "  {}", clean(name));
            for (key, value) in computed.as_object().into_iter().flatten() {
                let value = value.as_str().map_or_else(|| super::line::inline(value), clean);
                let _ = writeln!(text, "    {} = {value}", clean(key));
            }
        }
    }
    if !outputs.dns_records.is_empty() {
        let _ = writeln!(text, "\n{}", style.paint(Paint::Title, "dns_records"));
        let _ = records::table(&outputs.dns_records, "  ", &mut text);
    }
    text
}
