//! Texts that are compared with a file. `SESINFRA_BLESS=1 cargo test` writes the files anew, for the diff to be read.

use std::path::Path;

/// Asserts that `text` is what the file at `path` (from the package's root) holds.
pub(crate) fn assert_golden(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("SESINFRA_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        expected == text,
        "{path} differs (bless it with SESINFRA_BLESS=1 if this is right). It is now:\n{text}"
    );
}
