//! How the Firebase projects share the endpoints: each gets as many as its quota is of all quotas.

use std::num::NonZeroU32;

/// 2⁶⁴ divided by the golden ratio: multiples of it fall evenly over all of `u64`, whatever stretch of ids they come from. So every batch goes to all
/// projects at once, in their proportion.
const EVENLY: u64 = 0x9e37_79b9_7f4a_7c15;

/// The shares.
#[derive(Debug)]
pub(super) struct Shares {
    /// The quotas up to and including each project.
    up_to: Vec<u64>,
}

impl Shares {
    /// By quota; at least one project.
    pub(super) fn of(quotas: impl Iterator<Item = NonZeroU32>) -> Self {
        let up_to = quotas.scan(0, |sum, quota| {
            *sum += u64::from(quota.get());
            Some(*sum)
        });
        Self { up_to: up_to.collect() }
    }

    /// The project of an endpoint, by its place among the settings.
    pub(super) fn of_endpoint(&self, endpoint_id: i64) -> usize {
        let all = self.up_to.last().copied().unwrap_or_default();
        // Below `all`, which fits u64.
        let place = ((u128::from(endpoint_id.cast_unsigned().wrapping_mul(EVENLY)) * u128::from(all)) >> 64) as u64;
        self.up_to.partition_point(|up_to| *up_to <= place)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::one(&[600_000])]
    #[case::two_alike(&[600_000, 600_000])]
    #[case::two_to_one(&[600_000, 300_000])]
    #[case::very_different(&[1_000_000, 1, 600_000, 7_000])]
    fn every_project_gets_its_share_of_any_stretch_of_endpoints(#[case] quotas: &[u32]) {
        let shares = Shares::of(quotas.iter().filter_map(|quota| NonZeroU32::new(*quota)));
        let all: u32 = quotas.iter().sum();
        for stretch in [1_i64..501, 1_000_000..1_010_000] {
            let mut endpoints = vec![0.0; quotas.len()];
            let length = (stretch.end - stretch.start) as f64;
            stretch.for_each(|endpoint| endpoints[shares.of_endpoint(endpoint)] += 1.0);
            for (endpoints, quota) in endpoints.iter().zip(quotas) {
                let fair = length * f64::from(*quota) / f64::from(all);
                assert!((endpoints - fair).abs() <= 4.0, "{endpoints} of {length} endpoints, {fair} would be fair");
            }
        }
    }

    #[test]
    fn an_endpoint_always_has_the_same_project() {
        let quotas = || [600_000, 300_000].into_iter().filter_map(NonZeroU32::new);
        let (one, other) = (Shares::of(quotas()), Shares::of(quotas()));
        assert!((-50..50).chain([i64::MIN, i64::MAX]).all(|id| one.of_endpoint(id) == other.of_endpoint(id) && one.of_endpoint(id) < 2));
    }
}
