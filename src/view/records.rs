//! DNS records that somebody else publishes: as a table with what the DNS says of each, and as a BIND zone fragment.

use std::fmt::{self, Write as _};

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
        let _ = table(records, "  ", &mut text);
    }
    text
}

/// Writes the records as a table, each line starting with `indent`.
pub(super) fn table(records: &[Record], indent: &str, out: &mut dyn fmt::Write) -> fmt::Result {
    aligned(records, row, indent, out)
}

/// The same without values, for records that are all as they should be.
pub(super) fn table_of_names(
    records: &[Record],
    indent: &str,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let without_value = |record: &Record| {
        let [verdict, purpose, name, kind, _] = row(record);
        [verdict, purpose, name, kind, String::new()]
    };
    aligned(records, without_value, indent, out)
}

/// Rows are made twice, first for their widths: there may be tens of thousands, too many to be held.
fn aligned(
    records: &[Record],
    row: impl Fn(&Record) -> [String; 5],
    indent: &str,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let mut widths = [0; 4];
    for record in records {
        for (width, cell) in widths.iter_mut().zip(row(record)) {
            *width = cell.chars().count().max(*width);
        }
    }
    for record in records {
        let row = row(record);
        let mut line = indent.to_owned();
        for (cell, width) in row.iter().zip(widths).filter(|(_, width)| *width > 0) {
            write!(line, "{cell:width$}  ")?;
        }
        line.push_str(&row[4]);
        writeln!(out, "{}", line.trim_end())?;
        let found = match &record.verdict {
            Some(Verdict::Wrong(found)) => format!("found {}", found.join(", ")),
            Some(Verdict::Unanswered(reason)) => reason.clone(),
            _ => continue,
        };
        writeln!(out, "{indent}  ({})", clean(&found))?;
    }
    Ok(())
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

/// Writes the records whose names and values are known as lines of a BIND zone file, `title` before the first.
pub(super) fn bind(
    records: &[Record],
    title: &str,
    indent: &str,
    out: &mut dyn fmt::Write,
) -> fmt::Result {
    let mut title = Some(title);
    for record in records {
        let (Some(name), Some(value)) = (&record.name, &record.value) else { continue };
        if let Some(title) = title.take() {
            out.write_str(title)?;
        }
        let value = if record.kind == "TXT" { pieces(value) } else { absolute(value) };
        writeln!(out, "{indent}{}. {TTL_SECONDS} IN {} {value}", clean(name), clean(&record.kind))?;
    }
    Ok(())
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
            owner: "pivot.app".into(),
            purpose: "DKIM".into(),
            kind: "TXT".into(),
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
        let mut written = String::new();
        bind(&[record], "", "", &mut written).unwrap();
        assert_eq!(written, expected);
    }
}
