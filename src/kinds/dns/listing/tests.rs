//! Where names stand in a zone, and what of it was read.

use super::*;

fn names(parts: &Parts) -> Vec<String> {
    parts.outermost().map(|part| part.start().name()).collect()
}

#[test]
fn names_below_one_are_together_and_after_it() {
    let mut names = ["b.app", "x.a-b.app", "a.app", "z.y.a.app", "a-b.app", "y.a.app", "aa.app"];
    names.sort_by_key(|name| Key::of(name));
    assert_eq!(names, ["a-b.app", "x.a-b.app", "a.app", "y.a.app", "z.y.a.app", "aa.app", "b.app"]);
    assert_eq!(Key::of("y.a.app").name(), "y.a.app");
}

#[test]
fn what_two_readings_of_the_order_tell_apart_is_not_taken_for_read() {
    let before = |one: &str, other: &str| Part::name(one).is_before(&Key::of(other));
    assert!(before("a.app", "y.a.app") && before("y.a.app", "b.app"));
    // Text by text `a-b` comes first, since `-` is less than `.`; label by label `a` does.
    assert!(!before("a-b.app", "a.app") && !before("a.app", "a-b.app"));
    assert!(!before("y.a.app", "y.a.app"));
}

#[test]
fn a_tree_ends_with_the_last_name_in_it() {
    let keys = Part::tree("_domainkey.a.app");
    assert!(!keys.is_before(&Key::of("_domainkey.a.app")));
    assert!(!keys.is_before(&Key::of("z._domainkey.a.app")));
    assert!(keys.is_before(&Key::of("_sesinfra.a.app")));
    assert!(keys.is_before(&Key::of("b.app")));
}

#[test]
fn a_part_within_another_is_read_with_it() {
    let mut parts = Parts::default();
    let inner = [Part::name("s1._domainkey.a.app"), Part::tree("x._domainkey.a.app")];
    parts.extend([Part::tree("_domainkey.a.app"), Part::name("mail.a.app")]);
    parts.extend(inner.clone());
    assert_eq!(names(&parts), ["_domainkey.a.app", "mail.a.app"]);
    let mut seen = Parts::default();
    seen.extend([Part::tree("_domainkey.a.app")]);
    assert_eq!(names(&parts.without(&seen)), ["mail.a.app"]);
    assert!(parts.without(&Parts::all()).is_empty());
    assert!(Parts::all().without(&seen).is_all());
    assert!(seen.holds(&Key::of("z.s1._domainkey.a.app")) && !seen.holds(&Key::of("a.app")));
}

#[test]
fn reading_a_part_anew_forgets_what_stood_there_and_nothing_else() {
    let mut listing = Listing::of(&[
        ("s1._domainkey.a.app.", RecordType::Cname, &["x.example."]),
        ("s2._domainkey.a.app.", RecordType::Txt, &["\"p=\""]),
        ("a.app.", RecordType::Mx, &["10 x.example."]),
        ("mail.a.app.", RecordType::Mx, &["10 x.example."]),
        ("x.mail.a.app.", RecordType::Mx, &["10 x.example."]),
    ]);
    let mut parts = Parts::default();
    parts.extend([Part::tree("_domainkey.a.app"), Part::name("mail.a.app")]);
    listing.see(&parts);
    assert_eq!(listing.names(RecordType::Txt).count(), 0);
    let left: Vec<String> = listing.names(RecordType::Mx).collect();
    assert_eq!(left, ["a.app", "x.mail.a.app"]);
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "was not read")]
fn what_was_not_read_is_not_answered() {
    let _ = Listing::default().values("_dmarc.a.app", RecordType::Txt);
}
