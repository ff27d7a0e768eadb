//! What is read of a domain, over made-up zones.

use super::*;
use crate::kinds::dns::record::known_record;

const MINE: &str = "3f2a91bc04de";
const ZONE: &str = "Z1";
const DMARC: &str = "v=DMARC1; p=none";

fn wanted(records: &[(&str, &str, RecordType, &str)]) -> Spec {
    let records = records.iter().map(|(label, name, kind, value)| {
        ((*label).to_owned(), known_record(ZONE, name, *kind, value))
    });
    Spec { belongs_to: "identity.pivot.app".to_owned(), records: records.collect() }
}

fn dmarc() -> Spec {
    wanted(&[("dmarc", "_dmarc.pivot.app", RecordType::Txt, DMARC)])
}

fn view<'a>(spec: Option<&'a Spec>, listing: &Listing, is_marked: bool) -> View<'a> {
    let standing = Standing::of("pivot.app", ZONE, MINE, listing);
    aiming(Aim::Keep, spec, &standing, is_marked)
}

fn aiming<'a>(
    aim: Aim,
    spec: Option<&'a Spec>,
    standing: &Standing<'_>,
    is_marked: bool,
) -> View<'a> {
    let mut view = View::new(spec.map(|spec| (spec, aim)));
    view.add("pivot.app", standing, is_marked);
    view
}

fn claim(text: &str) -> String {
    format!("\"sesinfra1 owner={text}\"")
}

fn listing(claims: &[&str], value: &str) -> Listing {
    let claims: Vec<String> = claims.iter().map(|text| claim(text)).collect();
    let claims: Vec<&str> = claims.iter().map(String::as_str).collect();
    let value = format!("\"{value}\"");
    Listing::of(&[
        ("_sesinfra.pivot.app.", RecordType::Txt, &claims),
        ("_dmarc.pivot.app.", RecordType::Txt, &[&value]),
    ])
}

#[test]
fn what_stands_as_claimed_is_as_declared() {
    let spec = dmarc();
    let mut view = view(Some(&spec), &listing(&["3f2a91bc04de has=dmarc"], DMARC), true);
    assert_eq!(view.records, spec.records);
    assert_eq!(view.ownership(), Some(Ownership::Ours));
}

#[test]
fn a_record_deleted_by_hand_is_missing_and_the_rest_stays_ours() {
    let listing = Listing::of(&[(
        "_sesinfra.pivot.app.",
        RecordType::Txt,
        &[&claim("3f2a91bc04de has=dmarc")],
    )]);
    let spec = dmarc();
    let mut view = view(Some(&spec), &listing, true);
    assert!(view.records.is_empty());
    assert_eq!(view.ownership(), Some(Ownership::Ours));
}

#[test]
fn a_value_changed_by_hand_is_a_difference() {
    let spec = dmarc();
    let mut view =
        view(Some(&spec), &listing(&["3f2a91bc04de has=dmarc"], "v=DMARC1; p=reject"), true);
    assert_eq!(view.records["dmarc"].value, Arg::Known("v=DMARC1; p=reject".to_owned()));
    assert_eq!(view.ownership(), Some(Ownership::Ours));
}

#[test]
fn a_second_value_beside_ours_is_no_reason_to_doubt_whose_the_first_is() {
    let spec = dmarc();
    let second = "\"v=DMARC1; p=reject\"";
    let ours = format!("\"{DMARC}\"");
    let claim = claim("3f2a91bc04de has=dmarc");
    let listing = Listing::of(&[
        ("_sesinfra.pivot.app.", RecordType::Txt, &[&claim]),
        ("_dmarc.pivot.app.", RecordType::Txt, &[&ours, second]),
    ]);
    for aim in [Aim::Keep, Aim::Adopt] {
        let standing = Standing::of("pivot.app", ZONE, MINE, &listing);
        let mut view = aiming(aim, Some(&spec), &standing, true);
        let Some(Ownership::Contested(what)) = view.ownership() else { panic!("{view:?}") };
        assert!(what.contains("p=reject"), "{what}");
        assert!(!what.contains("did not make"), "{what}");
    }
}

#[test]
fn a_claim_deleted_by_hand_leaves_its_records_to_be_claimed() {
    let spec = dmarc();
    let mut marked = view(Some(&spec), &listing(&[], DMARC), true);
    assert!(marked.records.is_empty());
    assert_eq!(marked.ownership(), Some(Ownership::Ours));
    // Without our mark on the identity, the same record is somebody's before us, and no reason to ask.
    assert_eq!(view(Some(&spec), &listing(&[], DMARC), false).ownership(), None);
}

#[test]
fn another_value_is_somebody_elses() {
    let spec = dmarc();
    let other = "v=DMARC1; p=reject";
    let mut unowned = view(Some(&spec), &listing(&[], other), false);
    assert_eq!(unowned.ownership(), Some(Ownership::Unowned));
    assert!(unowned.notes[0].contains("p=reject"), "{:?}", unowned.notes);
    let mut foreign = view(Some(&spec), &listing(&["0000aaaa1111 has=dmarc"], other), false);
    assert!(matches!(foreign.ownership(), Some(Ownership::Foreign(_))));
}

#[test]
fn what_is_no_longer_declared_is_former() {
    let spec = wanted(&[]);
    let view = view(Some(&spec), &listing(&["3f2a91bc04de has=dmarc"], DMARC), true);
    let labels: Vec<&String> = view.records.keys().collect();
    assert_eq!(labels, ["former _dmarc.pivot.app TXT in Z1"]);
}

#[test]
fn without_a_declaration_the_claim_names_the_records() {
    let view = view(None, &listing(&["3f2a91bc04de has=dmarc"], DMARC), false);
    assert_eq!(view.records, dmarc().records);
}

#[test]
fn what_is_to_be_adopted_is_not_ours_yet_even_where_it_is_as_declared() {
    let spec = dmarc();
    for claims in [&[][..], &["3f2a91bc04de uses=dmarc"]] {
        let listing = listing(claims, DMARC);
        let standing = Standing::of("pivot.app", ZONE, MINE, &listing);
        let mut view = aiming(Aim::Adopt, Some(&spec), &standing, true);
        assert_eq!(view.records, spec.records, "it is shown, and does not differ");
        assert_eq!(view.ownership(), Some(Ownership::Unowned));
    }
    let ours = listing(&["3f2a91bc04de has=dmarc"], DMARC);
    let standing = Standing::of("pivot.app", ZONE, MINE, &ours);
    let mut view = aiming(Aim::Adopt, Some(&spec), &standing, true);
    assert_eq!(view.ownership(), Some(Ownership::Ours), "adopted already");
}

#[test]
fn what_goes_is_ours_whatever_others_put_in_its_place_and_says_what_stays() {
    let spec = dmarc();
    let claims = ["3f2a91bc04de has=dmarc", "0000aaaa1111 uses=dmarc"];
    let listing = listing(&claims, "v=DMARC1; p=reject");
    let standing = Standing::of("pivot.app", ZONE, MINE, &listing);
    let mut view = aiming(Aim::Delete, Some(&spec), &standing, true);
    assert_eq!(view.ownership(), Some(Ownership::Ours));
    assert!(view.notes[0].contains("0000aaaa1111"), "{:?}", view.notes);
}

#[test]
fn an_alias_in_the_way_cannot_be_adopted() {
    let spec = dmarc();
    let listing = Listing::of(&[("_dmarc.pivot.app.", RecordType::Cname, &["dmarc.example.com."])]);
    let mut view = view(Some(&spec), &listing, false);
    assert!(matches!(view.ownership(), Some(Ownership::Blocked(_))));
}
