//! What CloudWatch takes for names: of alarms, metrics, queries and statistics.

use super::labels::run_of;
use super::{Arn, NameError, TopicName, text_format, text_name};
use std::fmt;

text_name! {
    /// The name of an alarm: 1 to 255 letters, digits and `-_./`.
    AlarmName, "alarm-name", |text| run_of(
        text, 255, |character| character.is_ascii_alphanumeric() || "-_./".contains(character),
        "letters, digits and `-_./`",
    )
}

text_name! {
    /// A name of a metric, a namespace or a dimension, or a dimension's value: 1 to 255 printable ASCII characters.
    MetricText, "metric-text", |text| run_of(
        text, 255, |character| character.is_ascii_graphic() || character == ' ', "printable ASCII characters",
    )
}

text_name! {
    /// The id of a query of an alarm: 1 to 255 letters, digits and `_`, a small letter first.
    QueryId, "query-id", query_id
}

text_name! {
    /// What is made of the values within a period: `Sum`, `Average`, `Maximum`, `Minimum`, `SampleCount`, a percentile
    /// such as `p99`, or another extended statistic of CloudWatch such as `TM(10%:90%)`.
    Statistic, "statistic", statistic
}

text_name! {
    /// A description: 1 to 1,024 characters without line breaks.
    Description, "description", |text| run_of(
        text, 1_024, |character| !character.is_control(), "characters, no line breaks among them",
    )
}

fn query_id(text: &str) -> Result<String, NameError> {
    let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let id = run_of(text, 255, word, "letters, digits and `_`")?;
    match id.starts_with(|first: char| first.is_ascii_lowercase()) {
        true => Ok(id),
        false => Err(NameError::new(
            "does not start with a small letter",
            "start it with a small letter, such as `m1`",
        )),
    }
}

fn statistic(text: &str) -> Result<String, NameError> {
    let plain = ["Sum", "Average", "Maximum", "Minimum", "SampleCount", "IQM"];
    let is_number = |text: &str| text.parse::<f64>().is_ok_and(|number| number >= 0.0);
    let of_number = ["p", "tm", "wm", "tc", "ts"]
        .iter()
        .any(|kind| text.strip_prefix(kind).is_some_and(is_number));
    let of_range = ["PR", "TM", "WM", "TC", "TS"].iter().any(|kind| {
        let range = text.strip_prefix(kind).and_then(|rest| rest.strip_prefix('('));
        range.is_some_and(|range| range.ends_with(')') && range.contains(':'))
    });
    match plain.contains(&text) || of_number || of_range {
        true => Ok(text.to_owned()),
        false => Err(NameError::new(
            "is no statistic of CloudWatch",
            "write `Sum`, `Average`, `Maximum`, `Minimum`, `SampleCount`, or a percentile such as `p99`",
        )),
    }
}

/// What an alarm does when its state changes: a topic of this file, or anything by its ARN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlarmAction {
    /// Publishes to a topic of this file.
    Topic(TopicName),
    /// Does what CloudWatch does with a resource of this type.
    Elsewhere(Arn),
}

impl AlarmAction {
    /// Parses an ARN if the text starts with `arn:`, otherwise the name of a topic.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text.starts_with("arn:") {
            true => Arn::parse(text).map(Self::Elsewhere),
            false => TopicName::parse(text).map(Self::Topic),
        }
    }
}

impl fmt::Display for AlarmAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(name) => name.fmt(formatter),
            Self::Elsewhere(arn) => arn.fmt(formatter),
        }
    }
}

text_format!(AlarmAction, "alarm-action");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statistic_is_one_of_cloudwatchs() {
        for right in ["Sum", "p99", "p99.9", "tm90", "TM(10%:90%)", "IQM"] {
            assert!(Statistic::parse(right).is_ok(), "{right}");
        }
        for wrong in ["", "sum", "p", "p-1", "TM()", "median"] {
            assert!(Statistic::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_query_has_a_small_letter_first() {
        assert!(QueryId::parse("m1").is_ok() && QueryId::parse("errorRate_2").is_ok());
        for wrong in ["", "1m", "M1", "a-b", "_a"] {
            assert!(QueryId::parse(wrong).is_err(), "{wrong}");
        }
    }
}
