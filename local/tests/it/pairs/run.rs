//! One pair after the other: apply A, apply B, nothing left to do; apply none, nothing left at all. A plan by tags says
//! the same each time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use aws_sdk_sesv2::config::Region;
use sesinfra::engine::{Plan, Refresh, apply, chain};
use sesinfra_local::seeds;

use super::coverage::Coverage;
use super::generate::{DOMAINS, ELSEWHERE, Generated, MAIL_FROM, TWIN, TWIN_S_TWIN, generate};
use crate::it::account::ACCOUNT;
use crate::it::faults::{Watched, differences, owned};
use crate::it::refresh::{deviation, planned};
use crate::it::stage::Stage;

/// The public key of the private key in the file.
pub(super) const PUBLIC: &str = include_str!("../ses/keys/rsa1024.public");
const PRIVATE: &str = include_str!("../ses/keys/rsa1024.pkcs8");

/// The zones of the account.
pub(super) const ZONES: [&str; 4] = ["pivot.app", "shop.example", TWIN, TWIN_S_TWIN];

/// How many pairs a plain `cargo test` runs.
const SAMPLE: u64 = 20;
/// Pairs that once ended in something left over, by the seeds of both; they run always.
const REGRESSIONS: [(u64, u64); 0] = [];

/// An account with all that a random file may refer to, and strangers' values in the sets that it shares.
async fn account() -> (Stage, BTreeMap<String, String>) {
    let stage = Stage::new().await;
    stage.write("one.key", PRIVATE);
    stage.write("environments/statement.md", "Mail to our users.");
    stage.write("environments/sample.txt", "Please confirm your address.");
    let ids = zones(&stage).await;
    // A file that refers to everything there is, so that the seeds make it.
    let everything = format!(
        r#"
[zones."{TWIN}"]
id = "{}"
[zones."shop.example"]
role = "arn:aws:iam::{ACCOUNT}:role/dns-writer"
[identities."pivot.app"]
dkim = {{ selector = "s1", private_key = {{ ssm = "/mail/dkim" }} }}
configuration_set = "arn:aws:ses:us-east-1:{ACCOUNT}:configuration-set/theirs"
[identities."shop.example"]
dkim = {{ selector = "s1", private_key = {{ secret = "mail-dkim" }} }}
[configuration_sets.a]
pool = "warm"
[configuration_sets.a.events.x]
types = ["send"]
firehose = {{ stream = "mail", role = "ses-firehose" }}
[configuration_sets.a.events.y]
types = ["send"]
topic = "arn:aws:sns:us-east-1:{ACCOUNT}:theirs"
[configuration_sets.b]
pool = "cold"
[configuration_sets.b.events.x]
types = ["send"]
firehose = {{ stream = "audit", role = "ses-firehose" }}
[topics.a]
encryption_key = "alias/mail"
[topics.b]
encryption_key = "alias/post"
[send_policies.a]
from = ["*@pivot.app"]
attach = {{ roles = ["api", "worker"], users = ["deploy"], groups = ["senders"] }}
"#,
        ids[TWIN]
    );
    seeds::seed(stage.cloud.world(), &stage.check(&everything).unwrap());
    primaries(&stage, &ids).await;
    (stage, ids)
}

/// Somebody's identities in another Region, verified, so that ours can be replicas of them.
async fn primaries(stage: &Stage, ids: &BTreeMap<String, String>) {
    let config = stage.clients.to_builder().region(Region::new(ELSEWHERE)).build();
    let ses = aws_sdk_sesv2::Client::new(&config);
    for (domain, zone) in DOMAINS {
        let made = ses.create_email_identity().email_identity(domain).send().await.unwrap();
        let dkim = made.dkim_attributes.unwrap();
        for token in dkim.tokens.unwrap() {
            let name = format!("{token}._domainkey.{domain}");
            let target = format!("{token}.{}", dkim.signing_hosted_zone.as_ref().unwrap());
            record(stage, &ids[zone], &name, RrType::Cname, &target).await;
        }
        let seen = ses.get_email_identity().email_identity(domain).send().await.unwrap();
        assert!(seen.verified_for_sending_status);
    }
}

/// Adds a record set with one value.
async fn record(stage: &Stage, zone: &str, name: &str, kind: RrType, value: &str) {
    let zones = aws_sdk_route53::Client::new(&stage.clients);
    let value = ResourceRecord::builder().value(value).build().unwrap();
    let set = ResourceRecordSet::builder().name(name).r#type(kind).ttl(300);
    let set = set.resource_records(value).build().unwrap();
    let change = Change::builder().action(ChangeAction::Create).resource_record_set(set);
    let batch = ChangeBatch::builder().changes(change.build().unwrap()).build().unwrap();
    let asked = zones.change_resource_record_sets().hosted_zone_id(zone);
    asked.change_batch(batch).send().await.unwrap();
}

async fn zones(stage: &Stage) -> BTreeMap<String, String> {
    let zones = aws_sdk_route53::Client::new(&stage.clients);
    let mut ids = BTreeMap::new();
    for zone in BTreeSet::from(DOMAINS.map(|(_, zone)| zone)) {
        ids.insert(zone.to_owned(), stage.zone(zone).await);
    }
    let twin = zones.create_hosted_zone().name(TWIN).caller_reference("twin").send().await;
    let twin = twin.unwrap().hosted_zone.unwrap().id;
    ids.insert(TWIN_S_TWIN.to_owned(), twin.trim_start_matches("/hostedzone/").to_owned());
    for (domain, zone) in DOMAINS {
        for label in MAIL_FROM {
            let name = format!("{label}.{domain}");
            record(stage, &ids[zone], &name, RrType::Txt, "\"stranger=1\"").await;
        }
    }
    ids
}

/// Makes the account as `text` says, after the time that AWS lets pass between some changes of one thing.
async fn reach(stage: &Stage, text: &str) -> Result<Plan, String> {
    stage.cloud.advance(Duration::from_hours(25));
    let open = stage.connect(text).await.map_err(|error| chain(&error))?;
    let plan = open.plan().await.map_err(|error| chain(&error))?;
    if !plan.refusals.is_empty() {
        return Err(format!("refused: {:?}", plan.refusals));
    }
    let by_tags = planned(stage, text, Refresh::Tags).await;
    if let Some(deviation) = deviation(&by_tags, &plan) {
        return Err(format!("planned otherwise by tags: {deviation}"));
    }
    let report =
        apply(&plan, &open.registry, &Watched { stage, open: &open, parallelism: 1 }).await;
    if !report.is_complete() {
        let bad = report
            .steps
            .iter()
            .filter(|step| !matches!(step.outcome, sesinfra::engine::Outcome::Done));
        let bad: Vec<String> = bad.map(|step| format!("{step:?}")).collect();
        return Err(format!("not complete: {}\nunsettled: {:?}", bad.join("\n"), report.unsettled));
    }
    Ok(plan)
}

async fn pair(scene: &Stage, first: &Generated, second: &Generated) -> Result<Coverage, String> {
    let mut coverage = Coverage::default();
    let stage = Stage::over(scene.cloud.fork().await.unwrap());
    stage.write("one.key", PRIVATE);
    stage.write("environments/statement.md", "Mail to our users.");
    stage.write("environments/sample.txt", "Please confirm your address.");
    for one in [first, second] {
        coverage.count_fields(&one.fields);
        coverage.count_changes(&reach(&stage, &one.text).await?);
    }
    let left = stage.connect(&second.text).await.unwrap().plan().await;
    let left = left.map_err(|error| chain(&error))?;
    if !left.is_empty() {
        return Err(format!("left to do: {:#?}", left.pending().collect::<Vec<_>>()));
    }
    coverage.count_changes(&reach(&stage, "").await?);
    let different = differences(&owned(&scene.cloud), &owned(&stage.cloud));
    if different.is_empty() { Ok(coverage) } else { Err(different.join("\n")) }
}

/// The first file from `seed` on that is a valid environment. What the checks refuse is not for the engine to see.
fn valid(
    scene: &Stage,
    seed: u64,
    ids: &BTreeMap<String, String>,
    refused: &mut usize,
) -> Generated {
    for turn in 0..100 {
        let made = generate(seed + turn * 1_000_003, ids);
        match scene.check(&made.text) {
            Ok(_) => return made,
            Err(why) => {
                *refused += 1;
                if std::env::var("SESINFRA_PAIRS_REFUSED").is_ok() {
                    println!("{why}");
                }
            }
        }
    }
    panic!("no valid environment from seed {seed}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_stood_before_the_next_environment_leaves_nothing_over() {
    let (scene, ids) = account().await;
    let kinds: BTreeSet<String> =
        scene.open("").await.registry.kinds().map(|kind| kind.name().to_owned()).collect();
    let count = std::env::var("SESINFRA_PAIRS").map_or(SAMPLE, |count| count.parse().unwrap());
    let from = std::env::var("SESINFRA_PAIRS_FROM").map_or(0, |from| from.parse().unwrap());
    let began = Instant::now();
    let seeds = (from..from + count).map(|index| (2 * index, 2 * index + 1));
    let mut refused = 0;
    let mut file = |seed| valid(&scene, seed, &ids, &mut refused);
    let pairs: Vec<_> =
        REGRESSIONS.into_iter().chain(seeds).map(|(a, b)| (a, file(a), file(b))).collect();
    let (scene, pairs) = (Arc::new(scene), Arc::new(pairs));
    let next = Arc::new(AtomicU64::new(0));
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (scene, pairs, next) = (Arc::clone(&scene), Arc::clone(&pairs), Arc::clone(&next));
            tokio::spawn(async move {
                let (mut covered, mut losses) = (Coverage::default(), Vec::new());
                while let Some((seed, first, second)) =
                    pairs.get(usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap())
                {
                    match Box::pin(pair(&scene, first, second)).await {
                        Ok(coverage) => covered.add(coverage),
                        Err(loss) => {
                            let loss = format!("seeds {seed} and {}: {loss}", seed + 1);
                            println!("{loss}");
                            losses.push(loss);
                        }
                    }
                }
                (covered, losses)
            })
        })
        .collect();
    let (mut covered, mut losses) = (Coverage::default(), Vec::new());
    for worker in workers {
        let (coverage, lost) = worker.await.unwrap();
        covered.add(coverage);
        losses.extend(lost);
    }
    covered.print();
    println!(
        "{} pairs ({refused} files refused), {} losses, {:?}",
        pairs.len(),
        losses.len(),
        began.elapsed()
    );
    assert!(losses.is_empty(), "{} losses, the first: {}", losses.len(), losses[0]);
    if count >= 1_000 {
        covered.check(&kinds);
    }
}
