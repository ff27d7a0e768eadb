//! Words for findings: texts of the file made fit to print, keys as TOML writes them, and "did you mean".

/// A text of the file, without what a terminal would obey and not longer than a line takes.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == LONGEST {
            shown.push_str("...");
            break;
        }
        match character.is_control() || is_invisible(character) {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}

/// Characters that change how the text around them is shown (Unicode bidirectional controls and zero-width ones).
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A key as TOML writes it: bare where it can be, otherwise in quotes.
pub(super) fn key(name: &str) -> String {
    let bare = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    match !name.is_empty() && name.chars().all(bare) {
        true => shown(name),
        false => format!("\"{}\"", shown(name)),
    }
}

/// A path of keys as TOML writes it: `identities."pivot.app".mail_from`.
pub(super) fn path<S: AsRef<str>>(keys: &[S]) -> String {
    keys.iter().map(|name| key(name.as_ref())).collect::<Vec<_>>().join(".")
}

/// Several words in a sentence, each in backticks: `` `a`, `b` or `c` ``.
pub(crate) fn listed<S: AsRef<str>>(words: &[S], last: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.split_last() {
        Some((only, [])) => only.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
        None => String::new(),
    }
}

/// The word that was probably meant: the nearest by spelling, if it is near enough.
pub(crate) fn nearest<'a>(
    written: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    /// Longer texts are no misspelt words, and comparing them costs time.
    const LONGEST: usize = 100;
    if written.len() > LONGEST {
        return None;
    }
    let folded = |word: &str| word.to_lowercase().replace(['-', ' '], "_");
    let written = folded(written);
    let distance = |word: &'a str| (strsim::damerau_levenshtein(&written, &folded(word)), word);
    let (steps, word) =
        words.into_iter().filter(|word| word.len() <= LONGEST).map(distance).min()?;
    // One letter in three may be wrong; a very short word has no near neighbours but the obvious ones.
    (steps <= (written.chars().count().max(word.chars().count()) / 3).max(1)).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(shown("a\u{1b}[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
        assert!(shown(&"x".repeat(1_000)).len() < 100);
    }

    #[test]
    fn keys_are_quoted_where_toml_needs_it() {
        assert_eq!(
            path(&["identities", "pivot.app", "mail_from"]),
            "identities.\"pivot.app\".mail_from"
        );
        assert_eq!(listed(&["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }

    #[test]
    fn the_word_that_was_meant_is_near_in_spelling() {
        let keys = ["configuration_set", "mail_from", "dmarc", "dkim", "dns"];
        assert_eq!(nearest("configuraton_set", keys), Some("configuration_set"));
        assert_eq!(nearest("mail-from", keys), Some("mail_from"));
        assert_eq!(nearest("MAIL_FORM", keys), Some("mail_from"));
        assert_eq!(nearest("subscription", keys), None);
        assert_eq!(nearest("", keys), None);
    }
}
