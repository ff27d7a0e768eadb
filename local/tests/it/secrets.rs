//! Planted secrets: whatever is run, and however it ends, none of them is in what is said, written or left behind.
//!
//! Private keys come from a variable, a file, a parameter and a secret; AWS's and SMTP's credentials are in the process
//! environment; a password is in the URL of somebody else's subscription. They are looked for in pieces, so that a part of
//! one is found too.

use std::path::{Path, PathBuf};
use std::process::Command;

use aws_credential_types::Credentials;
use aws_sdk_ssm::types::ParameterType;
use sesinfra::aws::{Access, PrivateKey};
use sesinfra_local::{Cloud, Effect, Fault, Options};

use super::account::{ACCOUNT, REGION, administrator, cloud};
use super::binary::{Ended, Running, command, run};
use super::folder::Folder;
use super::program::{Ran, sesinfra};
use super::served::{local, text};

const FIRST: &str = include_str!("ses/keys/rsa1024.private");
const SECOND: &str = include_str!("ses/keys/second1024.private");
const SECOND_PUBLIC: &str = include_str!("ses/keys/second1024.public");
const ELLIPTIC: &str = include_str!("ses/keys/ec.private");
const SMTP_PASSWORD: &str = "BPlantedSmtp/Password+0000000000000000000000";
const HOOK_PASSWORD: &str = "planted-hook-password";
const HOOK_TOKEN: &str = "planted-hook-token";
/// The call that carries a key.
const PUT: &str = "ses:PutEmailIdentityDkimSigningAttributes";
const TYPED: &str = "planted and typed";

/// So many characters of a key give it away.
const PIECE: usize = 20;

/// What may be nowhere.
struct Planted(Vec<(&'static str, String)>);

impl Planted {
    fn new() -> Self {
        let mut planted = Self(Vec::new());
        for (name, key) in
            [("the first key", FIRST), ("the second key", SECOND), ("the EC key", ELLIPTIC)]
        {
            planted.key(name, key);
            // SES is given every key in this form, whatever form it was kept in.
            if let Ok(key) = PrivateKey::parse(key) {
                planted.key(name, &key.to_base64());
            }
        }
        for (name, value) in [
            ("the SMTP password", SMTP_PASSWORD),
            ("the hook's password", HOOK_PASSWORD),
            ("the hook's token", HOOK_TOKEN),
            ("what was typed", TYPED),
        ] {
            planted.0.push((name, value.to_owned()));
        }
        planted
    }

    /// A key in pieces, but for its last ones, which may be short.
    fn key(&mut self, name: &'static str, key: &str) {
        let body: String =
            key.lines().filter(|line| !line.starts_with("-----")).flat_map(str::chars).collect();
        let pieces = body.as_bytes().chunks_exact(PIECE);
        // What a key of 1,024 bits begins with is its public half, or says what kind of key it is.
        let public = if body.len() > 400 { 12 } else { 2 };
        let pieces = pieces.skip(public).map(|piece| String::from_utf8(piece.to_vec()).unwrap());
        self.0.extend(pieces.map(|piece| (name, piece)));
    }

    fn expect_none(&self, place: &str, text: &str) {
        for (name, piece) in &self.0 {
            assert!(!text.contains(piece), "{name} is in {place}: {text}");
        }
        // Bytes of a request or an answer would be shown like this.
        let bytes = format!("{:?}", &FIRST.as_bytes()[300..308]);
        assert!(!text.contains(bytes.trim_matches(['[', ']'])), "bytes of a key are in {place}");
    }

    /// Everything below a folder but the files that were planted.
    fn expect_none_below(&self, folder: &Path, but: &[&str]) -> usize {
        let mut looked_at = 0;
        for path in files(folder) {
            let shown = path.strip_prefix(folder).unwrap().display().to_string();
            if !but.contains(&shown.as_str()) {
                let bytes = std::fs::read(&path).unwrap();
                self.expect_none(&shown, &String::from_utf8_lossy(&bytes));
                looked_at += 1;
            }
        }
        looked_at
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Domains signed with keys from everywhere, and a topic that others listen to.
const FILE: &str = r#"
[identities."variable.app"]
dkim = { selector = "s1", private_key = { env = "DKIM_KEY" } }
dns = "manual"
[identities."file.app"]
dkim = { selector = "s1", private_key = { file = "dkim.pem" } }
dns = "manual"
[identities."parameter.app"]
dkim = { selector = "s1", private_key = { ssm = "/mail/dkim" } }
dns = "manual"
[identities."secret.app"]
dkim = { selector = "s1", private_key = { secret = "dkim" } }
dns = "manual"
[topics.feedback]
"#;

/// Fewer of them, since SES takes one call in a second.
const FEW: &str = r#"
[identities."file.app"]
dkim = { selector = "s1", private_key = { file = "dkim.pem" } }
dns = "manual"
[identities."parameter.app"]
dkim = { selector = "s1", private_key = { ssm = "/mail/dkim" } }
dns = "manual"
"#;

/// The files of the project that hold what was planted.
const KEPT: [&str; 4] =
    ["dkim.pem", "wrong.pem", "environments/typed.toml", "environments/pasted.toml"];

struct Place {
    planted: Planted,
    cloud: Cloud,
    folder: Folder,
    /// Of a session, as a pipeline has them: key, secret and token.
    session: [String; 3],
}

fn pem(key: &str) -> String {
    format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", key.trim())
}

impl Place {
    async fn new(name: &str) -> Self {
        let cloud = cloud(Options { enforce_iam: false, ..Options::default() }).await;
        let owner = administrator(&cloud, ACCOUNT);
        let parameters = aws_sdk_ssm::Client::new(&owner);
        let put = parameters.put_parameter().name("/mail/dkim").value(SECOND.trim());
        put.r#type(ParameterType::SecureString).send().await.unwrap();
        let secrets = aws_sdk_secretsmanager::Client::new(&owner);
        secrets.create_secret().name("dkim").secret_string(FIRST.trim()).send().await.unwrap();
        let iam = aws_sdk_iam::Client::new(&owner);
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action":"sts:AssumeRole"}}]}}"#
        );
        let role = iam.create_role().role_name("ci").assume_role_policy_document(trust);
        let role = role.send().await.unwrap().role.unwrap();
        let sts = aws_sdk_sts::Client::new(&owner);
        let session = sts.assume_role().role_arn(role.arn()).role_session_name("run");
        let session = session.send().await.unwrap().credentials.unwrap();
        let mut planted = Planted::new();
        planted.0.push(("the secret access key", session.secret_access_key.clone()));
        planted.0.push(("the session token", session.session_token.clone()));
        let folder = Folder::new(&format!("secrets-{name}"));
        let place = Self {
            planted,
            cloud,
            folder,
            session: [session.access_key_id, session.secret_access_key, session.session_token],
        };
        place.write("prod", FILE);
        place.folder.write("dkim.pem", &pem(FIRST));
        std::fs::create_dir_all(place.folder.path().join("plans")).unwrap();
        place
    }

    fn write(&self, name: &str, body: &str) {
        let head =
            format!("project = \"pivot\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n");
        self.folder.write(&format!("environments/{name}.toml"), &(head + body));
    }

    /// `sesinfra ARGUMENTS` in a pipeline that has all secrets in its environment, at the highest verbosity.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(self.cloud.endpoint(), self.folder.path(), arguments);
        command.args(["--log", "trace"]);
        let [key, secret, token] = &self.session;
        command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", secret);
        command.env("AWS_SESSION_TOKEN", token);
        command.env("DKIM_KEY", FIRST.trim()).env("SMTP_PASSWORD", SMTP_PASSWORD);
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        command.env("GITHUB_OUTPUT", self.folder.path().join("github-output"));
        command
    }

    fn look(&self, arguments: &[&str], ended: &Ended) {
        self.planted.expect_none(&format!("the output of {arguments:?}"), &ended.output);
        self.planted.expect_none(&format!("the errors of {arguments:?}"), &ended.errors);
        self.planted.expect_none_below(self.folder.path(), &KEPT);
    }

    /// Runs it to an end with this code, and looks at all that it said and left.
    fn expect(&self, code: i32, arguments: &[&str]) -> Ended {
        let ended = run(self.command(arguments));
        self.look(arguments, &ended);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}{}", ended.output, ended.errors);
        ended
    }

    /// The same in this process, where no limits of AWS's are kept.
    async fn answers(&self, code: u8, arguments: &[&str]) -> Ran {
        let ran = sesinfra(&self.cloud, ACCOUNT, self.folder.path(), arguments).await;
        self.planted.expect_none(&format!("the output of {arguments:?}"), &ran.output);
        self.planted.expect_none(&format!("the errors of {arguments:?}"), &ran.errors);
        self.planted.expect_none_below(self.folder.path(), &KEPT);
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.output, ran.errors);
        ran
    }

    /// All that the cloud holds, but for where the keys are kept and whom the credentials belong to.
    fn expect_none_in_the_cloud(&self) {
        let mut values = self.cloud.world().values().unwrap();
        assert!(values.remove("secrets").is_some() && values.remove("iam").is_some());
        let mut parameters = values.remove("ssm").unwrap().to_string();
        // The parameter is looked at apart: of all parameters only it may hold a key.
        parameters = parameters.replace(SECOND.trim(), "");
        self.planted.expect_none("the parameters, the lock among them", &parameters);
        for (service, value) in values {
            let text = match service {
                // The subscription is somebody else's, and so is its password.
                "sns" => value.to_string().replace(HOOK_PASSWORD, "").replace(HOOK_TOKEN, ""),
                _ => value.to_string(),
            };
            self.planted.expect_none(&format!("the cloud's {service}"), &text);
        }
    }
}

/// Somebody else's subscription to the topic, with a password and a token in its URL.
async fn listen(cloud: &Cloud) {
    let topics = aws_sdk_sns::Client::new(&administrator(cloud, ACCOUNT));
    let topic = format!("arn:aws:sns:{REGION}:{ACCOUNT}:feedback");
    let subscribing = topics.subscribe().topic_arn(topic).protocol("https");
    let endpoint = format!("https://hook:{HOOK_PASSWORD}@hooks.example/ses?a=1&token={HOOK_TOKEN}");
    subscribing.endpoint(endpoint).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_run_shows_or_keeps_one_at_the_highest_verbosity() {
    let place = Place::new("runs").await;
    place.expect(0, &["validate"]);
    place.expect(0, &["plan", "prod", "--out", "plans/prod.json"]);
    place.expect(0, &["show", "plans/prod.json"]);
    let applied = place.expect(0, &["apply", "plans/prod.json"]);
    assert!(applied.errors.contains(PUT), "nothing is logged: {}", applied.errors);
    place.expect_none_in_the_cloud();
    place.expect(0, &["destroy", "prod", "--yes"]);
    place.expect_none_in_the_cloud();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_command_shows_or_keeps_one() {
    let place = Place::new("commands").await;
    // The variables of this process cannot be changed, so no key comes from one.
    let file = FILE.replace("{ env = \"DKIM_KEY\" }", "{ file = \"dkim.pem\" }");
    place.write("prod", &file);
    place.answers(0, &["plan", "prod", "--out", "plans/prod.json"]).await;
    place.answers(0, &["apply", "plans/prod.json", "--format", "json"]).await;
    listen(&place.cloud).await;
    for format in ["text", "json", "markdown"] {
        place.answers(0, &["plan", "prod", "--format", format]).await;
        place.answers(0, &["show", "plans/prod.json", "--format", format]).await;
    }
    for arguments in [
        &["list", "prod"][..],
        &["list", "prod", "--format", "json"],
        &["output", "prod"],
        &["output", "prod", "--format", "json"],
        &["permissions", "prod"],
        &["unlock", "prod"],
    ] {
        place.answers(0, arguments).await;
    }
    let plan = place.answers(0, &["plan", "prod", "--format", "json"]).await;
    assert!(plan.output.contains("hooks.example"), "the subscription is not seen: {}", plan.output);
    // Another key under the same name, and another selector.
    place.folder.write("dkim.pem", &pem(SECOND));
    place.write("prod", &file.replace("s1", "s2"));
    place.answers(0, &["apply", "prod", "--yes"]).await;
    place.expect_none_in_the_cloud();
    // What others made under the topic goes with it, and is named.
    place.answers(3, &["plan", "prod", "--destroy", "--out", "plans/destroy.json"]).await;
    let refused = place.answers(3, &["destroy", "prod", "--yes"]).await;
    assert!((refused.output + &refused.errors).contains("hooks.example"));
    place.answers(0, &["destroy", "prod", "--yes", "--allow", "topic.feedback"]).await;
    place.expect_none_in_the_cloud();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_failure_shows_or_keeps_one() {
    let place = Place::new("failures").await;
    place.write("prod", FEW);
    // Whatever AWS does to the call that carries the key.
    for effect in [Effect::Deny, Effect::ExpireToken, Effect::LoseResponse] {
        // A call without an answer is made again, so all but the first must go on.
        place
            .cloud
            .faults()
            .arm(Fault { on: effect != Effect::LoseResponse, ..Fault::nth(PUT, 1, effect) });
        let code = if effect == Effect::LoseResponse { 0 } else { 4 };
        place.expect(code, &["apply", "prod", "--yes"]);
        place.cloud.faults().clear();
        place.expect_none_in_the_cloud();
    }
    for (action, effect) in
        [("ssm:GetParameter", Effect::Deny), ("sts:GetCallerIdentity", Effect::ExpireToken)]
    {
        place.cloud.faults().arm(Fault::from_nth(action, 1, effect));
        place.expect(1, &["plan", "prod"]);
        place.cloud.faults().clear();
    }
    // Keys that are none, or not the ones that were announced.
    for wrong in [pem(ELLIPTIC), pem(&FIRST.trim()[4..]), FIRST.replace('A', "!"), String::new()] {
        place.folder.write("wrong.pem", &wrong);
        place.write("wrong", &FEW.replace("dkim.pem", "wrong.pem"));
        place.expect(1, &["plan", "wrong"]);
    }
    place.write(
        "other",
        &FEW.replace(
            "{ file = \"dkim.pem\" }",
            &format!("{{ file = \"dkim.pem\" }}, public_key = \"{}\"", SECOND_PUBLIC.trim()),
        ),
    );
    let ended = run(place.command(&["apply", "other", "--yes"]));
    place.look(&["apply", "other"], &ended);
    assert!(matches!(ended.code, Some(1 | 3 | 4)), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_leaves_none_behind() {
    let place = Place::new("killed").await;
    place.write("prod", FEW);
    place.cloud.faults().arm(Fault::nth(PUT, 1, Effect::HangAfter));
    let mut apply =
        Running::start(place.command(&["apply", "prod", "--yes", "--parallelism", "1"]));
    apply.says("signing.file.app: ");
    place.cloud.faults().struck().await;
    apply.signal("KILL");
    let ended = apply.end();
    place.look(&["apply"], &ended);
    place.cloud.faults().clear();
    place.expect(0, &["unlock", "prod"]);
    place.expect_none_in_the_cloud();
    place.expect(0, &["unlock", "prod", "--force"]);
    place.expect(0, &["apply", "prod", "--yes"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_typed_into_a_file_is_not_repeated() {
    let place = Place::new("typed").await;
    let key = FIRST.trim();
    let pasted = pem(key);
    for (name, body) in [
        (
            "a key in the place of a variable",
            format!(
                "[identities.\"a.app\"]\ndkim = {{ selector = \"s\", private_key = {{ env = \"{key}\" }} }}"
            ),
        ),
        (
            "a key in the place of a file",
            format!(
                "[identities.\"a.app\"]\ndkim = {{ selector = \"s\", private_key = {{ file = '''\n{pasted}''' }} }}"
            ),
        ),
        (
            "a key in the place of a table",
            format!(
                "[identities.\"a.app\"]\ndkim = {{ selector = \"s\", private_key = \"{key}\" }}"
            ),
        ),
        (
            "a key in the place of the public one",
            format!(
                "[identities.\"a.app\"]\ndkim = {{ selector = \"s\", private_key = {{ env = \"DKIM_KEY\" }}, public_key = \"{key}\" }}"
            ),
        ),
        (
            "a key in several lines",
            format!("[identities.\"a.app\"]\nprivate_key = \"\"\"\n{pasted}\"\"\""),
        ),
        ("a key without quotes", format!("private_key = {key}")),
        ("a password", format!("smtp_password = \"{TYPED}\"")),
        ("a password without its end", format!("smtp_password = \"{TYPED}")),
        ("a password twice", format!("smtp_password = \"{TYPED}\"\nsmtp_password = \"{TYPED}\"")),
        (
            "a password in a URL",
            format!(
                "[topics.t]\nsubscriptions = [{{ https = \"https://hook:{HOOK_PASSWORD}@hooks.example/\" }}]"
            ),
        ),
        (
            "a token in a URL",
            format!(
                "[topics.t]\nsubscriptions = [{{ https = \"https://hooks.example/?token={HOOK_TOKEN}\" }}]"
            ),
        ),
        (
            "AWS's keys",
            format!("[aws2]\naccess_key = \"AKIAPLANTED\"\nsecret_key = \"{}\"", place.session[1]),
        ),
    ] {
        place.write("typed", &body);
        for arguments in
            [&["validate", "typed"][..], &["plan", "typed"], &["apply", "typed", "--yes"]]
        {
            let ended = place.expect(1, arguments);
            assert!(ended.errors.contains("error["), "{name}: {}", ended.errors);
        }
    }
}

#[test]
fn the_data_of_the_local_cloud_has_none() {
    let (planted, folder) = (Planted::new(), Folder::new("secrets-local"));
    folder.write("dkim.pem", &pem(FIRST));
    let body = format!(
        "project = \"pivot\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n[identities.\"file.app\"]\ndkim = {{ selector = \"s1\", private_key = {{ file = \"dkim.pem\" }} }}\n"
    );
    folder.write("environments/prod.toml", &body);
    for arguments in [&["apply", "prod", "--yes", "--log", "trace"][..], &["plan", "prod"]] {
        let ran = local(folder.path(), arguments);
        assert!(ran.status.success(), "{}", text(&ran.stderr));
        planted.expect_none("the output", &text(&ran.stdout));
        planted.expect_none("the errors", &text(&ran.stderr));
    }
    assert!(folder.path().join(".local").is_dir());
    assert!(planted.expect_none_below(folder.path(), &["dkim.pem"]) > 2);
}

#[test]
fn what_a_panic_could_show_has_none() {
    let (planted, [secret, token]) = (Planted::new(), ["planted-access-key", "planted-token"]);
    let key = PrivateKey::parse(FIRST).unwrap();
    let credentials = Credentials::new("AKIAPLANTED", secret, Some(token.to_owned()), None, "test");
    let access = Access { credentials: Some(credentials), ..Access::default() };
    let (said, hear) = std::sync::mpsc::channel();
    // As a panic shows them: by what is written for programmers.
    let panicked = std::thread::spawn(move || {
        let shown = std::panic::AssertUnwindSafe(|| panic!("{:?}", (key, access)));
        let caught = std::panic::catch_unwind(shown);
        let text = caught.unwrap_err().downcast_ref::<String>().cloned();
        said.send(text.unwrap()).unwrap();
    });
    let text = hear.recv().unwrap();
    panicked.join().unwrap();
    assert!(text.contains("PrivateKey") && text.contains("AKIAPLANTED"), "{text}");
    planted.expect_none("a panic", &text);
    assert!(!text.contains(secret) && !text.contains(token), "{text}");
}
