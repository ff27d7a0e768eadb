//! The real program finds its way to AWS as the AWS CLI does: endpoints for all services and for one, credentials of the
//! environment, of profiles, of a process, of a web identity and of single sign-on, and roles for a run and for a zone.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use aws_config::SdkConfig;
use sesinfra_local::{Cloud, Options};

use super::account::{ACCOUNT, REGION, administrator, cloud};
use super::binary::{Ended, command, run};
use super::folder::Folder;

const OTHER: &str = "999999999999";
/// What is found in every test: nothing but a set, so that SES and the services beside it are called.
const FILE: &str = "[configuration_sets.transactional]\n";
/// The variables by which the programs of these tests have credentials, unless told otherwise.
const CREDENTIALS: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

struct Place {
    cloud: Cloud,
    folder: Folder,
}

impl Place {
    async fn new(name: &str) -> Self {
        let cloud = cloud(Options { enforce_iam: false, ..Options::default() }).await;
        Self { cloud, folder: Folder::new(&format!("aws-access-{name}")) }
    }

    /// Writes the environment file, with `head` in its `[aws]` table and `rest` after it.
    fn file(&self, head: &str, rest: &str) {
        let text = format!(
            "project = \"pivot\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n{head}\n{rest}"
        );
        self.folder.write("environments/test.toml", &text);
    }

    /// The program with these variables beside the usual ones.
    fn with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = command(self.cloud.endpoint(), self.folder.path(), arguments);
        command.envs(variables.iter().copied());
        command
    }

    /// A plan by whoever has no credentials but those that these variables lead to.
    fn plan(&self, variables: &[(&str, &str)]) -> Ended {
        let mut command = self.with(&["plan", "test"], &[]);
        for name in CREDENTIALS {
            command.env_remove(name);
        }
        self.cloud.calls().clear();
        command.envs(variables.iter().copied());
        run(command)
    }

    /// The same, which must find the account and say what there is to do.
    fn expect_plan(&self, variables: &[(&str, &str)]) {
        let ended = self.plan(variables);
        assert_eq!(ended.code, Some(0), "{variables:?}: {ended:?}");
        assert!(ended.output.contains("1 to add"), "{variables:?}: {ended:?}");
    }

    fn clients(&self, account: &str) -> SdkConfig {
        administrator(&self.cloud, account)
    }

    fn calls_in(&self, account: &str, action: &str) -> usize {
        let entries = self.cloud.calls().entries();
        entries.iter().filter(|call| call.account == account && call.action == action).count()
    }
}

async fn role(clients: &SdkConfig, name: &str, trust: &str) {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{trust},"Action":["sts:AssumeRole","sts:AssumeRoleWithWebIdentity"]}}]}}"#
    );
    let call = aws_sdk_iam::Client::new(clients).create_role().role_name(name);
    call.assume_role_policy_document(trust).send().await.unwrap();
}

fn trusting(account: &str) -> String {
    format!(r#"{{"AWS":"arn:aws:iam::{account}:root"}}"#)
}

/// The keys of an account's administrator, as a file of the AWS CLI has them.
fn keys(account: &str) -> String {
    let (key, secret) = Cloud::administrator(account);
    format!("aws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_service_can_have_an_endpoint_of_its_own() {
    let place = Place::new("endpoints").await;
    let mail = cloud(Options { enforce_iam: false, ..Options::default() }).await;
    place.file("", FILE);
    let ended = run(place.with(
        &["apply", "test", "--yes"],
        &[("AWS_ENDPOINT_URL_SESV2", mail.endpoint()), ("AWS_REGION", "eu-central-1")],
    ));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (here, there) = (place.cloud.calls().actions(), mail.calls().actions());
    assert!(there.contains(&"ses:CreateConfigurationSet".to_owned()), "{there:?}");
    assert!(there.iter().all(|action| action.starts_with("ses:")), "{there:?}");
    assert!(here.contains(&"sts:GetCallerIdentity".to_owned()), "{here:?}");
    assert!(!here.iter().any(|action| action.starts_with("ses:")), "{here:?}");
    // The file says which Region, whatever the shell was set to.
    let regions = mail.calls().entries().into_iter().map(|call| call.region);
    assert_eq!(regions.filter(|region| region != REGION).count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endpoints_of_a_profile_count_too() {
    let place = Place::new("profile-endpoints").await;
    let mail = cloud(Options { enforce_iam: false, ..Options::default() }).await;
    place.file("", FILE);
    let config = format!(
        "[profile mail]\nendpoint_url = {}\nservices = here\n{}[services here]\nsesv2 =\n  endpoint_url = {}\n",
        place.cloud.endpoint(),
        keys(ACCOUNT),
        mail.endpoint()
    );
    place.folder.write(".aws/config", &config);
    // In the environment, the endpoint of all services comes before that of one in a profile.
    let mut command = place.with(&["plan", "test"], &[("AWS_PROFILE", "mail")]);
    for name in CREDENTIALS {
        command.env_remove(name);
    }
    command.env_remove("AWS_ENDPOINT_URL");
    let ended = run(command);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(mail.calls().total() > 0 && place.cloud.calls().count("sts:GetCallerIdentity") > 0);
    let there = mail.calls().actions();
    assert!(there.iter().all(|action| action.starts_with("ses:")), "{there:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_are_found_where_the_aws_cli_finds_them() {
    let place = Place::new("profiles").await;
    place.file("", FILE);
    role(&place.clients(ACCOUNT), "planner", &trusting(ACCOUNT)).await;
    let (key, secret) = Cloud::administrator(ACCOUNT);
    let process = format!(
        "#!/bin/sh\necho '{{\"Version\": 1, \"AccessKeyId\": \"{key}\", \"SecretAccessKey\": \"{secret}\"}}'\n"
    );
    place.folder.write("credentials.sh", &process);
    let process = place.folder.path().join("credentials.sh");
    place.folder.write(".aws/credentials", &format!("[default]\n{}", keys(ACCOUNT)));
    place.folder.write(
        ".aws/config",
        &format!(
            "[profile planner]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/planner\nsource_profile = default\n\
             [profile process]\ncredential_process = /bin/sh {}\n[profile other]\n{}",
            process.display(),
            keys(OTHER)
        ),
    );
    place.folder.write("elsewhere", &format!("[ci]\n{}", keys(ACCOUNT)));
    let elsewhere = place.folder.path().join("elsewhere");
    let elsewhere = elsewhere.to_str().unwrap();

    place.expect_plan(&[]);
    place.expect_plan(&[("AWS_ACCESS_KEY_ID", &key), ("AWS_SECRET_ACCESS_KEY", secret)]);
    place.expect_plan(&[("AWS_PROFILE", "process")]);
    place.expect_plan(&[("AWS_SHARED_CREDENTIALS_FILE", elsewhere), ("AWS_PROFILE", "ci")]);
    place.expect_plan(&[("AWS_PROFILE", "planner")]);
    assert_eq!(place.cloud.calls().count("sts:AssumeRole"), 1, "once for all services");

    let misspelt = place.plan(&[("AWS_PROFILE", "planer")]);
    assert_eq!(misspelt.code, Some(1), "{misspelt:?}");
    assert_eq!(
        misspelt.errors,
        "Error: there is no AWS profile `planer`, which AWS_PROFILE names\n  hint: did you mean `planner`?\n"
    );
    assert_eq!(place.cloud.calls().total(), 0);
    let unknown = place.plan(&[("AWS_PROFILE", "somebody")]);
    assert!(
        unknown.errors.ends_with("  hint: choose `default`, `other`, `planner` or `process`\n"),
        "{unknown:?}"
    );

    let wrong = place.plan(&[("AWS_PROFILE", "other")]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.errors.contains(OTHER) && wrong.errors.contains("AWS_PROFILE"), "{wrong:?}");
    assert_eq!(place.cloud.calls().actions(), ["sts:GetCallerIdentity"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_credentials_one_error_says_where_they_were_looked_for() {
    let place = Place::new("none").await;
    place.file("", FILE);
    let none = place.plan(&[("AWS_EC2_METADATA_DISABLED", "true")]);
    assert_eq!(none.code, Some(1), "{none:?}");
    assert!(none.errors.contains("credentials"), "{none:?}");
    assert_eq!(place.cloud.calls().total(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_identity_is_exchanged_for_a_role() {
    let place = Place::new("web-identity").await;
    place.file("", FILE);
    let provider = format!(
        r#"{{"Federated":"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"}}"#
    );
    let clients = place.clients(ACCOUNT);
    role(&clients, "ci", &provider).await;
    let iam = aws_sdk_iam::Client::new(&clients);
    let made = iam.create_open_id_connect_provider().client_id_list("sts.amazonaws.com");
    made.url("https://token.actions.githubusercontent.com").send().await.unwrap();
    let part = |json: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json)
    };
    let claims = r#"{"iss":"https://token.actions.githubusercontent.com","sub":"repo:pivot/mail:ref:refs/heads/main","aud":"sts.amazonaws.com"}"#;
    let token =
        format!("{}.{}.{}", part(r#"{"alg":"RS256","typ":"JWT"}"#), part(claims), part("x"));
    place.folder.write("token", &token);
    let file = place.folder.path().join("token");
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/ci");
    place.expect_plan(&[
        ("AWS_ROLE_ARN", &arn),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap()),
        ("AWS_ROLE_SESSION_NAME", "github"),
    ]);
    let actions = place.cloud.calls().actions();
    assert_eq!(actions[..2], ["sts:AssumeRoleWithWebIdentity", "sts:GetCallerIdentity"]);
}

/// A portal of single sign-on that hands out an administrator's keys once, for the token it expects.
fn portal(token: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut piece = [0; 1_024];
        while !request.windows(4).any(|it| it == b"\r\n\r\n") {
            let length = stream.read(&mut piece).unwrap();
            request.extend_from_slice(&piece[..length]);
        }
        let request = String::from_utf8(request).unwrap();
        let (key, secret) = Cloud::administrator(ACCOUNT);
        let body = format!(
            r#"{{"roleCredentials":{{"accessKeyId":"{key}","secretAccessKey":"{secret}","sessionToken":"","expiration":4102444800000}}}}"#
        );
        let status = if request.contains(token) { "200 OK" } else { "401 Unauthorized" };
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json");
        let length = body.len();
        write!(stream, "{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
            .unwrap();
        request
    });
    (endpoint, answering)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_sign_on_gives_the_credentials_of_its_profile() {
    const TOKEN: &str = "token-of-the-last-login";
    let place = Place::new("sso").await;
    place.file("", FILE);
    let (endpoint, answering) = portal(TOKEN);
    place.folder.write(
        ".aws/config",
        &format!(
            "[profile work]\nsso_session = pivot\nsso_account_id = {ACCOUNT}\nsso_role_name = mail\n\
             [sso-session pivot]\nsso_region = {REGION}\nsso_start_url = https://pivot.awsapps.com/start\n"
        ),
    );
    // Where `aws sso login` leaves the token: a file called after the SHA-1 of the session's name.
    let name = "b233d57e86fd769845c554b52a8fa2fe98bacfba";
    place.folder.write(
        &format!(".aws/sso/cache/{name}.json"),
        &format!(
            r#"{{"accessToken":"{TOKEN}","expiresAt":"2100-01-01T00:00:00Z","region":"{REGION}","startUrl":"https://pivot.awsapps.com/start"}}"#
        ),
    );
    place.expect_plan(&[("AWS_PROFILE", "work"), ("AWS_ENDPOINT_URL_SSO", &endpoint)]);
    let request = answering.join().unwrap();
    assert!(request.starts_with("GET /federation/credentials?"), "{request}");
    assert!(request.contains("role_name=mail") && request.contains(ACCOUNT), "{request}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_and_a_zone_have_a_role_each() {
    let place = Place::new("roles").await;
    let (ours, theirs) = (place.clients(ACCOUNT), place.clients(OTHER));
    role(&ours, "apply", &trusting(ACCOUNT)).await;
    role(&theirs, "dns-writer", &trusting(ACCOUNT)).await;
    let zones = aws_sdk_route53::Client::new(&theirs);
    let made = zones.create_hosted_zone().name("pivot.app").caller_reference("1").send().await;
    let zone = made.unwrap().hosted_zone.unwrap().id;
    place.file(
        &format!("role = \"arn:aws:iam::{ACCOUNT}:role/apply\""),
        &format!(
            "[zones.\"pivot.app\"]\nrole = \"arn:aws:iam::{OTHER}:role/dns-writer\"\n\
             [identities.\"pivot.app\"]\nfeedback_forwarding = false\n"
        ),
    );
    place.cloud.calls().clear();
    let ended = run(place.with(&["apply", "test", "--yes"], &[]));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // The role of the run, and that of the zone by it, for which the first is assumed once more.
    assert_eq!(place.cloud.calls().count("sts:AssumeRole"), 3);
    assert!(place.calls_in(OTHER, "route53:ChangeResourceRecordSets") > 0);
    assert_eq!(place.calls_in(ACCOUNT, "route53:ChangeResourceRecordSets"), 0);
    assert_eq!(place.calls_in(OTHER, "ses:CreateEmailIdentity"), 0);
    let listed = zones.list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap();
    let keys = listed.resource_record_sets().iter().filter(|it| it.name.contains("._domainkey."));
    assert_eq!(keys.count(), 3);
}
