//! Plan files: data without secrets, with a fingerprint by which a change to them shows.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use serde::Deserialize;

use super::failure::Failure;
use crate::view::{Document, FORMAT};

/// The largest file that is read as a plan: a thousand domains take some ten megabytes.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Writes a plan to `path`, whole or not at all.
pub(super) fn write(document: &Document, path: &Path) -> Result<(), Failure> {
    let written = serde_json::to_vec_pretty(document)
        .map_err(io::Error::from)
        .and_then(|bytes| replace(path, &bytes));
    written
        .map_err(|error| Failure::input(format!("{}: cannot be written: {error}", path.display())))
}

/// A reader of the file finds the old one or the new one, never half of it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What a link leads to is replaced, not the link.
    let place = fs::canonicalize(path);
    let path = place.as_deref().unwrap_or(path);
    // A pipe or a device takes what is written, and would be gone if a file took its place.
    if fs::metadata(path).is_ok_and(|it| !it.is_file() && !it.is_dir()) {
        let mut stream = fs::OpenOptions::new().write(true).open(path)?;
        return stream.write_all(bytes).and_then(|()| stream.write_all(b"\n"));
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let mut file = fs::File::create(&beside)?;
    let written = file.write_all(bytes).and_then(|()| file.write_all(b"\n"));
    match written.and_then(|()| fs::rename(&beside, path)) {
        Ok(()) => Ok(()),
        Err(error) => {
            // What is left beside would only confuse; that it cannot be removed changes nothing.
            let _ = fs::remove_file(&beside);
            Err(error)
        }
    }
}

/// The one member of a plan file that is read before the others are believed.
#[derive(Deserialize)]
struct Form {
    format: Option<u64>,
}

/// Reads a plan from `path`.
pub(super) fn read(path: &Path) -> Result<Document, Failure> {
    let at = |message: String| Failure::input(format!("{}: {message}", path.display()));
    let refused = |message: String| Failure::refused(format!("{}: {message}", path.display()));
    let text = text(path).map_err(|error| at(format!("cannot be read: {error}")))?;
    let text = text.ok_or_else(|| at("is far too large for a plan".to_owned()))?;
    let form: Form =
        serde_json::from_str(&text).map_err(|error| at(format!("is no plan: {error}")))?;
    let anew = "write it anew: sesinfra plan ENVIRONMENT --out FILE";
    match form.format {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(_) => return Err(refused("is a plan of another version".to_owned()).hinted(anew)),
        None => return Err(at("is no plan that this version can read".to_owned()).hinted(anew)),
    }
    let document: Document =
        serde_json::from_str(&text).map_err(|error| at(format!("is no plan: {error}")))?;
    let is_whole = document.checksum == document.computed_checksum()
        && document.fingerprint == document.computed_fingerprint();
    if !is_whole {
        let changed = "was changed after it was written: its checksum does not fit";
        return Err(refused(changed.to_owned()).hinted(anew));
    }
    Ok(document)
}

/// The text of a file; `None` if it is too large. No more is read than tells that, whatever the file says of its size.
fn text(path: &Path) -> io::Result<Option<String>> {
    let mut text = String::new();
    fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    Ok((text.len() as u64 <= FILE_BYTES_MAX).then_some(text))
}
