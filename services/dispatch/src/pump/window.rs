//! How much of a channel may be on its way at once, and in one batch, in seconds of its work.

use domain::outcome::Channel;
use domain::turn::{Load, Window};

use crate::forecast::Capacity;
use crate::settings::Settings;

/// A batch of short messages is so many seconds of work,
const SMS_BATCH_S: f64 = 2.0;
/// unless that would be fewer people than are worth a batch.
const SMALLEST_SMS_BATCH: u16 = 50;

/// Settings with batches of short messages that are no longer than the rate of their account makes sensible.
pub(crate) fn sized(mut settings: Settings, capacity: &Capacity) -> Settings {
    if let Some(rate) = capacity.recipients_per_second(Channel::Sms, &settings.forecast) {
        let size = (rate * SMS_BATCH_S).clamp(f64::from(SMALLEST_SMS_BATCH), f64::from(u16::MAX)) as u16;
        settings.sms_batch_size = settings.sms_batch_size.min(size);
    }
    settings
}

/// The window of a channel: as many recipients as it sends in half a lease, so that what waits is claimed before its lease ends, and no more
/// batches than the setting says.
pub(super) fn of(channel: Channel, settings: &Settings, capacity: &Capacity) -> Window {
    let batches = usize::from(settings.window);
    let most = u64::from(settings.window) * u64::from(settings.size_of(channel));
    let people = capacity.recipients_per_second(channel, &settings.forecast).map_or(most, |rate| {
        let seconds = f64::from(settings.lease_s) / 2.0;
        ((rate * seconds) as u64).clamp(1, most)
    });
    Window(Load { people, batches })
}

#[cfg(test)]
mod tests {
    use domain::forecast::LaneRate;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::unlimited(LaneRate::Unlimited, 32_000)]
    #[case::half_a_lease_at_500_people_a_second(LaneRate::Granted(1_000.0), 7_500)]
    #[case::slow(LaneRate::Granted(10.0), 75)]
    #[case::nearly_nothing(LaneRate::Granted(0.01), 1)]
    fn the_window_of_sms_is_half_a_lease_of_work(#[case] sms: LaneRate, #[case] people: u64) {
        let capacity = Capacity { sms, ..Capacity::default() };
        assert_eq!(of(Channel::Sms, &Settings::default(), &capacity), Window(Load { people, batches: 32 }));
    }

    #[rstest]
    #[case::as_agreed(1_000.0, 1_000)]
    #[case::slow(100.0, 100)]
    #[case::very_slow(1.0, 50)]
    #[case::fast(100_000.0, 1_000)]
    fn a_batch_of_short_messages_is_two_seconds_of_work_at_most(#[case] parts_per_second: f64, #[case] size: u16) {
        let capacity = Capacity { sms: LaneRate::Granted(parts_per_second), ..Capacity::default() };
        let settings = sized(Settings::default(), &capacity);
        assert_eq!((settings.size_of(Channel::Sms), settings.size_of(Channel::App)), (size, settings.batch_size));
    }
}
