//! What an apply is doing, while it does it: a bar where there is a terminal, and a line for each step; where there is
//! none and the steps are many, a line every few seconds instead, and one for each step that fails or waits.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::failure::lines;
use super::line::clean;
use super::pace::{Pace, SAID_EVERY, steps_text};
use super::screen::Screen;
use crate::engine::{Address, Event, Verb};

/// Where there is no bar, so many steps are too many for a line each.
const MANY_STEPS: usize = 200;

/// Steps under way and how far it all is.
pub struct Progress<'a> {
    screen: &'a Screen,
    bar: Option<ProgressBar>,
    began: Instant,
    all: usize,
    far: Mutex<Far>,
    steps: Mutex<BTreeMap<(Address, Verb), Step>>,
}

/// How far it is, and when that was last said.
#[derive(Debug, Default)]
struct Far {
    done: usize,
    said: Duration,
}

struct Step {
    since: Instant,
    /// What it was last said to wait for, so that the same reason is not said again and again.
    waits_for: Option<String>,
}

impl<'a> Progress<'a> {
    /// Progress through `steps` steps, with a bar if standard error is a terminal.
    #[must_use]
    pub fn new(screen: &'a Screen, steps: usize, has_bar: bool) -> Self {
        let bar = has_bar.then(|| {
            let total = u64::try_from(steps).unwrap_or(u64::MAX);
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            if let Ok(style) =
                ProgressStyle::with_template("[{bar:30}] {pos}/{len} {elapsed} {wide_msg}")
            {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        Self {
            screen,
            bar,
            began: Instant::now(),
            all: steps,
            far: Mutex::default(),
            steps: Mutex::new(BTreeMap::new()),
        }
    }

    /// Shows an event.
    pub fn hear(&self, event: Event) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let said = match event {
            Event::Started(address, verb) => {
                let said = format!("{}: {}...", clean(&address.to_string()), under_way(verb));
                steps.insert((address, verb), Step { since: Instant::now(), waits_for: None });
                (!verb.is_marking() && self.says_each()).then_some(said)
            }
            Event::Done(address, verb) => {
                let after = elapsed(&steps, &address, verb);
                let said = format!("{}: {} after {after}", clean(&address.to_string()), done(verb));
                self.end(&mut steps, address, verb);
                (!verb.is_marking() && self.says_each()).then_some(said)
            }
            Event::Failed(address, verb, message) => {
                let after = elapsed(&steps, &address, verb);
                let said = format!(
                    "{}: {} failed after {after}: {}",
                    clean(&address.to_string()),
                    under_way(verb),
                    lines(&message)
                );
                self.end(&mut steps, address, verb);
                Some(said)
            }
            Event::Waiting(address, verb, reason) => {
                let after = elapsed(&steps, &address, verb);
                let step = steps.get_mut(&(address.clone(), verb));
                let is_new = step.is_some_and(|step| {
                    let is_new = step.waits_for.as_ref() != Some(&reason);
                    step.waits_for = Some(reason.clone());
                    is_new
                });
                is_new.then(|| {
                    format!(
                        "{}: waiting: {} ({after})",
                        clean(&address.to_string()),
                        clean(&reason)
                    )
                })
            }
            Event::Settled(_) => None,
        };
        drop(steps);
        self.show(said);
        self.tick();
    }

    /// Says how far it is, if it is time for that: to be called every second or so.
    pub fn tick(&self) {
        let after = self.began.elapsed();
        let names: Vec<String> = {
            let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
            steps.keys().map(|(address, _)| clean(&address.to_string())).collect()
        };
        let mut far = self.far.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = Pace { done: far.done, all: self.all, after };
        if let Some(bar) = &self.bar {
            let left = pace.estimate().map(|left| left + ": ").unwrap_or_default();
            bar.set_message(left + &names.join(", "));
        } else if is_due(self.all, far.said, after) {
            far.said = after;
            self.screen.say(&steps_text(pace, &names));
        }
    }

    /// Whether each step has a line of its own.
    const fn says_each(&self) -> bool {
        self.bar.is_some() || self.all <= MANY_STEPS
    }

    /// Says something beside the steps.
    pub fn say(&self, text: &str) {
        self.show(Some(text.to_owned()));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn end(&self, steps: &mut BTreeMap<(Address, Verb), Step>, address: Address, verb: Verb) {
        steps.remove(&(address, verb));
        self.far.lock().unwrap_or_else(PoisonError::into_inner).done += 1;
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    fn show(&self, said: Option<String>) {
        match (&self.bar, said) {
            (Some(bar), Some(said)) => bar.suspend(|| self.screen.say(&(said + "\n"))),
            (None, Some(said)) => self.screen.say(&(said + "\n")),
            (_, None) => {}
        }
    }
}

/// Whether another line is to be said, of many steps, where the last one was said after `said`.
fn is_due(steps: usize, said: Duration, now: Duration) -> bool {
    steps > MANY_STEPS && now.saturating_sub(said) >= SAID_EVERY
}

fn elapsed(steps: &BTreeMap<(Address, Verb), Step>, address: &Address, verb: Verb) -> String {
    let since = steps.get(&(address.clone(), verb)).map(|step| step.since.elapsed());
    seconds(since.map_or(0, |elapsed| elapsed.as_secs()))
}

/// A length of time as people say it: `5s`, `2m05s`.
pub(super) fn seconds(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        _ => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}

/// What a step is doing.
const fn under_way(verb: Verb) -> &'static str {
    match verb {
        Verb::Announce | Verb::Settle => "marking",
        Verb::Adopt | Verb::Include => "adopting",
        Verb::Delete | Verb::Vanish => "destroying",
        Verb::Create => "creating",
        Verb::Update => "updating",
        Verb::Forget => "letting go",
        Verb::Retire => "removing old values",
    }
}

/// What a step has done.
pub(super) const fn done(verb: Verb) -> &'static str {
    match verb {
        Verb::Announce | Verb::Settle => "marked",
        Verb::Adopt | Verb::Include => "adopted",
        Verb::Delete | Verb::Vanish => "destroyed",
        Verb::Create => "created",
        Verb::Update => "updated",
        Verb::Forget => "let go",
        Verb::Retire => "old values removed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_steps_it_is_said_every_few_seconds_how_far_they_are() {
        let second = Duration::from_secs;
        assert!(!is_due(MANY_STEPS + 1, second(0), second(9)));
        assert!(is_due(MANY_STEPS + 1, second(0), second(10)));
        assert!(!is_due(MANY_STEPS + 1, second(10), second(19)));
        assert!(is_due(MANY_STEPS + 1, second(10), second(20)));
        assert!(!is_due(MANY_STEPS, second(0), second(60)), "each of few has a line");
    }

    #[test]
    fn a_length_of_time_is_short() {
        assert_eq!(seconds(0), "0s");
        assert_eq!(seconds(59), "59s");
        assert_eq!(seconds(605), "10m05s");
    }
}
