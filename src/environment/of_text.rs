//! For tests of what is made of an environment: one that is read from a text, as from a file.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Environment, load, names::FileName};

/// Numbers the folders of one test process.
static FOLDERS: AtomicUsize = AtomicUsize::new(0);

/// The environment whose file says `text`.
pub(crate) fn of_text(name: &FileName, text: &str) -> Environment {
    let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
    let root = std::env::temp_dir().join(format!("sesinfra-text-{}-{number}", std::process::id()));
    std::fs::create_dir_all(root.join("environments")).unwrap();
    std::fs::write(root.join(format!("environments/{name}.toml")), text).unwrap();
    let environment = load(&root, name);
    std::fs::remove_dir_all(&root).unwrap();
    environment.unwrap()
}
