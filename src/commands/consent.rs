//! Asking a person before something is done. Invariant: only `yes` is a yes; the end of the input is none.

use super::Run;
use super::carry_out::unchanged;
use super::control::Stop;
use super::failure::Failure;

impl Run<'_> {
    /// Asks, and goes on only after a yes.
    pub(super) async fn consent(
        &self,
        question: &str,
        stop: &Stop,
        again: &str,
    ) -> Result<(), Failure> {
        self.say(&format!("\n{question} Only `yes` is taken for a yes: "));
        let answer = stop.unless(self.host.read_line()).await;
        if !matches!(answer, Ok(Ok(Some(_)))) {
            // Nobody ended the line of the question.
            self.say("\n");
        }
        match answer.map_err(|reason| unchanged(reason, again))?.map_err(Failure::input)?.as_deref()
        {
            Some("yes") => {
                self.say("\n");
                Ok(())
            }
            _ => Err(Failure::refused("nothing was changed: the answer was not `yes`")),
        }
    }

    /// Shows what is about to be asked of AWS, and asks whether to. There is no taking it back.
    pub(super) async fn send_consent(
        &self,
        yes: bool,
        question: &str,
        again: &str,
        shown: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !self.host.terminal.input {
            return Err(Failure::refused("nothing was sent: there is no terminal to ask at")
                .hinted(format!("not to be asked: {again} --yes")));
        }
        self.say(&shown());
        self.say(&format!("\n{question}? Only `yes` is taken for a yes: "));
        match self.host.read_line().await.map_err(Failure::input)?.as_deref() {
            Some("yes") => Ok(()),
            _ => Err(Failure::refused("nothing was sent: the answer was not `yes`")),
        }
    }
}
