//! One chunk of a wave: whom it found, and how far the wave is planned with it.

use domain::outcome::Channel;

/// What one chunk found.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Chunk {
    /// Ascending resident numbers for the app.
    pub app: Vec<u32>,
    /// Ascending resident numbers for SMS.
    pub sms: Vec<u32>,
    /// Audience without a channel.
    pub no_channel: Vec<u32>,
    /// The cursor after this chunk; none: the wave is planned to its end.
    pub planned: Option<Cursor>,
}

/// How far a wave is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Which leg of the audience's query is being gone through, from 0; always 0 for people named one by one and for reminders.
    pub leg: usize,
    /// The last resident number; -1 before the first, and always for reminders.
    pub to: i64,
}

impl Cursor {
    pub const START: Self = Self { leg: 0, to: -1 };

    pub fn at(number: u32) -> Self {
        Self { leg: 0, to: i64::from(number) }
    }
}

/// What the view says about one resident.
pub(super) struct Reach {
    pub number: u32,
    pub app: bool,
    pub sms: bool,
    pub drill: bool,
}

impl Chunk {
    /// An exercise passes everybody by who is not enrolled.
    pub fn add(&mut self, reach: &Reach, exercise: bool) {
        if exercise && !reach.drill {
            return;
        }
        match Channel::first(reach.app, reach.sms) {
            Some(Channel::App) => self.app.push(reach.number),
            Some(Channel::Sms) => self.sms.push(reach.number),
            Some(Channel::Display) | None => self.no_channel.push(reach.number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    // app, sms, drill, exercise → app, sms, no channel
    #[case::both(true, true, false, false, [1, 0, 0])]
    #[case::phone_only(false, true, false, false, [0, 1, 0])]
    #[case::neither(false, false, true, false, [0, 0, 1])]
    #[case::exercise_enrolled(true, true, true, true, [1, 0, 0])]
    #[case::exercise_not_enrolled(true, true, false, true, [0, 0, 0])]
    fn the_channel_of_a_resident(
        #[case] app: bool,
        #[case] sms: bool,
        #[case] drill: bool,
        #[case] exercise: bool,
        #[case] expected: [usize; 3],
    ) {
        let mut chunk = Chunk::default();
        chunk.add(&Reach { number: 7, app, sms, drill }, exercise);
        assert_eq!([chunk.app.len(), chunk.sms.len(), chunk.no_channel.len()], expected);
    }
}
