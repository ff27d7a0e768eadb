//! Says that AWS throttles calls and how fast the run goes on: once for each operation, since it is tried again anyway.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::aws::{Listener, Note, Slowdown};
use crate::view::Screen;

/// Hears of throttled calls and says so beside the answer.
pub(super) struct Throttling {
    screen: Arc<Screen>,
    /// What was said before.
    said: Mutex<BTreeSet<String>>,
}

impl Throttling {
    pub(super) fn new(screen: Arc<Screen>) -> Self {
        Self { screen, said: Mutex::default() }
    }
}

impl fmt::Debug for Throttling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Throttling").finish_non_exhaustive()
    }
}

impl Listener for Throttling {
    fn hear(&self, note: Note) {
        let Note::Throttled { action, slowdown: Some(slowdown), .. } = note else { return };
        let (what, text) = text(&action, slowdown);
        let is_new = self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(what);
        if is_new {
            self.screen.say(&text);
        }
    }
}

/// What is slowed down, and the line that says so.
fn text(action: &str, slowdown: Slowdown) -> (String, String) {
    match slowdown {
        Slowdown::Operation(per_second) => {
            let text = format!(
                "AWS throttles {action}: others in this account make the same calls. Going on with {per_second:.1} a \
                 second.\n"
            );
            (action.to_owned(), text)
        }
        Slowdown::Service(per_second) => {
            let service = action.split(':').next().unwrap_or(action);
            let text = format!(
                "AWS throttles {action}, and counts the operations of {service} together, or others make the same \
                 calls. Going on with {per_second:.1} calls a second over all of them.\n"
            );
            (service.to_owned(), text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_is_named_once_and_so_is_a_service() {
        let slow = text("ses:GetEmailIdentity", Slowdown::Operation(0.7));
        assert_eq!(slow.0, "ses:GetEmailIdentity");
        assert_eq!(
            slow.1,
            "AWS throttles ses:GetEmailIdentity: others in this account make the same calls. Going on with 0.7 a second.\n"
        );
        let shared = text("ses:GetEmailIdentity", Slowdown::Service(0.99));
        assert_eq!(shared.0, "ses");
        assert!(shared.1.contains("1.0 calls a second over all of them"), "{}", shared.1);
    }
}
