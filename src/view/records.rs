//! DNS records that somebody else publishes: as a table with what the DNS says of each, and as a BIND zone fragment.

use std::fmt::Write as _;

use super::document::{Record, Verdict};
use super::line::clean;
use super::style::{Paint, Style};

/// The time to live in BIND fragments, in seconds.
const TTL_SECONDS: u32 = 1800;

/// A text in DNS is made of pieces of at most so many bytes.
const TXT_PIECE_MAX: usize = 255;

/// One word for what the DNS says.
pub(super) fn word(verdict: Option<&Verdict>) -> &'static str {
    match verdict {
        None => "",
        Some(Verdict::Ok) => "ok",
        Some(Verdict::Going) => "goes",
        Some(Verdict::Missing) => "missing",
        Some(Verdict::Wrong(_)) => "wrong",
        Some(Verdict::Unanswered(_)) => "no answer",
    }
}

/// What is not verified yet, each with the reason, and the records that a verification looks for.
#[must_use]
pub fn pending_text(pending: &[(String, String)], records: &[Record], style: Style) -> String {
    let mut text =
        format!("\n{}\n\n", style.paint(Paint::Title, "Waiting for these to be verified:"));
    for (address, note) in pending {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {}: {}", clean(address), clean(note));
    }
    if !records.is_empty() {
        text.push_str("\nWhat the DNS says of their records:\n\n");
        text.push_str(&table(records, "  "));
    }
    text
}

/// The records as a table, each line starting with `indent`.
pub(super) fn table(records: &[Record], indent: &str) -> String {
    let rows: Vec<_> = records.iter().map(row).collect();
    aligned(records, &rows, indent)
}

/// The same without values, for records that are all as they should be.
pub(super) fn table_of_names(records: &[Record], indent: &str) -> String {
    let without_value = |record| {
        let [verdict, purpose, name, kind, _] = row(record);
        [verdict, purpose, name, kind, String::new()]
    };
    let rows: Vec<_> = records.iter().map(without_value).collect();
    aligned(records, &rows, indent)
}

fn aligned(records: &[Record], rows: &[[String; 5]], indent: &str) -> String {
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let mut text = String::new();
    for (row, record) in rows.iter().zip(records) {
        let mut line = indent.to_owned();
        for (cell, width) in row.iter().zip(widths).filter(|(_, width)| *width > 0) {
            // Writing to a String cannot fail.
            let _ = write!(line, "{cell:width$}  ");
        }
        line.push_str(&row[4]);
        text.push_str(line.trim_end());
        text.push('\n');
        let found = match &record.verdict {
            Some(Verdict::Wrong(found)) => format!("found {}", found.join(", ")),
            Some(Verdict::Unanswered(reason)) => reason.clone(),
            _ => continue,
        };
        let _ = writeln!(text, "{indent}  ({})", clean(&found));
    }
    text
}

fn row(record: &Record) -> [String; 5] {
    let unknown = || match &record.known_after {
        Some(address) => format!("(known after apply: {})", clean(&address.to_string())),
        None => "(not known without the private key)".to_owned(),
    };
    [
        word(record.verdict.as_ref()).to_owned(),
        clean(&record.purpose),
        record.name.as_deref().map_or_else(unknown, clean),
        clean(&record.kind),
        record.value.as_deref().map_or_else(unknown, clean),
    ]
}

/// The records whose names and values are known, as lines of a BIND zone file.
pub(super) fn bind(records: &[Record], indent: &str) -> String {
    let known = records.iter().filter_map(|record| {
        let (name, value) = (record.name.as_deref()?, record.value.as_deref()?);
        let value = if record.kind == "TXT" { pieces(value) } else { absolute(value) };
        Some(format!("{indent}{}. {TTL_SECONDS} IN {} {value}\n", clean(name), clean(&record.kind)))
    });
    known.collect()
}

fn absolute(name: &str) -> String {
    let name = clean(name);
    if name.ends_with('.') { name } else { name + "." }
}

/// A text in quoted pieces, none longer than the DNS allows.
fn pieces(text: &str) -> String {
    let escaped = |piece: &[char]| {
        let piece: String = piece.iter().collect();
        format!("\"{}\"", clean(&piece.replace('\\', "\\\\").replace('"', "\\\"")))
    };
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(TXT_PIECE_MAX).map(escaped).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_into_pieces_for_bind() {
        let record = Record {
            owner: "pivot.app".to_owned(),
            purpose: "DKIM".to_owned(),
            kind: "TXT".to_owned(),
            name: Some("s1._domainkey.pivot.app".to_owned()),
            value: Some("p".repeat(300)),
            known_after: None,
            verdict: None,
        };
        let expected = format!(
            "s1._domainkey.pivot.app. 1800 IN TXT \"{}\" \"{}\"\n",
            "p".repeat(255),
            "p".repeat(45)
        );
        assert_eq!(bind(&[record], ""), expected);
    }
}
