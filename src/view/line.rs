//! Lines of a change, and values in them: `+ name = "value"`. Invariant: nothing that AWS or a file says can move the
//! cursor, start a line of its own or look like something else than text.

use std::fmt::Write as _;

use serde_json::Value;

use crate::engine::Arg;

/// Values are aligned behind keys of up to so many characters; a longer key would push all others out of sight.
pub(super) const ALIGNED_MAX: usize = 40;

/// A value is written on one line up to this many characters, and folded out below beyond.
const INLINE_MAX: usize = 96;

/// So many items of a list are shown; of a longer one, as many less one and how many there are more.
const ITEMS_MAX: usize = 12;

/// What a line says happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It only gives context.
    Context,
    /// This comes.
    Add,
    /// This changes.
    Change,
    /// This goes.
    Remove,
}

impl Sign {
    /// The character before the line.
    pub(super) const fn symbol(self) -> char {
        match self {
            Self::Context => ' ',
            Self::Add => '+',
            Self::Change => '~',
            Self::Remove => '-',
        }
    }
}

/// One line of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// What it says happens.
    pub(super) sign: Sign,
    /// How deep it is nested.
    pub(super) depth: usize,
    /// The text, without sign and indentation.
    pub(super) text: String,
}

impl Line {
    /// A line.
    pub(super) fn new(sign: Sign, depth: usize, text: impl Into<String>) -> Self {
        Self { sign, depth, text: text.into() }
    }
}

/// `text` with everything that could steer a terminal, or reorder what is read, written as an escape.
pub(super) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => cleaned.push_str("\\n"),
            '\t' => cleaned.push_str("\\t"),
            '\r' => cleaned.push_str("\\r"),
            hidden if hidden.is_control() || reorders(hidden) => {
                // Writing to a String cannot fail.
                let _ = write!(cleaned, "\\u{{{:x}}}", u32::from(hidden));
            }
            plain => cleaned.push(plain),
        }
    }
    cleaned
}

/// Whether a character is invisible and changes the order or the look of its neighbours.
const fn reorders(character: char) -> bool {
    matches!(character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A text in quotes, as it would be declared.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", clean(&escaped))
}

/// A value on one line.
pub(super) fn inline(value: &Value) -> String {
    if let Some(text) = unknown(value).or_else(|| record(value)) {
        return text;
    }
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{} = {}", clean(key), inline(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        plain => plain.to_string(),
    }
}

/// A value on one line whatever it holds: of what is long, only that it is there.
pub(super) fn summary(value: &Value) -> String {
    let parsed = embedded(value);
    let value = parsed.as_ref().unwrap_or(value);
    if !is_long(value) {
        return inline(value);
    }
    match value {
        Value::Object(members) => {
            let short = |value: &Value| match value {
                Value::Array(_) => "[...]".to_owned(),
                Value::Object(_) => "{...}".to_owned(),
                plain => inline(plain),
            };
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{} = {}", clean(key), short(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(items) => format!("[... {} items]", items.len()),
        plain => inline(plain),
    }
}

/// What stands for an output that is not known yet; `None` for any other value.
pub(super) fn unknown(value: &Value) -> Option<String> {
    // An output is written as one text; anything else may be large, and would be copied for nothing.
    let members = value.as_object()?;
    if members.len() != 1 || !members.values().all(Value::is_string) {
        return None;
    }
    match serde_json::from_value::<Arg<Value>>(value.clone()) {
        Ok(Arg::Output { address, .. }) => {
            Some(format!("(known after apply: {})", clean(&address.to_string())))
        }
        _ => None,
    }
}

/// Whether a value is a DNS record.
pub(super) fn is_record(value: &Value) -> bool {
    record(value).is_some()
}

/// A DNS record as a zone file has it, which is shorter and better known than its members one by one.
fn record(value: &Value) -> Option<String> {
    let members = value.as_object()?;
    let known = ["name", "ttl", "type", "value", "zone"];
    let (name, kind) = (members.get("name")?, members.get("type")?.as_str()?);
    let (value, zone) = (members.get("value")?, members.get("zone")?.as_str()?);
    if !members.keys().all(|key| known.contains(&key.as_str())) {
        return None;
    }
    let name = unknown(name).unwrap_or_else(|| clean(name.as_str().unwrap_or_default()));
    let ttl = members.get("ttl").map(|ttl| format!("{ttl} ")).unwrap_or_default();
    let value = match (kind, value.as_str()) {
        ("CNAME" | "MX", Some(host)) => clean(host),
        _ => inline(value),
    };
    Some(format!("{name} {ttl}{} {value} in zone {}", clean(kind), clean(zone)))
}

/// Whether a value is one that is opened out rather than put on one line.
pub(super) fn is_long(value: &Value) -> bool {
    let is_container = value.is_array() || value.is_object();
    is_container
        && unknown(value).is_none()
        && record(value).is_none()
        && inline(value).chars().count() > INLINE_MAX
}

/// The lines of `name = value`, all of one sign; without a name, of an item in a list.
pub(super) fn whole(sign: Sign, depth: usize, name: Option<&str>, value: &Value) -> Vec<Line> {
    let name = name.map(|name| format!("{} = ", clean(name))).unwrap_or_default();
    let parsed = embedded(value);
    let value = parsed.as_ref().unwrap_or(value);
    if !is_long(value) {
        return vec![Line::new(sign, depth, name + &inline(value))];
    }
    let mut lines = Vec::new();
    match value {
        Value::Array(items) => {
            lines.push(Line::new(sign, depth, name + "["));
            let shown = if items.len() > ITEMS_MAX { ITEMS_MAX - 1 } else { items.len() };
            lines.extend(items[..shown].iter().flat_map(|item| whole(sign, depth + 1, None, item)));
            if shown < items.len() {
                let more = format!("# {} more", items.len() - shown);
                lines.push(Line::new(Sign::Context, depth + 1, more));
            }
            lines.push(Line::new(Sign::Context, depth, "]"));
        }
        Value::Object(members) => {
            lines.push(Line::new(sign, depth, name + "{"));
            let width = members
                .iter()
                .filter(|(_, value)| !is_long(value))
                .map(|(key, _)| key.chars().count())
                .filter(|width| *width <= ALIGNED_MAX)
                .max()
                .unwrap_or(0);
            for (key, value) in members {
                let key = if is_long(value) { key.clone() } else { format!("{key:width$}") };
                lines.extend(whole(sign, depth + 1, Some(&key), value));
            }
            lines.push(Line::new(Sign::Context, depth, "}"));
        }
        _ => {}
    }
    lines
}

/// The document inside a text that is JSON, such as a policy that a service stores as text.
pub(super) fn embedded(value: &Value) -> Option<Value> {
    let text = value.as_str()?;
    if !text.starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_cannot_start_a_line_or_steer_the_terminal() {
        assert_eq!(clean("a\nError: b\u{1b}[2J\u{202e}c"), "a\\nError: b\\u{1b}[2J\\u{202e}c");
        assert_eq!(inline(&json!("say \"no\"\u{7f}")), "\"say \\\"no\\\"\\u{7f}\"");
    }

    #[test]
    fn an_unknown_output_says_what_makes_it_known() {
        let target = json!({ "$output": "identity.pivot.app#dkim_1_target" });
        assert_eq!(inline(&target), "(known after apply: identity.pivot.app)");
        assert_eq!(inline(&json!([target])), "[(known after apply: identity.pivot.app)]");
    }

    #[test]
    fn a_record_reads_as_in_a_zone_file() {
        let text = "v=DMARC1; p=none";
        let mut record =
            json!({ "name": "_dmarc.a.com", "type": "TXT", "value": text, "zone": "Z1" });
        assert_eq!(inline(&record), "_dmarc.a.com TXT \"v=DMARC1; p=none\" in zone Z1");
        record["ttl"] = json!(60);
        record["name"] = json!({ "$output": "identity.a.com#dkim_1_name" });
        record["type"] = json!("CNAME");
        assert_eq!(
            inline(&record),
            "(known after apply: identity.a.com) 60 CNAME v=DMARC1; p=none in zone Z1"
        );
    }

    #[test]
    fn a_long_list_is_folded() {
        let names: Vec<String> =
            (0..40).map(|number| format!("domain-{number}.pivot.app")).collect();
        let lines = whole(Sign::Add, 0, Some("names"), &json!(names));
        assert_eq!(lines.len(), 14);
        assert_eq!(lines[12], Line::new(Sign::Context, 1, "# 29 more"));
    }
}
