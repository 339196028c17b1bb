//! The second reminder 二次提醒 (CQ11): who is reminded, and on which channel.

use roaring::RoaringBitmap;

use crate::outcome::Channel;

/// Who is reminded: everybody in the audience who has not acknowledged, has not withdrawn consent and could be reached at all.
/// Who could not be reached is already an item for their community.
pub fn recipients(
    audience: &RoaringBitmap,
    acknowledged: &RoaringBitmap,
    withdrawn: &RoaringBitmap,
    unreachable: &RoaringBitmap,
) -> RoaringBitmap {
    let mut silent = audience - acknowledged;
    silent -= withdrawn;
    silent -= unreachable;
    silent
}

/// The channel that reminds somebody last told by `last`: the other one where there is one, since a message on the same channel may go
/// unseen for the same reason; else the same one again. `None`: neither is left, and the community follows up.
pub const fn next_channel(last: Channel, has_app: bool, has_phone: bool) -> Option<Channel> {
    match (last, has_app, has_phone) {
        (_, false, false) => None,
        (Channel::App, _, true) | (_, false, true) => Some(Channel::Sms),
        (Channel::App | Channel::Sms | Channel::Display, true, _) => Some(Channel::App),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::told_by_app_has_both(Channel::App, true, true, Some(Channel::Sms))]
    #[case::told_by_app_has_no_phone(Channel::App, true, false, Some(Channel::App))]
    #[case::told_by_app_that_is_gone_since(Channel::App, false, true, Some(Channel::Sms))]
    #[case::told_by_sms_has_both(Channel::Sms, true, true, Some(Channel::App))]
    #[case::told_by_sms_has_no_app(Channel::Sms, false, true, Some(Channel::Sms))]
    #[case::told_by_sms_number_gone_since(Channel::Sms, true, false, Some(Channel::App))]
    #[case::saw_a_screen(Channel::Display, true, true, Some(Channel::App))]
    #[case::saw_a_screen_has_no_app(Channel::Display, false, true, Some(Channel::Sms))]
    #[case::nothing_left(Channel::App, false, false, None)]
    fn the_reminder_goes_by_another_channel_where_there_is_one(
        #[case] last: Channel,
        #[case] has_app: bool,
        #[case] has_phone: bool,
        #[case] expected: Option<Channel>,
    ) {
        assert_eq!(next_channel(last, has_app, has_phone), expected);
    }

    proptest! {
        #[test]
        fn only_the_silent_are_reminded(
            audience in prop::collection::btree_set(0u32..64, 0..64),
            acknowledged in prop::collection::btree_set(0u32..64, 0..64),
            withdrawn in prop::collection::btree_set(0u32..64, 0..64),
            unreachable in prop::collection::btree_set(0u32..64, 0..64),
        ) {
            let bitmap = |set: &std::collections::BTreeSet<u32>| set.iter().copied().collect::<RoaringBitmap>();
            let reminded = recipients(&bitmap(&audience), &bitmap(&acknowledged), &bitmap(&withdrawn), &bitmap(&unreachable));
            for resident in 0..64 {
                let is_silent = audience.contains(&resident)
                    && !acknowledged.contains(&resident)
                    && !withdrawn.contains(&resident)
                    && !unreachable.contains(&resident);
                prop_assert_eq!(reminded.contains(resident), is_silent);
            }
        }
    }
}
