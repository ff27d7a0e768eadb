//! What changing a configuration set does to mail.

use std::collections::BTreeSet;

use super::Spec;
use crate::engine::{Impact, Severity};

/// The worst that turning `from` into `to` does.
pub(super) fn of(from: Option<&Spec>, to: Option<&Spec>) -> Impact {
    let Some(to) = to else {
        let mut reason = "mail sent under this set is refused, and so is all mail of identities whose default it still is".to_owned();
        let others = from.map(|from| &from.default_of).filter(|others| !others.is_empty());
        if let Some(others) = others {
            let others: Vec<&str> = others.iter().map(String::as_str).collect();
            reason = format!(
                "{reason}: that is {}, not made here, and the set stays until they have another",
                others.join(", ")
            );
        }
        return Impact::new(Severity::StopsMail, reason);
    };
    if !to.sending && from.is_some_and(|from| from.sending) {
        return Impact::new(Severity::StopsMail, "mail of this set is no longer sent");
    }
    match losses(from, to) {
        losses if losses.is_empty() => Impact::safe(),
        losses => Impact::new(Severity::Degrades, losses.join("; ")),
    }
}

/// What mail loses, each in a few words.
fn losses(from: Option<&Spec>, to: &Spec) -> Vec<String> {
    let mut losses: Vec<String> = Vec::new();
    losses.extend(suppression(from, to));
    let validates = |spec: &Spec| {
        let threshold = spec.suppression.as_ref().and_then(|it| it.validation.as_deref());
        threshold.is_some_and(|threshold| threshold != "off")
    };
    let Some(from) = from else { return losses };
    let mut add = |is_so: bool, loss: &str| {
        if is_so {
            losses.push(loss.to_owned());
        }
    };
    add(
        validates(to) && from.suppression != to.suppression,
        "mail to addresses that SES finds doubtful is no longer sent",
    );
    add(
        from.delivery.tls != to.delivery.tls && to.delivery.tls == "require",
        "mail to receivers without TLS is no longer delivered",
    );
    add(
        from.delivery.tls != to.delivery.tls && to.delivery.tls != "require",
        "mail to receivers without TLS is delivered in the clear",
    );
    add(
        from.delivery.max_delivery_seconds != to.delivery.max_delivery_seconds,
        "late mail is given up at another time than before",
    );
    add(from.delivery.pool != to.delivery.pool, "mail leaves from other IP addresses");
    add(
        from.reputation_metrics && !to.reputation_metrics,
        "bounce and complaint rates of the set no longer go to CloudWatch, where alarms look at them",
    );
    add(
        from.archive.is_some() && from.archive != to.archive,
        "the archive gets no copies of mail that is sent from now on",
    );
    losses
}

/// What the suppression list no longer holds back. A new set that begins with suppression off is told of too.
fn suppression(from: Option<&Spec>, to: &Spec) -> Option<String> {
    let wanted = to.suppression.as_ref()?;
    let before = match from.and_then(|from| from.suppression.as_ref()) {
        // As the account says: it is not known here what that is, and both is usual.
        None => BTreeSet::from(["bounce".to_owned(), "complaint".to_owned()]),
        Some(own) => own.reasons.clone(),
    };
    if wanted.reasons.is_empty() && !before.is_empty() {
        let text = "suppression is off for this set: mail goes again to addresses that bounced or complained";
        return Some(text.to_owned());
    }
    from?;
    let lost: Vec<String> = before.difference(&wanted.reasons).cloned().collect();
    (!lost.is_empty()).then(|| {
        format!("mail goes again to addresses that are suppressed for a {}", lost.join(" or a "))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Suppression;
    use super::*;

    fn of_change(change: impl FnOnce(&mut Spec)) -> Impact {
        let from = super::super::documented::examples().remove(0);
        let mut to = from.clone();
        change(&mut to);
        of(Some(&from), Some(&to))
    }

    fn suppressing(reasons: &[&str]) -> Suppression {
        let reasons = reasons.iter().map(|reason| (*reason).to_owned()).collect();
        Suppression { reasons, ..Suppression::default() }
    }

    #[test]
    fn what_stops_or_loses_mail_is_said() {
        assert_eq!(of_change(|_| {}), Impact::safe());
        assert_eq!(of_change(|to| to.sending = false).severity, Severity::StopsMail);
        for change in [
            (|to: &mut Spec| to.delivery.tls = "require".to_owned()) as fn(&mut Spec),
            |to| to.delivery.pool = Some("dedicated".to_owned()),
            |to| to.delivery.max_delivery_seconds = Some(300),
            |to| to.reputation_metrics = false,
        ] {
            assert_eq!(of_change(change).severity, Severity::Degrades);
        }
        let archived = of_change(|to| to.archive = Some("arn".to_owned()));
        assert_eq!(archived, Impact::safe());
    }

    #[test]
    fn suppression_that_holds_back_less_is_said() {
        let reason =
            |reasons: &[&str]| of_change(|to| to.suppression = Some(suppressing(reasons))).reason;
        assert_eq!(reason(&["bounce", "complaint"]), "");
        assert!(reason(&["bounce"]).ends_with("suppressed for a complaint"));
        assert!(reason(&[]).starts_with("suppression is off"));
        let mut spec = super::super::documented::examples().remove(0);
        spec.suppression = Some(suppressing(&["bounce"]));
        assert_eq!(of(None, Some(&spec)), Impact::safe());
        spec.suppression = Some(suppressing(&[]));
        assert_eq!(of(None, Some(&spec)).severity, Severity::Degrades);
    }

    #[test]
    fn deleting_a_set_stops_its_mail() {
        let mut spec = super::super::documented::examples().remove(0);
        assert_eq!(of(Some(&spec), None).severity, Severity::StopsMail);
        assert!(!of(Some(&spec), None).reason.contains("theirs.app"));
        spec.default_of.insert("theirs.app".to_owned());
        assert!(of(Some(&spec), None).reason.contains("that is theirs.app"));
    }
}
