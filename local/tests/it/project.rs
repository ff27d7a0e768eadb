//! A project as a person has it on disk, the cloud that it is applied to, and the command line.

use std::path::Path;

use aws_config::SdkConfig;
use sesinfra::environment::{self, names::FileName};
use sesinfra_local::{Cloud, Options, seeds};

use super::account::{ACCOUNT, REGION, administrator, cloud};
use super::folder::Folder;
use super::program::{Ran, sesinfra};

pub(crate) struct Project {
    pub(crate) cloud: Cloud,
    pub(crate) folder: Folder,
}

impl Project {
    /// A project without environments. `name` is of the test.
    pub(crate) async fn new(name: &str) -> Self {
        let options = Options { enforce_iam: false, ..Options::default() };
        Self { cloud: cloud(options).await, folder: Folder::new(name) }
    }

    /// A project with the environment `prod`, whose file has `body` below what every file says.
    pub(crate) async fn with(name: &str, body: &str) -> Self {
        let project = Self::new(name).await;
        project.write("prod", body);
        project
    }

    /// Writes the file of an environment in the account and Region of the tests.
    pub(crate) fn write(&self, environment: &str, body: &str) {
        self.write_whole(
            environment,
            &format!(
                "project = \"pivot\"\n[aws]\naccount = \"{ACCOUNT}\"\nregion = \"{REGION}\"\n{body}"
            ),
        );
    }

    /// Writes the whole file of an environment, and gives its account what it takes for granted.
    pub(crate) fn write_whole(&self, environment: &str, text: &str) {
        self.folder.write(&format!("environments/{environment}.toml"), text);
        let name = FileName::parse(environment).unwrap();
        if let Ok(loaded) = environment::load(self.path(), &name) {
            seeds::seed(self.cloud.world(), &loaded);
        }
    }

    /// Removes the file of an environment.
    pub(crate) fn remove(&self, environment: &str) {
        let path = self.path().join(format!("environments/{environment}.toml"));
        std::fs::remove_file(path).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn clients(&self) -> SdkConfig {
        administrator(&self.cloud, ACCOUNT)
    }

    /// Runs `sesinfra ARGUMENTS` as the administrator of the account of the tests.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        self.run_as(ACCOUNT, arguments).await
    }

    pub(crate) async fn run_as(&self, account: &str, arguments: &[&str]) -> Ran {
        sesinfra(&self.cloud, account, self.path(), arguments).await
    }

    /// Runs it, and it must end with this code.
    pub(crate) async fn expect(&self, code: u8, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments).await;
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.output, ran.errors);
        ran
    }

    /// Nothing is left to do, nor said to be.
    pub(crate) async fn expect_nothing(&self, environment: &str) {
        let ran = self.run(&["plan", environment, "--detailed-exitcode"]).await;
        assert_eq!(ran.code, 0, "{}{}", ran.output, ran.errors);
        assert!(ran.output.contains("\nNo changes. Your infra"), "{}", ran.output);
    }
}
