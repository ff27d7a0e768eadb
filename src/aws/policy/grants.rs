//! What one policy document takes away that another one grants.
//!
//! Invariant: errs on the side of saying too much. Statements are taken together, so a right that moves from one to another
//! is not lost; what a pattern covers is not lost either.

use std::collections::BTreeSet;

use super::{Policy, Statement};

/// What stands before a pattern of From addresses among the rights that a document grants.
pub const SENDERS: &str = "mail from ";

/// The key of IAM by which a right to send is tied to From addresses.
const FROM: &str = "ses:FromAddress";

impl Policy {
    /// What `self` grants and `other` does not: principals, actions, resources and From addresses, each in a few words.
    #[must_use]
    pub fn taken_away_by(&self, other: &Self) -> BTreeSet<String> {
        let mut lost = BTreeSet::new();
        let kinds: [fn(&Statement) -> BTreeSet<String>; 4] =
            [principals, actions, resources, senders];
        for of in kinds {
            let kept = granted(other, of);
            let gone = granted(self, of).into_iter();
            lost.extend(gone.filter(|one| !kept.iter().any(|pattern| covers(pattern, one))));
        }
        lost
    }
}

fn granted(policy: &Policy, of: fn(&Statement) -> BTreeSet<String>) -> BTreeSet<String> {
    policy.statement.values().filter(|it| it.effect == "Allow").flat_map(of).collect()
}

fn principals(statement: &Statement) -> BTreeSet<String> {
    statement.principal.values().flatten().cloned().collect()
}

fn actions(statement: &Statement) -> BTreeSet<String> {
    statement.action.clone()
}

fn resources(statement: &Statement) -> BTreeSet<String> {
    statement.resource.clone()
}

/// Without a condition any address may be used.
fn senders(statement: &Statement) -> BTreeSet<String> {
    let mut named = statement.condition.values().filter_map(|keys| keys.get(FROM)).peekable();
    if named.peek().is_none() {
        return BTreeSet::from([format!("{SENDERS}*")]);
    }
    named.flatten().map(|pattern| format!("{SENDERS}{pattern}")).collect()
}

/// Whether all that `text` stands for matches `pattern`: `*` for any characters, `?` for one.
fn covers(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at_pattern, mut at_text) = (0, 0);
    // Where the last `*` stands, and up to where it has taken the text.
    let mut star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some('*') => {
                star = Some((at_pattern, at_text));
                at_pattern += 1;
            }
            Some(&wanted) if wanted == text[at_text] || (wanted == '?' && text[at_text] != '*') => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => match &mut star {
                Some((at_star, taken)) => {
                    *taken += 1;
                    (at_pattern, at_text) = (*at_star + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at_pattern..].iter().all(|one| *one == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(resources: &[&str], from: &[&str]) -> Policy {
        let send = Statement::allow().may(["ses:SendEmail"]).on(resources.iter().copied());
        let send = if from.is_empty() {
            send
        } else {
            send.when("StringLike", FROM, from.iter().copied())
        };
        Policy::new([("Send", send)])
    }

    fn lost(from: &Policy, to: &Policy) -> Vec<String> {
        from.taken_away_by(to).into_iter().collect()
    }

    #[test]
    fn narrowing_is_told_from_widening() {
        let narrow = policy(&["identity/a"], &["hello@a"]);
        let wide = policy(&["identity/a", "set/b"], &["*@a", "*@b"]);
        assert!(lost(&narrow, &wide).is_empty(), "the pattern covers the address");
        assert_eq!(lost(&wide, &narrow), ["mail from *@a", "mail from *@b", "set/b"]);
    }

    #[test]
    fn a_condition_that_was_not_there_takes_away_and_one_that_goes_does_not() {
        let any = policy(&["identity/a"], &[]);
        let some = policy(&["identity/a"], &["*@a"]);
        assert_eq!(lost(&any, &some), ["mail from *"]);
        assert!(lost(&some, &any).is_empty());
    }

    #[test]
    fn a_right_may_move_to_another_statement_and_under_a_pattern() {
        let listed = policy(&["identity/a", "identity/b"], &["*@a"]);
        let mut tagged = policy(&["identity/*"], &["*@a"]);
        let statement = tagged.statement.remove("Send").unwrap();
        tagged.statement.insert("SendTagged".to_owned(), statement);
        assert!(lost(&listed, &tagged).is_empty());
        assert_eq!(lost(&tagged, &listed), ["identity/*"]);
    }

    #[test]
    fn patterns_cover_what_they_match() {
        for (pattern, text) in
            [("*", ""), ("*", "a*b"), ("a?c", "abc"), ("*@*.a", "x@y.a"), ("a*b*", "aXbbY")]
        {
            assert!(covers(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("a?c", "ac"), ("a", "*"), ("?@a", "*@a"), ("*@b", "x@a"), ("a*b", "abc")]
        {
            assert!(!covers(pattern, text), "{pattern} {text}");
        }
    }
}
