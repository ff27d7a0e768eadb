//! Environment files: the TOML, and nothing else in the program knows TOML.
//!
//! Invariant: an [`Environment`] that was loaded has passed every check, so the rest of the program never meets a
//! name it must validate or a reference that leads nowhere.

pub mod names;
pub mod types;

mod checks;
mod document;
mod finding;
mod layers;
#[cfg(test)]
mod of_text;
mod plain;
mod reading;
mod rules;
mod schema;
mod shape;
mod source;
mod statement;
mod words;

pub use finding::{Finding, Findings, Related, Severity};
#[cfg(test)]
pub(crate) use of_text::of_text;
pub use rules::{Rule, rules};
pub use schema::schema;
pub use source::{Location, Position, Source};
pub use statement::Statement;
pub use types::Settings;
pub(crate) use words::{listed, nearest};

use document::Node;
use layers::Texts;
use names::FileName;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// An environment file that was read, with those it extends underneath, and found right.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The name of the file, without `.toml`.
    pub name: FileName,
    /// What it says.
    pub settings: Settings,
    /// What it may not mean.
    pub warnings: Findings,
    /// The other environments of the project.
    pub neighbours: Vec<Neighbour>,
    /// What reviewers at AWS read, filled in; none where no production access is declared.
    pub statement: Option<Statement>,
    texts: Texts,
    /// What they say, once somebody asks: it is large, and only whoever finds fault does.
    document: OnceLock<Arc<Node>>,
}

/// Another environment of the same project folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Its name.
    pub name: FileName,
    /// Its project.
    pub project: names::ProjectName,
    /// Its account.
    pub account: names::AccountId,
    /// Its Region.
    pub region: names::Region,
    /// Its identities that sign with the key of another Region, each with that Region.
    pub replicas: BTreeMap<names::IdentityName, names::Region>,
}

impl fmt::Display for Neighbour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, project, account, region, .. } = self;
        write!(formatter, "{project}/{name} of account {account} in {region}")
    }
}

/// Reads `environments/NAME.toml` under the root of a project, with the files it extends, and checks all of it, also
/// against the other environments of the project.
///
/// # Errors
/// Everything that is wrong, at once, warnings included.
pub fn load(root: &Path, name: &FileName) -> Result<Environment, Findings> {
    let mut findings = Vec::new();
    let Some((whole, texts)) = layers::read(root, name, &mut findings) else {
        return Err(Findings::new(findings));
    };
    let whole = Arc::new(whole);
    let reading = reading::read(name, Arc::clone(&whole));
    findings.extend(reading.findings);
    let Some(settings) = reading.settings else { return Err(Findings::new(findings)) };
    let mut environment = Environment {
        name: name.clone(),
        settings,
        warnings: Findings::default(),
        neighbours: Vec::new(),
        statement: None,
        texts,
        document: reading.document.into(),
    };
    let others = others(root, name, &whole);
    environment.neighbours = others.iter().map(neighbour).collect();
    let subject = checks::Subject {
        environment: &environment,
        whole: &whole,
        unread: &reading.unread,
        knows_account: reading.knows_account,
        others: &others,
    };
    findings.extend(checks::run(&subject));
    environment.statement = statement::read(root, &environment, &mut findings);
    let findings = Findings::new(findings);
    if findings.has_errors() {
        return Err(findings);
    }
    environment.warnings = findings;
    environment.document.take();
    // Filled one by one a map is half empty, which with thousands of entries is much.
    let identities = std::mem::take(&mut environment.settings.identities);
    environment.settings.identities = identities.into_iter().collect();
    Ok(environment)
}

fn neighbour(environment: &Environment) -> Neighbour {
    let Settings { project, aws, identities, .. } = &environment.settings;
    let replicas = identities.iter().filter_map(|(name, identity)| match &identity.dkim {
        Some(types::Dkim::Replica { replica_of }) => Some((name.clone(), replica_of.clone())),
        _ => None,
    });
    Neighbour {
        name: environment.name.clone(),
        project: project.clone(),
        account: aws.account.clone(),
        region: aws.region.clone(),
        replicas: replicas.collect(),
    }
}

/// The other environments of the project, as far as they are right in themselves.
fn others(root: &Path, name: &FileName, document: &Node) -> Vec<Environment> {
    let mut files = layers::files(root).unwrap_or_default();
    files.retain(|file| file != name);
    let mut bases = layers::extended(root, &files);
    bases.extend(layers::parent(document));
    let read = |name: FileName| {
        let mut findings = Vec::new();
        let (document, texts) = layers::read(root, &name, &mut findings)?;
        let reading = reading::read(&name, Arc::new(document));
        if !reading.findings.is_empty() {
            return None;
        }
        let warnings = Findings::default();
        Some(Environment {
            name,
            settings: reading.settings?,
            warnings,
            neighbours: Vec::new(),
            statement: None,
            texts,
            document: OnceLock::new(),
        })
    };
    environments(root, files, &bases).filter_map(read).collect()
}

/// The environments of a project: its environment files, without those that are only there to be extended.
///
/// # Errors
/// The folder cannot be listed.
pub fn names(root: &Path) -> io::Result<Vec<FileName>> {
    let files = layers::files(root)?;
    let bases = layers::extended(root, &files);
    Ok(environments(root, files, &bases).collect())
}

/// Those of the files that are environments: a file that others extend is one only if it is complete.
fn environments<'a>(
    root: &'a Path,
    files: Vec<FileName>,
    bases: &'a BTreeSet<FileName>,
) -> impl Iterator<Item = FileName> + 'a {
    let is_complete = move |name: &FileName| {
        let needed = [&["project"][..], &["aws", "account"], &["aws", "region"]];
        let document = layers::read(root, name, &mut Vec::new());
        document.is_some_and(|(document, _)| needed.iter().all(|path| document.nearest(path).1))
    };
    files.into_iter().filter(move |name| !bases.contains(name) || is_complete(name))
}

impl Environment {
    /// The file that a value came from, such as `environments/defaults.toml`: `["identities", "pivot.app", "dmarc"]`.
    /// Positions in lists are numbers; `None` where no file says anything under that path.
    #[must_use]
    pub fn origin(&self, key_path: &[&str]) -> Option<&str> {
        match self.document()?.nearest(key_path) {
            (node, true) => Some(node.source().path()),
            (_, false) => None,
        }
    }

    fn document(&self) -> Option<&Node> {
        if let Some(document) = self.document.get() {
            return Some(document);
        }
        let document = Arc::new(self.texts.document(&self.name)?);
        Some(self.document.get_or_init(|| document))
    }

    /// The files that what it says came from, each with the SHA-256 of its text in hex: by them a plan knows whether they
    /// changed.
    #[must_use]
    pub fn sources(&self) -> BTreeMap<String, String> {
        let digest = |text: &str| {
            let bytes = Sha256::digest(text.as_bytes());
            bytes.iter().fold(String::new(), |mut hex, byte| {
                // Writing to a String cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
        };
        let files = self.texts.iter();
        files.map(|source| (source.path().to_owned(), digest(source.text()))).collect()
    }

    /// An error about a value of this environment, at its place in whichever file it came from; where the value was
    /// left out, at the table it was left out of.
    #[must_use]
    pub fn finding(
        &self,
        id: &'static str,
        key_path: &[&str],
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Finding {
        let finding = Finding::error(id, message).labelled(label).helped(help);
        finding.at(self.location(key_path))
    }

    /// The place of a value in whichever file it came from; of the nearest table above it where it was left out.
    #[must_use]
    pub fn location(&self, key_path: &[&str]) -> Location {
        match self.document() {
            Some(document) => document.nearest(key_path).0.location(),
            None => Location::file(layers::shown_path(&self.name)),
        }
    }

    /// The place of the key that a value stands under.
    fn key_location(&self, key_path: &[&str]) -> Location {
        match self.document() {
            Some(document) => document.nearest(key_path).0.key_location(),
            None => Location::file(layers::shown_path(&self.name)),
        }
    }
}
