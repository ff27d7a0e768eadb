//! Files that extend each other: what wins, what is removed, and which file a value came from.

use super::*;
use sesinfra::environment::types::TlsPolicy;

const BASE: &[u8] = b"project = \"pivot\"\nprotect = true\n\
[tags]\nteam = \"mail\"\ntier = \"none\"\n\
[configuration_sets.web]\ntls = \"require\"\nsuppress = [\"bounce\", \"complaint\"]\n\
[identities.\"old.app\"]\n";

const MIDDLE: &[u8] = b"extends = \"base\"\n[tags]\ntier = \"low\"\n[configuration_sets.web]\nsuppress = [\"bounce\"]\n";

const TOP: &[u8] = b"extends = \"middle\"\nprotect = \"unset\"\n\
[aws]\naccount = \"123456789012\"\nregion = \"us-east-1\"\n\
[identities]\n\"old.app\" = \"unset\"\n\"New.App\" = {}\n";

fn layered(name: &str) -> PathBuf {
    project(name, &[("base", BASE), ("middle", MIDDLE), ("top", TOP)])
}

#[test]
fn tables_merge_arrays_replace_and_unset_removes() {
    let environment = loaded(&layered("merge"), "top");
    let settings = &environment.settings;
    assert!(environment.warnings.is_empty(), "{}", environment.warnings);
    assert_eq!(settings.project.as_str(), "pivot");
    assert!(!settings.protect, "unset gives the default");
    let tags: Vec<_> =
        settings.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(tags, [("team", "mail"), ("tier", "low")]);
    let set = settings.configuration_sets.values().next().unwrap();
    assert_eq!(set.tls, TlsPolicy::Require);
    assert_eq!(set.suppress.as_ref().unwrap().len(), 1);
    let identities: Vec<String> = settings.identities.keys().map(ToString::to_string).collect();
    assert_eq!(identities, ["new.app"]);
}

#[test]
fn a_value_knows_its_file() {
    let environment = loaded(&layered("origin"), "top");
    for (path, file) in [
        (&["project"][..], Some("environments/base.toml")),
        (&["tags", "team"], Some("environments/base.toml")),
        (&["tags", "tier"], Some("environments/middle.toml")),
        (&["configuration_sets", "web", "suppress", "0"], Some("environments/middle.toml")),
        (&["aws", "region"], Some("environments/top.toml")),
        (&["identities", "new.app"], Some("environments/top.toml")),
        (&["protect"], None),
        (&["identities", "old.app"], None),
    ] {
        assert_eq!(environment.origin(path), file, "{path:?}");
    }
}

#[test]
fn a_later_finding_stands_at_the_value_in_its_file_or_at_the_table_that_lacks_it() {
    let environment = loaded(&layered("finding"), "top");
    let at =
        |path: &[&str]| environment.finding("x", path, "m", "l", "h").location.unwrap().to_string();
    assert_eq!(at(&["tags", "tier"]), "environments/middle.toml:3:8");
    assert_eq!(at(&["identities", "new.app"]), "environments/top.toml:8:1");
    assert_eq!(at(&["identities", "new.app", "zone"]), "environments/top.toml:8:1");
    assert_eq!(
        at(&["configuration_sets", "web", "suppress", "bounce"]),
        "environments/middle.toml:5:13"
    );
    assert_eq!(at(&["nothing"]), "environments/top.toml");
}

#[test]
fn a_file_that_is_only_extended_is_no_environment_and_a_complete_one_is() {
    let root = project(
        "names",
        &[
            ("base", BASE),
            ("middle", MIDDLE),
            ("top", TOP),
            ("top-eu", b"extends = \"top\"\naws.region = \"eu-west-1\"\n"),
            ("broken", b"= 1\n"),
        ],
    );
    std::fs::write(root.join("environments/Not A Name.toml"), "").unwrap();
    std::fs::write(root.join("environments/notes.txt"), "").unwrap();
    let names: Vec<String> =
        environment::names(&root).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["broken", "top", "top-eu"]);
    assert!(environment::names(&root.join("nowhere")).is_err());
}

#[test]
fn a_file_that_is_not_there_is_said_with_the_near_one() {
    let root = layered("missing");
    let found = findings(&root, "tops");
    assert_eq!(
        view::findings::render(&found, false),
        "error[file-missing]: there is no file `environments/tops.toml`\n--> environments/tops.toml\n = help: did you mean `top`?\n"
    );
    let nowhere = findings(&root.join("nowhere"), "top");
    assert!(nowhere.to_string().contains("[file-missing]"), "{nowhere}");
}
