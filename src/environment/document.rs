//! An environment file as a tree of values, each with the place it was read from, and the laying of one file over
//! another.
//!
//! Invariant: every node knows its own source, so a value can be traced to its file after any number of layers.

use super::finding::Finding;
use super::names::IdentityName;
use super::source::{Location, Source};
use serde_json::Number;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The text that removes what the file underneath says.
pub(super) const UNSET: &str = "unset";

/// A value with its place. There is one for every word of a file, so each is kept small.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) content: Content,
    source: Arc<Source>,
    /// The key that the value stands under; absent for the root and for members of a list.
    key: Option<Span>,
    /// The value itself; for a table that a header opens, the header.
    value: Span,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Table(Entries),
    List(Box<[Node]>),
    Text(Box<str>),
    /// Wide enough for every number that a schema allows; wider ones are held at the ends. Boxed, since it is rare.
    Integer(Box<i128>),
    Float(f64),
    Switch(bool),
    /// A date or a time, which no setting is.
    Time,
}

/// Bytes of a file, none of which is as large as 4 GiB.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    end: u32,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        let narrow = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: narrow(range.start), end: narrow(range.end) }
    }
}

impl From<Span> for Range<usize> {
    fn from(span: Span) -> Self {
        span.start as usize..span.end as usize
    }
}

/// The entries of a table, in the order of their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries(Box<[(Box<str>, Node)]>);

impl Entries {
    /// The entry called `name`.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        let found = self.0.binary_search_by(|(other, _)| (**other).cmp(name)).ok()?;
        self.0.get(found).map(|(_, node)| node)
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        let found = self.0.binary_search_by(|(other, _)| (**other).cmp(name)).ok()?;
        self.0.get_mut(found).map(|(_, node)| node)
    }

    /// Whether there is an entry called `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All of them, in the order of their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(name, node)| (&**name, node))
    }

    fn remove(&mut self, name: &str) -> Option<Node> {
        let mut rest = std::mem::take(&mut self.0).into_vec();
        let found = rest.binary_search_by(|(other, _)| (**other).cmp(name)).ok();
        let removed = found.map(|found| rest.remove(found).1);
        self.0 = rest.into();
        removed
    }
}

impl FromIterator<(Box<str>, Node)> for Entries {
    fn from_iter<I: IntoIterator<Item = (Box<str>, Node)>>(entries: I) -> Self {
        Self(entries.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect())
    }
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
            DeValue::String(text) => Content::Text(text.into()),
            DeValue::Integer(number) => {
                let end = if number.as_str().starts_with('-') { i128::MIN } else { i128::MAX };
                let read = i128::from_str_radix(number.as_str(), number.radix());
                Content::Integer(Box::new(read.unwrap_or(end)))
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
                    (name.into(), Self::read(value, Some(span), source))
                };
                Content::Table(table.into_iter().map(entry).collect())
            }
        };
        Self { content, source: Arc::clone(source), key: key.map(Span::from), value: span.into() }
    }

    /// This tree laid over another: tables merge, everything else replaces, and the text `unset` removes.
    pub(super) fn over(mut self, under: Option<Self>, findings: &mut Vec<Finding>) -> Self {
        let Content::Table(entries) = &mut self.content else { return self };
        let mut merged: BTreeMap<Box<str>, Self> = match under.map(|node| node.content) {
            Some(Content::Table(entries)) => entries.0.into_iter().collect(),
            _ => BTreeMap::new(),
        };
        for (name, node) in std::mem::take(&mut entries.0) {
            let below = merged.remove(&name);
            if matches!(&node.content, Content::Text(text) if **text == *UNSET) {
                if below.is_none() {
                    findings.push(nothing_to_unset(&name, &node));
                }
            } else {
                let node = node.over(below, findings);
                merged.insert(name, node);
            }
        }
        *entries = merged.into_iter().collect();
        self
    }

    /// The entries of a table.
    pub(super) fn entries(&self) -> Option<&Entries> {
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
        let span: Range<usize> = self.key.unwrap_or(self.value).into();
        (self.source.path().to_owned(), span.start)
    }

    /// The place of the key, or of the value where there is none.
    pub(super) fn key_location(&self) -> Location {
        self.source.location(self.key.unwrap_or(self.value).into())
    }

    /// The place of the value.
    pub(super) fn value_location(&self) -> Location {
        self.source.location(self.value.into())
    }

    /// The place that stands for the node: the key of a table, the value of anything else, the file of the root.
    pub(super) fn location(&self) -> Location {
        match (&self.content, &self.key) {
            (Content::Table(_), Some(_)) => self.key_location(),
            (Content::Table(_), None) if self.value.start == self.value.end => {
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
                    let mut rest = std::mem::take(items).into_vec();
                    rest.remove(index);
                    *items = rest.into();
                }
            }
            _ => {}
        }
    }

    /// Puts a text where nothing is.
    pub(super) fn stand_in<const N: usize>(&mut self, path: [&str; N], text: &str) {
        let source = Arc::clone(&self.source);
        let nowhere = Span { start: 0, end: 0 };
        let fresh =
            |content| Self { content, source: Arc::clone(&source), key: None, value: nowhere };
        let text = fresh(Content::Text(text.into()));
        let nested = path.iter().rev().fold(text, |node, name| {
            fresh(Content::Table([(Box::from(*name), node)].into_iter().collect()))
        });
        let under = std::mem::replace(self, fresh(Content::Time));
        // What is over nothing has nothing to find fault with.
        *self = nested.over(Some(under), &mut Vec::new());
    }

    /// Whether it has a plain value: no date, and no number that is none or too large for all that reads it.
    pub(super) fn is_plain(&self) -> bool {
        match &self.content {
            Content::Integer(number) => Number::from_i128(**number).is_some(),
            Content::Float(number) => number.is_finite(),
            Content::Time => false,
            _ => true,
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
