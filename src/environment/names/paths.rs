//! Files beside the environment files.

use super::{NameError, text_name};

text_name! {
    /// A file in the folder of the environment files, or in a folder below: `prod-access.md`.
    RelativePath, "relative-path", relative
}

/// Nothing outside the folder can be named: what a file may read is what stands beside it.
fn relative(text: &str) -> Result<String, NameError> {
    let remedy =
        "write the name of a file in the folder of the environment files, such as `prod-access.md`";
    let wrong = |reason: &str| Err(NameError::new(reason, remedy));
    if text.is_empty() || text.ends_with('/') {
        return wrong("names no file");
    }
    if text.starts_with('/') || text.contains(['\\', ':', '\0']) {
        return wrong("is not a path below the folder of the environment files");
    }
    if text.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return wrong("has a part that is empty, `.` or `..`");
    }
    if text.chars().any(char::is_control) {
        return wrong("contains a control character");
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_its_folder() {
        for right in ["access.md", "access/prod.md", "a b.txt"] {
            assert!(RelativePath::parse(right).is_ok(), "{right}");
        }
        for wrong in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "C:\\x", "./a", "a/"] {
            assert!(RelativePath::parse(wrong).is_err(), "{wrong}");
        }
    }
}
