//! An environment file, the account it is applied to, and what applying it again and again does.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use sesinfra::aws::{Access, ConnectError, PrivateKeys, Rates, Session, connect};
use sesinfra::blueprint::blueprint;
use sesinfra::engine::{
    Control, Event, Graph, Options as PlanOptions, Plan, PlanError, Registry, Report, apply, plan,
};
use sesinfra::environment::{self, Environment, names::FileName};
use sesinfra::kinds::registry;
use sesinfra_local::{Cloud, Options};

use crate::it::account::{ACCOUNT, REGION, administrator, cloud};
use crate::it::program::sesinfra;

/// Numbers the folders of one test process.
static FOLDERS: AtomicUsize = AtomicUsize::new(0);

/// A cloud, and the file of one environment for it.
pub(crate) struct Stage {
    pub(crate) cloud: Cloud,
    pub(crate) clients: SdkConfig,
    pub(crate) root: PathBuf,
    rates: Option<Rates>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own clean-up.
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// One environment, open for planning.
pub(crate) struct Open {
    pub(crate) session: Arc<Session>,
    pub(crate) registry: Registry,
    pub(crate) graph: Graph,
    parallelism: usize,
    heard: Box<dyn Fn(&Event) + Send + Sync>,
    /// How often something read back was not as written yet.
    lagged: AtomicUsize,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default(), None).await
    }

    /// With a cloud of these options, called at these rates.
    pub(crate) async fn with(options: Options, rates: Option<Rates>) -> Self {
        let mut stage = Self::over(cloud(Options { enforce_iam: false, ..options }).await);
        stage.rates = rates;
        stage
    }

    /// A folder for a cloud that runs already.
    pub(crate) fn over(cloud: Cloud) -> Self {
        let clients = administrator(&cloud, ACCOUNT);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let root =
            std::env::temp_dir().join(format!("sesinfra-stage-{}-{number}", std::process::id()));
        std::fs::create_dir_all(root.join("environments")).unwrap();
        Self { cloud, clients, root, rates: None }
    }

    /// A public hosted zone of the account.
    pub(crate) async fn zone(&self, name: &str) -> String {
        let zones = aws_sdk_route53::Client::new(&self.clients);
        let made =
            zones.create_hosted_zone().name(name).caller_reference(name).send().await.unwrap();
        made.hosted_zone.unwrap().id.trim_start_matches("/hostedzone/").to_owned()
    }

    /// A file of the project, such as a private key.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.root.join(name), text).unwrap();
    }

    /// Takes a file of the project away.
    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.root.join(name)).unwrap();
    }

    /// The environment with `rest` as the body of its file.
    pub(crate) async fn open(&self, rest: &str) -> Open {
        self.connect(rest).await.unwrap()
    }

    /// The same, if the cloud lets it.
    pub(crate) async fn connect(&self, rest: &str) -> Result<Open, ConnectError> {
        let access = Access { rates: self.rates, ..access(&self.cloud, ACCOUNT, &self.root) };
        Open::connected(access, &self.check(rest).unwrap(), |graph| graph).await
    }

    /// The environment with `rest` as the body of its file, or what is wrong with that.
    pub(crate) fn check(&self, rest: &str) -> Result<Environment, String> {
        self.write_file(rest);
        environment::load(&self.root, &FileName::parse("test").unwrap())
            .map_err(|findings| format!("{findings:#?}\n{rest}"))
    }

    /// Writes the file of the environment, with `rest` as its body.
    fn write_file(&self, rest: &str) {
        let text = format!(
            "project = \"pivot\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n{rest}"
        );
        std::fs::write(self.root.join("environments/test.toml"), text).unwrap();
    }

    /// What the command line shows of a plan.
    pub(crate) async fn shown(&self, rest: &str) -> String {
        self.write_file(rest);
        sesinfra(&self.cloud, ACCOUNT, &self.root, &["plan", "test"]).await.output
    }

    /// The command line, on the file that was last opened.
    pub(crate) async fn run(&self, arguments: &[&str]) -> crate::it::program::Ran {
        sesinfra(&self.cloud, ACCOUNT, &self.root, arguments).await
    }

    /// Access to the account, without a plan.
    pub(crate) async fn session(&self) -> Arc<Session> {
        self.open("").await.session
    }

    /// Applies a file, and makes sure that nothing is left to do.
    pub(crate) async fn converge(&self, rest: &str) -> Plan {
        let open = self.open(rest).await;
        let (plan, report) = open.apply().await;
        assert!(report.is_complete(), "{report:#?}");
        let lagged = open.lagged.load(Ordering::Relaxed);
        assert_eq!(lagged, 0, "a kind remembered something from before a write of its own");
        self.expect_nothing(rest).await;
        plan
    }

    pub(crate) async fn expect_nothing(&self, rest: &str) {
        let again = self.open(rest).await.plan().await.unwrap();
        let left: Vec<_> = again.pending().collect();
        assert!(left.is_empty(), "{left:#?}");
    }
}

/// Access to a cloud as the administrator of `account`.
pub(crate) fn access(cloud: &Cloud, account: &str, root: &Path) -> Access {
    let (key, secret) = Cloud::administrator(account);
    Access {
        endpoint: Some(cloud.endpoint().to_owned()),
        credentials: Some(Credentials::new(key, secret, None, None, "test")),
        root: root.to_path_buf(),
        ..Access::default()
    }
}

impl Open {
    /// The environment `name` of the project at `root`, with a graph that is changed before it is used.
    pub(crate) async fn with(
        access: Access,
        root: &Path,
        name: &str,
        change: impl FnOnce(Graph) -> Graph,
    ) -> Self {
        let environment = environment::load(root, &FileName::parse(name).unwrap()).unwrap();
        Self::connected(access, &environment, change).await.unwrap()
    }

    async fn connected(
        access: Access,
        environment: &Environment,
        change: impl FnOnce(Graph) -> Graph,
    ) -> Result<Self, ConnectError> {
        let (session, facts) = connect(environment, &access, PrivateKeys::Read).await?;
        let graph = change(blueprint(environment, &facts).unwrap().graph);
        let registry = registry(&session);
        Ok(Self {
            session,
            registry,
            graph,
            parallelism: 4,
            heard: Box::new(|_| {}),
            lagged: AtomicUsize::new(0),
        })
    }

    /// The same with something to do whenever a step begins or ends.
    pub(crate) fn hearing(self, heard: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self { heard: Box::new(heard), ..self }
    }

    /// The same, one step after the other.
    pub(crate) fn in_single_file(self) -> Self {
        self.with_parallelism(1)
    }

    /// The same, with so many steps at once.
    pub(crate) fn with_parallelism(self, parallelism: usize) -> Self {
        Self { parallelism, ..self }
    }

    pub(crate) async fn plan(&self) -> Result<Plan, PlanError> {
        plan(&self.graph, &self.registry, &PlanOptions::default()).await
    }

    pub(crate) async fn apply(&self) -> (Plan, Report) {
        let plan = self.plan().await.unwrap();
        assert!(plan.refusals.is_empty(), "{:#?}", plan.refusals);
        let report = self.carry_out(&plan).await;
        (plan, report)
    }

    /// Applies a plan that was made before.
    pub(crate) async fn carry_out(&self, plan: &Plan) -> Report {
        apply(plan, &self.registry, self).await
    }
}

#[async_trait]
impl Control for Open {
    fn hear(&self, event: Event) {
        (self.heard)(&event);
    }

    fn is_stopped(&self) -> bool {
        false
    }

    async fn pause(&self, attempt: u32) -> bool {
        tokio::time::sleep(Duration::from_millis(20)).await;
        attempt < 5
    }

    async fn pause_for_reads(&self, attempt: u32) -> bool {
        self.lagged.fetch_add(1, Ordering::Relaxed);
        self.pause(attempt).await
    }

    fn forget_reads(&self) {
        self.session.forget_reads();
    }

    fn parallelism(&self) -> usize {
        self.parallelism
    }
}
