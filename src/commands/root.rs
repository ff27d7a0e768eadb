//! Finding the project: the folder that holds `environments/`, from the current directory upwards.

use std::path::{Path, PathBuf};

use super::failure::Failure;

/// The folder that holds the environment files.
const FOLDER: &str = "environments";

/// The nearest folder at or above `start` that holds `environments/`.
pub(super) fn find_root(start: &Path, program: &str) -> Result<PathBuf, Failure> {
    // The project above a folder that is not there is hardly the one that is meant.
    if !start.is_dir() {
        return Err(Failure::input(format!("there is no folder {}", start.display())));
    }
    let found = start.ancestors().find(|folder| folder.join(FOLDER).is_dir());
    found.map(Path::to_path_buf).ok_or_else(|| {
        let message = format!("no folder `{FOLDER}` in {} or above it", start.display());
        Failure::input(message).hinted(format!(
            "change to the project's directory, or name it: {program} --dir DIRECTORY ..."
        ))
    })
}
