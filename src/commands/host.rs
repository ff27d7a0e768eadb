//! The machine that a command runs on, so that nothing below asks for it: tests and the local cloud bring their own.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::throttling::Throttling;
use crate::aws::{Access, Lease, Rates};
use crate::lookup::{Lookup, PublicDns};
use crate::view::{Screen, Sink, Style};

/// Where and with what a command runs.
pub struct Host {
    /// How AWS is reached.
    pub access: Access,
    /// The DNS in which records are looked up.
    pub lookup: Arc<dyn Lookup>,
    /// The current directory.
    pub directory: PathBuf,
    /// The variables of the process environment that the program itself reads.
    pub variables: BTreeMap<String, String>,
    /// Which of input, output and errors are a terminal.
    pub terminal: Terminal,
    /// What the program is called in hints: `sesinfra`.
    pub program: String,
    /// The first pause before a step that waits for the outside is tried again; later ones are longer.
    pub first_pause: Duration,
    /// How long after one screen `status --watch` shows the next.
    pub screen_every: Duration,
    /// The time, for what is counted by days.
    pub now: fn() -> SystemTime,
    /// How long the lock of a run that gives no more sign stands.
    pub lease: Lease,
    screen: Arc<Screen>,
    input: Arc<Mutex<Box<dyn BufRead + Send>>>,
}

/// Which of the three standard streams are a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Somebody can answer.
    pub input: bool,
    /// Somebody reads the answer.
    pub output: bool,
    /// Somebody watches the progress.
    pub errors: bool,
}

/// The variables that the program itself reads; those of AWS are read by AWS's own library.
const VARIABLES: [&str; 5] = ["GITHUB_OUTPUT", "HOSTNAME", "NO_COLOR", PACING, "TERM"];

/// `off` where no limits are to be kept to.
const PACING: &str = "SESINFRA_PACING";

impl Host {
    /// A host without terminals, that reads and writes what it is given.
    #[must_use]
    pub fn new(
        directory: PathBuf,
        input: Box<dyn BufRead + Send>,
        output: Sink,
        errors: Sink,
    ) -> Self {
        Self {
            access: Access::default(),
            lookup: Arc::new(PublicDns::default()),
            directory,
            variables: BTreeMap::new(),
            terminal: Terminal::default(),
            program: "sesinfra".to_owned(),
            first_pause: Duration::from_secs(10),
            screen_every: Duration::from_mins(1),
            now: SystemTime::now,
            lease: Lease::default(),
            screen: Arc::new(Screen::new(output, errors)),
            input: Arc::new(Mutex::new(input)),
        }
    }

    /// This process.
    ///
    /// # Errors
    /// The current directory is gone or cannot be read.
    pub fn of_process() -> io::Result<Self> {
        let input = Box::new(BufReader::new(io::stdin()));
        let (output, errors) = (Box::new(io::stdout()), Box::new(io::stderr()));
        let mut host = Self::new(std::env::current_dir()?, input, output, errors);
        let variables = VARIABLES
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
        host.variables = variables.collect();
        host.terminal = Terminal {
            input: io::stdin().is_terminal(),
            output: io::stdout().is_terminal(),
            errors: io::stderr().is_terminal(),
        };
        Ok(host)
    }

    /// What this machine is called, for those who wait for a run on it.
    pub(super) fn name(&self) -> String {
        let named = self.variables.get("HOSTNAME").filter(|name| !name.is_empty()).cloned();
        let read = || std::fs::read_to_string("/etc/hostname").ok();
        let name = named.or_else(read).map(|name| name.trim().to_owned());
        name.filter(|name| !name.is_empty()).unwrap_or_else(|| "an unnamed machine".to_owned())
    }

    /// Where to write.
    #[must_use]
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// How AWS is reached, with what is said of throttled calls on the screen, unless somebody else hears of them.
    pub(super) fn watched_access(&self) -> Access {
        let mut access = self.access.clone();
        access.listener.get_or_insert_with(|| Arc::new(Throttling::new(Arc::clone(&self.screen))));
        if self.variables.get(PACING).is_some_and(|pacing| pacing == "off") {
            access.rates.get_or_insert(Rates::unlimited());
        }
        access
    }

    /// What is wrong with a variable of the environment, if anything is.
    pub(super) fn misread_variable(&self) -> Option<String> {
        let pacing =
            self.variables.get(PACING).filter(|pacing| !matches!(pacing.as_str(), "" | "off"))?;
        Some(format!(
            "the environment variable {PACING} is `{pacing}`; write `off`, or leave it out to keep to AWS's limits"
        ))
    }

    /// The next line that is typed, without its end; `None` when there is no more. Others go on while nobody types.
    pub(super) async fn read_line(&self) -> io::Result<Option<String>> {
        let input = Arc::clone(&self.input);
        let reading = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            let mut input = input.lock().unwrap_or_else(PoisonError::into_inner);
            Ok((input.read_line(&mut line)? > 0).then(|| line.trim().to_owned()))
        });
        reading.await.map_err(io::Error::other)?
    }

    /// How the answer is coloured.
    pub(super) fn output_style(&self, no_colour: bool) -> Style {
        self.style(self.terminal.output, no_colour)
    }

    /// How everything beside the answer is coloured.
    pub(super) fn error_style(&self, no_colour: bool) -> Style {
        self.style(self.terminal.errors, no_colour)
    }

    fn style(&self, is_terminal: bool, no_colour: bool) -> Style {
        let variable = |name: &str| self.variables.get(name).map(String::as_str);
        let is_unwanted = no_colour
            || variable("NO_COLOR").is_some_and(|value| !value.is_empty())
            || variable("TERM") == Some("dumb");
        if is_terminal && !is_unwanted { Style::coloured() } else { Style::plain() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(pacing: &str) -> Host {
        let sink = || Box::new(io::sink());
        let mut host = Host::new(PathBuf::new(), Box::new(io::empty()), sink(), sink());
        host.variables.insert(PACING.to_owned(), pacing.to_owned());
        host
    }

    #[test]
    fn limits_are_kept_to_unless_a_variable_says_off() {
        let rates = |pacing| host(pacing).watched_access().rates;
        assert!(rates("off").is_some_and(|rates| !rates.are_limited()));
        assert!(rates("").is_none() && rates("on").is_none());
        assert_eq!(host("off").misread_variable(), None);
        assert_eq!(host("").misread_variable(), None);
        let said = host("0").misread_variable().unwrap();
        assert!(said.contains("SESINFRA_PACING is `0`; write `off`"), "{said}");
    }
}
