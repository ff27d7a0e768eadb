//! How an apply reads while it runs and when it has ended, from reports made by hand.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use sesinfra::aws::{AwsError, Class};
use sesinfra::engine::{Address, BoxError, Event, Outcome, Report, StepReport, Verb};
use sesinfra::view::{
    Document, Progress, Purpose, Screen, Style, failure_text, report_json, report_text,
};

use super::plans::stories;
use crate::it::golden::assert_golden;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn step(name: &str, verb: Verb, outcome: Outcome) -> StepReport {
    StepReport { address: address(name), verb, outcome }
}

fn denied() -> BoxError {
    let error = AwsError {
        action: "ses:CreateConfigurationSet".to_owned(),
        resource: "transactional".to_owned(),
        code: "AccessDeniedException".to_owned(),
        message: "User: arn:aws:iam::123456789012:user/ci is not authorized".to_owned(),
        request_id: Some("0c1d5f0e-1111-2222-3333-444455556666".to_owned()),
        class: Class::Denied,
    };
    error.into()
}

fn advice(error: &BoxError) -> Vec<String> {
    error.downcast_ref::<AwsError>().and_then(AwsError::hint).into_iter().collect()
}

fn in_part() -> Report {
    let failed = Outcome::Failed(denied());
    let waiting = Outcome::Waiting("links.staging.pivot.app is not verified yet".to_owned());
    let because = Outcome::NotStarted("configuration_set.transactional failed".to_owned());
    Report {
        steps: vec![
            step("topic.ses-feedback", Verb::Announce, Outcome::Done),
            step("topic.ses-feedback", Verb::Update, Outcome::Done),
            step("queue.old", Verb::Delete, Outcome::Done),
            step("configuration_set.transactional", Verb::Create, failed),
            step("tracking.transactional", Verb::Update, waiting),
            step("event_destination.transactional/feedback", Verb::Create, because),
        ],
        unsettled: vec![(
            address("identity.pivot.app"),
            "was written, but reading it back\nshows something else".into(),
        )],
        stopped: false,
    }
}

fn complete() -> Report {
    let steps = vec![
        step("topic.ses-feedback", Verb::Delete, Outcome::Done),
        step("topic.ses-feedback", Verb::Create, Outcome::Done),
        step("queue.ses-feedback", Verb::Update, Outcome::Done),
    ];
    Report { steps, ..Report::default() }
}

fn text(document: &Document, report: &Report) -> String {
    report_text(document, report, &advice, "sesinfra apply staging", Style::plain())
}

#[test]
fn a_report_says_what_is_done_and_what_is_not_and_why() {
    let document = stories().remove(0).document;
    assert_golden("tests/it/view/report-in-part.txt", &text(&document, &in_part()));
    let json = format!("{:#}\n", report_json(&document, &in_part()));
    assert_golden("tests/it/view/report-in-part.json", &json);
}

#[test]
fn a_complete_report_is_one_line_that_tools_know() {
    let mut document = stories().remove(0).document;
    let line = "\nApply complete! Resources: 1 added, 1 changed, 1 destroyed.\n";
    assert_eq!(text(&document, &complete()), line);
    document.purpose = Purpose::Destroy;
    assert_eq!(text(&document, &complete()), "\nDestroy complete! Resources: 1 destroyed.\n");
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn without_a_terminal_progress_is_a_line_for_each_step() {
    let errors = Buffer::default();
    let screen = Screen::new(Box::new(io::sink()), Box::new(errors.clone()));
    let progress = Progress::new(&screen, 2, false);
    let (identity, tracking) = (address("identity.pivot.app"), address("tracking.transactional"));
    let waiting = |reason: &str| Event::Waiting(tracking.clone(), Verb::Update, reason.to_owned());
    let failed = || Event::Failed(tracking.clone(), Verb::Update, "denied\nError: no".to_owned());
    for event in [
        Event::Started(identity.clone(), Verb::Announce),
        Event::Done(identity.clone(), Verb::Announce),
        Event::Started(identity.clone(), Verb::Create),
        Event::Started(tracking.clone(), Verb::Update),
        Event::Done(identity.clone(), Verb::Create),
        waiting("not verified yet"),
        waiting("not verified yet"),
        failed(),
        Event::Settled(identity),
    ] {
        progress.hear(event);
    }
    let said = String::from_utf8(errors.0.lock().unwrap().clone()).unwrap();
    assert_eq!(
        said,
        "identity.pivot.app: creating...\n\
         tracking.transactional: updating...\n\
         identity.pivot.app: created after 0s\n\
         tracking.transactional: waiting: not verified yet (0s)\n\
         tracking.transactional: updating failed after 0s: denied\n    Error: no\n"
    );
}

struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_went_away_stops_nothing() {
    let screen = Screen::new(Box::new(Closed), Box::new(Closed));
    screen.say("heard by nobody");
    assert!(screen.answer("read by nobody").is_ok());
}

#[test]
fn a_failure_says_what_where_why_and_what_to_do() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot read identity")]
    struct Outer(#[source] BoxError);
    let hints = advice(&denied());
    let text = failure_text(&Outer(denied()), &hints, Style::plain());
    assert_eq!(
        text,
        "Error: cannot read identity\n  \
         caused by: ses:CreateConfigurationSet transactional: AccessDeniedException: User: \
         arn:aws:iam::123456789012:user/ci is not authorized (request id 0c1d5f0e-1111-2222-3333-444455556666)\n  \
         hint: allow ses:CreateConfigurationSet on transactional to the credentials in use\n"
    );
}
