//! Exercises reach nobody but their participants, by construction.
//!
//! A channel's live send function takes a [`Live`], its drill function a [`Drill`]. Neither can be made except by
//! [`Sendable::of`], which asks the alert's status, and neither becomes the other: sending an exercise to the public is a
//! program that does not compile.
//!
//! ```compile_fail,E0308
//! use domain::cap::Status;
//! use domain::exercise::{Drill, Live, Sendable};
//!
//! fn send_to_the_public(_: Live<&str>) {}
//!
//! if let Ok(Sendable::Drill(exercise)) = Sendable::of(Status::Exercise, "a rehearsed outbreak") {
//!     send_to_the_public(exercise);
//! }
//! ```

use crate::alert::AlertText;
use crate::cap::Status;
use crate::language::Language;

/// Something that may go to the public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live<T>(T);

/// Something that may go to the enrolled participants of an exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drill<T>(T);

/// Something that may be sent, with the distinction made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sendable<T> {
    /// To the public.
    Live(Live<T>),
    /// To participants only.
    Drill(Drill<T>),
}

/// An alert of this status goes to nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an alert with the status {status} is sent to nobody")]
pub struct NotSendable {
    /// Its status.
    pub status: Status,
}

impl<T> Sendable<T> {
    /// Marks what belongs to an alert of this status.
    ///
    /// # Errors
    /// If the status is neither actual nor exercise.
    pub fn of(status: Status, what: T) -> Result<Self, NotSendable> {
        match status {
            Status::Actual => Ok(Self::Live(Live(what))),
            Status::Exercise => Ok(Self::Drill(Drill(what))),
            Status::System | Status::Test | Status::Draft => Err(NotSendable { status }),
        }
    }
}

macro_rules! marked {
    ($($name:ident)*) => {$(
        impl<T> $name<T> {
            /// What is marked.
            pub const fn get(&self) -> &T {
                &self.0
            }

            /// What is marked, without its mark.
            pub fn into_inner(self) -> T {
                self.0
            }

            /// Something made from it keeps the mark.
            pub fn map<U>(self, make: impl FnOnce(T) -> U) -> $name<U> {
                $name(make(self.0))
            }
        }
    )*};
}

marked! { Live Drill }

impl Drill<AlertText> {
    /// The text as participants see it: every part that can stand alone says that it is an exercise.
    #[must_use]
    pub fn announced(self, language: Language) -> AlertText {
        let mark = match language {
            Language::ZhCn => "【演练】",
            Language::En => "[EXERCISE] ",
        };
        let AlertText { headline, body, instruction, sms } = self.0;
        AlertText { headline: format!("{mark}{headline}"), body: format!("{mark}{body}"), instruction, sms: format!("{mark}{sms}") }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn an_actual_alert_is_live_and_an_exercise_is_a_drill() {
        assert!(matches!(Sendable::of(Status::Actual, 7), Ok(Sendable::Live(live)) if *live.get() == 7));
        assert!(matches!(Sendable::of(Status::Exercise, 7), Ok(Sendable::Drill(drill)) if drill.into_inner() == 7));
    }

    #[rstest]
    #[case(Status::System)]
    #[case(Status::Test)]
    #[case(Status::Draft)]
    fn nothing_else_is_sent(#[case] status: Status) {
        assert_eq!(Sendable::of(status, ()), Err(NotSendable { status }));
    }

    #[test]
    fn whatever_is_read_alone_says_that_it_is_an_exercise() {
        let text = AlertText {
            headline: "请居家".into(), body: "附近有病例".into(), instruction: "不外出".into(), sms: "请居家".into()
        };
        let Ok(Sendable::Drill(drill)) = Sendable::of(Status::Exercise, text) else { panic!("an exercise is a drill") };
        let announced = drill.announced(Language::ZhCn);
        for part in [announced.headline, announced.body, announced.sms] {
            assert!(part.starts_with("【演练】"), "{part}");
        }
    }
}
