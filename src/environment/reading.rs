//! From a document to settings: all of it where it is right, the readable rest where it is not, so that one wrong
//! word does not hide what else is wrong.

use super::document::Node;
use super::finding::Finding;
use super::layers;
use super::names::FileName;
use super::shape;
use super::source::Location;
use super::types::Settings;
use serde::Deserialize;
use serde::de::value::Error;
use std::cmp::Ordering;
use std::sync::Arc;

/// Each round takes out one level of a table that became incomplete; no table is this deep.
const MOST_ROUNDS: usize = 12;

/// A document, as far as it could be read.
pub(super) struct Reading {
    /// What it says; `None` where nothing sensible is left.
    pub(super) settings: Option<Settings>,
    /// What of the document the settings were read from.
    pub(super) document: Arc<Node>,
    /// The paths that were left out because they could not be read.
    pub(super) unread: Vec<Vec<String>>,
    /// Whether account and Region are those of the file.
    pub(super) knows_account: bool,
    /// What is wrong with it.
    pub(super) findings: Vec<Finding>,
}

/// Reads a document, leaving out what does not fit the shape of an environment.
pub(super) fn read(name: &FileName, mut document: Arc<Node>) -> Reading {
    let mut findings = Vec::new();
    let mut unread: Vec<Vec<String>> = Vec::new();
    for round in 0..MOST_ROUNDS {
        let problems = shape::judge(&document, shape::environment());
        if problems.len() >= shape::MOST {
            findings = problems.into_iter().map(|problem| problem.finding).collect();
            return Reading { settings: None, document, unread, knows_account: false, findings };
        }
        // What is missing only because it was just left out is no news.
        if round == 0 {
            findings.extend(problems.iter().map(|problem| problem.finding.clone()));
        }
        let paths = problems.into_iter().filter_map(|problem| problem.path);
        let mut paths: Vec<Vec<String>> = paths.filter(|path| !path.is_empty()).collect();
        if paths.is_empty() {
            break;
        }
        // From the back, so that positions in lists hold.
        paths.sort_by(|left, right| backwards(left, right));
        paths.dedup();
        for path in paths {
            Arc::make_mut(&mut document).remove(&path);
            unread.push(path);
        }
    }
    let (settings, knows_account) = settings(&document);
    let settings = match settings {
        Ok(settings) => Some(settings),
        Err(error) => {
            // Unless the shape missed something, this repeats one of the findings.
            if findings.is_empty() {
                let finding = Finding::error("invalid-value", format!("cannot be read: {error}"))
                    .helped(
                        "please report this file: sesinfra should have said what is wrong in it",
                    );
                findings.push(finding.at(Location::file(layers::shown_path(name))));
            }
            None
        }
    };
    Reading { settings, document, unread, knows_account, findings }
}

/// Compares two paths so that the later member of a list comes first.
fn backwards(left: &[String], right: &[String]) -> Ordering {
    let step =
        |(left, right): (&String, &String)| match (left.parse::<usize>(), right.parse::<usize>()) {
            (Ok(left), Ok(right)) => right.cmp(&left),
            _ => right.cmp(left),
        };
    let different = left.iter().zip(right).map(step).find(|order| order.is_ne());
    different.unwrap_or_else(|| right.len().cmp(&left.len()))
}

/// The settings of what is left, with stand-ins for the names that everything needs; whether there are none of them.
fn settings(document: &Node) -> (Result<Settings, Error>, bool) {
    let has = |name| document.entries().is_some_and(|entries| entries.has(name));
    let (knows_project, knows_account) = (has("project"), has("aws"));
    if knows_project && knows_account {
        return (Settings::deserialize(document), true);
    }
    let mut stood_in = document.clone();
    if !knows_project {
        stood_in.stand_in(["project"], "unknown");
    }
    if !knows_account {
        stood_in.stand_in(["aws", "account"], "000000000000");
        stood_in.stand_in(["aws", "region"], "us-east-1");
    }
    (Settings::deserialize(&stood_in), knows_account)
}
