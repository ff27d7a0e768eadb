//! What changing an identity does to mail.

use super::Spec;
use crate::engine::{Field, Impact, Severity, touches};

/// The worst that turning `from` into `to` does.
pub(super) fn of_change(from: &Spec, to: &Spec, fields: &[Field]) -> Impact {
    if touches(fields, "replica_of") {
        let reason = match to.replica_of {
            Some(_) => "until the identity is made anew and verified, no mail is sent from it",
            None => {
                "until the identity is made anew and its new records are found, no mail is sent from it"
            }
        };
        return Impact::new(Severity::StopsMail, reason);
    }
    if from.signing == Some(true) && to.signing == Some(false) {
        let reason = "mail leaves unsigned: where DMARC relies on DKIM, receivers may refuse it";
        return Impact::new(Severity::StopsMail, reason);
    }
    // Switching between the kinds of key is not seamless (developer guide, "Easy DKIM"). To a key of one's own it is
    // `signing` that switches, and says so.
    match (from.easy_key.as_deref(), to.easy_key.as_deref()) {
        (None, Some(_)) => {
            return unsigned(
                to.must_be_signed,
                "mail is unsigned from the switch until SES finds the three new records",
            );
        }
        (Some(_), Some("rsa-1024")) if touches(fields, "easy_key") => {
            let reason = "a key of 1,024 bits is weaker, and some receivers think less of mail signed with it";
            return Impact::new(Severity::Degrades, reason);
        }
        _ => {}
    }
    if from.feedback_forwarding && !to.feedback_forwarding {
        let reason = "bounces and complaints are no longer mailed to the sender, only published";
        return Impact::new(Severity::Degrades, reason);
    }
    Impact::safe()
}

/// What mail that is not signed for a while does.
pub(super) fn unsigned(must_be_signed: bool, reason: &str) -> Impact {
    if must_be_signed {
        let reason = format!("{reason}; DMARC tells receivers to refuse it until then");
        return Impact::new(Severity::StopsMail, reason);
    }
    Impact::new(Severity::Degrades, reason)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::difference;

    fn of(change: impl FnOnce(&mut Spec)) -> Severity {
        let from = super::super::documented::examples().remove(0);
        let mut to = from.clone();
        change(&mut to);
        let fields = difference(
            Some(&json!(from)),
            Some(&json!(to)),
            &["create_with_set", "must_be_signed"],
        );
        of_change(&from, &to, &fields).severity
    }

    #[test]
    fn what_leaves_mail_unsigned_or_unsent_is_said() {
        assert_eq!(of(|_| {}), Severity::Safe);
        assert_eq!(of(|to| to.replica_of = Some("eu-west-1".to_owned())), Severity::StopsMail);
        assert_eq!(of(|to| to.signing = Some(false)), Severity::StopsMail);
        assert_eq!(of(|to| to.easy_key = None), Severity::Safe);
        assert_eq!(of(|to| to.easy_key = Some("rsa-1024".to_owned())), Severity::Degrades);
        assert_eq!(of(|to| to.feedback_forwarding = false), Severity::Degrades);
        let own = Spec { easy_key: None, ..super::super::documented::examples().remove(0) };
        let easy = |must_be_signed| Spec {
            easy_key: Some("rsa-2048".to_owned()),
            must_be_signed,
            ..own.clone()
        };
        let fields = difference(Some(&json!(own)), Some(&json!(easy(false))), &[]);
        assert_eq!(of_change(&own, &easy(false), &fields).severity, Severity::Degrades);
        assert_eq!(of_change(&own, &easy(true), &fields).severity, Severity::StopsMail);
        assert_eq!(of(|to| _ = to.tags.insert("a".to_owned(), "b".to_owned())), Severity::Safe);
    }
}
