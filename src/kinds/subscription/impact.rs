//! What changing a subscription does to those who hear of bounces and complaints by it.

use super::Spec;
use crate::engine::{Field, Impact, Severity, touches};

/// The worst that turning `from` into `to` does.
pub(super) fn of(from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
    let (from, to) = match (from, to) {
        (Some(from), None) => {
            let reason = format!("{} no longer receives what the topic publishes", from.endpoint);
            return Impact::new(Severity::Degrades, reason);
        }
        (Some(from), Some(to)) => (from, to),
        (None, _) => return Impact::safe(),
    };
    let mut losses = Vec::new();
    if touches(fields, "raw") {
        losses.push(format!(
            "messages to {} come {} SNS's envelope: whoever reads them must expect it",
            to.endpoint,
            if to.raw { "without" } else { "in" },
        ));
    }
    if touches(fields, "filter") && to.filter.is_some() {
        losses.push(format!(
            "other messages than before reach {}, within about 15 minutes",
            to.endpoint
        ));
    }
    if from.dead_letter.is_some() && to.dead_letter.is_none() {
        losses.push(format!("what cannot be delivered to {} is lost", to.endpoint));
    }
    if losses.is_empty() {
        Impact::safe()
    } else {
        Impact::new(Severity::Degrades, losses.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::{Kind, difference};
    use crate::kinds::subscription::Subscription;

    #[test]
    fn what_no_longer_arrives_or_arrives_otherwise_is_said() {
        let [plain, full, ..] = &Subscription::examples()[..] else { panic!("two examples") };
        let severity = |from: &Spec, to: &Spec| {
            let fields = difference(Some(&json!(from)), Some(&json!(to)), &[]);
            of(Some(from), Some(to), &fields).severity
        };
        assert_eq!(of(Some(plain), None, &[]).severity, Severity::Degrades);
        assert_eq!(of(None, Some(plain), &[]), Impact::safe());
        assert_eq!(severity(plain, plain), Severity::Safe);
        assert_eq!(severity(plain, &Spec { raw: true, ..plain.clone() }), Severity::Degrades);
        let filtered = Spec { filter: full.filter.clone(), ..plain.clone() };
        assert_eq!(severity(plain, &filtered), Severity::Degrades);
        assert_eq!(severity(&filtered, plain), Severity::Safe, "everything arrives again");
        let caught = Spec { dead_letter: full.dead_letter.clone(), ..plain.clone() };
        assert_eq!(severity(&caught, plain), Severity::Degrades);
        assert_eq!(severity(plain, &caught), Severity::Safe);
    }
}
