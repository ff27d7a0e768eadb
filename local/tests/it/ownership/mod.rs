//! Whose everything is, rule by rule, on the real kinds.
//!
//! | rule | where it is told or tested |
//! |---|---|
//! | every taggable resource carries project, environment, seal, children and digest | `contract`, `faults` (`marks`); `src/aws/ownership.rs` |
//! | a digest of an unknown version, or none, means a full read | `src/aws/ownership.rs` (`a_digest_of_an_unknown_version_is_none`) |
//! | marks are in the Create call itself, widened before a child is made, narrowed after it is gone | engine laws (`crash`, `town`), `faults` |
//! | tags copied elsewhere do not count, tags taken off are not ours | [`stripped`] |
//! | a claim copied to another name is nobody's there | [`stripped`] |
//! | records own themselves: one claim for each owner, in the same batch | `dns`, [`shared_sets`], cases `first-apply`, `spf-shared-with-others` |
//! | a value is deleted only if our claim alone holds it | [`side_by_side`], cases `one-of-two-environments-goes`, `dmarc-removed` |
//! | a changed zone finds the old records; `--abandon-zone` lets go of one out of reach | case `zone-changed`, [`zones`] |
//! | what an owner made and others use goes with the last of them | [`side_by_side`]; `src/kinds/dns/standing` |
//! | writing is compare-and-swap | [`shared_sets`] |
//! | names that take one value: adopt or error, never a second value | cases `dmarc-of-somebody-else`, `adopt-dmarc` |
//! | no apex records | [`side_by_side`] |
//! | declared ones are read by name, others found by their tags, IAM by one list | `calls`, `tags`, [`found`] |
//! | nothing is deleted on the word of the tagging API alone; a missed orphan is found later | [`stripped`], [`found`] |
//! | declared, existing, unowned: adopt, with `--adopt` only | cases `unowned-topic`, `adopt-*`; [`adopting`] |
//! | existing children of an adopted parent stay unowned | case `adopt-topic`, [`adopting`] |
//! | what a CloudFormation stack made is adopted from that stack | `src/aws/ownership.rs`, [`adopting`] |
//! | foreign: an error that names the owner | case `foreign-identity`, [`adopting`] |
//! | a child that marks do not name is shown and left alone | case `unmanaged-children` |
//! | deleting its parent is irreversible, lists it, needs `--allow` | cases `parent-of-unmanaged-children-*`, [`releasing`] |
//! | a lost response to a Create is settled by reading | `faults`, case `crash-between-create-and-rest` |
//! | alarms are read just before their first Put | `fields` (`alarms`) |
//! | edges come from live references; recreating re-puts what relies on it | engine laws (`order`), case `topic-replaced` |
//! | what blocks an identity's deletion is found before its records go | [`holders`], `dns` |
//! | IAM names are unique whatever the path and the case | `messaging` (`a_name_is_taken_whatever_its_path_and_case`) |
//! | account settings have no owner | `fields` (`account`) |
//! | two environments that declare one thing are an error when both files are here | `tests/it/environment` |
//! | what is used by ARN is never changed | `messaging`, `faults` |
//! | `release` stops managing and keeps | [`releasing`], engine laws (`release`) |
//! | `mv` re-tags after a rename | [`moving`] |
//! | a BYODKIM digest sits in its own tag, written after the Put | `fields` (`keys`), case `easy-dkim-to-own-key` |
//! | settings in `ignore` are others' to change | [`ignored`] |
//! | leftovers of earlier identities are said | [`zones`] |

mod adopting;
mod found;
mod holders;
mod ignored;
mod moving;
mod releasing;
mod shared_sets;
mod side_by_side;
mod stripped;
mod zones;

/// An environment with something of every kind that can be somebody's.
const FULL: &str = r#"
[identities."pivot.app"]
configuration_set = "main"
mail_from = { subdomain = "bounce" }
dmarc = { policy = "none", reports_to = ["dmarc@pivot.app"] }
policies.partner = { principals = ["999999999999"] }

[configuration_sets.main]
tls = "require"

[configuration_sets.main.events.feedback]
types = ["bounce", "complaint"]
topic = "feedback"

[topics.feedback]
display_name = "Feedback"
subscriptions = [{ queue = "feedback" }]

[queues.feedback]

[alarms]
topic = "feedback"
without = [
    "bounce-rate", "bounce-rate-warning", "complaint-rate", "complaint-rate-warning", "daily-quota",
    "sending-paused", "dead-letters", "rejects", "rendering-failures",
]
[alarms.custom.slow]
metric = { namespace = "Pivot", name = "Latency", statistic = "p99" }
comparison = ">="
threshold = 3

[send_policies.api]
from = ["*@pivot.app"]
attach = { roles = ["api"] }
"#;

/// What carries tags of [`FULL`], by kind and name.
const TAGGED: [(&str, &str); 6] = [
    ("alarm", "slow"),
    ("identity", "pivot.app"),
    ("configuration_set", "main"),
    ("topic", "feedback"),
    ("queue", "feedback"),
    ("send_policy", "pivot-prod-api"),
];
