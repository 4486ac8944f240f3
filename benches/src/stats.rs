//! Medians, percentiles and spread.

use std::time::Duration;

/// The middle one of several figures, and two between which the others lie: all of them, or half.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) middle: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// From the lowest to the highest. There is at least one figure.
    pub(crate) fn of(figures: &[f64]) -> Self {
        let sorted = sorted(figures);
        Self {
            low: sorted[0],
            middle: median(&sorted),
            high: sorted[sorted.len() - 1],
        }
    }

    /// The middle half: from the first quartile to the third.
    pub(crate) fn of_half(figures: &[f64]) -> Self {
        let sorted = sorted(figures);
        let quarter = sorted.len().div_ceil(4);
        Self {
            low: sorted[quarter - 1],
            middle: median(&sorted),
            high: sorted[sorted.len() - quarter],
        }
    }
}

fn sorted(figures: &[f64]) -> Vec<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[half]
    } else {
        f64::midpoint(sorted[half - 1], sorted[half])
    }
}

/// The shortest of these times that `percent` of them do not exceed. They are sorted, and there is at least one.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted[rank.max(1) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(numbers: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        numbers.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn the_spread_goes_from_the_lowest_to_the_highest() {
        let spread = Spread::of(&[3.0, 1.0, 10.0]);
        assert_eq!((spread.low, spread.middle, spread.high), (1.0, 3.0, 10.0));
    }

    #[test]
    fn an_even_number_of_figures_has_its_median_between_two() {
        assert_eq!(Spread::of(&[4.0, 1.0, 2.0, 9.0]).middle, 3.0);
    }

    #[test]
    fn one_figure_has_no_spread() {
        let spread = Spread::of(&[7.0]);
        assert_eq!((spread.low, spread.middle, spread.high), (7.0, 7.0, 7.0));
        assert_eq!(Spread::of_half(&[7.0]), spread);
    }

    #[test]
    fn the_middle_half_leaves_a_quarter_out_on_each_side() {
        let figures: Vec<f64> = (1..=8).map(f64::from).collect();
        let spread = Spread::of_half(&figures);
        assert_eq!((spread.low, spread.middle, spread.high), (2.0, 4.5, 7.0));
    }

    #[test]
    fn percentiles_are_times_that_occurred() {
        let times = milliseconds(1..=200);
        assert_eq!(percentile(&times, 50), Duration::from_millis(100));
        assert_eq!(percentile(&times, 99), Duration::from_millis(198));
        assert_eq!(percentile(&times[..1], 99), Duration::from_millis(1));
    }
}
