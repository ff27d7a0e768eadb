//! Everything that reads what somebody else wrote, as functions of bytes. None of them may panic, hang or eat memory,
//! whatever the bytes are, and what one of them accepts must keep its promises.
//!
//! The fuzz targets in `fuzz/targets` and the test in `tests/it/fuzz.rs` both run these.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use sesinfra::aws::policy::{Policy, normal as normal_again, normal_form};
use sesinfra::aws::{Arns, Facts, HostedZone, Neighbours, Owner, PrivateKey, Zones};
use sesinfra::blueprint::{blueprint, permissions};
use sesinfra::engine::{Address, Marks, Ownership};
use sesinfra::environment::names::{AccountId, FORMATS, FileName, ProjectName, Region};
use sesinfra::environment::{Environment, load};
use sesinfra::kinds::Phase;
use sesinfra::kinds::dns::{Claim, RecordType, normal_name, normal_value, written_value};
use sesinfra::view::{Document, Style, findings, plan_json, plan_markdown, plan_text};

/// A function of bytes that must bear all of them.
pub type Target = fn(&[u8]);

/// Every target, by its name: that of its file in `fuzz/targets` and of its folder in `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 8] = [
    ("environment", environment),
    ("plan_file", plan_file),
    ("policy", policy),
    ("dns", dns),
    ("claim", claim),
    ("marks", marks),
    ("private_key", private_key),
    ("names", names),
];

/// What separates an environment file from the one that it extends.
const UNDERNEATH: &[u8] = b"\n#### defaults.toml\n";

/// Loads bytes as an environment file, after a line `#### defaults.toml` with another below it, and draws up what it implies.
pub fn environment(bytes: &[u8]) {
    let root = folder();
    let place = root.join("environments");
    let split = bytes.windows(UNDERNEATH.len()).position(|window| window == UNDERNEATH);
    let (file, defaults) = match split {
        Some(at) => (&bytes[..at], Some(&bytes[at + UNDERNEATH.len()..])),
        None => (bytes, None),
    };
    fs::write(place.join("x.toml"), file).expect("the folder can be written");
    match defaults {
        Some(defaults) => fs::write(place.join("defaults.toml"), defaults).expect("as above"),
        // Mostly there is none.
        None => drop(fs::remove_file(place.join("defaults.toml"))),
    }
    let name = FileName::parse("x").expect("a file name");
    match load(root, &name) {
        Err(found) => {
            assert!(found.has_errors());
            for colour in [false, true] {
                let shown = findings::render(&found, colour);
                assert!(shown.len() < 1 << 21, "{} bytes of findings", shown.len());
            }
            assert!(!findings::render(&found, false).contains('\u{1b}'));
            for finding in &found {
                assert!(!finding.message.is_empty() && !finding.message.contains('\n'));
            }
        }
        Ok(environment) => implied(&environment),
    }
}

/// What a right environment implies has an answer too, in an account with a zone for every domain, or in one with none.
fn implied(environment: &Environment) {
    let settings = &environment.settings;
    let arns = Arns::new(settings.aws.account.clone(), settings.aws.region.clone());
    let owner = Owner::new(settings.project.clone(), environment.name.clone(), &arns);
    let domains = settings.identities.keys().map(|name| name.domain().to_string());
    let zone =
        |name: String| HostedZone { id: "Z0123456789".to_owned(), name, role: None, sets: None };
    let keys = settings.identities.keys().map(|name| (name.clone(), "MIIB".to_owned()));
    let facts = Facts {
        arns,
        owner,
        zones: Zones::new(domains.map(zone)),
        keys: keys.collect(),
        neighbours: Neighbours::default(),
        missing_keys: BTreeMap::new(),
        daily_quota: None,
    };
    for facts in [Facts { zones: Zones::none(), ..facts.clone() }, facts] {
        if let Ok(implied) = blueprint(environment, &facts) {
            for phase in [Phase::Plan, Phase::Apply] {
                let document = permissions(settings, &facts, &implied.graph, phase).document();
                assert!(Policy::parse(&document).is_ok(), "{document}");
            }
        }
    }
}

/// A project's root of this thread's own, in memory where there is such a place.
fn folder() -> &'static Path {
    static NUMBERS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static FOLDER: &'static OnceLock<PathBuf> = Box::leak(Box::default());
    }
    FOLDER.with(|folder| {
        folder
            .get_or_init(|| {
                let memory = Path::new("/dev/shm");
                let base =
                    if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
                let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
                let root = base.join(format!("sesinfra-fuzz-{}-{number}", std::process::id()));
                fs::create_dir_all(root.join("environments")).expect("a folder can be made");
                root
            })
            .as_path()
    })
}

/// Takes the folders of this process away.
pub fn clear() {
    let _ = fs::remove_dir_all(folder());
}

/// Reads bytes as a plan file and shows it in every form, as if its fingerprint fitted.
pub fn plan_file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(document) = serde_json::from_str::<Document>(text) else { return };
    let document = document.sealed();
    let again = serde_json::to_string(&document).expect("a plan is plain data");
    let again: Document = serde_json::from_str(&again).expect("what was written can be read");
    assert_eq!(again.computed_fingerprint(), document.fingerprint);
    let text = plan_text(&document, Style::plain());
    assert!(!text.contains('\u{1b}'), "a plan steers the terminal");
    let _ = plan_text(&document, Style::coloured());
    let _ = plan_json(&document);
    let _ = plan_markdown(&document);
}

/// Reads bytes as a policy document, as AWS gives it or as somebody else wrote it.
pub fn policy(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(policy) = Policy::parse(&text) else { return };
    let _ = policy.lost_principals();
    let _ = policy.length();
    let normal = normal_form(&text).expect("what was read once is read again");
    let again = normal_form(&policy.document()).expect("what is written can be read");
    assert_eq!(again, normal, "{text}");
    assert_eq!(normal_again(normal.clone()), normal);
}

/// Reads bytes as names and values of DNS records.
pub fn dns(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let name = normal_name(&text);
    assert!(name.len() <= text.len() * 3);
    for kind in [RecordType::Cname, RecordType::Mx, RecordType::Txt] {
        let normal = normal_value(kind, &text);
        let written = written_value(kind, &normal);
        if kind == RecordType::Txt {
            assert!(written.split("\" \"").all(|piece| piece.len() <= 255 * 4 + 2));
        }
        if text.chars().all(|it| (' '..='~').contains(&it)) && kind == RecordType::Txt {
            assert_eq!(normal_value(kind, &written), normal, "{text}");
        }
    }
}

/// Reads bytes as the claim of an owner on the records of a domain.
pub fn claim(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some(claim) = Claim::parse(&text) else { return };
    let again = claim.to_string();
    assert_eq!(Claim::parse(&again).as_ref(), Some(&claim), "{again}");
}

/// Reads lines of bytes as the tags of a resource, `key=value`, and as the children that marks are to name.
pub fn marks(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let arns = Arns::new(
        AccountId::parse("123456789012").expect("an account"),
        Region::parse("us-east-1").expect("a Region"),
    );
    let arn = arns.topic("t");
    let owner = Owner::new(
        ProjectName::parse("pivot").expect("a project"),
        FileName::parse("prod").expect("a file"),
        &arns,
    );
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let mut tags: BTreeMap<String, String> =
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let _ = owner.read(&arn, &tags);
    // With a seal of ours, so that the marks are looked at.
    tags.retain(|key, _| !key.starts_with("aws:cloudformation:"));
    for key in ["sesinfra:project", "sesinfra:environment", "sesinfra:seal"] {
        tags.insert(key.to_owned(), owner.tags(&arn, &Marks::default())[key].clone());
    }
    let (ownership, marks, of_user) = owner.read(&arn, &tags);
    assert_eq!(ownership, Ownership::Ours);
    assert!(of_user.keys().all(|key| !key.starts_with("sesinfra:")));
    let (_, again, _) = owner.read(&arn, &owner.tags(&arn, &marks));
    assert_eq!(again, marks);
    // Whatever a child is called, marks name it, and tags take what they say. No kind calls one longer than this: names of
    // destinations and policies have at most 64 characters, and longer ones of roles are hashed.
    let children = text.split_whitespace().filter(|child| child.len() <= 80);
    let children: BTreeSet<String> = children.take(64).map(ToOwned::to_owned).collect();
    let wanted = Marks { children, digest: None };
    let written = owner.tags(&arn, &wanted);
    assert!(written.values().all(|value| value.chars().count() <= 256), "{written:?}");
    let (_, read, _) = owner.read(&arn, &written);
    assert_eq!(read.children.len(), wanted.children.len());
    let address = text.parse::<Address>();
    if let Ok(address) = address {
        assert_eq!(address.to_string(), text);
        assert_eq!(Address::new(address.kind(), address.name()), address);
    }
}

/// Reads bytes as a private key. Nothing that is said of it may give a part of it away.
pub fn private_key(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match PrivateKey::parse(&text) {
        Ok(key) => {
            let secret = key.to_base64();
            let again = PrivateKey::parse(&secret).expect("what is written can be read");
            assert_eq!(again.public_key(), key.public_key());
            assert!(!format!("{key:?}").contains(secret.as_str()));
        }
        Err(error) => {
            let said = format!("{error} {error:?}");
            let mut words = text.split_whitespace().filter(|word| word.len() >= 16);
            assert!(!words.any(|word| said.contains(word)), "{said}");
        }
    }
}

/// Reads bytes as every kind of name, ARN, address and number that an environment file may hold.
pub fn names(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for format in FORMATS {
        match (format.normal)(&text) {
            Ok(normal) => {
                let again = (format.normal)(&normal);
                assert_eq!(again.as_ref(), Ok(&normal), "{}: {text}", format.name);
            }
            Err(error) => assert!(
                !error.reason.is_empty() && !error.remedy.is_empty(),
                "{}: {text}",
                format.name
            ),
        }
    }
}
