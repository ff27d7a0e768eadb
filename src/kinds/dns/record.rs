//! The settings of a `dns` resource, and the one form in which names and values are compared.
//!
//! Invariant: a [`Record`] that was read is in normal form: names lower-case and without a dot at the end, texts joined
//! and without quotes. However Route 53 or a person wrote it, equal records are equal.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::engine::{Arg, Unresolved};

/// How long resolvers may remember a record, in seconds.
pub const TTL_SECONDS: i64 = 1_800;
/// A text in DNS is made of pieces of at most so many bytes (RFC 1035).
const TXT_PIECE_MAX: usize = 255;

/// A type of DNS record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordType {
    /// An alias.
    Cname,
    /// A mail exchanger.
    Mx,
    /// Text.
    Txt,
}

impl RecordType {
    /// The type as DNS writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Txt => "TXT",
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The records of one domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The address of the identity or configuration set that they are for.
    pub belongs_to: String,
    /// The records, by what each is for: `dkim 2 of 3`, `mail-from mx`, `dmarc`.
    pub records: BTreeMap<String, Record>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The id of the hosted zone.
    pub zone: String,
    /// The whole name.
    pub name: Arg<String>,
    /// The type.
    #[serde(rename = "type")]
    pub kind: RecordType,
    /// The value: a target, a priority and a host, or a text.
    pub value: Arg<String>,
    /// How long resolvers may remember it, in seconds; left out: [`TTL_SECONDS`].
    #[serde(default = "usual_ttl", skip_serializing_if = "is_usual_ttl")]
    pub ttl: i64,
}

const fn usual_ttl() -> i64 {
    TTL_SECONDS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_usual_ttl(ttl: &i64) -> bool {
    *ttl == TTL_SECONDS
}

impl Record {
    /// A record as it is declared.
    #[must_use]
    pub fn declared(zone: &str, name: Arg<String>, kind: RecordType, value: Arg<String>) -> Self {
        Self { zone: zone.to_owned(), name, kind, value, ttl: TTL_SECONDS }
    }

    /// The name and value in normal form, or which output is still missing.
    pub(super) fn known(&self) -> Result<Known<'_>, Unresolved> {
        let (name, value) =
            (normal_name(self.name.get()?), normal_value(self.kind, self.value.get()?));
        Ok(Known { zone: &self.zone, name, kind: self.kind, value, ttl: self.ttl })
    }
}

/// A record whose name and value are known, in normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known<'a> {
    pub(super) zone: &'a str,
    pub(super) name: String,
    pub(super) kind: RecordType,
    pub(super) value: String,
    pub(super) ttl: i64,
}

impl Known<'_> {
    /// Whether both claim the same place, where only one value can stand.
    pub(super) fn is_at(&self, other: &Known<'_>) -> bool {
        self.zone == other.zone && self.name == other.name && self.kind == other.kind
    }
}

/// A name as Route 53 or a person writes it, in normal form: lower-case, no dot at the end, no octal escapes.
#[must_use]
pub fn normal_name(text: &str) -> String {
    let text = text.strip_suffix('.').unwrap_or(text);
    unescaped(text).to_ascii_lowercase()
}

/// A value in normal form.
#[must_use]
pub fn normal_value(kind: RecordType, text: &str) -> String {
    match kind {
        RecordType::Cname => normal_name(text.trim()),
        RecordType::Mx => match text.split_whitespace().collect::<Vec<_>>().as_slice() {
            [priority, host] => {
                let number = priority.parse::<u16>().map(|number| number.to_string());
                format!(
                    "{} {}",
                    number.unwrap_or_else(|_| (*priority).to_owned()),
                    normal_name(host)
                )
            }
            _ => text.to_owned(),
        },
        RecordType::Txt => joined(text),
    }
}

/// A value as Route 53 takes it.
#[must_use]
pub fn written_value(kind: RecordType, value: &str) -> String {
    match kind {
        RecordType::Txt => quoted(value),
        RecordType::Cname | RecordType::Mx => format!("{value}."),
    }
}

/// A text as quoted pieces, none longer than DNS allows. Quotes, backslashes and what is not ASCII are escaped.
fn quoted(text: &str) -> String {
    let pieces = text.as_bytes().chunks(TXT_PIECE_MAX).map(|piece| {
        let escaped = piece.iter().map(|byte| match byte {
            b'"' => "\\\"".to_owned(),
            b'\\' => "\\\\".to_owned(),
            b' '..=b'~' => char::from(*byte).to_string(),
            _ => format!("\\{byte:03o}"),
        });
        format!("\"{}\"", escaped.collect::<String>())
    });
    pieces.collect::<Vec<_>>().join(" ")
}

/// The text of quoted pieces. One without quotes is taken as it is.
fn joined(text: &str) -> String {
    if !text.trim_start().starts_with('"') {
        return text.to_owned();
    }
    let mut inside = false;
    let mut escape = false;
    let mut content = String::new();
    for character in text.chars() {
        match character {
            _ if escape => {
                content.extend(['\\', character]);
                escape = false;
            }
            '\\' if inside => escape = true,
            '"' => inside = !inside,
            _ if inside => content.push(character),
            _ => {}
        }
    }
    unescaped(&content)
}

/// Without escapes: `\052` is the octal number of a byte, `\x` is x itself.
fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            bytes.push(*first);
        } else if let Some(byte) = after.get(..3).and_then(octal) {
            bytes.push(byte);
            rest = &after[3..];
        } else if let Some((escaped, after)) = after.split_first() {
            bytes.push(*escaped);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn octal(digits: &[u8]) -> Option<u8> {
    let is_octal = digits.iter().all(|digit| (b'0'..=b'7').contains(digit));
    let digits = std::str::from_utf8(digits).ok().filter(|_| is_octal)?;
    u8::from_str_radix(digits, 8).ok()
}

/// A declared record of known name and value.
#[cfg(test)]
pub(super) fn known_record(zone: &str, name: &str, kind: RecordType, value: &str) -> Record {
    Record::declared(zone, Arg::Known(name.to_owned()), kind, Arg::Known(value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_dot_and_escapes() {
        assert_eq!(normal_name("Mail.Pivot.APP."), "mail.pivot.app");
        assert_eq!(normal_name("\\052.pivot.app."), "*.pivot.app");
        assert_eq!(normal_name("_dmarc.pivot.app"), "_dmarc.pivot.app");
    }

    #[test]
    fn a_text_is_compared_by_its_content_however_it_is_cut() {
        let txt = |text| normal_value(RecordType::Txt, text);
        assert_eq!(txt(r#""v=DMARC1; p=none""#), "v=DMARC1; p=none");
        assert_eq!(txt(r#""v=DMARC1; " "p=none""#), "v=DMARC1; p=none");
        assert_eq!(txt(r#""say \"hi\" \\ \303\251""#), "say \"hi\" \\ é");
    }

    #[test]
    fn a_long_text_is_cut_into_pieces_and_read_back_whole() {
        for text in
            ["p=".to_owned() + &"A".repeat(600), "a \"b\" \\052 é".to_owned(), String::new()]
        {
            let written = written_value(RecordType::Txt, &text);
            assert!(written.split("\" \"").all(|piece| piece.len() <= 2 + 255 * 4));
            assert_eq!(normal_value(RecordType::Txt, &written), text, "{written}");
        }
        let written = written_value(RecordType::Txt, &"x".repeat(300));
        assert_eq!(written, format!("\"{}\" \"{}\"", "x".repeat(255), "x".repeat(45)));
    }

    #[test]
    fn a_mail_exchanger_is_a_number_and_a_host() {
        let mx = |text| normal_value(RecordType::Mx, text);
        assert_eq!(
            mx("010  Feedback-SMTP.us-east-1.amazonses.com."),
            mx("10 feedback-smtp.us-east-1.amazonses.com")
        );
        assert_eq!(written_value(RecordType::Mx, "10 a.example"), "10 a.example.");
        assert_eq!(
            normal_value(RecordType::Cname, "T.dkim.amazonses.com."),
            "t.dkim.amazonses.com"
        );
    }
}
