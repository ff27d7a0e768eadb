//! What a batch says to Route 53.

use super::*;

const TTL: i64 = crate::kinds::dns::record::TTL_SECONDS;

fn add(name: &str, kind: RecordType, value: &str) -> Edit {
    Edit::Add { name: name.to_owned(), kind, value: value.to_owned(), ttl: TTL }
}

fn remove(name: &str, kind: RecordType, value: &str) -> Edit {
    Edit::Remove { name: name.to_owned(), kind, value: value.to_owned() }
}

fn written(listing: &Listing, edits: &[Edit]) -> Vec<String> {
    let batch = batch("Z1", &swaps(listing, edits)).unwrap();
    let lines = batch.changes.iter().map(|change| {
        let set = change.resource_record_set.as_ref().unwrap();
        let values: Vec<&str> = set.resource_records().iter().map(ResourceRecord::value).collect();
        format!("{} {} {} {}", change.action, set.name, set.r#type, values.join(" | "))
    });
    lines.collect()
}

#[test]
fn a_new_set_is_created_and_never_overwritten() {
    let edits = [add("_dmarc.pivot.app", RecordType::Txt, "v=DMARC1; p=none")];
    assert_eq!(
        written(&Listing::of(&[]), &edits),
        [r#"CREATE _dmarc.pivot.app. TXT "v=DMARC1; p=none""#]
    );
}

#[test]
fn the_values_of_others_in_a_set_are_repeated_exactly() {
    let spf = "\"v=spf1 include:amazonses.com ~all\"";
    let listing =
        Listing::of(&[("mail.pivot.app.", RecordType::Txt, &["\"site\" \"-proof=1\"", spf])]);
    let edits = [
        remove("mail.pivot.app", RecordType::Txt, "v=spf1 include:amazonses.com ~all"),
        add("mail.pivot.app", RecordType::Txt, "v=spf1 -all"),
    ];
    assert_eq!(
        written(&listing, &edits),
        [
            format!("DELETE mail.pivot.app. TXT \"site\" \"-proof=1\" | {spf}"),
            "CREATE mail.pivot.app. TXT \"site\" \"-proof=1\" | \"v=spf1 -all\"".to_owned(),
        ]
    );
}

#[test]
fn the_last_value_takes_the_set_with_it_and_what_is_so_already_is_left() {
    let listing = Listing::of(&[("_dmarc.pivot.app.", RecordType::Txt, &["\"a\""])]);
    assert_eq!(
        written(&listing, &[remove("_dmarc.pivot.app", RecordType::Txt, "a")]),
        ["DELETE _dmarc.pivot.app. TXT \"a\""]
    );
    assert!(swaps(&listing, &[add("_dmarc.pivot.app", RecordType::Txt, "a")]).is_empty());
    assert!(swaps(&listing, &[remove("_dmarc.pivot.app", RecordType::Txt, "b")]).is_empty());
}

#[test]
fn another_time_to_live_is_a_change() {
    let listing = Listing::of(&[("a.pivot.app.", RecordType::Cname, &["b.example."])]);
    let edits = [add("a.pivot.app", RecordType::Cname, "b.example")];
    assert!(swaps(&listing, &edits).is_empty());
    let listing = listing.lasting(60);
    assert_eq!(swaps(&listing, &edits).len(), 1);
}

#[test]
fn a_batch_beyond_the_limits_is_refused_here() {
    let long = "x".repeat(200);
    let values: Vec<String> = (0..200).map(|number| format!("\"{number}{long}\"")).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let listing = Listing::of(&[("pivot.app.", RecordType::Txt, &values)]);
    let error = batch("Z1", &swaps(&listing, &[add("pivot.app", RecordType::Txt, "b")]));
    assert!(error.unwrap_err().to_string().contains("401 values"));
}
