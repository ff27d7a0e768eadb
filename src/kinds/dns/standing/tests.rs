//! What is published, kept and removed, over made-up zones.

use super::*;
use crate::engine::Marks;
use crate::kinds::dns::record::{known_record, written_value};

const MINE: &str = "3f2a91bc04de";
const SPF: &str = "v=spf1 include:amazonses.com ~all";
const MX: &str = "10 feedback-smtp.us-east-1.amazonses.com";

type Row<'a> = (&'a str, &'a str, RecordType, &'a str);

const MAIL_FROM: [Row<'_>; 2] = [
    ("mail-from mx", "mail.pivot.app", RecordType::Mx, MX),
    ("mail-from spf", "mail.pivot.app", RecordType::Txt, SPF),
];
const DMARC: Row<'_> = ("dmarc", "_dmarc.pivot.app", RecordType::Txt, "v=DMARC1; p=none");

fn spec(rows: &[Row<'_>]) -> Spec {
    let records = rows.iter().map(|(label, name, kind, value)| {
        ((*label).to_owned(), known_record("Z1", name, *kind, value))
    });
    Spec { belongs_to: "identity.pivot.app".to_owned(), records: records.collect() }
}

/// A zone with these texts beside the domain as claims and these values.
fn zone(claims: &[&str], values: &[(&str, RecordType, &[&str])]) -> Listing {
    let written = |kind, values: &[&str]| -> Vec<String> {
        values.iter().map(|value| written_value(kind, value)).collect()
    };
    let mut sets = vec![("_sesinfra.pivot.app", RecordType::Txt, written(RecordType::Txt, claims))];
    sets.extend(values.iter().map(|(name, kind, values)| (*name, *kind, written(*kind, values))));
    let borrowed: Vec<(&str, RecordType, Vec<&str>)> = sets
        .iter()
        .filter(|(_, _, values)| !values.is_empty())
        .map(|(name, kind, values)| (*name, *kind, values.iter().map(String::as_str).collect()))
        .collect();
    let rows: Vec<(&str, RecordType, &[&str])> =
        borrowed.iter().map(|(name, kind, values)| (*name, *kind, values.as_slice())).collect();
    Listing::of(&rows)
}

fn lines(edits: Vec<Edit>) -> Vec<String> {
    let line = |edit| match edit {
        Edit::Add { name, kind, value, .. } => format!("+ {name} {kind} {value}"),
        Edit::Remove { name, kind, value } => format!("- {name} {kind} {value}"),
    };
    edits.into_iter().map(line).collect()
}

fn change(from: Option<&Spec>, to: &Spec) -> Change<Spec> {
    Change {
        name: "pivot.app".to_owned(),
        from: from.cloned(),
        to: to.clone(),
        fields: Vec::new(),
        marks: Marks::default(),
        adopts: false,
    }
}

fn published(listing: &Listing, from: Option<&Spec>, to: &Spec) -> Result<Vec<String>, String> {
    let standing = Standing::of("pivot.app", "Z1", MINE, listing);
    let edits = standing.publish(&change(from, to), MINE);
    edits.map(lines).map_err(|error| error.to_string())
}

fn adopted(listing: &Listing, from: &Spec, to: &Spec) -> Result<Vec<String>, String> {
    let standing = Standing::of("pivot.app", "Z1", MINE, listing);
    let change = Change { adopts: true, ..change(Some(from), to) };
    standing.publish(&change, MINE).map(lines).map_err(|error| error.to_string())
}

fn retired(listing: &Listing, from: &Spec, to: Option<&Spec>) -> Result<Vec<String>, String> {
    let standing = Standing::of("pivot.app", "Z1", MINE, listing);
    standing.retire(from, to).map(lines).map_err(|error| error.to_string())
}

#[test]
fn records_and_claim_are_published_together() {
    assert_eq!(
        published(&zone(&[], &[]), None, &spec(&MAIL_FROM)).unwrap(),
        [
            format!("+ mail.pivot.app MX {MX}"),
            format!("+ mail.pivot.app TXT {SPF}"),
            "+ _sesinfra.pivot.app TXT sesinfra1 owner=3f2a91bc04de has=mail-from:mail".to_owned(),
        ]
    );
}

#[test]
fn what_stood_there_before_us_is_used_and_never_removed() {
    let before = zone(&[], &[("_dmarc.pivot.app", RecordType::Txt, &["v=DMARC1; p=none"])]);
    let claim = "sesinfra1 owner=3f2a91bc04de uses=dmarc";
    assert_eq!(
        published(&before, None, &spec(&[DMARC])).unwrap(),
        [format!("+ _sesinfra.pivot.app TXT {claim}")]
    );
    let after = zone(&[claim], &[("_dmarc.pivot.app", RecordType::Txt, &["v=DMARC1; p=none"])]);
    assert_eq!(
        retired(&after, &spec(&[DMARC]), None).unwrap(),
        [format!("- _sesinfra.pivot.app TXT {claim}")]
    );
}

#[test]
fn a_record_that_another_owner_claims_too_outlives_us() {
    let (mine, other) =
        ("sesinfra1 owner=3f2a91bc04de has=dmarc", "sesinfra1 owner=0000aaaa1111 uses=dmarc");
    let listing =
        zone(&[mine, other], &[("_dmarc.pivot.app", RecordType::Txt, &["v=DMARC1; p=none"])]);
    assert_eq!(
        retired(&listing, &spec(&[DMARC]), None).unwrap(),
        [
            format!("- _sesinfra.pivot.app TXT {mine}"),
            format!("- _sesinfra.pivot.app TXT {other}"),
            "+ _sesinfra.pivot.app TXT sesinfra1 owner=0000aaaa1111 has=dmarc".to_owned(),
        ],
        "who uses it takes it away in the end"
    );
    // One is enough to do that.
    let maker = "sesinfra1 owner=bbbb22223333 has=dmarc";
    let listing = zone(
        &[mine, other, maker],
        &[("_dmarc.pivot.app", RecordType::Txt, &["v=DMARC1; p=none"])],
    );
    assert_eq!(
        retired(&listing, &spec(&[DMARC]), None).unwrap(),
        [format!("- _sesinfra.pivot.app TXT {mine}")]
    );
}

#[test]
fn another_value_is_an_error_that_says_what_is_there() {
    let listing = zone(&[], &[("mail.pivot.app", RecordType::Mx, &["10 mx.example.com"])]);
    let error = published(&listing, None, &spec(&MAIL_FROM)).unwrap_err();
    assert!(error.contains("already has MX 10 mx.example.com"), "{error}");
    let claimed = zone(
        &["sesinfra1 owner=0000aaaa1111 has=mail-from:mail"],
        &[("mail.pivot.app", RecordType::Mx, &["10 feedback-smtp.eu-west-1.amazonses.com"])],
    );
    let error = published(&claimed, None, &spec(&MAIL_FROM)).unwrap_err();
    assert!(error.contains("0000aaaa1111"), "{error}");
}

#[test]
fn a_value_that_the_plan_showed_is_taken_over_where_that_was_asked_for() {
    let old = ("dmarc", "_dmarc.pivot.app", RecordType::Txt, "v=DMARC1; p=reject");
    let listing = zone(&[], &[("_dmarc.pivot.app", RecordType::Txt, &["v=DMARC1; p=reject"])]);
    let edits = adopted(&listing, &spec(&[old]), &spec(&[DMARC])).unwrap();
    assert_eq!(edits[0], "- _dmarc.pivot.app TXT v=DMARC1; p=reject");
    assert!(edits[2].ends_with("has=dmarc"), "{edits:?}");
    published(&listing, Some(&spec(&[old])), &spec(&[DMARC])).unwrap_err();
    // Something else stands there than the plan showed.
    let meanwhile = zone(&[], &[("_dmarc.pivot.app", RecordType::Txt, &["v=DMARC1; p=none; x"])]);
    adopted(&meanwhile, &spec(&[old]), &spec(&[DMARC])).unwrap_err();
}

#[test]
fn adopting_claims_what_is_there_as_ours_unless_another_owner_relies_on_it() {
    let value: &[(&str, RecordType, &[&str])] =
        &[("_dmarc.pivot.app", RecordType::Txt, &["v=DMARC1; p=none"])];
    for before in [&[][..], &["sesinfra1 owner=3f2a91bc04de uses=dmarc"]] {
        let edits = adopted(&zone(before, value), &spec(&[DMARC]), &spec(&[DMARC])).unwrap();
        assert!(edits.last().unwrap().ends_with("has=dmarc"), "{edits:?}");
    }
    let shared = zone(&["sesinfra1 owner=0000aaaa1111 has=dmarc"], value);
    let edits = adopted(&shared, &spec(&[DMARC]), &spec(&[DMARC])).unwrap();
    assert!(edits.last().unwrap().ends_with("uses=dmarc"), "{edits:?}");
}

#[test]
fn other_texts_beside_spf_are_left_alone() {
    let claim = "sesinfra1 owner=3f2a91bc04de has=mail-from:mail";
    let listing = zone(
        &[claim],
        &[
            ("mail.pivot.app", RecordType::Txt, &["site-proof=1", SPF]),
            ("mail.pivot.app", RecordType::Mx, &[MX]),
        ],
    );
    let edits = retired(&listing, &spec(&MAIL_FROM), None).unwrap();
    assert_eq!(
        edits,
        [
            format!("- mail.pivot.app MX {MX}"),
            format!("- mail.pivot.app TXT {SPF}"),
            format!("- _sesinfra.pivot.app TXT {claim}"),
        ]
    );
}

#[test]
fn the_old_stays_until_it_is_retired() {
    let key = |selector: &str, name| {
        ("dkim key", name, RecordType::Txt, if selector == "s1" { "p=AAAA" } else { "p=BBBB" })
    };
    let (old, new) = (
        spec(&[key("s1", "s1._domainkey.pivot.app")]),
        spec(&[key("s2", "s2._domainkey.pivot.app")]),
    );
    let old_set: (&str, RecordType, &[&str]) =
        ("s1._domainkey.pivot.app", RecordType::Txt, &["p=AAAA"]);
    let new_set: (&str, RecordType, &[&str]) =
        ("s2._domainkey.pivot.app", RecordType::Txt, &["p=BBBB"]);
    let (one, both) = (
        "sesinfra1 owner=3f2a91bc04de has=dkim:s1",
        "sesinfra1 owner=3f2a91bc04de has=dkim:s1,dkim:s2",
    );
    assert_eq!(
        published(&zone(&[one], &[old_set]), Some(&old), &new).unwrap(),
        [
            "+ s2._domainkey.pivot.app TXT p=BBBB".to_owned(),
            format!("- _sesinfra.pivot.app TXT {one}"),
            format!("+ _sesinfra.pivot.app TXT {both}"),
        ]
    );
    assert_eq!(
        retired(&zone(&[both], &[old_set, new_set]), &old, Some(&new)).unwrap(),
        [
            "- s1._domainkey.pivot.app TXT p=AAAA".to_owned(),
            format!("- _sesinfra.pivot.app TXT {both}"),
            "+ _sesinfra.pivot.app TXT sesinfra1 owner=3f2a91bc04de has=dkim:s2".to_owned(),
        ]
    );
}

#[test]
fn what_changed_since_the_plan_is_not_removed() {
    let listing = zone(
        &["sesinfra1 owner=3f2a91bc04de has=dmarc"],
        &[("_dmarc.pivot.app", RecordType::Txt, &["v=DMARC1; p=reject"])],
    );
    assert!(retired(&listing, &spec(&[DMARC]), None).unwrap_err().contains("plan again"));
}

#[test]
fn an_alias_stands_alone_and_external_dns_is_not_fought() {
    let alias = ("tracking", "pivot.app", RecordType::Cname, "r.us-east-1.awstrack.me");
    let listing = zone(&[], &[("pivot.app", RecordType::Txt, &["v=spf1 -all"])]);
    let error = published(&listing, None, &spec(&[alias])).unwrap_err();
    assert!(error.contains("already has TXT"), "{error}");
    let heritage = "heritage=external-dns,external-dns/owner=k8s";
    let listing = zone(&[], &[("mx-mail.pivot.app", RecordType::Txt, &[heritage])]);
    let error = published(&listing, None, &spec(&MAIL_FROM)).unwrap_err();
    assert!(error.contains("external-dns"), "{error}");
}

#[test]
fn publishing_again_asks_for_what_is_there() {
    let claim = "sesinfra1 owner=3f2a91bc04de has=mail-from:mail";
    let listing = zone(
        &[claim],
        &[("mail.pivot.app", RecordType::Txt, &[SPF]), ("mail.pivot.app", RecordType::Mx, &[MX])],
    );
    let standing = Standing::of("pivot.app", "Z1", MINE, &listing);
    let edits = standing.publish(&change(None, &spec(&MAIL_FROM)), MINE).unwrap();
    assert!(crate::kinds::dns::zone::swaps(&listing, &edits).is_empty());
}

#[test]
fn a_claim_is_let_go_of_or_handed_over_and_no_record_with_it() {
    let (mine, other) =
        ("sesinfra1 owner=3f2a91bc04de has=dmarc", "sesinfra1 owner=0000aaaa1111 uses=dmarc");
    let value: &[(&str, RecordType, &[&str])] =
        &[("_dmarc.pivot.app", RecordType::Txt, &["v=DMARC1; p=none"])];
    let listing = zone(&[mine, other], value);
    let standing = Standing::of("pivot.app", "Z1", MINE, &listing);
    assert_eq!(lines(standing.let_go(MINE)), [format!("- _sesinfra.pivot.app TXT {mine}")]);
    let new = "sesinfra1 owner=bbbb22223333 has=dmarc";
    let handed =
        [format!("- _sesinfra.pivot.app TXT {mine}"), format!("+ _sesinfra.pivot.app TXT {new}")];
    assert_eq!(lines(standing.hand_over("bbbb22223333")), handed);
    // One that has a claim already has what either made.
    let handed = [
        format!("- _sesinfra.pivot.app TXT {mine}"),
        format!("- _sesinfra.pivot.app TXT {other}"),
        "+ _sesinfra.pivot.app TXT sesinfra1 owner=0000aaaa1111 has=dmarc".to_owned(),
    ];
    assert_eq!(lines(standing.hand_over("0000aaaa1111")), handed);
    let done = zone(&[new], value);
    let standing = Standing::of("pivot.app", "Z1", MINE, &done);
    assert!(standing.hand_over("bbbb22223333").is_empty(), "doing it again is nothing");
}
