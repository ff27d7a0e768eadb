//! Saved plans that no longer fit: another version, other files, another world. Each refusal says what moved.

use super::Run;
use super::failure::Failure;
use crate::environment::Environment;
use crate::view::{Document, Purpose, moved};

impl Run<'_> {
    /// Versions may plan the same file differently, so only the version that made a plan carries it out.
    pub(super) fn refuse_other_version(&self, saved: &Document) -> Result<(), Failure> {
        let own = env!("CARGO_PKG_VERSION");
        if saved.version == own {
            return Ok(());
        }
        Err(self.plan_again(
            saved,
            format!(
                "nothing was changed: the plan was made by version {}, and this is {own}",
                saved.version
            ),
        ))
    }

    /// What was looked at is what the files said then.
    pub(super) fn refuse_changed_files(
        &self,
        saved: &Document,
        environment: &Environment,
    ) -> Result<(), Failure> {
        let settings = &environment.settings;
        let whose = [
            ("project", &saved.project, settings.project.to_string()),
            ("account", &saved.account, settings.aws.account.to_string()),
            ("Region", &saved.region, settings.aws.region.to_string()),
        ];
        if let Some((what, was, is)) = whose.into_iter().find(|(_, was, is)| *was != is) {
            let name = &environment.name;
            return Err(self.plan_again(
                saved,
                format!(
                    "nothing was changed: the plan is for the {what} {was}, and environments/{name}.toml is for {is}"
                ),
            ));
        }
        let now = environment.sources();
        let changed = saved.sources.iter().filter_map(|(path, digest)| match now.get(path) {
            None => Some(format!("{path} is no longer part of the environment")),
            Some(is) => (is != digest).then(|| format!("{path} has changed")),
        });
        let added = now.keys().filter(|path| !saved.sources.contains_key(*path));
        let added = added.map(|path| format!("{path} is new to the environment"));
        let facts: Vec<String> = changed.chain(added).collect();
        if facts.is_empty() {
            return Ok(());
        }
        Err(self.plan_again(
            saved,
            format!("nothing was changed: since the plan was made, {}", facts.join(", ")),
        ))
    }

    /// What was looked at is what would happen then.
    pub(super) fn refuse_stale(&self, saved: &Document, now: &Document) -> Result<(), Failure> {
        if saved.fingerprint == now.fingerprint {
            return Ok(());
        }
        let facts: Vec<String> =
            moved(saved, now).into_iter().map(|fact| format!("  {fact}")).collect();
        Err(self.plan_again(
            saved,
            format!(
                "nothing was changed: the plan is stale. Since it was made, this moved:\n{}",
                facts.join("\n")
            ),
        ))
    }

    fn plan_again(&self, saved: &Document, message: String) -> Failure {
        let destroy = match saved.purpose {
            Purpose::Destroy => " --destroy",
            Purpose::Apply | Purpose::Release => "",
        };
        let (program, name, flags) = (&self.host.program, &saved.environment, saved.flags.typed());
        Failure::refused(message).hinted(format!(
            "plan again, and look at it again: {program} plan {name}{destroy}{flags} --out FILE"
        ))
    }
}
