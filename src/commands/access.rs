//! `sesinfra access`: production access, from where it stands to the request.

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;

use super::Run;
use super::arguments::{Format, environment};
use super::exit::{EXIT_CODES, Exit};
use super::failure::Failure;
use super::open::{Opened, no_session};
use crate::aws::{Class, PrivateKeys, Session, sign_in};
use crate::environment::names::FileName;
use crate::environment::{Environment, load};
use crate::health::access::{Access, Standing, Submission, submission, submit};
use crate::health::preflight::{Item, NAMES, preflight};
use crate::view::{WAYS_ON, access_text, draft_text};

/// Show where an account stands with production access, and ask for it
///
/// A new account is in the SES sandbox: it sends to verified addresses only, 200 messages a day. AWS lets it out after a
/// review. This shows where that stands and what a reviewer will look for; `--request` makes the request, once. It is never
/// a part of `apply`. What is sent is declared in `[account.production_access]`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Arguments {
    /// The environment: `staging` for environments/staging.toml
    #[arg(value_name = "ENVIRONMENT", value_parser = environment)]
    environment: FileName,

    /// Print exactly what would be sent, and the whole statement for the support case; makes no call
    #[arg(long, conflicts_with_all = ["request", "watch"])]
    draft: bool,

    /// Send the request, after asking
    #[arg(long)]
    request: bool,

    /// Send it although this item fails (repeatable)
    #[arg(long, value_name = "ITEM", requires = "request", value_parser = PossibleValuesParser::new(NAMES))]
    despite: Vec<String>,

    /// Do not ask before the request is sent
    #[arg(long, requires = "request")]
    yes: bool,

    /// Wait for the outcome of the review; Ctrl-C ends that
    #[arg(long)]
    watch: bool,

    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  sesinfra access prod                     where it stands, and what a reviewer looks for
  sesinfra access prod --draft             what would be sent
  sesinfra access prod --request --watch   ask, and wait for the outcome
  sesinfra access prod --request --despite website";

pub(super) async fn run(run: &Run<'_>, arguments: &Arguments) -> Result<Exit, Failure> {
    let name = &arguments.environment;
    if arguments.draft {
        let environment = load(&run.root()?, name).map_err(|found| run.faulty(name, &found))?;
        run.show_findings(&environment.warnings);
        return run.draft(&environment, arguments.format);
    }
    if arguments.watch && !arguments.request {
        let environment = load(&run.root()?, name).map_err(|found| run.faulty(name, &found))?;
        let session = sign_in(&environment, &run.host.watched_access()).await;
        let session = session.map_err(|error| no_session(error, name))?;
        return run.watch(name, &session).await;
    }
    let opened = run.open(name, PrivateKeys::Read).await?;
    let sight = run.sight(&opened).await?;
    let items = preflight(&opened.environment.settings, &sight, &|verb| {
        format!("{} {verb} {name}", run.host.program)
    });
    run.answer(&match arguments.format {
        Format::Text => access_text(name.as_ref(), &sight.standing, &items, run.output_style()),
        Format::Json => {
            let answer = json!({
                "environment": name.to_string(),
                "standing": sight.standing,
                "preflight": items,
            });
            format!("{answer:#}\n")
        }
    })?;
    if !arguments.request {
        return Ok(exit(sight.standing.access));
    }
    run.request(&opened, &sight.standing, &items, arguments).await?;
    if arguments.watch { run.watch(name, &opened.session).await } else { Ok(Exit::Done) }
}

const fn exit(access: Access) -> Exit {
    match access {
        Access::Granted => Exit::Done,
        Access::Sandbox | Access::Pending | Access::Failed => Exit::Attention,
        Access::Denied => Exit::Trouble,
    }
}

fn declared(environment: &Environment) -> Result<Submission, Failure> {
    submission(environment).ok_or_else(|| {
        let name = &environment.name;
        Failure::input(format!("the environment `{name}` does not say what to ask for")).hinted(
            "write `[account.production_access]`: mail_type, website, contacts, statement_file",
        )
    })
}

impl Run<'_> {
    fn draft(&self, environment: &Environment, format: Format) -> Result<Exit, Failure> {
        let submission = declared(environment)?;
        let whole = environment.statement.as_ref().map_or("", |statement| &statement.whole);
        self.answer(&match format {
            Format::Text => draft_text(&submission, whole, self.output_style()),
            Format::Json => {
                format!("{:#}\n", json!({ "request": submission, "statement": whole }))
            }
        })?;
        Ok(Exit::Done)
    }

    async fn request(
        &self,
        opened: &Opened,
        standing: &Standing,
        items: &[Item],
        arguments: &Arguments,
    ) -> Result<(), Failure> {
        let (program, name) = (&self.host.program, &opened.environment.name);
        let submission = declared(&opened.environment)?;
        match standing.access {
            Access::Granted => {
                return Err(Failure::refused("production access is granted already"));
            }
            Access::Pending => {
                return Err(Failure::refused("AWS is reviewing a request already")
                    .hinted(format!("wait for the outcome: {program} access {name} --watch")));
            }
            Access::Denied => {
                return Err(Failure::refused(
                    "AWS denied a request, and takes no other over the API",
                )
                .hinted("answer in the support case, with the statement that `--draft` prints")
                .hinted(format!("or ask for a higher quota: {program} quota {name} --request")));
            }
            Access::Sandbox | Access::Failed => {}
        }
        let failing = items
            .iter()
            .filter(|item| !item.passes && !arguments.despite.iter().any(|name| name == item.name));
        let failing: Vec<&str> = failing.map(|item| item.name).collect();
        if !failing.is_empty() {
            let despite = failing.join(" --despite ");
            return Err(Failure::refused(format!(
                "nothing was sent: a reviewer would miss {}",
                failing.join(", ")
            ))
            .hinted("mend them first: a request that is denied cannot be made again")
            .hinted(format!(
                "to send it all the same: {program} access {name} --request --despite {despite}"
            )));
        }
        let again = format!("{program} access {name} --request");
        self.send_consent(arguments.yes, "Send this request to AWS", &again, || {
            draft_text(&submission, "", self.error_style())
        })
        .await?;
        match submit(&opened.session, &submission).await {
            Ok(()) => self.say(
                "\nThe request is sent. AWS answers within a day, or asks in the support case.\n",
            ),
            Err(error) if error.is(Class::UnderReview) => {
                return Err(Failure::refused("AWS has a request already, and takes no other")
                    .hinted(format!("see where it stands: {program} access {name}"))
                    .hinted(WAYS_ON.trim().to_owned()));
            }
            Err(error) => return Err(Failure::aws(error)),
        }
        Ok(())
    }

    /// Says where the review stands whenever that changes, until it has an outcome.
    async fn watch(&self, name: &FileName, session: &Session) -> Result<Exit, Failure> {
        let mut said = None;
        loop {
            session.forget_account();
            let account = match session.account().await {
                Ok(account) => account,
                // What waits for days must not end with one call that failed: it says so, and looks again.
                Err(error) if said.is_some() => {
                    self.tell(name, &Failure::aws(error));
                    tokio::time::sleep(self.host.first_pause * 6).await;
                    continue;
                }
                Err(error) => return Err(Failure::aws(error)),
            };
            let standing = Standing::of(&account);
            let state = (standing.access, standing.case.clone());
            if said.as_ref() != Some(&state) {
                self.answer(&crate::view::standing_line(&standing))?;
                said = Some(state);
            }
            if standing.access != Access::Pending || self.host.screen().is_closed() {
                return Ok(exit(standing.access));
            }
            // Reviews take hours; a look each minute or so is enough.
            tokio::time::sleep(self.host.first_pause * 6).await;
        }
    }
}
