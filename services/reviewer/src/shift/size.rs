//! How large a shift is: Hodges and Lehmann's estimate on logarithms, with the bounds that belong to the test of Mann and Whitney.

use super::Ratio;

/// Quantile of the normal distribution for bounds that hold the truth in 95 of 100 cases.
const NINETY_FIVE: f64 = 1.959_964;

/// What lies between two samples of logarithms: the median of all differences, as a ratio (Hodges and Lehmann 1963).
///
/// The bounds are order statistics of the differences, by the normal approximation (Lehmann 1975, 2.5). They say how far the samples
/// tell; that a shift was looked for until it was found is not in them.
pub fn ratio(before: &[f64], after: &[f64]) -> Ratio {
    let mut differences: Vec<f64> = after.iter().flat_map(|a| before.iter().map(move |b| a - b)).collect();
    differences.sort_unstable_by(f64::total_cmp);
    let (m, n, all) = (before.len() as f64, after.len() as f64, differences.len());
    let left_out = (m * n / 2.0 - NINETY_FIVE * (m * n * (m + n + 1.0) / 12.0).sqrt()).max(0.0) as usize;
    let at = |place: usize| thousandths(differences.get(place).copied().unwrap_or_default());
    let estimate = f64::midpoint(
        differences.get(all.saturating_sub(1) / 2).copied().unwrap_or_default(),
        differences.get(all / 2).copied().unwrap_or_default(),
    );
    Ratio { estimate: thousandths(estimate), low: at(left_out), high: at(all.saturating_sub(1 + left_out)) }
}

/// Lower median.
pub fn median(logs: &[f64]) -> f64 {
    let mut sorted = logs.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// A difference of logarithms as a ratio in thousandths.
fn thousandths(difference: f64) -> i64 {
    (difference.exp() * 1000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(values: &[f64]) -> Vec<f64> {
        values.iter().map(|value| value.ln()).collect()
    }

    /// Differences of 1, 2, 3 to 6, 8 as ratios: 2, 2.67, 3, 4, 6, 8; the middle of 3 and 4 on the logarithms is √12.
    #[test]
    fn the_estimate_is_the_median_of_all_pairs() {
        let found = ratio(&logs(&[1.0, 2.0, 3.0]), &logs(&[6.0, 8.0]));
        assert_eq!(found, Ratio { estimate: 3464, low: 2000, high: 8000 });
    }

    #[test]
    fn bounds_close_in_with_the_samples_and_odd_ones_do_not_matter() {
        let before: Vec<f64> = (0..100).map(|i| 600.0 + f64::from(i)).collect();
        let mut after: Vec<f64> = (0..20).map(|i| 1200.0 + 10.0 * f64::from(i)).collect();
        let clean = ratio(&logs(&before), &logs(&after));
        assert!((1950..2050).contains(&clean.estimate), "{clean:?}");
        assert!(clean.low > 1850 && clean.high < 2150, "{clean:?}");
        after[3] = 1e9;
        let odd = ratio(&logs(&before), &logs(&after));
        assert!((odd.estimate - clean.estimate).abs() < 20, "{odd:?}");
    }
}
