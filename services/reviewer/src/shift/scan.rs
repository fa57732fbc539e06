//! Where in a history the newest values stand out most from those before.

use std::ops::RangeInclusive;

/// A cut of a history into before and since.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// By how many standard deviations the ranks since it are above those before it.
    pub above: f64,
    /// How many values lie since it.
    pub since: usize,
}

/// The cuts with so many values since them at which these stand out most, above and below.
///
/// At each cut it is the statistic of Mann and Whitney (1947), standardised by the variance that it has when every order of the
/// values is as likely as any other; equal values share a rank. Its greatest over all cuts is the test for a change at an unknown
/// time (Pettitt 1979), which makes a control chart when it is asked again after every value (Hawkins and Deng 2010).
pub fn extremes(values: &[f64], since: RangeInclusive<usize>) -> Option<(Cut, Cut)> {
    let ranks = centred_ranks(values);
    let all = values.len() as f64;
    let spread: f64 = ranks.iter().map(|rank| rank * rank).sum();
    if spread <= 0.0 {
        return None;
    }
    let (mut sum, mut extremes) = (0.0, None);
    for (rank, count) in ranks.iter().rev().zip(1..=*since.end()) {
        sum += rank;
        let before = all - count as f64;
        if !since.contains(&count) || before <= 0.0 {
            continue;
        }
        let variance = count as f64 * before / (all * (all - 1.0)) * spread;
        let cut = Cut { above: sum / variance.sqrt(), since: count };
        let (most, least) = extremes.get_or_insert((cut, cut));
        if cut.above > most.above {
            *most = cut;
        }
        if cut.above < least.above {
            *least = cut;
        }
    }
    extremes
}

/// Ranks less their mean, in the order of the values.
fn centred_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for equal in order.chunk_by(|a, b| a.0 == b.0) {
        let shared = (2 * below + equal.len()) as f64 / 2.0 - values.len() as f64 / 2.0;
        for (_, place) in equal {
            ranks[*place] = shared;
        }
        below += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_rank() {
        assert_eq!(centred_ranks(&[7.0, 5.0, 7.0, 9.0]), [0.0, -1.5, 0.0, 1.5]);
        assert_eq!(centred_ranks(&[3.0; 5]), [0.0; 5]);
    }

    /// Two above four: the sum of ranks is 11, expected 7, with the variance 4 · 2 · 7 / 12; so 4 / 2.16.
    #[test]
    fn the_statistic_is_that_of_mann_and_whitney() {
        let values = [3.0, 1.0, 4.0, 2.0, 6.0, 5.0];
        let (most, least) = extremes(&values, 2..=2).unwrap();
        assert!((most.above - 4.0 / (14.0_f64 / 3.0).sqrt()).abs() < 1e-9, "{most:?}");
        assert_eq!((most.since, least.since), (2, 2));
    }

    #[test]
    fn it_is_cut_where_it_stands_out_most() {
        let values: Vec<f64> =
            (0..30).map(|place| f64::from(place % 7) + if place < 22 { 0.0 } else { 20.0 }).collect();
        assert_eq!(extremes(&values, 4..=20).unwrap().0.since, 8);
        let fallen: Vec<f64> = values.iter().map(|value| -value).collect();
        assert_eq!(extremes(&fallen, 4..=20).unwrap().1.since, 8);
    }

    #[test]
    fn where_all_are_alike_nothing_stands_out() {
        assert!(extremes(&[1.0; 40], 4..=20).is_none());
        assert!(extremes(&[1.0, 2.0], 4..=20).is_none());
        assert!(extremes(&[], 1..=2).is_none());
    }
}
