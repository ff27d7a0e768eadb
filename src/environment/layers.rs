//! The files of an environment, read from disk: its own, and those that it extends.
//!
//! Invariant: no file, whatever is in it, does more than produce findings.

use super::document::{Entries, Node};
use super::finding::Finding;
use super::names::FileName;
use super::source::{Location, Source};
use super::words;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use toml::de::DeTable;

/// The folder of environment files under the root of a project.
pub(super) const FOLDER: &str = "environments";

/// Above every honest file: the 10,000 domains that SES allows take about 2 MB.
const LARGEST_BYTES: u64 = 4 * 1_048_576;

/// The findings of one file that are kept; a file with more is no environment file at all.
const MOST_SYNTAX_FINDINGS: usize = 50;

/// The path of an environment file, relative to the project.
pub(super) fn shown_path(name: &FileName) -> String {
    format!("{FOLDER}/{name}.toml")
}

/// The texts of a file and of those it extends.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts(BTreeMap<FileName, Arc<Source>>);

impl Texts {
    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.values().map(|source| &**source)
    }

    /// What they say together: once more what they said when they were read.
    pub(super) fn document(&self, name: &FileName) -> Option<Node> {
        let mut findings = Vec::new();
        stack(name, &mut findings, |name, _, findings| parse(self.0.get(name)?, findings))
    }
}

/// Reads a file and those it extends, and lays them over each other. `None` where one of them cannot be read.
pub(super) fn read(
    root: &Path,
    name: &FileName,
    findings: &mut Vec<Finding>,
) -> Option<(Node, Texts)> {
    let mut texts = Texts::default();
    let document = stack(name, findings, |name, place, findings| {
        let source = read_file(root, name, place, findings)?;
        let layer = parse(&source, findings);
        texts.0.insert(name.clone(), source);
        layer
    })?;
    Some((document, texts))
}

/// Lays a file over those it extends; `layer` gives each, `place` being where another one names it.
fn stack(
    name: &FileName,
    findings: &mut Vec<Finding>,
    mut layer: impl FnMut(&FileName, Option<Location>, &mut Vec<Finding>) -> Option<Node>,
) -> Option<Node> {
    let mut chain = vec![name.clone()];
    let mut layers = Vec::new();
    let mut location = None;
    loop {
        let current = chain.last()?;
        let layer = layer(current, location.take(), findings)?;
        let parent = layer.entries().and_then(|entries| entries.get("extends"));
        let next =
            parent.and_then(|node| Some((FileName::parse(node.text()?).ok()?, node.location())));
        layers.push(layer);
        let Some((parent, place)) = next else { break };
        if let Some(start) = chain.iter().position(|earlier| *earlier == parent) {
            findings.push(cycle(&chain[start..], &parent, place));
            return None;
        }
        chain.push(parent);
        location = Some(place);
    }
    let mut merged: Option<Node> = None;
    while let Some(layer) = layers.pop() {
        let under = merged.take().map(|mut under| {
            // What a file extends is its own affair.
            under.take("extends");
            under
        });
        merged = Some(layer.over(under, findings));
    }
    merged
}

fn cycle(chain: &[FileName], again: &FileName, place: Location) -> Finding {
    let way: Vec<String> = chain.iter().chain([again]).map(|name| format!("`{name}`")).collect();
    let message = match chain {
        [only] => format!("`{only}` extends itself"),
        _ => format!("the files extend each other in a circle: {}", way.join(" -> ")),
    };
    Finding::error("extends-cycle", message)
        .labelled("leads back to where it started")
        .helped("take `extends` out of the file that is to be at the bottom")
        .at(place)
}

/// Reads one file; `place` is where another one names it.
fn read_file(
    root: &Path,
    name: &FileName,
    place: Option<Location>,
    findings: &mut Vec<Finding>,
) -> Option<Arc<Source>> {
    let shown = shown_path(name);
    let bytes = match bytes(&root.join(FOLDER).join(format!("{name}.toml"))) {
        Ok(bytes) => bytes,
        Err(error) => {
            findings.push(unreadable(root, name, &error, place));
            return None;
        }
    };
    if bytes.len() as u64 > LARGEST_BYTES {
        let finding = Finding::error("file-too-large", format!("`{shown}` is larger than 4 MiB"))
            .helped("the 10,000 domains that SES allows take about half of that: is this the right file?")
            .at(Location::file(shown));
        findings.push(finding);
        return None;
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            findings.push(not_utf8(shown, &error));
            return None;
        }
    };
    Some(Arc::new(Source::new(shown, text)))
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe would wait for somebody to write to it, and a device may never end.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large, without reading all of it.
    File::open(path)?.take(LARGEST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(root: &Path, name: &FileName, error: &io::Error, place: Option<Location>) -> Finding {
    let shown = shown_path(name);
    if error.kind() != io::ErrorKind::NotFound {
        let finding = Finding::error("file-unreadable", format!("cannot read `{shown}`: {error}"))
            .helped("make it a file that whoever runs this may read");
        return finding.at(place.unwrap_or_else(|| Location::file(shown)));
    }
    let present: Vec<String> =
        files(root).unwrap_or_default().iter().map(ToString::to_string).collect();
    let present = present.iter().map(String::as_str).filter(|present| *present != name.as_str());
    let help = match words::nearest(name.as_str(), present.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => match present.collect::<Vec<_>>() {
            none if none.is_empty() => {
                format!("`{FOLDER}` has no environment files; is `--dir` the root of the project?")
            }
            some => format!("`{FOLDER}` has {}", words::listed(&some, "and")),
        },
    };
    match place {
        Some(place) => {
            Finding::error("extends-missing", format!("there is no file `{shown}` to extend"))
                .labelled("no such file")
                .helped(help)
                .at(place)
        }
        None => Finding::error("file-missing", format!("there is no file `{shown}`"))
            .helped(help)
            .at(Location::file(shown)),
    }
}

fn not_utf8(shown: String, error: &std::string::FromUtf8Error) -> Finding {
    let start = error.utf8_error().valid_up_to();
    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
    let wrong = char::REPLACEMENT_CHARACTER.len_utf8();
    let source = Arc::new(Source::new(shown, text));
    Finding::error("file-not-utf8", format!("`{}` is not UTF-8 text", source.path()))
        .labelled("these bytes are no character")
        .helped("save the file as UTF-8")
        .at(source.location(start..start + wrong))
}

/// Parses a text, as far as it is TOML; `None` where what is left says too little.
fn parse(source: &Arc<Source>, findings: &mut Vec<Finding>) -> Option<Node> {
    let (table, errors) = DeTable::parse_recoverable(source.text());
    let table = table.into_inner();
    if table.is_empty() && errors.is_empty() {
        let finding = Finding::error("file-empty", format!("`{}` says nothing", source.path()))
            .helped("write at least `project`, and `account` and `region` in `[aws]`; `sesinfra schema` describes the rest")
            .at(Location::file(source.path()));
        findings.push(finding);
        return None;
    }
    let root = Node::root(table, source);
    let mut readable = true;
    // A header that is there twice makes a duplicate of every key below it, which is no news.
    let mut repeated_until = 0;
    for error in errors.into_iter().take(MOST_SYNTAX_FINDINGS) {
        let span = error.span().unwrap_or_else(|| source.text().len()..source.text().len());
        if !error.message().starts_with("duplicate key") {
            readable = false;
            findings.push(syntax(source, error.message(), span));
        } else if span.start >= repeated_until {
            // The first of the two is in the tree, so everything else can still be judged.
            let line = line(source, span.start);
            match header(line) {
                Some(header) => {
                    repeated_until = next_header(source, span.end);
                    findings.push(duplicate_header(source, header, span));
                }
                None => findings.push(duplicate_key(source, span, &root)),
            }
        }
    }
    readable.then_some(root)
}

fn syntax(source: &Arc<Source>, message: &str, span: Range<usize>) -> Finding {
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let finding =
        Finding::error("toml-syntax", format!("this is not TOML: {}", words::shown(what)));
    let finding = match expected {
        "" => finding,
        expected => finding.labelled(format!("expected {}", words::shown(expected))),
    };
    let help = match what {
        "unclosed table" | "unclosed array table" => {
            "end the header with the brackets it began with"
        }
        "invalid basic string" => {
            "end the text with `\"` on its line, and write a control character by its number, such as `\\u0007`"
        }
        _ => {
            "texts stand in quotes, headers in brackets, and every key on a line of its own: https://toml.io"
        }
    };
    finding.helped(help).at(source.location(span))
}

/// The line that a byte is on.
fn line(source: &Source, byte: usize) -> &str {
    let index = source.line_index(byte);
    source.slice(&(source.line_start(index)..source.line_start(index + 1)))
}

/// The header on a line, without what stands around it.
fn header(line: &str) -> Option<&str> {
    let code = line.split('#').next().unwrap_or_default().trim();
    (code.starts_with('[') && code.ends_with(']')).then_some(code)
}

/// Where the next header after a byte starts, or the text ends.
fn next_header(source: &Source, byte: usize) -> usize {
    let first = source.line_index(byte) + 1;
    let starts = (first..).map(|index| source.line_start(index));
    let mut starts = starts.take_while(|start| *start < source.text().len());
    starts.find(|start| header(line(source, *start)).is_some()).unwrap_or(source.text().len())
}

/// A table that is opened a second time.
fn duplicate_header(source: &Arc<Source>, header_text: &str, span: Range<usize>) -> Finding {
    let finding =
        Finding::error("duplicate-key", format!("`{}` is there twice", words::shown(header_text)))
            .labelled("a second time")
            .helped("give one of them another name, or put the two together")
            .at(source.location(span.clone()));
    let last = source.line_index(span.start);
    let first = (0..last)
        .find(|index| header(line(source, source.line_start(*index))) == Some(header_text));
    match first {
        Some(index) => {
            let start = source.line_start(index)
                + line(source, source.line_start(index)).find('[').unwrap_or(0);
            finding.beside(source.location(start..start + header_text.len()), "the first time")
        }
        None => finding,
    }
}

/// A key that is set a second time.
fn duplicate_key(source: &Arc<Source>, span: Range<usize>, root: &Node) -> Finding {
    let name = source.slice(&span);
    let finding = Finding::error("duplicate-key", format!("`{}` is set twice", words::shown(name)))
        .labelled("a second time")
        .helped("remove one of the two")
        .at(source.location(span.clone()));
    let mut earlier = Vec::new();
    keys_called(root, name.trim_matches(['"', '\'']), &mut earlier);
    let start = |place: &Location| place.position.as_ref().map(|position| position.span.start);
    // Both stand in one table, so the first is the nearest one above.
    let first =
        earlier.into_iter().filter(|place| start(place) < Some(span.start)).max_by_key(start);
    match first {
        Some(first) => finding.beside(first, "the first time"),
        None => finding,
    }
}

fn keys_called(node: &Node, name: &str, found: &mut Vec<Location>) {
    for (key, entry) in node.entries().into_iter().flat_map(Entries::iter) {
        if key == name {
            found.push(entry.key_location());
        }
        keys_called(entry, name, found);
    }
}

/// The names of all files in the folder that can be an environment's.
pub(super) fn files(root: &Path) -> io::Result<Vec<FileName>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root.join(FOLDER))? {
        let file = entry?.file_name();
        let stem = file.to_str().and_then(|name| name.strip_suffix(".toml"));
        names.extend(stem.and_then(|stem| FileName::parse(stem).ok()));
    }
    names.sort();
    Ok(names)
}

/// The files that one of these extends, by what each says of itself.
pub(super) fn extended(root: &Path, files: &[FileName]) -> BTreeSet<FileName> {
    let read = |name: &FileName| {
        let mut findings = Vec::new();
        parent(&parse(&read_file(root, name, None, &mut findings)?, &mut findings)?)
    };
    files.iter().filter_map(read).collect()
}

/// The file that a file extends, where it is a name.
pub(super) fn parent(layer: &Node) -> Option<FileName> {
    FileName::parse(layer.entries()?.get("extends")?.text()?).ok()
}
