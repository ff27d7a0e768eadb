//! What Route 53 wants of single values and of a name's records together.

use fakecloud_route53::model::ResourceRecordSet;

/// The longest string of a TXT record.
const STRING: usize = 255;
/// The longest value of a record.
const VALUE: usize = 4000;
/// The most values of a record set.
const VALUES: usize = 400;

/// The values of a record set.
pub(super) fn values(set: &ResourceRecordSet) -> impl Iterator<Item = &str> {
    set.resource_records
        .iter()
        .flat_map(|records| &records.resource_record)
        .map(|record| record.value.as_str())
}

/// What is wrong with a record set by itself.
pub(super) fn problem(set: &ResourceRecordSet) -> Option<String> {
    let invalid = |reason: String| {
        Some(format!(
            "Invalid Resource Record: 'FATAL problem: {reason}' in [name='{}', type='{}']",
            set.name, set.record_type
        ))
    };
    if set.ttl.is_none() && set.alias_target.is_none() {
        return Some(format!(
            "Missing field 'TTL' in Change with [name='{}', type='{}']",
            set.name, set.record_type
        ));
    }
    if set.ttl.is_some_and(|ttl| !(0..=2_147_483_647).contains(&ttl)) {
        return invalid("TTLOutOfRange".to_owned());
    }
    let all: Vec<&str> = values(set).collect();
    if all.len() > VALUES {
        return invalid(format!("TooManyValues (more than {VALUES})"));
    }
    for (position, value) in all.iter().enumerate() {
        if all[..position].contains(value) {
            return Some(format!("Duplicate Resource Record: '{value}'"));
        }
        if value.is_empty() {
            return invalid("EmptyValue".to_owned());
        }
        if value.len() > VALUE {
            return invalid(format!("ValueTooLong (Value is too long) encountered with '{value}'"));
        }
        if let Some(reason) = value_problem(&set.record_type, value) {
            return invalid(format!("{reason} encountered with '{value}'"));
        }
    }
    if set.record_type == "CNAME" && all.len() > 1 {
        return invalid("CNAMEWithSeveralValues".to_owned());
    }
    None
}

fn value_problem(kind: &str, value: &str) -> Option<String> {
    match kind {
        "TXT" | "SPF" => strings_problem(value),
        "MX" => {
            let mut parts = value.split(' ').filter(|part| !part.is_empty());
            let priority = parts.next().and_then(|part| part.parse::<u16>().ok());
            let host = parts.next();
            (priority.is_none() || host.is_none_or(|host| !is_name(host)) || parts.next().is_some())
                .then(|| "MXRRMalformed (MX record doesn't have 2 fields)".to_owned())
        }
        "CNAME" | "NS" | "PTR" => (!is_name(value)).then(|| "DomainLabelMalformed".to_owned()),
        "A" => value
            .parse::<std::net::Ipv4Addr>()
            .is_err()
            .then(|| "ARRDATAIllegalIPv4Address".to_owned()),
        "AAAA" => value
            .parse::<std::net::Ipv6Addr>()
            .is_err()
            .then(|| "AAAARRDATAIllegalIPv6Address".to_owned()),
        _ => None,
    }
}

fn is_name(value: &str) -> bool {
    let name = value.strip_suffix('.').unwrap_or(value);
    !name.is_empty()
        && name.len() <= 255
        && !name.contains(' ')
        && name.split('.').all(|label| !label.is_empty() && label.len() <= 63)
}

/// Reads the quoted strings of a TXT value.
fn strings_problem(value: &str) -> Option<String> {
    let mut rest = value.trim();
    while !rest.is_empty() {
        let Some(inside) = rest.strip_prefix('"') else {
            return Some(
                "InvalidCharacterString (Value should be enclosed in quotation marks)".to_owned(),
            );
        };
        let Some((length, after)) = quoted(inside) else {
            return Some("InvalidCharacterString (Unmatched quotation mark)".to_owned());
        };
        if length > STRING {
            return Some("CharacterStringTooLong (Value is too long)".to_owned());
        }
        if !after.is_empty() && !after.starts_with(' ') {
            return Some(
                "InvalidCharacterString (Strings should be separated by a space)".to_owned(),
            );
        }
        rest = after.trim_start();
    }
    None
}

/// The length of a string up to its closing quote, escapes counted as what they stand for, and what follows.
fn quoted(text: &str) -> Option<(usize, &str)> {
    let (mut length, mut at) = (0, 0);
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return Some((length, &text[at + 1..])),
            b'\\' if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => at += 4,
            b'\\' => at += 2,
            _ => at += 1,
        }
        length += 1;
    }
    None
}

/// The text of a TXT value: its strings joined, escapes resolved.
pub(crate) fn joined(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    let mut inside = false;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => inside = !inside,
            b'\\' => {
                let digits = rest.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
                let octal = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
                bytes.extend(octal.as_ref().or(rest.first()));
                rest = rest.get(if octal.is_some() { 3 } else { 1 }..).unwrap_or_default();
            }
            _ if inside => bytes.push(*byte),
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a zone's records may not have together.
pub(super) fn conflict(zone: &str, sets: &[ResourceRecordSet]) -> Option<String> {
    let aliases = sets.iter().filter(|set| set.record_type == "CNAME");
    for alias in aliases {
        if alias.name == zone {
            return Some(format!(
                "RRSet of type CNAME with DNS name {zone} is not permitted at apex in zone {zone}"
            ));
        }
        let other = sets.iter().find(|set| set.name == alias.name && set.record_type != "CNAME");
        if let Some(other) = other {
            return Some(format!(
                "RRSet of type {} with DNS name {} is not permitted as it conflicts with other records with the same DNS name in zone {zone}",
                other.record_type, other.name
            ));
        }
    }
    None
}

/// A name as Route 53 shows it: lower case, a dot at the end, octal escapes for all but letters, digits, `-`, `_`.
pub(crate) fn shown(name: &str) -> String {
    let mut shown = String::new();
    let mut rest = name;
    while let Some(character) = rest.chars().next() {
        let escaped = rest.get(1..4).filter(|digits| {
            character == '\\' && digits.bytes().all(|digit| digit.is_ascii_digit())
        });
        if let Some(digits) = escaped {
            shown.push('\\');
            shown.push_str(digits);
            rest = &rest[4..];
            continue;
        }
        match character.to_ascii_lowercase() {
            plain @ ('a'..='z' | '0'..='9' | '-' | '_' | '.') => shown.push(plain),
            other => {
                let bytes = other.to_string().into_bytes();
                shown.extend(bytes.iter().map(|byte| format!("\\{byte:03o}")));
            }
        }
        rest = &rest[character.len_utf8()..];
    }
    if !shown.ends_with('.') {
        shown.push('.');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_as_route_53_does() {
        assert_eq!(shown("*.Pivot.app"), "\\052.pivot.app.");
        assert_eq!(shown("\\052.pivot.app."), "\\052.pivot.app.");
        assert_eq!(shown("_dmarc.pivot.app"), "_dmarc.pivot.app.");
    }

    #[test]
    fn strings_are_joined() {
        assert_eq!(joined(r#""ab" "c\"d" "\101""#), "abc\"dA");
    }

    #[test]
    fn strings_are_quoted_and_short() {
        assert_eq!(strings_problem(r#""v=spf1 ~all""#), None);
        assert_eq!(strings_problem(r#""a" "b\"c" "\101""#), None);
        assert!(strings_problem("v=spf1 ~all").is_some());
        assert!(strings_problem(r#""open"#).is_some());
        assert_eq!(strings_problem(&format!("\"{}\"", "x".repeat(255))), None);
        assert!(
            strings_problem(&format!("\"{}\"", "x".repeat(256)))
                .is_some_and(|why| why.contains("TooLong"))
        );
    }

    #[test]
    fn values_have_their_form() {
        assert_eq!(value_problem("MX", "10 feedback-smtp.us-east-1.amazonses.com"), None);
        assert!(value_problem("MX", "feedback-smtp.us-east-1.amazonses.com").is_some());
        assert!(value_problem("CNAME", "a..b").is_some());
    }
}
