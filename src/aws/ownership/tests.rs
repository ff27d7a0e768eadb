//! Whose a resource is by its tags, what its marks say, and which tags are written and removed.

use super::*;
use crate::environment::names::{AccountId, Region};

const ARN: &str = "arn:aws:ses:us-east-1:123456789012:identity/pivot.app";

fn owner(environment: &str) -> Owner {
    let account = AccountId::parse("123456789012").unwrap();
    let arns = Arns::new(account, Region::parse("us-east-1").unwrap());
    let project = ProjectName::parse("pivot").unwrap();
    Owner::new(project, FileName::parse(environment).unwrap(), &arns)
}

fn marks(children: &[&str], digest: Option<&str>) -> Marks {
    Marks {
        children: children.iter().map(ToString::to_string).collect(),
        digest: digest.map(ToOwned::to_owned),
    }
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn tags_give_back_the_marks_they_were_made_from() {
    let marks = marks(&["zone:Z0123", "role#3f2a91bc", "policy:a b=c", "grüße"], Some("9f2c"));
    let mut live = owner("prod").tags(ARN, &marks);
    assert_eq!(live["sesinfra:digest"], "1:9f2c");
    assert_eq!(live["sesinfra:seal"].len(), 12);
    live.insert("team".to_owned(), "platform".to_owned());
    live.insert("aws:createdBy".to_owned(), "x".to_owned());
    let (ownership, read, user) = owner("prod").read(ARN, &live);
    assert_eq!((ownership, read), (Ownership::Ours, marks));
    assert_eq!(user, tags(&[("team", "platform")]));
}

#[test]
fn many_children_are_spread_over_numbered_tags_of_allowed_characters() {
    let children: Vec<String> = (0..60).map(|number| format!("sub:{number:08x}#é")).collect();
    let children: Vec<&str> = children.iter().map(String::as_str).collect();
    let wanted = marks(&children, None);
    let tags = owner("prod").tags(ARN, &wanted);
    assert!(tags.contains_key("sesinfra:children-2") && tags.contains_key("sesinfra:children-3"));
    for value in tags.values() {
        assert!(value.len() <= VALUE_LENGTH_MAX);
        let allowed = |it: char| it.is_ascii_alphanumeric() || "+-=._:/@ ".contains(it);
        assert!(value.chars().all(allowed), "{value}");
    }
    assert_eq!(owner("prod").read(ARN, &tags).1, wanted);
}

#[test]
fn tags_copied_to_another_resource_do_not_count() {
    let live = owner("prod").tags(ARN, &marks(&["zone:Z1"], None));
    let (ownership, marks, _) =
        owner("prod").read("arn:aws:ses:us-east-1:123456789012:identity/b.app", &live);
    assert_eq!((ownership, marks), (Ownership::Unowned, Marks::default()));
}

#[test]
fn another_environment_is_named_and_a_stack_is_nobody() {
    let mut live = owner("staging").tags(ARN, &Marks::default());
    assert_eq!(owner("prod").read(ARN, &live).0, Ownership::Foreign("pivot/staging".to_owned()));
    live.insert("aws:cloudformation:stack-id".to_owned(), "x".to_owned());
    assert_eq!(owner("staging").read(ARN, &live).0, Ownership::Unowned);
    assert_eq!(owner("prod").read(ARN, &Tags::new()).0, Ownership::Unowned);
}

#[test]
fn what_is_in_a_stack_is_ours_once_it_is_adopted_from_exactly_that_stack() {
    let owner = owner("prod");
    let in_stack = |id: &str| {
        tags(&[("aws:cloudformation:stack-id", id), ("aws:cloudformation:stack-name", "mail")])
    };
    let mut live = in_stack("arn:1");
    assert!(note_of_stack(&live).unwrap().contains("stack mail"));
    live.extend(owner.mark_changes(ARN, &live, &Marks::default()).set);
    assert_eq!(owner.read(ARN, &live).0, Ownership::Ours);
    live.extend(in_stack("arn:2"));
    assert_eq!(owner.read(ARN, &live).0, Ownership::Unowned);
    assert_eq!(note_of_stack(&Tags::new()), None);
}

#[test]
fn letting_go_takes_all_of_ours_and_nothing_else() {
    let mut live = owner("prod").tags(ARN, &marks(&["zone:Z1"], Some("9f2c")));
    live.extend(tags(&[("sesinfra:signing-key", "ab"), ("team", "x"), ("aws:createdBy", "y")]));
    let changes = owner("prod").unmark_changes(&live);
    live.retain(|key, _| !changes.unset.contains(key));
    assert_eq!(live, tags(&[("team", "x"), ("aws:createdBy", "y")]));
}

#[test]
fn a_digest_of_an_unknown_version_is_none() {
    let mut live = owner("prod").tags(ARN, &marks(&[], Some("9f2c")));
    live.insert("sesinfra:digest".to_owned(), "2:9f2c".to_owned());
    assert_eq!(owner("prod").read(ARN, &live).1.digest, None);
}

#[test]
fn changes_of_the_user_leave_tags_of_aws_and_ours() {
    let live = tags(&[
        ("aws:createdBy", "x"),
        ("sesinfra:signing-key", "1:ab"),
        ("sesinfra:children-2", "sub:1"),
        ("team", "old"),
        ("gone", "x"),
    ]);
    let wanted = tags(&[("team", "new")]);
    let changes = owner("prod").user_changes(&live, &wanted);
    assert_eq!(changes.set, wanted);
    let unset: Vec<&str> = changes.unset.iter().map(String::as_str).collect();
    assert_eq!(unset, ["gone"]);
}

#[test]
fn tags_that_are_left_to_others_are_not_seen_and_not_removed_but_made_again() {
    let left = ["cost", "backup-*"].map(|it| TagPattern::parse(it).unwrap());
    let owner = owner("prod").leaving(left.into());
    let arn = "arn:aws:iam::123456789012:policy/mail/pivot-prod-api";
    let mut live = owner.tags(arn, &marks(&[], None));
    let others = tags(&[("cost", "1"), ("backup-plan", "daily")]);
    live.extend(others.clone());
    live.extend(tags(&[("team", "mail"), ("costs", "2")]));
    assert_eq!(owner.read(arn, &live).2, tags(&[("team", "mail"), ("costs", "2")]));
    let changes = owner.user_changes(&live, &tags(&[("team", "mail")]));
    assert_eq!(changes.unset, BTreeSet::from(["costs".to_owned()]));
    // Under another path it is made anew.
    let arn = "arn:aws:iam::123456789012:policy/pivot-prod-api";
    let anew = owner.tags_at_first(arn, &marks(&[], None));
    assert!(others.iter().all(|(key, value)| anew.get(key) == Some(value)), "{anew:?}");
    assert!(owner.read(arn, &anew).2.is_empty());
    assert_eq!(owner.unmark_changes(&live).unset.len(), 3);
}

#[test]
fn marks_change_without_touching_the_tags_of_the_user() {
    let owner = owner("prod");
    let mut live = owner.tags(ARN, &marks(&["zone:Z1", "zone:Z2"], Some("9f2c")));
    live.insert("team".to_owned(), "platform".to_owned());
    let changes = owner.mark_changes(ARN, &live, &marks(&[], None));
    assert!(changes.set.is_empty());
    let unset: Vec<&str> = changes.unset.iter().map(String::as_str).collect();
    assert_eq!(unset, ["sesinfra:children", "sesinfra:digest"]);
    assert!(
        owner.mark_changes(ARN, &live, &marks(&["zone:Z1", "zone:Z2"], Some("9f2c"))).is_empty()
    );
}

#[test]
fn every_part_of_an_owner_counts_in_dns() {
    let at = |name: &str, domain: &str| owner(name).dns_id(domain);
    assert_ne!(at("prod", "pivot.app"), at("staging", "pivot.app"));
    assert_ne!(at("prod", "pivot.app"), at("prod", "shop.pivot.app"));
    assert_eq!(at("prod", "pivot.app").len(), 12);
    assert_ne!(twelve_hex_digits(&["ab", "c"]), twelve_hex_digits(&["a", "bc"]));
}
