//! What looks like a secret where none should be, and what is shown in its place.
//!
//! A finding quotes the line that it is about, and whoever pastes a private key into an environment file gets a finding. The
//! endpoint of somebody else's subscription may carry a password. Neither may end up in the log of a CI run.
//!
//! Invariant: what is masked has the length and the lines of what it hides, so that a place in the one is a place in the
//! other.

use std::ops::Range;

use sha2::{Digest, Sha256};

/// Runs of base64 so long are keys, not words: AWS's secret keys have 40 characters.
const RUN_MIN: usize = 40;
/// Runs so long are keys of RSA, whatever words and paths may look like.
const KEY_MIN: usize = 100;
/// So much of a run tells what it is (`MIIEvQIB` begins a private key) and no more.
const RUN_SHOWN: usize = 8;

/// Names of parameters and keys whose values are secrets, or end in one of these after `_` or `-`.
const NAMES: [&str; 15] = [
    "secret",
    "password",
    "passwd",
    "pwd",
    "token",
    "apikey",
    "api_key",
    "key",
    "sig",
    "signature",
    "auth",
    "authorization",
    "credential",
    "credentials",
    "access_key",
];

/// Keys of an environment file that look like those and hold names.
const NO_SECRETS: [&str; 4] = ["secret", "public_key", "encryption_key", "key"];

/// `text`, of the same length and lines, with `*` where something looks like a secret.
#[must_use]
pub fn masked(text: &str) -> String {
    let mut hidden = keys(text);
    hidden.extend(pem(text));
    hidden.extend(runs(text));
    hidden.extend(in_urls(text));
    let mut bytes = text.as_bytes().to_vec();
    for range in hidden {
        let within = bytes[range].iter_mut().filter(|byte| !matches!(byte, b'\n' | b'\r'));
        within.for_each(|byte| *byte = b'*');
    }
    // Ranges end at ASCII characters, so no other is cut in two.
    String::from_utf8(bytes).unwrap_or_default()
}

/// A URL with a digest in the place of each secret in it: two URLs that differ only in a secret stay two.
#[must_use]
pub fn without_secrets(url: &str) -> String {
    let mut shown = String::with_capacity(url.len());
    let mut from = 0;
    for range in in_urls(url) {
        let digest = Sha256::digest(&url.as_bytes()[range.clone()]);
        shown += &url[from..range.start];
        shown += "***";
        shown += &crate::aws::hex(digest.into_iter().take(4));
        from = range.end;
    }
    shown + &url[from..]
}

/// The name of the first parameter in the query of a URL whose value looks like a secret.
#[must_use]
pub fn secret_parameter(url: &str) -> Option<&str> {
    let (_, query) = url.split_once('?')?;
    let named = query.split('&').filter_map(|pair| pair.split_once('='));
    named
        .into_iter()
        .find(|(name, value)| is_secret_name(name) && !value.is_empty())
        .map(|(name, _)| name)
}

/// Whether a text is a private key, or most of one.
#[must_use]
pub fn is_private_key(text: &str) -> bool {
    let compact: String = text.split_whitespace().collect();
    text.contains("PRIVATE KEY-----")
        || runs(&compact).iter().any(|run| run.len() + RUN_SHOWN >= KEY_MIN)
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    NAMES.iter().any(|secret| {
        name == *secret || name.strip_suffix(secret).is_some_and(|start| start.ends_with('_'))
    })
}

/// Values in quotes after a key that says that they are secret: `password = "..."`.
fn keys(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('=') {
        let before = text[..at].trim_end_matches([' ', '\t', '"', '\'']);
        let is_part = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
        let key = before.rsplit(|it| !is_part(it)).next().unwrap_or_default();
        if NO_SECRETS.contains(&key) || !is_secret_name(key) {
            continue;
        }
        let value = text[at + 1..].trim_start_matches([' ', '\t']);
        let Some(quote) = value.chars().next().filter(|it| matches!(it, '"' | '\'')) else {
            continue;
        };
        let start = text.len() - value.len() + 1;
        let length = value[1..].find([quote, '\n']).unwrap_or(value.len() - 1);
        found.push(start..start + length);
    }
    found
}

/// What stands between the lines that begin and end a private key.
fn pem(text: &str) -> Vec<Range<usize>> {
    const MARK: &str = "PRIVATE KEY-----";
    let ends = text.match_indices(MARK).filter(|(at, _)| {
        text[..*at].rfind("-----").is_some_and(|mark| text[mark..*at].starts_with("-----BEGIN"))
    });
    let bodies = ends.map(|(at, _)| {
        let start = at + MARK.len();
        start..text[start..].find("-----").map_or(text.len(), |end| start + end)
    });
    bodies.collect()
}

/// Long runs of base64, but for their beginnings.
fn runs(text: &str) -> Vec<Range<usize>> {
    let is_part = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/' | b'=');
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let length = bytes[start..].iter().take_while(|byte| is_part(**byte)).count();
        let run = &bytes[start..start + length];
        // Words and paths have no mixture of all three.
        let is_mixed = run.iter().any(u8::is_ascii_digit)
            && run.iter().any(u8::is_ascii_uppercase)
            && run.iter().any(u8::is_ascii_lowercase);
        if length >= RUN_MIN && is_mixed {
            found.push(start + RUN_SHOWN..start + length);
        }
        start += length + 1;
    }
    found
}

/// Passwords and secret parameters in URLs, in order.
fn in_urls(text: &str) -> Vec<Range<usize>> {
    let is_end = |it: char| it.is_whitespace() || matches!(it, '"' | '\'' | '`' | '<' | '>');
    let mut found: Vec<Range<usize>> = Vec::new();
    // Where the query of the URL before ends: what is a URL within it belongs to it. And up to where there is none, so that
    // no text is looked through again and again.
    let (mut done, mut without_query) = (0, 0);
    for (at, mark) in text.match_indices("://") {
        let start = at + mark.len();
        if start < done {
            continue;
        }
        let url = &text[start..];
        let authority = url.find(|it| is_end(it) || matches!(it, '/' | '?' | '#'));
        let authority = &url[..authority.unwrap_or(url.len())];
        if let Some((user, _)) = authority.rsplit_once('@') {
            let password = user.find(':').map_or(0, |colon| colon + 1);
            found.push(start + password..start + user.len());
        }
        if start < without_query {
            continue;
        }
        let query = url.find(|it| is_end(it) || it == '?').unwrap_or(url.len());
        if !url[query..].starts_with('?') {
            without_query = start + query;
            continue;
        }
        let url = &url[..url[query..].find(is_end).map_or(url.len(), |end| query + end)];
        done = start + url.len();
        let mut position = start + query + 1;
        for pair in url[query + 1..].split('&') {
            if let Some((name, value)) = pair.split_once('=')
                && is_secret_name(name)
            {
                let value_at = position + name.len() + 1;
                found.push(value_at..value_at + value.len());
            }
            position += pair.len() + 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_at_their_length() {
        let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        for (text, shown) in [
            (format!("private_key = \"{key}\""), format!("private_key = \"{}\"", "*".repeat(40))),
            (format!("x = \"{key}\""), format!("x = \"wJalrXUt{}\"", "*".repeat(32))),
            ("smtp-password='a b' # \u{e4}".to_owned(), "smtp-password='***' # \u{e4}".to_owned()),
            ("\u{e4}token = \"\u{e4}\"".to_owned(), "\u{e4}token = \"**\"".to_owned()),
            (
                "\"https://u:pass@a.example/x?a=1&token=abc&b=2\"".to_owned(),
                "\"https://u:****@a.example/x?a=1&token=***&b=2\"".to_owned(),
            ),
            (
                "'''-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END".to_owned(),
                "'''-----BEGIN RSA PRIVATE KEY-----\n***\n-----END".to_owned(),
            ),
        ] {
            assert_eq!(masked(&text), shown, "{text}");
            assert_eq!(masked(&text).len(), text.len());
        }
    }

    #[test]
    fn a_key_is_told_from_its_place() {
        let base64 = "MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAMNYI0Qe\nJIlBv7igROXDJg3DWCNEHiSJQb+4oETlwyYNabcd0123";
        for key in [base64, &base64.replace('\n', ""), "-----BEGIN PRIVATE KEY-----\nMIIC"] {
            assert!(is_private_key(key), "{key}");
        }
        for place in [
            "DKIM_KEY",
            "keys/2026/Production/pivot.app.pem",
            "/mail/dkim",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:mail/dkim-AbC123",
        ] {
            assert!(!is_private_key(place), "{place}");
        }
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        for text in [
            "private_key = { secret = \"pivot/dkim\" }",
            "dkim = { key = \"rsa-2048\" }",
            "role = \"arn:aws:iam::123456789012:role/some/very/long/path/of/many/words/apply\"",
            "https = \"https://api.pivot.app/hooks/ses?tenant=1\"",
            "from = [\"*@pivot.app\"]",
            "digest = \"3f2a91bc04de3f2a91bc04de3f2a91bc04de3f2a91bc04de\"",
            "a = = = \"\u{1f600}\"",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn a_url_without_its_secrets_still_tells_two_apart() {
        let shown = without_secrets("https://u:a@x.example/?n=1&token=b");
        assert!(shown.starts_with("https://u:***") && shown.contains("@x.example/?n=1&token=***"));
        assert_ne!(shown, without_secrets("https://u:a@x.example/?n=1&token=c"));
        let plain = "https://x.example/hooks?tenant=1";
        assert_eq!(without_secrets(plain), plain);
    }

    #[test]
    fn a_secret_parameter_is_named() {
        assert_eq!(secret_parameter("https://x/?a=1&api_key=b"), Some("api_key"));
        assert_eq!(secret_parameter("https://x/?X-Amz-Signature=b"), Some("X-Amz-Signature"));
        assert_eq!(secret_parameter("https://x/?monkey=b&token="), None);
        assert_eq!(secret_parameter("https://x/token=1"), None);
    }
}
