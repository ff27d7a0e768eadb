//! Whether the records that SES asks for are in the DNS.

use std::collections::BTreeSet;

use super::ports::{PublicDns, Record};
use super::search::Problem;

/// The values of one type at a name.
fn values(dns: &dyn PublicDns, name: &str, kind: &str) -> Result<Vec<String>, Problem> {
    let records: Vec<Record> = dns.records(&host(name));
    if records.is_empty() {
        return Err(Problem::HostNotFound);
    }
    let of_kind = records.into_iter().filter(|record| record.kind == kind);
    let values: Vec<String> = of_kind.flat_map(|record| record.values).collect();
    // The same value in two zones of one name is one value: a set has no duplicates (RFC 2181, section 5.2).
    let values: Vec<String> = BTreeSet::from_iter(values).into_iter().collect();
    if values.is_empty() { Err(Problem::TypeNotFound) } else { Ok(values) }
}

/// A host name as it is compared: lower case, no trailing dot.
pub(super) fn host(name: &str) -> String {
    name.trim().trim_end_matches('.').to_ascii_lowercase()
}

/// A CNAME of `name` with this target.
pub(super) fn cname(dns: &dyn PublicDns, name: &str, target: &str) -> Result<(), Problem> {
    match &values(dns, name, "CNAME")?[..] {
        [value] if host(value) == host(target) => Ok(()),
        _ => Err(Problem::InvalidValue),
    }
}

/// Exactly one MX at `name`, whose host is one of `hosts`.
pub(super) fn only_mx(dns: &dyn PublicDns, name: &str, hosts: &[String]) -> Result<(), Problem> {
    let values = values(dns, name, "MX")?;
    let [value] = &values[..] else { return Err(Problem::InvalidValue) };
    let Some((priority, exchange)) = value.trim().split_once(char::is_whitespace) else {
        return Err(Problem::InvalidValue);
    };
    let right = priority.parse::<u16>().is_ok() && hosts.contains(&host(exchange));
    if right { Ok(()) } else { Err(Problem::InvalidValue) }
}

/// Exactly one DKIM key at `name`, which is this one.
pub(super) fn dkim_key(dns: &dyn PublicDns, name: &str, key: &str) -> Result<(), Problem> {
    let values = values(dns, name, "TXT")?;
    let keys: Vec<String> = values.iter().filter_map(|value| published_key(value)).collect();
    match &keys[..] {
        [published] if published == key => Ok(()),
        _ => Err(Problem::InvalidValue),
    }
}

/// The `p` tag of a DKIM record.
fn published_key(value: &str) -> Option<String> {
    let text = joined(value);
    let tags = text.split(';').filter_map(|tag| tag.split_once('='));
    let mut keys = tags.filter(|(name, _)| name.trim() == "p");
    let (_, key) = keys.next()?;
    Some(key.chars().filter(|letter| !letter.is_whitespace()).collect())
}

/// The text of a TXT value: its quoted strings, joined.
fn joined(value: &str) -> String {
    let mut text = String::new();
    let mut quoted = false;
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => quoted = !quoted,
            '\\' if quoted => text.extend(letters.next()),
            letter if quoted => text.push(letter),
            _ => {}
        }
    }
    text
}
