//! What is wrong with an environment file, or worth knowing about it: said once, with its place and its remedy.

use super::source::Location;
use crate::secrets::masked;
use serde::Serialize;
use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, and does something that may not be meant.
    Warning,
}

/// One thing that is wrong, or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The name of the rule, in kebab case.
    pub id: &'static str,
    /// Whether it stops the run.
    pub severity: Severity,
    /// What is wrong, in one line: no capital letter at the start, no full stop at the end.
    pub message: String,
    /// What stands beside the underlined text: why it is wrong. May be empty.
    pub label: String,
    /// What would be right.
    pub help: Option<String>,
    /// Where.
    pub location: Option<Location>,
    /// Other places that belong to it, each with what is to be seen there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
}

/// Another place that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// Where.
    pub location: Location,
    /// What is to be seen there.
    pub label: String,
}

impl Finding {
    /// An error without a place.
    #[must_use]
    pub fn error(id: &'static str, message: impl Into<String>) -> Self {
        Self {
            id,
            severity: Severity::Error,
            message: message.into(),
            label: String::new(),
            help: None,
            location: None,
            related: Vec::new(),
        }
    }

    /// A warning without a place.
    #[must_use]
    pub fn warning(id: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(id, message) }
    }

    /// The finding with what stands beside the underlined text.
    #[must_use]
    pub fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The finding with what would be right.
    #[must_use]
    pub fn helped(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The finding at a place.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// The finding with another place that belongs to it.
    #[must_use]
    pub fn beside(mut self, location: Location, label: impl Into<String>) -> Self {
        self.related.push(Related { location, label: label.into() });
        self
    }

    /// The finding as a warning.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

/// Findings in the order of their places, each only once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Sorts by file, place and rule, and drops repetitions.
    #[must_use]
    pub fn new(findings: impl IntoIterator<Item = Finding>) -> Self {
        let mut list: Vec<Finding> = findings.into_iter().collect();
        list.sort_by(|left, right| key(left).cmp(&key(right)));
        list.dedup();
        Self { list }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.list.iter()
    }

    /// Those of one severity, in order.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.list.iter().filter(move |finding| finding.severity == severity)
    }

    /// Whether one of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.of(Severity::Error).next().is_some()
    }
}

/// What findings are sorted by: those without a place first, then by file and place.
fn key(finding: &Finding) -> impl Ord {
    let place = finding.location.as_ref().map(Location::order);
    (place, finding.severity, finding.id, &finding.message)
}

impl FromIterator<Finding> for Findings {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        Self::new(findings)
    }
}

impl From<Finding> for Findings {
    fn from(finding: Finding) -> Self {
        Self::new([finding])
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

/// The findings as plain lines, for a log or a test; `view::findings` shows them with their text.
impl fmt::Display for Findings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.list.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            if let Some(location) = &finding.location {
                write!(formatter, "{location}: ")?;
            }
            write!(formatter, "{} [{}]", masked(&finding.message), finding.id)?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Source;
    use std::sync::Arc;

    #[test]
    fn findings_stand_in_the_order_of_their_places_and_only_once() {
        let source = Arc::new(Source::new("a.toml", "one\ntwo\n"));
        let second = Finding::error("b", "second").at(source.location(4..7));
        let first = Finding::warning("a", "first").at(source.location(0..3));
        let findings = Findings::new([second.clone(), first.clone(), second.clone()]);
        assert_eq!(findings.iter().collect::<Vec<_>>(), [&first, &second]);
        assert!(findings.has_errors());
        assert_eq!(findings.to_string(), "a.toml:1:1: first [a]\na.toml:2:1: second [b]");
    }
}
