//! Judging a document against a shape: everything that does not fit, each with what would.

use super::remedies::{choices, expected, remedy, unknown_key_remedy, unknown_word_remedy};
use super::{Choice, Field, Shape, Table};
use crate::environment::document::{Content, Entries, Node};
use crate::environment::finding::Finding;
use crate::environment::names::Format;
use crate::environment::words::{key, listed, path, shown};
use std::collections::BTreeMap;

/// A file with more problems than this is no environment file.
pub(in crate::environment) const MOST: usize = 500;

/// Something that does not fit.
pub(in crate::environment) struct Problem {
    pub(in crate::environment) finding: Finding,
    /// What must go for the rest to be readable: the root where something is missing from the root itself, and
    /// nothing where serde reads it all the same.
    pub(in crate::environment) path: Option<Vec<String>>,
}

/// Finds everything in a document that does not fit a shape.
pub(in crate::environment) fn judge(document: &Node, shape: &Shape) -> Vec<Problem> {
    let mut walk = Walk { way: Vec::new(), problems: Vec::new() };
    walk.value(document, shape);
    walk.problems
}

struct Walk {
    way: Vec<String>,
    problems: Vec<Problem>,
}

impl Walk {
    fn value(&mut self, node: &Node, shape: &Shape) {
        if self.is_full() {
            return;
        }
        match (shape, &node.content) {
            (Shape::Table(table), Content::Table(entries)) => self.table(node, entries, table),
            (Shape::Named { key, entry }, Content::Table(entries)) => {
                self.named(entries, *key, entry);
            }
            (Shape::List { item, least, unique }, Content::List(items)) => {
                self.list(node, items, item, *least);
                if *unique {
                    self.repeated(items, item);
                }
            }
            (Shape::Text(Some(format)), Content::Text(text)) => self.format(node, text, format),
            (Shape::Word(words), Content::Text(text)) => self.word(node, text, words),
            (Shape::Integer { least, most }, Content::Integer(number)) => {
                if !(*least..=*most).contains(number) {
                    let finding = Finding::error(
                        "out-of-range",
                        format!("`{}` cannot be {number}", self.name()),
                    )
                    .labelled(if **number < *least { "too small" } else { "too large" })
                    .helped(format!("write a whole number from {least} to {most}"));
                    self.report(node, finding);
                }
            }
            (Shape::Number, Content::Float(_) | Content::Integer(_)) if node.is_plain() => {}
            (Shape::Text(None), Content::Text(_)) | (Shape::Switch, Content::Switch(_)) => {}
            (Shape::Free, _) => self.free(node),
            _ => self.wrong_type(node, shape),
        }
    }

    fn table(&mut self, node: &Node, entries: &Entries, table: &Table) {
        for (name, entry) in entries.iter() {
            if self.is_full() {
                return;
            }
            match table.fields.get(name) {
                Some(field) => self.within(name, |walk| walk.value(entry, &field.shape)),
                None => self.unknown_key(name, entry, table),
            }
        }
        let mut missing: Vec<&String> = Vec::new();
        for (name, field) in &table.fields {
            if field.required && !entries.has(name) {
                missing.push(name);
            }
        }
        let chosen: Vec<&Choice> = table
            .choices
            .iter()
            .filter(|choice| choice.fields.iter().any(|name| entries.has(name)))
            .collect();
        match chosen[..] {
            [] if table.choices.is_empty() => {}
            [] => self.nothing_chosen(node, table),
            [only] => {
                missing.extend(only.required.iter().filter(|name| !entries.has(name)));
            }
            [first, second, ..] => self.too_much_chosen(entries, table, first, second),
        }
        for name in missing {
            self.missing_key(node, name, table.fields.get(name));
        }
    }

    fn named(&mut self, entries: &Entries, format: Option<&'static Format>, shape: &Shape) {
        let mut seen: BTreeMap<String, &Node> = BTreeMap::new();
        // In the order of the file, so that the second of two equal names is the one that comes second.
        let mut ordered: Vec<(&str, &Node)> = entries.iter().collect();
        ordered.sort_by_cached_key(|(_, entry)| entry.order());
        for (name, entry) in ordered {
            if self.is_full() {
                return;
            }
            if let Some(format) = format {
                self.entry_name(name, entry, format, &mut seen);
            }
            self.within(name, |walk| walk.value(entry, shape));
        }
    }

    /// Judges the name of an entry, and whether another one has it already.
    fn entry_name<'a>(
        &mut self,
        name: &str,
        entry: &'a Node,
        format: &Format,
        seen: &mut BTreeMap<String, &'a Node>,
    ) {
        let finding = match (format.normal)(name) {
            Err(error) => {
                let message = format!("`{}` is not {}", shown(name), format.title);
                Finding::error("invalid-value", message).labelled(error.reason).helped(error.remedy)
            }
            Ok(normal) => {
                let Some(first) = seen.get(&normal) else {
                    seen.insert(normal, entry);
                    return;
                };
                let message = format!("`{}` is declared under another spelling", shown(name));
                Finding::error("duplicate-name", message)
                    .labelled("the same name")
                    .helped(format!("keep one of them, written as {}", key(&normal)))
                    .beside(first.key_location(), "the first one")
            }
        };
        self.within(name, |walk| walk.push(finding.at(entry.key_location())));
    }

    fn list(&mut self, node: &Node, items: &[Node], item: &Shape, least: usize) {
        if items.len() < least {
            let help = match item {
                Shape::Word(words) => format!("write one or more of {}", listed(words, "and")),
                _ => "write at least one".to_owned(),
            };
            let finding = Finding::error("too-few", format!("`{}` is empty", self.name()))
                .labelled("needs at least one")
                .helped(help)
                .at(node.location());
            self.note(finding);
        }
        for (index, node) in items.iter().enumerate() {
            self.within(&index.to_string(), |walk| walk.value(node, item));
        }
    }

    fn repeated(&mut self, items: &[Node], shape: &Shape) {
        let mut seen: BTreeMap<String, &Node> = BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            let Some(text) = item.text() else { continue };
            let normal = match shape {
                Shape::Text(Some(format)) => {
                    (format.normal)(text).unwrap_or_else(|_| text.to_owned())
                }
                _ => text.to_owned(),
            };
            if let Some(first) = seen.get(&normal) {
                let message = format!("`{}` is listed twice", shown(text));
                let finding = Finding::error("duplicate-item", message)
                    .labelled("a second time")
                    .helped("remove it")
                    .at(item.value_location())
                    .beside(first.value_location(), "the first time");
                self.within(&index.to_string(), |walk| walk.push(finding));
            } else {
                seen.insert(normal, item);
            }
        }
    }

    fn format(&mut self, node: &Node, text: &str, format: &Format) {
        if let Err(error) = (format.normal)(text) {
            let message = format!("`{}` is not {}", shown(text), format.title);
            let finding = Finding::error("invalid-value", message)
                .labelled(error.reason)
                .helped(error.remedy);
            self.report(node, finding);
        }
    }

    fn word(&mut self, node: &Node, text: &str, words: &[String]) {
        if words.iter().any(|word| word == text) {
            return;
        }
        let help = unknown_word_remedy(&self.name(), text, words);
        let message = format!("`{}` is no value of `{}`", shown(text), self.name());
        let finding =
            Finding::error("unknown-value", message).labelled("no such value").helped(help);
        self.report(node, finding);
    }

    fn unknown_key(&mut self, name: &str, entry: &Node, table: &Table) {
        let whole = match self.way.is_empty() {
            true => "at the top level".to_owned(),
            false => format!("in `{}`", path(&self.way)),
        };
        let help = unknown_key_remedy(name, table);
        let finding =
            Finding::error("unknown-key", format!("unknown key `{}` {whole}", shown(name)))
                .labelled("not a key of this table")
                .helped(help)
                .at(entry.key_location());
        self.within(name, |walk| walk.push(finding));
    }

    fn missing_key(&mut self, node: &Node, name: &str, field: Option<&Field>) {
        let message = match self.way.is_empty() {
            true => format!("`{name}` is missing"),
            false => format!("`{name}` is missing in `{}`", path(&self.way)),
        };
        let meaning = field.map_or("", |field| field.meaning.as_str());
        let finding =
            Finding::error("missing-key", message).labelled(format!("`{name}` is missing here"));
        let finding = finding.helped(match meaning {
            "" => format!("write `{name}`"),
            meaning => format!("`{name}`: {meaning}"),
        });
        self.report(node, finding);
    }

    fn nothing_chosen(&mut self, node: &Node, table: &Table) {
        let finding = Finding::error("missing-key", format!("`{}` is not complete", self.name()))
            .labelled("one key is missing here")
            .helped(format!("write {}", choices(table)));
        self.report(node, finding);
    }

    fn too_much_chosen(
        &mut self,
        entries: &Entries,
        table: &Table,
        first: &Choice,
        second: &Choice,
    ) {
        let one = |choice: &Choice| {
            let name = choice.fields.iter().find(|name| entries.has(name))?;
            Some((name.clone(), entries.get(name)?))
        };
        let (Some(first), Some(second)) = (one(first), one(second)) else { return };
        let same_file = first.1.source().path() == second.1.source().path();
        let help = match same_file {
            true => format!("write {}", choices(table)),
            false => format!("`{} = \"unset\"` removes what the file underneath says", first.0),
        };
        let message = format!("`{}` and `{}` exclude each other", first.0, second.0);
        let finding = Finding::error("conflicting-keys", message)
            .labelled("only one of the two can be")
            .helped(help)
            .at(second.1.key_location())
            .beside(first.1.key_location(), "the other");
        self.push(finding);
    }

    fn wrong_type(&mut self, node: &Node, shape: &Shape) {
        let found = node.content.title();
        let message = format!("`{}` must be {}, not {found}", self.name(), expected(shape));
        let finding = Finding::error("wrong-type", message).labelled(format!("this is {found}"));
        self.report(node, finding.helped(remedy(node, shape)));
    }

    /// Anything that JSON can hold: no dates, and no numbers that are none.
    fn free(&mut self, node: &Node) {
        match &node.content {
            Content::Table(entries) => {
                for (name, entry) in entries.iter() {
                    self.within(name, |walk| walk.free(entry));
                }
            }
            Content::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.within(&index.to_string(), |walk| walk.free(item));
                }
            }
            Content::Time | Content::Float(_) | Content::Integer(_) if !node.is_plain() => {
                let finding = Finding::error(
                    "wrong-type",
                    format!("`{}` cannot be said in JSON", self.name()),
                )
                .labelled("neither a text, a finite number, true nor false")
                .helped("write it in quotes, as a text");
                self.report(node, finding);
            }
            _ => {}
        }
    }

    /// The key that the current value stands under, with its table, as TOML writes it.
    fn name(&self) -> String {
        let names: Vec<&String> =
            self.way.iter().filter(|step| step.parse::<usize>().is_err()).collect();
        path(&names)
    }

    /// Whether there are so many problems that more would tell nothing.
    fn is_full(&self) -> bool {
        self.problems.len() >= MOST
    }

    fn within(&mut self, step: &str, judge: impl FnOnce(&mut Self)) {
        self.way.push(step.to_owned());
        judge(self);
        self.way.pop();
    }

    fn report(&mut self, node: &Node, finding: Finding) {
        self.push(finding.at(node.location()));
    }

    /// Records what serde reads all the same.
    fn note(&mut self, finding: Finding) {
        if !self.is_full() {
            self.problems.push(Problem { finding, path: None });
        }
    }

    fn push(&mut self, finding: Finding) {
        if !self.is_full() {
            self.problems.push(Problem { finding, path: Some(self.way.clone()) });
        }
    }
}
