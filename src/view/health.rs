//! Access, quotas and status, for people. Invariant: what is said with a bar or a chart is said with numbers beside it.

use std::fmt::Write as _;

use super::line::clean;
use super::style::{Paint, Style};
use crate::health::access::{Access, Standing, Submission};
use crate::health::metrics::Daily;
use crate::health::preflight::Item;
use crate::health::quota::{Asked, Granted, Report, Request, Which};
use crate::health::status::{Line, Rate, Status};
use crate::health::trend::Trend;
use crate::health::{Level, Problem};

// Writing to a String cannot fail, here and below: results of `write!` are let go.

/// How wide the bar of the quota is.
const BAR: usize = 20;

/// The steps of a chart, from nothing to the most.
const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

fn painted(level: Level, text: &str, style: Style) -> String {
    match level {
        Level::Good => style.paint(Paint::Add, text),
        Level::Warning => style.paint(Paint::Change, text),
        Level::Bad => style.paint(Paint::Remove, text),
    }
}

/// A whole number with its thousands apart.
fn whole(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::new();
    if number <= -0.5 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn percent(fraction: f64) -> String {
    let text = format!("{:.3}", fraction * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// What a standing with production access is called.
fn access_words(standing: &Standing) -> String {
    let case = standing.case.as_ref().map(|id| format!(" (case {})", clean(id)));
    let case = case.unwrap_or_default();
    match standing.access {
        Access::Granted => "production access granted".to_owned(),
        Access::Sandbox => "in the SES sandbox".to_owned(),
        Access::Pending => format!("in the SES sandbox, the request is under review{case}"),
        Access::Denied => format!("in the SES sandbox, the request was denied{case}"),
        Access::Failed => format!("in the SES sandbox, AWS failed to receive the request{case}"),
    }
}

/// Where an account stands, on one line.
#[must_use]
pub fn standing_line(standing: &Standing) -> String {
    format!("{}, {}\n", access_words(standing), quota_words(standing))
}

fn enforcement_words(standing: &Standing) -> String {
    match standing.enforcement.as_str() {
        "HEALTHY" => "healthy".to_owned(),
        "PROBATION" => "under review by AWS".to_owned(),
        "SHUTDOWN" => "paused by AWS".to_owned(),
        other => clean(other),
    }
}

fn quota_words(standing: &Standing) -> String {
    let rate = whole(standing.per_second);
    match standing.daily {
        Some(daily) => format!(
            "{} of {} messages in 24 hours, {rate} a second",
            whole(standing.used),
            whole(daily)
        ),
        None => format!("{} messages in 24 hours, no limit, {rate} a second", whole(standing.used)),
    }
}

/// Where an environment stands with production access, and what a reviewer would find.
#[must_use]
pub fn access_text(name: &str, standing: &Standing, items: &[Item], style: Style) -> String {
    let title = format!("Environment {}: {}", clean(name), access_words(standing));
    let mut text = format!("{}\n\n", style.paint(Paint::Title, &title));
    let _ = writeln!(text, "  account  {}", enforcement_words(standing));
    let _ = writeln!(text, "  quota    {}", quota_words(standing));
    let _ = writeln!(text, "\nWhat a reviewer looks for:\n");
    for item in items {
        let (level, word) = if item.passes { (Level::Good, "ok  ") } else { (Level::Bad, "FAIL") };
        let _ = writeln!(
            text,
            "  {} {:<12} {}",
            painted(level, word, style),
            item.name,
            clean(&item.found)
        );
        if !item.passes {
            let _ = writeln!(text, "       {:<12} hint: {}", "", clean(&item.remedy));
        }
    }
    if standing.access == Access::Denied {
        text.push_str(WAYS_ON);
    }
    text
}

/// After a denial the API takes nothing more (a request ends in a conflict), so a person must go on.
pub const WAYS_ON: &str = "
AWS takes no further request over the API after a denial. There are two ways on:
  1. answer in the support case, with the statement that `access ENV --draft` prints
  2. ask for a higher sending quota in Service Quotas, which is reviewed by the same people:
     `quota ENV --request`
";

/// What would be sent, and the whole statement.
#[must_use]
pub fn draft_text(submission: &Submission, whole: &str, style: Style) -> String {
    let mut text = format!("{}\n\n", style.paint(Paint::Title, "This is what is sent to AWS:"));
    let lines = [
        ("MailType", submission.mail_type.to_owned()),
        ("WebsiteURL", submission.website.clone()),
        ("ContactLanguage", submission.contact_language.to_owned()),
        (
            "AdditionalContactEmailAddresses",
            submission.additional_contact_email_addresses.join(", "),
        ),
        ("ProductionAccessEnabled", submission.production_access_enabled.to_string()),
    ];
    for (key, value) in lines {
        let _ = writeln!(text, "{key}: {}", clean(&value));
    }
    let count = submission.use_case_description.chars().count();
    let _ = writeln!(text, "UseCaseDescription ({count} of 5,000 characters):\n");
    text.push_str(&shown(&submission.use_case_description));
    if whole.is_empty() {
        return text;
    }
    let title = "This is the whole statement, for the support case:";
    let _ = writeln!(text, "\n{}\n", style.paint(Paint::Title, title));
    text.push_str(&shown(whole));
    text
}

/// A text of several lines, each of them clean.
fn shown(text: &str) -> String {
    text.lines().map(|line| clean(line) + "\n").collect()
}

fn problem_lines(problems: &[Problem], style: Style, text: &mut String) {
    if problems.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}\n", style.paint(Paint::Title, "What to do:"));
    for problem in problems {
        let word = format!("{:<7}", problem.level.word());
        let _ =
            writeln!(text, "  {} {}", painted(problem.level, &word, style), clean(&problem.what));
        let _ = writeln!(text, "          {}", clean(&problem.remedy));
    }
}

/// How the quotas stand.
#[must_use]
pub fn quota_text(report: &Report, style: Style) -> String {
    let title = format!(
        "Environment {} (account {}, {})",
        clean(&report.environment),
        clean(&report.account),
        clean(&report.region)
    );
    let mut text = format!("{}\n\n", style.paint(Paint::Title, &title));
    let granted = |quota: Granted| {
        let granted = quota.granted.map_or_else(|| "no limit".to_owned(), whole);
        match quota.wanted {
            Some(wanted) => format!("{granted} granted, {} needed", whole(wanted)),
            None => format!("{granted} granted"),
        }
    };
    let _ = writeln!(text, "  a day     {}", granted(report.daily));
    let _ = writeln!(text, "  a second  {}", granted(report.per_second));
    let share = report.share.map(|share| format!("  {} {}", bar(share), percent(share)));
    let left = report.headroom.map(|left| format!(", {} left", whole(left)));
    let _ = writeln!(
        text,
        "  used      {} in the last 24 hours{}{}",
        whole(report.used),
        left.unwrap_or_default(),
        share.unwrap_or_default()
    );
    let _ = writeln!(text, "  sent      {}  since {}", chart(&report.sent), report.since);
    let _ = writeln!(text, "  trend     {}", trend_words(&report.trend, report.hits_on.as_deref()));
    if !report.requests.is_empty() {
        let _ = writeln!(text, "\nRequests for more:\n");
        for request in &report.requests {
            let _ = writeln!(text, "  {}", request_words(request));
        }
    }
    problem_lines(&report.problems, style, &mut text);
    text
}

fn trend_words(trend: &Trend, hits_on: Option<&str>) -> String {
    match trend {
        Trend::NotEnoughData { days } => {
            format!("not enough data: {days} days with mail, and a trend takes 7")
        }
        Trend::Steady { days, .. } => format!("not growing over {days} days"),
        Trend::Growing { per_day, days, .. } => {
            let end = match hits_on {
                Some(day) => format!("the quota is used up on {day}"),
                None => "the quota is far away".to_owned(),
            };
            format!("{} more each day over {days} days: {end}", whole(*per_day))
        }
    }
}

fn request_words(request: &Request) -> String {
    let case = request.case.as_ref().map(|id| format!(", case {}", clean(id))).unwrap_or_default();
    let open = if request.open { " (open)" } else { "" };
    let made = &request.made;
    let (wanted, words) = (whole(request.wanted), request.quota.words());
    format!("{made}  {wanted} {words}: {}{open}{case}", clean(&request.status))
}

/// What became of asking for more.
#[must_use]
pub fn asked_text(which: Which, asked: &Asked, program: &str, name: &str) -> String {
    let of = which.words();
    match asked {
        Asked::Sent { request } => {
            format!("Asked for {} {of}: {}.\n", whole(request.wanted), clean(&request.status))
        }
        Asked::Granted => format!("Nothing to ask for {of}: what the file needs is granted.\n"),
        Asked::Open { request: Some(request) } => format!(
            "Not asked again {of}: {} were asked for on {}, and AWS has yet to answer.\n",
            whole(request.wanted),
            request.made
        ),
        Asked::Open { request: None } => {
            format!("Not asked {of}: AWS has an open request already, and takes one at a time.\n")
        }
        Asked::RefusedBefore { request } => format!(
            "Not asked again {of}: the request for {} on {} ended as {}. Read the support case first; then: {program} quota \
             {name} --request --again\n",
            whole(request.wanted),
            request.made,
            clean(&request.status)
        ),
        Asked::Unknown => {
            format!("Not asked {of}: Service Quotas knows no such quota in this Region.\n")
        }
    }
}

fn bar(share: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 20")]
    let full = (share.clamp(0.0, 1.0) * 20.0).round() as usize;
    format!("[{}{}]", "#".repeat(full), "-".repeat(BAR - full))
}

/// One character a day; a space where there is no value.
fn chart(days: &Daily) -> String {
    let most = days.iter().flatten().copied().fold(0.0, f64::max);
    let step = |value: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 7"
        )]
        let place = if most > 0.0 { (value / most * 7.0).round() as usize } else { 0 };
        STEPS.get(place).copied().unwrap_or(' ')
    };
    if days.iter().all(Option::is_none) {
        return "none".to_owned();
    }
    days.iter().map(|day| day.map_or(' ', step)).collect()
}

/// Whether mail works, on one screen.
#[must_use]
pub fn status_text(status: &Status, style: Style) -> String {
    let verdict = match status.level {
        Level::Good => "mail works",
        Level::Warning => "mail works, and something needs a look",
        Level::Bad => "mail does not work as it should",
    };
    let title = format!("Environment {}: ", clean(&status.environment));
    let mut text = format!(
        "{}{} (project {}, account {}, {})\n\n",
        style.paint(Paint::Title, &title),
        painted(status.level, verdict, style),
        clean(&status.project),
        clean(&status.account),
        clean(&status.region)
    );
    let standing = &status.standing;
    let sends = if standing.sending { "sends" } else { "does not send" };
    let _ = writeln!(
        text,
        "  account     {}, {sends}, {}",
        access_words(standing),
        enforcement_words(standing)
    );
    let share = status.share.map(|share| format!("{} {}  ", bar(share), percent(share)));
    let _ = writeln!(text, "  quota       {}{}", share.unwrap_or_default(), quota_words(standing));
    if let Some(sent) = &status.sent {
        let today = sent.last().copied().flatten().unwrap_or(0.0);
        let _ = writeln!(text, "  sent        {}  {} today", chart(sent), whole(today));
    }
    for (name, rate) in [("bounces", &status.bounces), ("complaints", &status.complaints)] {
        if let Some(rate) = rate {
            let _ = writeln!(text, "  {name:<11} {}", rate_words(rate, style));
        }
    }
    let sections = [
        ("Domains and addresses", &status.identities),
        ("Configuration sets", &status.sets),
        ("Topics", &status.topics),
        ("Queues", &status.queues),
        ("Alarms", &status.alarms),
    ];
    for (title, lines) in sections {
        section(title, lines, style, &mut text);
    }
    problem_lines(&status.problems, style, &mut text);
    text
}

fn rate_words(rate: &Rate, style: Style) -> String {
    let now = rate.now.map_or_else(|| "no value yet".to_owned(), percent);
    let days = if rate.now.is_some() { format!("{}  ", chart(&rate.days)) } else { String::new() };
    format!(
        "{days}{}, AWS reviews from {} and may pause from {}",
        painted(rate.level, &now, style),
        percent(rate.review_at),
        percent(rate.pause_at)
    )
}

fn section(title: &str, lines: &[Line], style: Style, text: &mut String) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}\n", style.paint(Paint::Title, title));
    for line in lines {
        let word = format!("{:<7}", line.level.word());
        let _ = writeln!(
            text,
            "  {} {}: {}",
            painted(line.level, &word, style),
            clean(&line.name),
            clean(&line.says)
        );
        for detail in &line.details {
            let _ = writeln!(text, "            {}", clean(detail));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([whole(50_000.0), whole(7.4), whole(-1_234.0)], ["50,000", "7", "-1,234"]);
        assert_eq!([percent(0.05), percent(0.001), percent(1.0)], ["5 %", "0.1 %", "100 %"]);
    }

    #[test]
    fn a_bar_is_as_full_as_its_share() {
        assert_eq!(bar(0.0), format!("[{}]", "-".repeat(20)));
        assert_eq!(bar(0.5), format!("[{}{}]", "#".repeat(10), "-".repeat(10)));
        assert_eq!(bar(7.0), format!("[{}]", "#".repeat(20)));
    }

    #[test]
    fn a_chart_shows_a_gap_as_a_gap() {
        assert_eq!(chart(&vec![Some(0.0), None, Some(7.0), Some(3.5)]), "▁ █▅");
        assert_eq!(chart(&vec![None; 3]), "none");
    }
}
