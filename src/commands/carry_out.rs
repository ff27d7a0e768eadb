//! Planning, asking, carrying out and reporting: what `apply` and `destroy` have in common.
//!
//! Invariant: nothing is written before the plan was shown and consented to, and what is carried out is that plan.

use std::pin::pin;
use std::time::Duration;

use super::Run;
use super::advice::advice;
use super::arguments::{CarryingOut, Format};
use super::control::{Conductor, Reason, Schedule, Stop};
use super::exit::Exit;
use super::failure::Failure;
use super::gate::overriding;
use super::open::Opened;
use super::planned::{meant, private_keys};
use crate::engine::{Address, Report, apply};
use crate::environment::names::FileName;
use crate::view::{
    Document, Flags, Progress, Purpose, plan_text, report_json, report_text, write_plan_text,
};

/// How long steps wait for the outside unless `--wait` says otherwise.
const WAITING_MAX: Duration = Duration::from_mins(10);

/// What became of the work under the lock.
enum Worked {
    /// Everything is done; it was done as this says.
    All(Box<Document>),
    /// Not everything; the run ends so.
    Partly(Exit),
}

/// What is to be carried out.
pub(super) struct Assignment<'a> {
    /// The environment.
    pub(super) name: &'a FileName,
    /// What for.
    pub(super) purpose: Purpose,
    /// What the command line asked for.
    pub(super) flags: &'a Flags,
    /// How.
    pub(super) options: &'a CarryingOut,
    /// The plan that somebody looked at before, and that nothing may differ from: then nobody is asked.
    pub(super) saved: Option<&'a Document>,
}

impl Assignment<'_> {
    const fn verb(&self) -> &'static str {
        match self.purpose {
            Purpose::Apply => "apply",
            Purpose::Destroy => "destroy",
            Purpose::Release => "release",
        }
    }

    const fn asks(&self) -> bool {
        !self.options.yes && self.saved.is_none()
    }
}

impl Run<'_> {
    pub(super) async fn carry_out(&self, assignment: &Assignment<'_>) -> Result<Exit, Failure> {
        let Assignment { name, purpose, flags, options, .. } = *assignment;
        let verb = assignment.verb();
        let again = format!("{} {verb} {name}{}", self.host.program, flags.typed());
        if assignment.asks() && !self.host.terminal.input {
            return Err(Failure::refused(format!(
                "{verb} asks before it changes anything, and there is no terminal to ask at"
            ))
            .hinted(format!("look at the plan, then do not be asked: {again} --yes")));
        }
        let stop = Stop::new();
        let all = async {
            let opening = stop.unless(Box::pin(self.open(name, private_keys(purpose)))).await;
            let opened = opening.map_err(|reason| unchanged(reason, &again))??;
            let work = self.plan_and_apply(&opened, assignment, &stop, &again);
            let (patience, session) = (options.lock_timeout, &opened.session);
            let worked =
                Box::pin(self.locked(session, verb, patience, &stop, &again, work)).await?;
            match worked {
                Worked::Partly(exit) => Ok(exit),
                // Waiting changes nothing, so others need not wait for it.
                Worked::All(document) => match options.wait.filter(|_| purpose == Purpose::Apply) {
                    Some(limit) => self.wait_for_identities(&opened, &document, limit, &stop).await,
                    None => Ok(Exit::Done),
                },
            }
        };
        interruptible(&stop, Box::pin(all)).await
    }

    /// Plans, shows, asks, carries out and reports: once, under the lock.
    async fn plan_and_apply(
        &self,
        opened: &Opened,
        assignment: &Assignment<'_>,
        stop: &Stop,
        again: &str,
    ) -> Result<Worked, Failure> {
        let Assignment { purpose, flags, options, .. } = *assignment;
        let planned = stop.unless(self.planned(opened, purpose, flags, options.refresh)).await;
        let document = planned.map_err(|reason| unchanged(reason, again))??;
        if let Some(saved) = assignment.saved {
            self.refuse_stale(saved, &document)?;
        }
        self.show(&document, options.format)?;
        if !document.refusals.is_empty() {
            let reasons = match document.refusals.len() {
                1 => "a reason".to_owned(),
                count => format!("{count} reasons"),
            };
            let refused = Failure::refused(format!(
                "nothing was changed: the plan is refused for {reasons}, shown above"
            ));
            let command = self.if_meant(assignment, &document);
            let command = command.map(|command| format!("if all of it is meant: {command}"));
            let hints = misspelt(&document).into_iter().chain(command);
            return Err(hints.fold(refused, Failure::hinted));
        }
        if !document.plan.is_empty() && assignment.asks() {
            self.ask(&document, stop, again).await?;
            // However long the answer took, what is done now is done to AWS as it is now.
            opened.session.forget_reads();
        }
        if let Some(reason) = stop.reason() {
            return Err(unchanged(reason, again));
        }
        let report = self.carried_out(opened, &document, options, stop).await;
        self.report(&document, &report, options.format, again)?;
        if report.has_failures() || !report.is_complete() {
            return Ok(Worked::Partly(exit(&report)));
        }
        if purpose == Purpose::Release {
            self.keep_file_in_step(opened, &document);
        }
        Ok(Worked::All(Box::new(document)))
    }

    /// What to type so that nothing of a plan is refused; `None` if there is something that cannot be overridden.
    fn if_meant(&self, assignment: &Assignment<'_>, document: &Document) -> Option<String> {
        let flags = overriding(&document.refusals, assignment.flags)?;
        let (program, name) = (&self.host.program, assignment.name);
        Some(match (assignment.saved, assignment.purpose) {
            (None, _) => format!("{program} {} {name}{}", assignment.verb(), flags.typed()),
            (Some(_), Purpose::Destroy) => {
                format!("{program} plan {name} --destroy{} --out FILE", flags.typed())
            }
            (Some(_), _) => format!("{program} plan {name}{} --out FILE", flags.typed()),
        })
    }

    /// The plan is what is consented to; where the answer is for a program, it stands beside it.
    fn show(&self, document: &Document, format: Format) -> Result<(), Failure> {
        match format {
            Format::Text => {
                let style = self.output_style();
                self.answer_in_pieces(|out| write_plan_text(document, style, out))
            }
            Format::Json => {
                self.say(&plan_text(document, self.error_style()));
                Ok(())
            }
        }
    }

    async fn ask(&self, document: &Document, stop: &Stop, again: &str) -> Result<(), Failure> {
        let question = match document.purpose {
            Purpose::Apply => "Do these things",
            Purpose::Destroy => "Delete all of this",
            Purpose::Release => "Let go of these, and leave them as they are,",
        };
        self.consent(&format!("{question} in `{}`?", document.environment), stop, again).await
    }

    async fn carried_out(
        &self,
        opened: &Opened,
        document: &Document,
        options: &CarryingOut,
        stop: &Stop,
    ) -> Report {
        let has_bar = self.host.terminal.errors && self.error_style().is_coloured();
        let progress = Progress::new(self.host.screen(), document.plan.steps.len(), has_bar);
        let limit = options.wait.unwrap_or(WAITING_MAX);
        let conductor = Conductor {
            progress: &progress,
            session: &opened.session,
            stop,
            waiting: Schedule::for_waiting(self.host.first_pause, limit),
            parallelism: usize::from(options.parallelism),
        };
        let mut applying = pin!(apply(&document.plan, &opened.registry, &conductor));
        let mut applying = pin!(ticking(&progress, &mut applying));
        let report = tokio::select! {
            report = &mut applying => report,
            reason = stop.stopped() => {
                progress.say(&match reason {
                    Reason::Interrupted => {
                        "Stopping: calls under way are finished, no more are started. Again to leave at once."
                            .to_owned()
                    }
                    Reason::LockLost(how) => format!("Stopping: {how}. No more calls are made."),
                });
                applying.await
            }
        };
        progress.finish();
        report
    }

    /// The report is the answer. One that cannot be written where answers go is said beside it: what was done to AWS
    /// must not stay untold.
    fn report(
        &self,
        document: &Document,
        report: &Report,
        format: Format,
        again: &str,
    ) -> Result<(), Failure> {
        let text = match format {
            Format::Text => report_text(document, report, &advice, again, self.output_style()),
            Format::Json => format!("{:#}\n", report_json(document, report)),
        };
        self.answer(&text).inspect_err(|_| self.say(&text))
    }
}

/// Does `work`, and lets `progress` say every second how far it is.
async fn ticking<T>(progress: &Progress<'_>, mut work: impl Future<Output = T> + Unpin) -> T {
    loop {
        tokio::select! {
            biased;
            ended = &mut work => return ended,
            () = tokio::time::sleep(Duration::from_secs(1)) => progress.tick(),
        }
    }
}

/// What was named with `--allow`, is nothing in the plan, and looks like something that is refused.
fn misspelt(document: &Document) -> Vec<String> {
    let refused: Vec<&Address> = document.refusals.iter().map(|it| &it.address).collect();
    let unknown = document.flags.allow.iter().filter(|it| document.plan.change(it).is_none());
    let near = unknown.filter_map(|it| Some((it, meant(it, refused.iter().copied())?)));
    near.map(|(it, near)| format!("`--allow '{it}'` names nothing here: did you mean `{near}`?"))
        .collect()
}

/// How an apply that is not complete ends: what is done stays done, so a failure after it is a part.
fn exit(report: &Report) -> Exit {
    if report.has_failures() && report.done() == 0 { Exit::Failed } else { Exit::Partial }
}

/// Stopped before the first change.
pub(super) fn unchanged(reason: Reason, again: &str) -> Failure {
    match reason {
        Reason::Interrupted => Failure::refused("nothing was changed: the run was interrupted"),
        Reason::LockLost(how) => Failure::refused(format!("nothing was changed: {how}"))
            .hinted(format!("look at what the other run does, then plan again: {again}")),
    }
}

/// Does `work`. The first interrupt is the wish to stop, and the work ends by itself; a second one leaves it at once.
pub(super) async fn interruptible<T>(
    stop: &Stop,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut interrupts = Interrupts::listen()?;
    let mut work = pin!(work);
    let mut is_interrupted = false;
    loop {
        tokio::select! {
            ended = &mut work => return ended,
            () = interrupts.next() => {
                if is_interrupted {
                    return Err(Failure::partial("left at once: calls under way may or may not have had their effect")
                        .hinted("run the same command again: it finds out, and goes on from there")
                        .hinted("the lock ends by itself after 90 seconds; another run waits for that"));
                }
                is_interrupted = true;
                stop.stop(Reason::Interrupted);
            }
        }
    }
}

/// Ctrl-C, and the signal by which CI ends a job.
struct Interrupts {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Interrupts {
    /// From now on these signals are heard, and no longer end the process by themselves.
    fn listen() -> Result<Self, Failure> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                terminate: signal(SignalKind::terminate()).map_err(Failure::internal)?,
                interrupt: signal(SignalKind::interrupt()).map_err(Failure::internal)?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the next one.
    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
