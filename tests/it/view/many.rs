//! A plan of many domains that are alike, and one that is not.

use serde_json::json;
use sesinfra::engine::{Action, Unmanaged};
use sesinfra::view::{Document, Record, Style, Verdict, plan_text};

use super::plans::{change, create, document, under};

/// Twelve new domains, of which the third forwards feedback; one that stays, and something of others under it.
pub(crate) fn many_domains() -> Document {
    let mut changes = Vec::new();
    for number in 1..=12 {
        let name = format!("d{number:02}.pivot.app");
        let identity = format!("identity.{name}");
        let spec = json!({ "easy_key": "rsa-2048", "feedback_forwarding": number == 3 });
        changes.push(create(&identity, spec));
        let mail_from = json!({ "domain": format!("mail.{name}"), "on_mx_failure": "use-default" });
        changes.push(under(&identity, create(&format!("mail_from.{name}"), mail_from)));
    }
    let spec = json!({ "easy_key": "rsa-2048", "feedback_forwarding": false });
    let mut stays = change("identity.pivot.app", Action::None, Some(spec.clone()), Some(spec));
    stays.notes.push("verification pending".to_owned());
    changes.push(stays);
    let mut document = document(changes);
    document.plan.unmanaged.push(Unmanaged {
        address: "identity_policy.pivot.app/theirs".parse().unwrap(),
        parent: Some("identity.pivot.app".parse().unwrap()),
        goes: false,
    });
    document.sealed()
}

#[test]
fn what_is_alike_is_shown_in_full_where_that_is_asked_for() {
    let document = many_domains();
    let (short, long) =
        (plan_text(&document, Style::plain()), plan_text(&document, Style::plain().verbose()));
    for number in [1, 2, 3, 12] {
        let field = format!("\"mail.d{number:02}.pivot.app\"");
        assert_eq!(short.contains(&field), [1, 3].contains(&number), "{short}");
        assert!(long.contains(&field), "{long}");
    }
}

#[test]
fn fewer_than_ten_that_are_alike_are_each_shown_in_full() {
    let mut document = many_domains();
    let is_few = |name: &str| name < "d10.pivot.app";
    document.plan.changes.retain(|change| is_few(change.address.name()));
    let text = plan_text(&document, Style::plain());
    assert_eq!(text, plan_text(&document, Style::plain().verbose()));
}

#[test]
fn what_is_deleted_is_alike_whatever_values_go_with_it() {
    let changes = (10..30).map(|number| {
        let spec = json!({ "token": format!("secret-{number}"), "size": 3 });
        change(&format!("identity.d{number}.app"), Action::Delete, Some(spec), None)
    });
    let text = plan_text(&document(changes.collect()), Style::plain());
    assert!(text.contains("19 more like Domain d10.app, with the same change\n"), "{text}");
    assert!(text.contains("  # identity.d29.app will be destroyed\n"), "{text}");
}

#[test]
fn only_changes_leaves_out_what_stays_as_it_is() {
    let mut whole = many_domains();
    let record = |verdict| Record {
        owner: "pivot.app".into(),
        purpose: "DKIM".into(),
        kind: "CNAME".into(),
        name: Some("a._domainkey.pivot.app".to_owned()),
        value: Some("a.dkim.amazonses.com".to_owned()),
        known_after: None,
        verdict: Some(verdict),
    };
    whole.records = vec![record(Verdict::Ok), record(Verdict::Missing)];
    let (text, only) = (
        plan_text(&whole, Style::plain()),
        plan_text(&whole.clone().only_changes(), Style::plain()),
    );
    for said in ["verification pending", "identity_policy.pivot.app/theirs"] {
        assert!(text.contains(said) && !only.contains(said), "{only}");
    }
    assert_eq!(whole.only_changes().records, [record(Verdict::Missing)]);
    assert_eq!(text.lines().last(), only.lines().last());
}
