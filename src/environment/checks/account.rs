//! The account: settings that exist once, whoever declares them.

use super::across::same_place;
use super::{Assumes, Check, Report, Subject};
use crate::environment::finding::Severity;
use crate::environment::types::Settings;
use std::collections::BTreeSet;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "account-set-by-two",
        severity: Severity::Error,
        rule: "A setting of an account and Region is declared by one environment.",
        assumes: Assumes::Nothing,
        run: set_by_two,
    },
    Check {
        id: "account-suppression-off",
        severity: Severity::Warning,
        rule: "An account without suppression keeps sending to addresses that bounced or complained.",
        assumes: Assumes::Nothing,
        run: suppression_off,
    },
    Check {
        id: "too-many-contacts",
        severity: Severity::Error,
        rule: "AWS takes 1 to 4 contacts, each of 6 to 254 characters (SES `PutAccountDetails`).",
        assumes: Assumes::Nothing,
        run: too_many_contacts,
    },
    Check {
        id: "vdm-off",
        severity: Severity::Error,
        rule: "What the Virtual Deliverability Manager does is said while it is on.",
        assumes: Assumes::Table,
        run: vdm_off,
    },
];

/// The keys of `[account]` that are declared.
fn declared(settings: &Settings) -> Vec<String> {
    let table = serde_json::to_value(&settings.account).unwrap_or_default();
    table.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

fn set_by_two(subject: &Subject<'_>, report: &mut Report<'_>) {
    for other in same_place(subject) {
        let theirs = declared(&other.settings);
        for key in declared(subject.settings()).iter().filter(|key| theirs.contains(key)) {
            let aws = &subject.settings().aws;
            let path = ["account", key];
            report.add_beside(
                &path,
                format!("`account.{key}` is declared by `{}` as well", other.name),
                format!("there is one for all of account {} in {}", aws.account, aws.region),
                "let one of the two environments declare it",
                Some((other.location(&path), format!("declared by `{}`", other.name))),
            );
        }
    }
}

fn suppression_off(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.settings().account.suppress.as_ref().is_some_and(BTreeSet::is_empty) {
        report.add(
            &["account", "suppress"],
            "the account has no suppression",
            "mail goes again and again to addresses that bounced or complained",
            "write `suppress = [\"bounce\", \"complaint\"]`",
        );
    }
}

fn too_many_contacts(subject: &Subject<'_>, report: &mut Report<'_>) {
    const MOST: usize = 4;
    let Some(access) = &subject.settings().account.production_access else { return };
    let path = ["account", "production_access", "contacts"];
    if access.contacts.len() > MOST {
        report.add(
            &path,
            format!("{} contacts", access.contacts.len()),
            format!("at most {MOST}"),
            "let one address pass it on to the others",
        );
    }
    for contact in access.contacts.iter().map(ToString::to_string) {
        if !(6..=254).contains(&contact.len()) {
            report.add(
                &path,
                format!("`{contact}` has {} characters", contact.len()),
                "6 to 254",
                "",
            );
        }
    }
}

fn vdm_off(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(vdm) = subject.settings().account.vdm.filter(|vdm| !vdm.enabled) else { return };
    let parts = [("engagement", vdm.engagement), ("optimized_delivery", vdm.optimized_delivery)];
    for (key, _) in parts.iter().filter(|(_, said)| said.is_some()) {
        report.add(
            &["account", "vdm", key],
            format!("`{key}` means nothing while the Virtual Deliverability Manager is off"),
            "AWS keeps no value for it",
            format!("write `enabled = true`, or remove `{key}`"),
        );
    }
}
