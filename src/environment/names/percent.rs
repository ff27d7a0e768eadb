//! Shares, written as a percentage: `5%`, `0.1%`.

use super::{NameError, text_format};
use std::fmt;

/// A share of a whole, above 0 and up to 100 percent, exact to a ten-thousandth of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    /// In millionths of the whole.
    millionths: u32,
}

impl Percent {
    /// The share of that many millionths.
    #[must_use]
    pub const fn from_millionths(millionths: u32) -> Self {
        Self { millionths }
    }

    /// Parses a number and a percent sign.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let remedy =
            "write a number and a percent sign, up to four digits after the point: `5%` or `0.1%`";
        let wrong = |reason: &str| Err(NameError::new(reason, remedy));
        let Some(number) = text.strip_suffix('%') else { return wrong("has no percent sign") };
        let (whole, rest) = number.split_once('.').unwrap_or((number, "0"));
        let is_number = |text: &str, longest: usize| {
            (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole, 3) || !is_number(rest, 4) {
            return wrong("does not start with a number");
        }
        let digits = format!("{whole}{rest:0<4}");
        match digits.parse::<u32>() {
            Ok(0) => wrong("is nothing at all"),
            Ok(millionths) if millionths <= 1_000_000 => Ok(Self { millionths }),
            _ => wrong("is more than the whole"),
        }
    }

    /// The share as a fraction of 1.
    #[must_use]
    pub fn fraction(self) -> f64 {
        f64::from(self.millionths) / 1_000_000.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.millionths / 10_000, self.millionths % 10_000);
        match rest {
            0 => write!(formatter, "{whole}%"),
            rest => write!(formatter, "{whole}.{}%", format!("{rest:04}").trim_end_matches('0')),
        }
    }
}

text_format!(Percent, "percent");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_number_and_a_sign() {
        for (text, fraction, shown) in [
            ("5%", 0.05, "5%"),
            ("0.1%", 0.001, "0.1%"),
            ("2.50%", 0.025, "2.5%"),
            ("100%", 1.0, "100%"),
            ("0.0001%", 0.000_001, "0.0001%"),
        ] {
            let share = Percent::parse(text).unwrap();
            assert!((share.fraction() - fraction).abs() < 1e-12, "{text}");
            assert_eq!(share.to_string(), shown);
        }
        for wrong in ["", "5", "%", "0%", "100.1%", "1e2%", "-1%", "5 %", ".5%", "0.00001%", "5.%"]
        {
            assert!(Percent::parse(wrong).is_err(), "{wrong}");
        }
    }
}
