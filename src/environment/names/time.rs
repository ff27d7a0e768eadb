//! Lengths of time, written as a number and a unit: `30s`, `5m`, `14h`, `4d`.

use super::{NameError, text_format};
use std::fmt;

/// A length of time in whole seconds. Written as one number and one unit (`s`, `m`, `h`, `d`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan {
    seconds: u32,
}

impl TimeSpan {
    /// A span of that many seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u32) -> Self {
        Self { seconds }
    }

    /// No time at all.
    #[must_use]
    pub const fn none() -> Self {
        Self::from_seconds(0)
    }

    /// Whether it is no time at all.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.seconds == 0
    }

    /// Parses a number and a unit, such as `90s` or `14h`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let remedy = "write a whole number and a unit: `30s`, `5m`, `14h` or `4d`";
        let Some(unit) = text.chars().last() else {
            return Err(NameError::new("is empty", remedy));
        };
        let scale = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            '0'..='9' => return Err(NameError::new("has no unit", remedy)),
            _ => return Err(NameError::new("has an unknown unit", remedy)),
        };
        let number = &text[..text.len() - unit.len_utf8()];
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NameError::new("does not start with a whole number", remedy));
        }
        let seconds = number.parse::<u32>().ok().and_then(|number| number.checked_mul(scale));
        match seconds {
            Some(seconds) => Ok(Self { seconds }),
            None => Err(NameError::new("is longer than a century", remedy)),
        }
    }

    /// The length in seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.seconds
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scale, unit) = match self.seconds {
            0 => (1, 's'),
            seconds if seconds % 86_400 == 0 => (86_400, 'd'),
            seconds if seconds % 3_600 == 0 => (3_600, 'h'),
            seconds if seconds % 60 == 0 => (60, 'm'),
            _ => (1, 's'),
        };
        write!(formatter, "{}{unit}", self.seconds / scale)
    }
}

text_format!(TimeSpan, "time-span");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        for (text, seconds) in
            [("30s", 30), ("5m", 300), ("14h", 50_400), ("4d", 345_600), ("0s", 0)]
        {
            assert_eq!(TimeSpan::parse(text).unwrap().seconds(), seconds, "{text}");
        }
        for wrong in ["", "30", "h", "1.5h", "-1s", "1w", "99999999d", "5\u{b5}"] {
            assert!(TimeSpan::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_span_is_shown_in_its_largest_whole_unit() {
        assert_eq!(TimeSpan::parse("3600s").unwrap().to_string(), "1h");
        assert_eq!(TimeSpan::parse("90m").unwrap().to_string(), "90m");
    }
}
