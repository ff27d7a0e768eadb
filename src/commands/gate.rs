//! What a plan may not do, and how each refusal is overridden. Invariant: pure; the same plan is refused for the same reasons.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::{Action, Address, PROTECTED, Plan, PlannedChange, Rule, Severity};
use crate::view::{Flags, Refused};

/// What is protected, and what was named on the command line.
#[derive(Clone, Debug, Default)]
pub(super) struct Protection {
    /// Whether the environment is protected.
    pub(super) environment: bool,
    /// What says otherwise for itself, and so for all that belongs to it.
    pub(super) own: BTreeMap<Address, bool>,
    /// All that the file declares.
    pub(super) declared: BTreeSet<Address>,
    /// What was named with `--allow`.
    pub(super) allowed: BTreeSet<Address>,
}

/// Every reason why `plan` may not be applied.
pub(super) fn refusals(plan: &Plan, protection: &Protection) -> Vec<Refused> {
    let owned = plan.refusals.iter().map(|refusal| {
        let address = &refusal.address;
        let (rule, remedy) = match refusal.rule {
            Rule::Foreign => (
                "foreign",
                "two environments cannot own one resource: take it out of this file, or out of the other one first"
                    .to_owned(),
            ),
            Rule::Unowned => (
                "unowned",
                format!("to take it over with the changes shown: --adopt '{address}' (all that is like it: --adopt-all)"),
            ),
            Rule::Held => (
                "held",
                "let the tenants go of it, or delete its replicas, and then plan again".to_owned(),
            ),
            Rule::Contested => (
                "contested",
                format!("to put back what the file says, and remove what else is there: --adopt '{address}'"),
            ),
            Rule::Unadoptable => (
                "unadoptable",
                "it cannot be adopted: remove it by hand, or leave it out of this file".to_owned(),
            ),
        };
        refused(rule, address, refusal.message.clone(), remedy)
    });
    let pending = plan.pending().filter(|change| !protection.allowed.contains(&change.address));
    let (lost, marked) = (lost(plan), marked(plan, protection));
    let forbidden = pending.filter_map(|change| {
        unmanaged_children(change, &lost).or_else(|| protected(plan, change, protection, &marked))
    });
    owned.chain(forbidden).collect()
}

/// The flags with which nothing of `refused` would be; `None` if there is something that no flag permits.
pub(super) fn overriding(refused: &[Refused], flags: &Flags) -> Option<Flags> {
    let mut flags = flags.clone();
    for one in refused {
        let named = match one.rule.as_str() {
            "unowned" | "contested" => &mut flags.adopt,
            "protected" | "unmanaged_children" => &mut flags.allow,
            _ => return None,
        };
        named.insert(one.address.clone());
    }
    Some(flags)
}

fn refused(rule: &str, address: &Address, message: String, remedy: impl Into<String>) -> Refused {
    Refused { rule: rule.to_owned(), address: address.clone(), message, remedy: remedy.into() }
}

fn protected(
    plan: &Plan,
    change: &PlannedChange,
    protection: &Protection,
    marked: &BTreeSet<&Address>,
) -> Option<Refused> {
    let root = plan.root_of(change);
    let own = protection.own.get(root).copied();
    let is_protected = own.unwrap_or(protection.environment || marked.contains(root));
    if !is_protected || change.impact.severity < Severity::StopsMail {
        return None;
    }
    let message = format!(
        "is protected, and this change {}: {}",
        match change.impact.severity {
            Severity::Irreversible => "is irreversible",
            _ => "stops mail",
        },
        change.impact.reason
    );
    Some(refused("protected", &change.address, message, allow(&change.address)))
}

/// The roots that the file has forgotten and that were protected by themselves, as their marks say.
fn marked<'a>(plan: &'a Plan, protection: &Protection) -> BTreeSet<&'a Address> {
    let marked =
        plan.families.iter().filter(|family| family.children_meanwhile.contains(PROTECTED));
    marked.map(|family| &family.root).filter(|root| !protection.declared.contains(*root)).collect()
}

/// What others made and is lost, by what it sits under.
type Lost<'a> = BTreeMap<&'a Address, Vec<&'a str>>;

fn lost(plan: &Plan) -> Lost<'_> {
    let mut lost = Lost::new();
    for one in plan.unmanaged.iter().filter(|one| one.goes) {
        if let Some(parent) = &one.parent {
            lost.entry(parent).or_default().push(one.address.as_str());
        }
    }
    lost
}

fn unmanaged_children(change: &PlannedChange, lost: &Lost<'_>) -> Option<Refused> {
    if !matches!(change.action, Action::Delete | Action::Replace) {
        return None;
    }
    let lost = lost.get(&change.address)?;
    let message = format!("would take with it what others made: {}", lost.join(", "));
    Some(refused("unmanaged_children", &change.address, message, allow(&change.address)))
}

fn allow(address: &Address) -> String {
    format!("if it is meant, name it: --allow '{address}'")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::{Family, Impact, Unmanaged};

    fn change(address: &str, action: Action, severity: Severity) -> PlannedChange {
        PlannedChange {
            address: address.parse().unwrap(),
            action,
            fields: Arc::default(),
            from: None,
            to: None,
            parent: None,
            impact: Impact::new(severity, "a reason"),
            reason: None,
            deferred: None,
            notes: Vec::new(),
            ignore: BTreeSet::new(),
            takes_back: false,
        }
    }

    fn rules(plan: &Plan, protection: &Protection) -> Vec<String> {
        refusals(plan, protection).into_iter().map(|refused| refused.rule).collect()
    }

    #[test]
    fn protection_refuses_what_stops_mail_until_it_is_named() {
        let stops = change("identity.a.com", Action::Delete, Severity::StopsMail);
        let mut aspect = change("mail_from.b.com", Action::Update, Severity::Irreversible);
        aspect.parent = Some("identity.b.com".parse().unwrap());
        let degrades = change("topic.t", Action::Delete, Severity::Degrades);
        let plan = Plan { changes: vec![stops, aspect, degrades], ..Plan::default() };
        let mut protection = Protection { environment: true, ..Protection::default() };
        assert_eq!(rules(&plan, &protection), ["protected", "protected"]);
        protection.own = [("identity.b.com".parse().unwrap(), false)].into();
        assert_eq!(rules(&plan, &protection), ["protected"]);
        protection.allowed = ["identity.a.com".parse().unwrap()].into();
        assert!(rules(&plan, &protection).is_empty());
    }

    #[test]
    fn one_resource_can_be_protected_where_the_environment_is_not() {
        let queue = change("queue.q", Action::Replace, Severity::Irreversible);
        let mut destination = change("event_destination.s/d", Action::Update, Severity::StopsMail);
        destination.parent = Some("configuration_set.s".parse().unwrap());
        let other = change("queue.other", Action::Delete, Severity::Irreversible);
        let plan = Plan { changes: vec![destination, queue, other], ..Plan::default() };
        let mut protection = Protection::default();
        assert!(rules(&plan, &protection).is_empty());
        for address in ["queue.q", "configuration_set.s"] {
            protection.own.insert(address.parse().unwrap(), true);
        }
        let refused = refusals(&plan, &protection);
        let remedies: Vec<&str> = refused.iter().map(|one| one.remedy.as_str()).collect();
        assert_eq!(
            remedies,
            [
                "if it is meant, name it: --allow 'event_destination.s/d'",
                "if it is meant, name it: --allow 'queue.q'"
            ]
        );
    }

    #[test]
    fn one_line_has_the_flags_for_all_that_a_flag_permits() {
        let at =
            |rule: &str, address: &str| refused(rule, &address.parse().unwrap(), String::new(), "");
        let mut all = vec![
            at("protected", "identity.a.com"),
            at("unowned", "topic.t"),
            at("contested", "dns.a.com"),
            at("unmanaged_children", "queue.q"),
        ];
        let flags = Flags { allow: ["topic.old".parse().unwrap()].into(), ..Flags::default() };
        assert_eq!(
            overriding(&all, &flags).unwrap().typed(),
            " --adopt 'dns.a.com' --adopt 'topic.t' --allow 'identity.a.com' --allow 'queue.q' --allow 'topic.old'"
        );
        all.push(at("foreign", "topic.other"));
        assert_eq!(overriding(&all, &flags), None);
    }

    #[test]
    fn what_the_file_has_forgotten_is_protected_by_its_marks() {
        let set = change("configuration_set.s", Action::Delete, Severity::StopsMail);
        let root = set.address.clone();
        let family = Family {
            root: root.clone(),
            members: vec![root.clone()],
            children_meanwhile: BTreeSet::from([PROTECTED.to_owned()]),
            children_afterwards: BTreeSet::new(),
            digest: None,
            relinks: BTreeSet::new(),
            given_away: BTreeSet::new(),
        };
        let plan = Plan { changes: vec![set], families: vec![family], ..Plan::default() };
        let mut protection = Protection::default();
        assert_eq!(rules(&plan, &protection), ["protected"]);
        // As long as the file has it, the file decides.
        protection.declared = [root.clone()].into();
        assert!(rules(&plan, &protection).is_empty());
        protection = Protection { allowed: [root].into(), ..Protection::default() };
        assert!(rules(&plan, &protection).is_empty());
    }

    #[test]
    fn what_others_made_under_ours_is_not_lost_unasked() {
        let topic = change("topic.t", Action::Delete, Severity::Safe);
        let child = "subscription.t/email:a@b.c".parse().unwrap();
        let parent = Some(topic.address.clone());
        let unmanaged = vec![Unmanaged { address: child, parent, goes: true }];
        let plan = Plan { changes: vec![topic], unmanaged, ..Plan::default() };
        let mut protection = Protection::default();
        assert_eq!(rules(&plan, &protection), ["unmanaged_children"]);
        protection.allowed = ["topic.t".parse().unwrap()].into();
        assert!(rules(&plan, &protection).is_empty());
    }
}
