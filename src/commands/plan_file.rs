//! Plan files: data without secrets, with a fingerprint by which a change to them shows.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

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

/// Reads a plan from `path`.
pub(super) fn read(path: &Path) -> Result<Document, Failure> {
    let at = |message: String| Failure::input(format!("{}: {message}", path.display()));
    let size = fs::metadata(path).map_err(|error| at(format!("cannot be read: {error}")))?.len();
    if size > FILE_BYTES_MAX {
        return Err(at("is far too large for a plan".to_owned()));
    }
    let text = fs::read_to_string(path).map_err(|error| at(format!("cannot be read: {error}")))?;
    let format = serde_json::from_str::<serde_json::Value>(&text)
        .map_err(|error| at(format!("is no plan: {error}")))?
        .get("format")
        .and_then(serde_json::Value::as_u64);
    if format != Some(u64::from(FORMAT)) {
        return Err(at("is no plan that this version can read".to_owned())
            .hinted("write it anew: sesinfra plan ENVIRONMENT --out FILE"));
    }
    let document: Document =
        serde_json::from_str(&text).map_err(|error| at(format!("is no plan: {error}")))?;
    if document.fingerprint != document.computed_fingerprint() {
        return Err(
            at("was changed after it was written: its fingerprint does not fit".to_owned())
                .hinted("write it anew: sesinfra plan ENVIRONMENT --out FILE"),
        );
    }
    Ok(document)
}
