//! `sesinfra mv`: an environment or a project has another name, and everything it owns stays its own.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::Run;
use super::arguments::{duration, environment};
use super::carry_out::{interruptible, unchanged};
use super::control::Stop;
use super::exit::{EXIT_CODES, Exit};
use super::failure::Failure;
use super::moving::{Moving, Ways};
use super::open::no_session;
use crate::aws::{PrivateKeys, connect};
use crate::blueprint::blueprint;
use crate::environment::names::{FileName, ProjectName};
use crate::environment::{Environment, load, names};
use crate::kinds::registry;
use crate::view::moves_text;

/// Take along what an environment owns when it, or its project, gets another name
///
/// What is owned says whose it is by the names of project and environment. After a file was renamed, or `project` in it,
/// everything still carries the old names, and plans refuse it as another environment's. This writes the new ones: on tags
/// in one call each, and in the claims beside DNS records. Nothing else changes, so mail flows on. IAM policies have the
/// old name in their own: each is made anew and attached to the same roles, users and groups before the old one goes.
///
/// First rename the file, or change `project` in it; then move; then `plan` says what is left, if anything. A run that was
/// cut off is gone on with by running it again.
///
/// Addresses cannot be moved, and need not be: an address is AWS's own name of a resource, which AWS cannot change. To
/// rename a topic, declare the new one beside the old, apply, and take the old one out once nothing uses it.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Arguments {
    /// What the environment was called: `prod`; with its project, if that was renamed: `shop/prod`
    #[arg(value_name = "OLD", value_parser = Former::from_str)]
    former: Former,

    /// The environment as it is called now: `production` for environments/production.toml
    #[arg(value_name = "ENVIRONMENT", value_parser = environment)]
    environment: FileName,

    /// Do not ask before anything is changed
    #[arg(long)]
    yes: bool,

    /// How long to wait for another run that works on this environment
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = duration)]
    lock_timeout: Duration,
}

const EXAMPLES: &str = "\
Examples:
  git mv environments/prod.toml environments/production.toml
  sesinfra mv prod production            and then: sesinfra plan production
  sesinfra mv shop/prod prod             after `project` in prod.toml was changed from shop";

/// What an environment was called.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Former {
    project: Option<ProjectName>,
    environment: FileName,
}

impl FromStr for Former {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (project, name) = match text.split_once('/') {
            Some((project, name)) if project != "." && project != "environments" => {
                let project = ProjectName::parse(project);
                let project = project.map_err(|it| format!("it {}: {}", it.reason, it.remedy))?;
                (Some(project), name)
            }
            _ => (None, text),
        };
        let name = environment(name).map_err(|error| match text.contains('.') {
            true => "an address is AWS's own name of a resource, and AWS renames nothing: declare the new one beside the \
                     old, apply, then take the old one out"
                .to_owned(),
            false => error,
        })?;
        Ok(Self { project, environment: name })
    }
}

impl fmt::Display for Former {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(project) = &self.project {
            write!(formatter, "{project}/")?;
        }
        write!(formatter, "{}", self.environment)
    }
}

pub(super) async fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let (name, former) = (&arguments.environment, &arguments.former);
    let again = format!("{} mv {former} {name}", run.host.program);
    if !arguments.yes && !run.host.terminal.input {
        return Err(Failure::refused(
            "mv asks before it changes anything, and there is no terminal to ask at",
        )
        .hinted(format!("do not be asked: {again} --yes")));
    }
    let root = run.root()?;
    let environment = load(&root, name).map_err(|found| run.faulty(name, &found))?;
    let earlier = earlier(&environment, former);
    if earlier.name == environment.name && earlier.settings.project == environment.settings.project
    {
        return Err(Failure::input(format!("the environment is called {former} as it is"))
            .hinted("mv OLD ENVIRONMENT: the old name first"));
    }
    let is_there = names(&root).is_ok_and(|files| files.contains(&earlier.name));
    if is_there && earlier.name != environment.name {
        return Err(Failure::input(format!(
            "environments/{}.toml is still there, and what it owns stays its own",
            earlier.name
        ))
        .hinted("mv is for an environment whose file was renamed: rename the file first"));
    }
    let stop = Stop::new();
    let work = async {
        let opening = stop.unless(Box::pin(ways(run, &environment, &earlier))).await;
        let ways = opening.map_err(|reason| unchanged(reason, &again))??;
        let moved = move_all(run, &ways, arguments, &stop, &again);
        let (old, new) = (&ways.former_session, &ways.session);
        let inner = run.locked(old, "mv", arguments.lock_timeout, &stop, &again, Box::pin(moved));
        run.locked(new, "mv", arguments.lock_timeout, &stop, &again, Box::pin(inner)).await
    };
    interruptible(&stop, Box::pin(work)).await
}

/// The environment as it was called.
fn earlier(environment: &Environment, former: &Former) -> Environment {
    let mut earlier = environment.clone();
    earlier.name = former.environment.clone();
    if let Some(project) = &former.project {
        earlier.settings.project = project.clone();
    }
    earlier
}

/// The environment under both names.
async fn ways(
    run: &Run<'_>,
    environment: &Environment,
    earlier: &Environment,
) -> Result<Ways, Failure> {
    let name = &environment.name;
    let open = async |environment: &Environment| {
        let connected =
            connect(environment, &run.host.watched_access(), PrivateKeys::Untouched).await;
        let (session, facts) = connected.map_err(|error| no_session(error, name))?;
        let blueprint = blueprint(environment, &facts)
            .map_err(|found| run.faulty(name, &found.into_iter().collect()))?;
        Ok::<_, Failure>((registry(&session), session, blueprint.graph))
    };
    let (former_registry, former_session, former_graph) = open(earlier).await?;
    let (registry, session, graph) = open(environment).await?;
    Ok(Ways { former_registry, former_session, former_graph, registry, session, graph })
}

async fn move_all(
    run: &Run<'_>,
    ways: &Ways,
    arguments: &Arguments,
    stop: &Stop,
    again: &str,
) -> Result<Exit, Failure> {
    let looked = stop.unless(Box::pin(Moving::find(ways))).await;
    let moving = looked.map_err(|reason| unchanged(reason, again))??;
    let (old, new) = (&ways.former_session.owner, &ways.session.owner);
    let title = |owner: &crate::aws::Owner| format!("{}/{}", owner.project(), owner.environment());
    run.answer(&moves_text(&title(old), &title(new), &moving.lines(), run.output_style()))?;
    if moving.is_empty() {
        return Ok(Exit::Done);
    }
    if !arguments.yes {
        run.consent("Move all of this?", stop, again).await?;
        ways.forget_reads();
    }
    if let Some(reason) = stop.reason() {
        return Err(unchanged(reason, again));
    }
    let moved = moving.carry_out(run, ways, stop).await?;
    let Some(moved) = moved else {
        return Err(Failure::partial("stopped: what is moved so far stays moved")
            .hinted(format!("go on with: {again}")));
    };
    run.answer(&format!("\nMove complete! Resources: {moved} moved.\n"))?;
    run.say(&format!(
        "See what is left to do: {} plan {}\n",
        run.host.program, arguments.environment
    ));
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_name_may_have_its_project() {
        let shown = |text: &str| Former::from_str(text).map(|former| former.to_string());
        assert_eq!(shown("prod").unwrap(), "prod");
        assert_eq!(shown("shop/prod").unwrap(), "shop/prod");
        assert_eq!(shown("environments/prod.toml").unwrap(), "prod");
        assert!(shown("topic.feedback").unwrap_err().contains("AWS's own name"));
        assert!(shown("event_destination.set/name").is_err());
    }
}
