//! Where sending is heading: a straight line through the sums of the last days (least squares), and the day on which it
//! meets the quota.
//!
//! Invariant: pure, and silent where there is too little to tell.

use serde::Serialize;

/// A line through fewer days says more about chance than about mail.
pub const DAYS_MIN: usize = 7;

/// A line says nothing about a day further away than it is long many times over.
const HORIZON_DAYS: f64 = 3_650.0;

/// Where sending is heading.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trend {
    /// There are too few days with mail to tell.
    NotEnoughData {
        /// How many there are.
        days: usize,
    },
    /// It stays as it is, or goes down.
    Steady {
        /// By how many messages a day it changes each day.
        per_day: f64,
        /// Over how many days.
        days: usize,
    },
    /// It goes up.
    Growing {
        /// By how many messages a day it grows each day.
        per_day: f64,
        /// Over how many days.
        days: usize,
        /// In how many days, from the last whole one, the line meets the quota; none: not within ten years, or there is no
        /// quota.
        hits_in_days: Option<i64>,
    },
}

/// Judges the sums of whole days, oldest first. Days before the first with mail do not count; a day without mail after it
/// counts as none sent, since CloudWatch has no value for such a day.
#[must_use]
pub fn trend(sums: &[Option<f64>], quota: Option<f64>) -> Trend {
    let since = sums.iter().position(Option::is_some).unwrap_or(sums.len());
    let sums: Vec<f64> = sums[since..].iter().map(|sum| sum.unwrap_or(0.0)).collect();
    let days = sums.len();
    if days < DAYS_MIN {
        return Trend::NotEnoughData { days };
    }
    let (slope, now) = line(&sums);
    // Less than one message in a hundred days is no growth.
    if slope < 0.01 {
        return Trend::Steady { per_day: slope, days };
    }
    let hits_in_days = quota.and_then(|quota| {
        let ahead = ((quota - now) / slope).max(0.0).ceil();
        // Within the horizon the number is small and whole, so nothing is cut off.
        #[expect(clippy::cast_possible_truncation, reason = "at most the horizon")]
        (ahead <= HORIZON_DAYS).then_some(ahead as i64)
    });
    Trend::Growing { per_day: slope, days, hits_in_days }
}

/// The slope of the line, and its value on the last day.
fn line(sums: &[f64]) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "a handful of days")]
    let count = sums.len() as f64;
    let places = || (0_u32..).map(f64::from);
    let mean_place = (count - 1.0) / 2.0;
    let mean_sum = sums.iter().sum::<f64>() / count;
    let mut both = 0.0;
    let mut squares = 0.0;
    for (place, sum) in places().zip(sums) {
        both += (place - mean_place) * (sum - mean_sum);
        squares += (place - mean_place) * (place - mean_place);
    }
    let slope = if squares > 0.0 { both / squares } else { 0.0 };
    (slope, mean_sum + slope * (count - 1.0 - mean_place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().copied().map(Some).collect()
    }

    #[test]
    fn a_straight_line_is_found_and_followed() {
        // 100 more each day, 1,000 on the last: 50,000 is met 490 days later.
        let growing: Vec<f64> = (1..=10_u32).map(|day| f64::from(day) * 100.0).collect();
        let Trend::Growing { per_day, days, hits_in_days } = trend(&sums(&growing), Some(50_000.0))
        else {
            panic!("not growing");
        };
        assert!((per_day - 100.0).abs() < 1e-9);
        assert_eq!((days, hits_in_days), (10, Some(490)));
    }

    #[test]
    fn the_line_is_the_one_of_least_squares() {
        // By hand: the means are 3 and 5, so the slope is 25 / 28 and the line ends at 5 + 3 * 25 / 28.
        let (slope, now) = line(&[2.0, 4.0, 3.0, 6.0, 5.0, 8.0, 7.0]);
        assert!((slope - 25.0 / 28.0).abs() < 1e-9, "{slope}");
        assert!((now - (5.0 + 3.0 * 25.0 / 28.0)).abs() < 1e-9, "{now}");
    }

    #[test]
    fn under_seven_days_there_is_nothing_to_tell() {
        let few = sums(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(trend(&few, Some(10.0)), Trend::NotEnoughData { days: 6 });
        assert_eq!(trend(&[None; 14], Some(10.0)), Trend::NotEnoughData { days: 0 });
        let late = [vec![None; 10], few].concat();
        assert_eq!(trend(&late, Some(10.0)), Trend::NotEnoughData { days: 6 });
    }

    #[test]
    fn a_day_without_mail_counts_as_none() {
        let mut gap = sums(&[10.0; 8]);
        gap[4] = None;
        let Trend::Steady { days, per_day } = trend(&gap, None) else { panic!("growing") };
        assert_eq!(days, 8);
        assert!(per_day.abs() < 1.0);
    }

    #[test]
    fn what_does_not_grow_or_has_no_quota_meets_none() {
        assert!(matches!(trend(&sums(&[5.0; 14]), Some(10.0)), Trend::Steady { .. }));
        let falling: Vec<f64> = (0..14_u32).map(|day| 100.0 - f64::from(day)).collect();
        assert!(matches!(trend(&sums(&falling), Some(10.0)), Trend::Steady { .. }));
        let growing: Vec<f64> = (0..14_u32).map(f64::from).collect();
        let Trend::Growing { hits_in_days, .. } = trend(&sums(&growing), None) else {
            panic!("not growing");
        };
        assert_eq!(hits_in_days, None);
    }

    #[test]
    fn a_quota_that_is_met_already_is_met_now() {
        let growing: Vec<f64> = (0..14_u32).map(f64::from).collect();
        let Trend::Growing { hits_in_days, .. } = trend(&sums(&growing), Some(5.0)) else {
            panic!("not growing");
        };
        assert_eq!(hits_in_days, Some(0));
    }
}
