//! Remarks on a draft, beside the texts: who may make one, who says that it is settled, what it may hold.
//!
//! They are the business of those who make the alert, and end with its making: what people were told is not remarked on, it is corrected.

use strum::AsRefStr;

use crate::alert_state::{Actor, Participants, State, may_write};
use crate::area::Area;
use crate::ids::StaffId;
use crate::privacy;

/// Remarks on one alert at most, replies among them.
pub const MOST: usize = 200;
/// Longest remark, in characters.
pub const LONGEST: usize = 1_000;

/// Why a remark is not taken, or not settled. The text is for the person who tried; `as_ref()` is a code for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum Refusal {
    /// It is written and reviewed no more.
    #[error("弹窗当前为“{}”，批注已截止", .0.title())]
    CommentsClosed(State),
    /// It is none of theirs.
    #[error("该弹窗不在您的管辖范围内，或您不参与撰写和审核")]
    OutsideScope,
    /// Neither who made it nor the author.
    #[error("只有批注人或弹窗的撰写人可以标为已处理")]
    NotYoursToResolve,
    /// A reply is settled with what it replies to.
    #[error("回复随所回复的批注一起处理")]
    ReplyHasNoEnd,
    /// There are as many as may be.
    #[error("这条弹窗已有 {MOST} 条批注，请先当面商量，或退回修改")]
    TooManyComments,
}

/// What is wrong with the words of a remark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There are none.
    #[error("请写明意见")]
    Missing,
    /// It has this many characters.
    #[error("批注有 {0} 个字，最多 {LONGEST} 个字，请缩短")]
    TooLong(usize),
    /// Somebody could be recognised.
    #[error("批注中有个人信息（号码或住址），请删去")]
    PersonalData,
}

/// Whether somebody may remark on an alert of this area, which has so many remarks.
///
/// # Errors
/// Why not.
pub fn may_comment(state: State, area: Area, actor: &Actor, there: usize) -> Result<(), Refusal> {
    works_on(state, area, actor)?;
    if there < MOST { Ok(()) } else { Err(Refusal::TooManyComments) }
}

/// A remark, as far as it matters for who settles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remark {
    /// Who made it.
    pub by: StaffId,
    /// Whether it replies to another.
    pub is_reply: bool,
}

/// Whether somebody may say of a remark that it is settled, or is not after all.
///
/// # Errors
/// Why not.
pub fn may_resolve(state: State, area: Area, participants: &Participants, actor: &Actor, remark: Remark) -> Result<(), Refusal> {
    works_on(state, area, actor)?;
    match actor {
        _ if remark.is_reply => Err(Refusal::ReplyHasNoEnd),
        Actor::Staff { id, .. } if *id == remark.by || *id == participants.submitter => Ok(()),
        _ => Err(Refusal::NotYoursToResolve),
    }
}

fn works_on(state: State, area: Area, actor: &Actor) -> Result<(), Refusal> {
    match state {
        _ if !may_write(area, actor) => Err(Refusal::OutsideScope),
        state if state.in_the_making() => Ok(()),
        state => Err(Refusal::CommentsClosed(state)),
    }
}

/// Whether somebody who takes an alert forward knows of its open remarks: there are none, or they say that they know, and none has come since they
/// counted `seen` of them. Who does not say how many they saw is taken to have seen all.
#[must_use]
pub fn are_known(open: i64, said: bool, seen: Option<i64>) -> bool {
    open == 0 || said && seen.is_none_or(|seen| open <= seen)
}

/// The words of a remark, without blanks around them.
///
/// # Errors
/// What is wrong with them; never the words themselves.
pub fn checked(text: &str) -> Result<&str, Fault> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(Fault::Missing),
        length if length > LONGEST => Err(Fault::TooLong(length)),
        _ if !privacy::find(text, "").is_empty() => Err(Fault::PersonalData),
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use strum::VariantArray;
    use uuid::Uuid;

    use super::*;
    use crate::staff::Role;

    const YUZHONG: &str = "500103";

    fn person(number: u128) -> StaffId {
        StaffId::from_uuid(Uuid::from_u128(number))
    }

    fn staff(number: u128, role: Role, scope: &str) -> Actor {
        Actor::Staff { id: person(number), role, scope: scope.parse().unwrap(), involved: false }
    }

    fn yuzhong() -> Area {
        Area::District(YUZHONG.parse().unwrap())
    }

    #[rstest]
    #[case::its_unit(Role::SubmittingUnit, "district:500103", Ok(()))]
    #[case::its_reviewer(Role::DistrictReviewer, "district:500103", Ok(()))]
    #[case::the_command(Role::CityCommandOfficer, "city", Ok(()))]
    #[case::another_district(Role::DistrictReviewer, "district:500101", Err(Refusal::OutsideScope))]
    #[case::who_only_reads(Role::Auditor, "city", Err(Refusal::OutsideScope))]
    fn whoever_works_on_a_draft_remarks_on_it(#[case] role: Role, #[case] scope: &str, #[case] expected: Result<(), Refusal>) {
        for state in State::VARIANTS {
            let expected = if state.in_the_making() { expected } else { expected.and(Err(Refusal::CommentsClosed(*state))) };
            assert_eq!(may_comment(*state, yuzhong(), &staff(1, role, scope), 0), expected, "{state}");
        }
    }

    #[rstest]
    #[case::one_more(MOST - 1, Ok(()))]
    #[case::full(MOST, Err(Refusal::TooManyComments))]
    fn there_is_room_for_so_many(#[case] there: usize, #[case] expected: Result<(), Refusal>) {
        assert_eq!(may_comment(State::Draft, yuzhong(), &staff(1, Role::CityCommandOfficer, "city"), there), expected);
    }

    #[rstest]
    #[case::who_made_it(2, false, Ok(()))]
    #[case::the_author(1, false, Ok(()))]
    #[case::somebody_else(3, false, Err(Refusal::NotYoursToResolve))]
    #[case::a_reply(2, true, Err(Refusal::ReplyHasNoEnd))]
    fn a_remark_is_settled_by_who_made_it_or_the_author(
        #[case] number: u128,
        #[case] is_reply: bool,
        #[case] expected: Result<(), Refusal>,
    ) {
        let participants = Participants::written_by(person(1), Some(YUZHONG.parse().unwrap()));
        let actor = staff(number, Role::DistrictReviewer, "district:500103");
        let remark = Remark { by: person(2), is_reply };
        assert_eq!(may_resolve(State::DistrictReview, yuzhong(), &participants, &actor, remark), expected);
    }

    #[rstest]
    #[case::none(0, false, None, true)]
    #[case::unknown(1, false, None, false)]
    #[case::known(2, true, None, true)]
    #[case::known_and_counted(2, true, Some(2), true)]
    #[case::one_has_come_since(3, true, Some(2), false)]
    #[case::one_was_settled_since(1, true, Some(2), true)]
    fn who_goes_on_knows_of_every_open_remark(#[case] open: i64, #[case] said: bool, #[case] seen: Option<i64>, #[case] known: bool) {
        assert_eq!(are_known(open, said, seen), known);
    }

    #[rstest]
    #[case::words("  日期写错了 ", Ok("日期写错了"))]
    #[case::blanks(" \n ", Err(Fault::Missing))]
    #[case::a_phone_number("请打13800138000问", Err(Fault::PersonalData))]
    fn a_remark_is_some_words_about_nobody(#[case] text: &str, #[case] expected: Result<&str, Fault>) {
        assert_eq!(checked(text), expected);
    }

    #[test]
    fn a_remark_is_no_treatise() {
        assert!(checked(&"长".repeat(LONGEST)).is_ok());
        assert_eq!(checked(&"长".repeat(LONGEST + 1)), Err(Fault::TooLong(LONGEST + 1)));
    }
}
