//! Planning, asking, carrying out and reporting: what `apply` and `destroy` have in common.
//!
//! Invariant: nothing is written before the plan was shown and consented to, and what is carried out is that plan.

use std::pin::pin;
use std::time::Duration;

use super::Run;
use super::advice::advice;
use super::arguments::{CarryingOut, Format, Selection};
use super::control::{Conductor, Schedule, Stop};
use super::exit::Exit;
use super::failure::Failure;
use super::open::Opened;
use crate::engine::{Report, apply};
use crate::environment::names::FileName;
use crate::view::{Document, Progress, Purpose, plan_text, report_json, report_text};

/// How long steps wait for the outside unless `--wait` says otherwise.
const WAITING_MAX: Duration = Duration::from_mins(10);

impl Run<'_> {
    pub(super) async fn carry_out(
        &self,
        name: &FileName,
        purpose: Purpose,
        selection: &Selection,
        options: &CarryingOut,
    ) -> Result<Exit, Failure> {
        let verb = match purpose {
            Purpose::Apply => "apply",
            Purpose::Destroy => "destroy",
        };
        let again = format!("{} {verb} {name}", self.host.program);
        if !options.yes && !self.host.terminal.input {
            return Err(Failure::refused(format!(
                "{verb} asks before it changes anything, and there is no terminal to ask at"
            ))
            .hinted(format!("look at the plan, then do not be asked: {again} --yes")));
        }
        let opened = self.open(name).await?;
        let stop = Stop::new();
        let work = self.plan_and_apply(&opened, purpose, selection, options, &stop, &again);
        self.locked(&opened.session, verb, options.lock_timeout, &stop, work).await
    }

    /// Plans, shows, asks, carries out and reports: once, under the lock.
    async fn plan_and_apply(
        &self,
        opened: &Opened,
        purpose: Purpose,
        selection: &Selection,
        options: &CarryingOut,
        stop: &Stop,
        again: &str,
    ) -> Result<Exit, Failure> {
        let document = self.planned(opened, purpose, selection).await?;
        self.show(&document, options.format)?;
        if !document.refusals.is_empty() {
            let reasons = match document.refusals.len() {
                1 => "a reason".to_owned(),
                count => format!("{count} reasons"),
            };
            return Err(Failure::refused(format!(
                "nothing was changed: the plan is refused for {reasons}, shown above"
            )));
        }
        if !document.plan.is_empty() && !options.yes {
            self.ask(&document).await?;
            if stop.is_stopped() {
                return Err(Failure::refused("nothing was changed: another run has taken over")
                    .hinted(format!("look at what it does, then plan again: {again}")));
            }
            // However long the answer took, what is done now is done to AWS as it is now.
            opened.session.forget_reads();
        }
        let report = self.carried_out(opened, &document, options, stop).await?;
        self.report(&document, &report, options.format, again)?;
        if report.has_failures() || !report.is_complete() {
            return Ok(exit(&report));
        }
        match options.wait.filter(|_| purpose == Purpose::Apply) {
            Some(limit) => self.wait_for_identities(opened, &document, limit).await,
            None => Ok(Exit::Done),
        }
    }

    /// The plan is what is consented to; where the answer is for a program, it stands beside it.
    fn show(&self, document: &Document, format: Format) -> Result<(), Failure> {
        match format {
            Format::Text => self.answer(&plan_text(document, self.output_style())),
            Format::Json => {
                self.say(&plan_text(document, self.error_style()));
                Ok(())
            }
        }
    }

    async fn ask(&self, document: &Document) -> Result<(), Failure> {
        let question = match document.purpose {
            Purpose::Apply => "Do these things",
            Purpose::Destroy => "Delete all of this",
        };
        self.say(&format!(
            "\n{question} in `{}`? Only `yes` is taken for a yes: ",
            document.environment
        ));
        let mut interrupts = Interrupts::listen()?;
        let answer = tokio::select! {
            answer = self.host.read_line() => answer.map_err(Failure::input)?,
            () = interrupts.next() => None,
        };
        match answer.as_deref() {
            Some("yes") => {
                self.say("\n");
                Ok(())
            }
            answer => {
                // Nobody ended the line of the question.
                if answer.is_none() {
                    self.say("\n");
                }
                Err(Failure::refused("nothing was changed: the answer was not `yes`"))
            }
        }
    }

    async fn carried_out(
        &self,
        opened: &Opened,
        document: &Document,
        options: &CarryingOut,
        stop: &Stop,
    ) -> Result<Report, Failure> {
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
        let mut interrupts = Interrupts::listen()?;
        let report = loop {
            tokio::select! {
                report = &mut applying => break report,
                () = interrupts.next() => {
                    if stop.is_stopped() {
                        progress.finish();
                        return Err(Failure::partial("left at once: calls under way may or may not have had their effect")
                            .hinted("run the same command again: it finds out, and goes on from there"));
                    }
                    stop.stop();
                    progress.say("Stopping: calls under way are finished, no more are started. Again to leave at once.");
                }
            }
        };
        progress.finish();
        Ok(report)
    }

    fn report(
        &self,
        document: &Document,
        report: &Report,
        format: Format,
        again: &str,
    ) -> Result<(), Failure> {
        self.answer(&match format {
            Format::Text => report_text(document, report, &advice, again, self.output_style()),
            Format::Json => format!("{:#}\n", report_json(document, report)),
        })
    }
}

/// How an apply that is not complete ends: what is done stays done, so a failure after it is a part.
fn exit(report: &Report) -> Exit {
    if report.has_failures() && report.done() == 0 { Exit::Failed } else { Exit::Partial }
}

/// Ctrl-C, and the signal by which CI ends a job.
pub(super) struct Interrupts {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Interrupts {
    /// From now on these signals are heard, and no longer end the process by themselves.
    pub(super) fn listen() -> Result<Self, Failure> {
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
    pub(super) async fn next(&mut self) {
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
