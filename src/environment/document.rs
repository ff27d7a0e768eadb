//! An environment file as a tree of values, each with the place it was read from, and the laying of one file over
//! another.
//!
//! Invariant: every node knows its own source, so a value can be traced to its file after any number of layers.

use super::finding::Finding;
use super::names::IdentityName;
use super::source::{Location, Source};
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The text that removes what the file underneath says.
pub(super) const UNSET: &str = "unset";

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) content: Content,
    source: Arc<Source>,
    /// The key that the value stands under; absent for the root and for members of a list.
    key: Option<Range<usize>>,
    /// The value itself; for a table that a header opens, the header.
    value: Range<usize>,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Table(BTreeMap<String, Node>),
    List(Vec<Node>),
    Text(String),
    /// Wide enough for every number that a schema allows; wider ones are held at the ends.
    Integer(i128),
    Float(f64),
    Switch(bool),
    /// A date or a time, which no setting is.
    Time,
}

impl Content {
    /// What it is called in a sentence.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::Table(_) => "a table",
            Self::List(_) => "an array",
            Self::Text(_) => "a text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Switch(_) => "true or false",
            Self::Time => "a date or time",
        }
    }
}

impl Node {
    /// The tree of a parsed file.
    pub(super) fn root(table: DeTable<'_>, source: &Arc<Source>) -> Self {
        let value = Spanned::new(0..0, DeValue::Table(table));
        Self::read(value, None, source)
    }

    fn read(value: Spanned<DeValue<'_>>, key: Option<Range<usize>>, source: &Arc<Source>) -> Self {
        let span = value.span();
        let content = match value.into_inner() {
            DeValue::String(text) => Content::Text(text.into_owned()),
            DeValue::Integer(number) => {
                let end = if number.as_str().starts_with('-') { i128::MIN } else { i128::MAX };
                let read = i128::from_str_radix(number.as_str(), number.radix());
                Content::Integer(read.unwrap_or(end))
            }
            DeValue::Float(number) => Content::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(switch) => Content::Switch(switch),
            DeValue::Datetime(_) => Content::Time,
            DeValue::Array(items) => Content::List(
                items.into_iter().map(|item| Self::read(item, None, source)).collect(),
            ),
            DeValue::Table(table) => {
                let entry = |(key, value): (Spanned<_>, _)| {
                    let span = key.span();
                    let name: std::borrow::Cow<'_, str> = key.into_inner();
                    (name.into_owned(), Self::read(value, Some(span), source))
                };
                Content::Table(table.into_iter().map(entry).collect())
            }
        };
        Self { content, source: Arc::clone(source), key, value: span }
    }

    /// This tree laid over another: tables merge, everything else replaces, and the text `unset` removes.
    pub(super) fn over(mut self, under: Option<Self>, findings: &mut Vec<Finding>) -> Self {
        let Content::Table(entries) = &mut self.content else { return self };
        let mut merged = match under.map(|node| node.content) {
            Some(Content::Table(entries)) => entries,
            _ => BTreeMap::new(),
        };
        for (name, node) in std::mem::take(entries) {
            let below = merged.remove(&name);
            if matches!(&node.content, Content::Text(text) if text == UNSET) {
                if below.is_none() {
                    findings.push(nothing_to_unset(&name, &node));
                }
            } else {
                let node = node.over(below, findings);
                merged.insert(name, node);
            }
        }
        *entries = merged;
        self
    }

    /// The files that any of this came from.
    pub(super) fn sources(&self) -> BTreeMap<&str, &Source> {
        let mut found = BTreeMap::from([(self.source.path(), &*self.source)]);
        let below: Box<dyn Iterator<Item = &Self>> = match &self.content {
            Content::Table(entries) => Box::new(entries.values()),
            Content::List(items) => Box::new(items.iter()),
            _ => return found,
        };
        for node in below {
            found.extend(node.sources());
        }
        found
    }

    /// The entries of a table.
    pub(super) fn entries(&self) -> Option<&BTreeMap<String, Node>> {
        match &self.content {
            Content::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// Takes an entry out of a table.
    pub(super) fn take(&mut self, name: &str) -> Option<Node> {
        match &mut self.content {
            Content::Table(entries) => entries.remove(name),
            _ => None,
        }
    }

    /// The text of a text.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The file that the value was read from.
    pub(super) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// What siblings are sorted by to stand as in the file.
    pub(super) fn order(&self) -> (String, usize) {
        (self.source.path().to_owned(), self.key.as_ref().unwrap_or(&self.value).start)
    }

    /// The place of the key, or of the value where there is none.
    pub(super) fn key_location(&self) -> Location {
        self.source.location(self.key.clone().unwrap_or_else(|| self.value.clone()))
    }

    /// The place of the value.
    pub(super) fn value_location(&self) -> Location {
        self.source.location(self.value.clone())
    }

    /// The place that stands for the node: the key of a table, the value of anything else, the file of the root.
    pub(super) fn location(&self) -> Location {
        match (&self.content, &self.key) {
            (Content::Table(_), Some(_)) => self.key_location(),
            (Content::Table(_), None) if self.value.is_empty() => {
                Location::file(self.source.path())
            }
            _ => self.value_location(),
        }
    }

    /// The node at a path of keys, list positions and list members, or the last one on the way to it.
    pub(super) fn nearest(&self, path: &[&str]) -> (&Node, bool) {
        let mut node = self;
        for step in path {
            match node.step(step) {
                Some(next) => node = next,
                None => return (node, false),
            }
        }
        (node, true)
    }

    fn step(&self, step: &str) -> Option<&Node> {
        match &self.content {
            Content::Table(entries) => entries.get(step).or_else(|| {
                let wanted = IdentityName::parse(step).ok()?;
                let same = |name: &str| IdentityName::parse(name).ok().as_ref() == Some(&wanted);
                entries.iter().find(|(name, _)| same(name)).map(|(_, node)| node)
            }),
            Content::List(items) => {
                let place = step.parse::<usize>().ok().and_then(|index| items.get(index));
                let exact = || items.iter().find(|node| node.text() == Some(step));
                let folded =
                    |node: &&Node| node.text().is_some_and(|text| text.eq_ignore_ascii_case(step));
                place.or_else(exact).or_else(|| items.iter().find(folded))
            }
            _ => None,
        }
    }

    /// Removes what a path leads to, for a reading of the rest.
    pub(super) fn remove(&mut self, path: &[String]) {
        let Some((last, way)) = path.split_last() else { return };
        let mut node = self;
        for step in way {
            let next = match &mut node.content {
                Content::Table(entries) => entries.get_mut(step),
                Content::List(items) => step.parse::<usize>().ok().and_then(|at| items.get_mut(at)),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => return,
            }
        }
        match &mut node.content {
            Content::Table(entries) => {
                entries.remove(last);
            }
            Content::List(items) => {
                if let Ok(index) = last.parse::<usize>()
                    && index < items.len()
                {
                    items.remove(index);
                }
            }
            _ => {}
        }
    }

    /// The plain value, as serde reads it.
    pub(super) fn plain(&self) -> Value {
        match &self.content {
            Content::Table(entries) => {
                let plain = entries.iter().map(|(name, node)| (name.clone(), node.plain()));
                Value::Object(plain.collect::<Map<_, _>>())
            }
            Content::List(items) => Value::Array(items.iter().map(Self::plain).collect()),
            Content::Text(text) => Value::String(text.clone()),
            Content::Integer(number) => {
                Number::from_i128(*number).map_or(Value::Null, Value::Number)
            }
            Content::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
            Content::Switch(switch) => Value::Bool(*switch),
            Content::Time => Value::Null,
        }
    }
}

fn nothing_to_unset(name: &str, node: &Node) -> Finding {
    Finding::warning(
        "unset-nothing",
        format!("there is no `{}` underneath to unset", super::words::shown(name)),
    )
    .labelled("no file that this one extends sets it")
    .helped("remove the line")
    .at(node.location())
}
