use proptest::prelude::*;
use rstest::rstest;
use strum::VariantArray as _;

use super::*;

const FIVE: TimeDelta = TimeDelta::minutes(5);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000_000 + seconds)
}

fn shown() -> Proof {
    Proof::shown(at(0), FIVE)
}

#[rstest]
#[case::approves_and_sends(Role::CityCommandOfficer, true)]
#[case::passes_and_opens_contacts(Role::DistrictReviewer, true)]
#[case::opens_contacts(Role::CommunityWorker, true)]
#[case::runs_everything(Role::TechnicalOperator, true)]
#[case::administers(Role::Administrator, true)]
#[case::reads_what_people_bring(Role::HotlineOperator, true)]
#[case::works_on_it(Role::UnitHandler, true)]
#[case::decides_it(Role::UnitLead, true)]
#[case::supervises_it(Role::Supervisor, true)]
#[case::only_reports(Role::SubmittingUnit, false)]
#[case::only_looks(Role::IndustrySupervisor, false)]
#[case::only_reads_the_trace(Role::Auditor, false)]
fn who_has_power_has_a_second_factor(#[case] role: Role, #[case] needed: bool) {
    assert_eq!(needed_by(role), needed);
}

fn holder(role: Role, has_factor: bool, enrol_by: Option<i64>) -> Holder {
    Holder { role, has_factor, enrol_by: enrol_by.map(at) }
}

use CameWith::{ActivationCode, Password};
use Role::{Auditor, CityCommandOfficer as Officer};

#[rstest]
#[case::password_alone(holder(Officer, true, None), Password, None, Err(Needs::Proof))]
#[case::new_with_the_code_of_two(holder(Officer, false, None), ActivationCode, None, Err(Needs::Enrolment))]
#[case::nothing_enrolled_and_a_password_that_may_be_stolen(holder(Officer, false, None), Password, None, Err(Needs::Reset))]
#[case::shown(holder(Officer, true, None), Password, Some(shown()), Ok(shown()))]
#[case::shown_but_taken_away_since(holder(Officer, false, None), Password, Some(shown()), Err(Needs::Reset))]
#[case::needs_none(holder(Auditor, false, None), Password, None, Ok(Proof::NotAsked))]
#[case::needs_none_but_has_one(holder(Auditor, true, None), Password, None, Err(Needs::Proof))]
#[case::began_before_one_was_enrolled(holder(Auditor, true, None), Password, Some(Proof::NotAsked), Err(Needs::Proof))]
#[case::from_before_in_its_grace(holder(Officer, false, Some(1)), Password, None, Ok(Proof::Spared { until: at(1) }))]
#[case::from_before_when_the_grace_is_over(holder(Officer, false, Some(0)), Password, None, Err(Needs::Reset))]
#[case::from_before_and_enrolled(holder(Officer, true, Some(1)), Password, None, Err(Needs::Proof))]
#[case::from_before_with_the_code_of_two(holder(Officer, false, Some(0)), ActivationCode, None, Err(Needs::Enrolment))]
fn what_a_session_may_do(
    #[case] holder: Holder,
    #[case] came_with: CameWith,
    #[case] proof: Option<Proof>,
    #[case] standing_now: Result<Proof, Needs>,
) {
    assert_eq!(standing(holder, came_with, proof, at(0)), standing_now);
}

#[rstest]
#[case::a_password(Password, None)]
#[case::the_code_of_two(ActivationCode, None)]
#[case::a_passkey(CameWith::BothFactors, Some(true))]
#[case::the_word_of_a_directory(CameWith::DirectoryFactors, Some(false))]
fn who_comes_with_a_second_factor_has_shown_it_and_by_a_directory_not_freshly(#[case] came_with: CameWith, #[case] fresh: Option<bool>) {
    let fresh_for = TimeDelta::seconds(300);
    let proof = came_with.shown_at(at(0), fresh_for).map(|shown| Proof::shown(shown, fresh_for));
    assert_eq!(proof.map(|proof| permit(Act::ConfirmUrgent, proof, at(0)).is_ok()), fresh);
    // nor for a machine whose clock is a minute behind
    assert_eq!(proof.map(|proof| permit(Act::ConfirmUrgent, proof, at(-60)).is_ok()), fresh);
    let officer = holder(Officer, true, None);
    assert_eq!(standing(officer, Password, proof, at(0)), proof.ok_or(Needs::Proof));
}

#[test]
fn in_the_grace_nothing_asks_for_a_proof_and_at_its_end_everything_does() {
    let spared = Proof::Spared { until: at(100) };
    assert_eq!(permit(Act::ConfirmUrgent, spared, at(99)), Ok(()));
    assert_eq!(permit(Act::ConfirmUrgent, spared, at(100)), Err(NotFresh));
}

#[rstest]
#[case(Act::ConfirmUrgent, true)]
#[case(Act::TakeBack, true)]
#[case(Act::ChangeOwnFactors, true)]
#[case(Act::ConfirmProposal, true)]
#[case(Act::IssueKey, true)]
#[case(Act::Silence, true)]
#[case(Act::ActivateRule, true)]
#[case::again_to_few(Act::SendAgain { people: Some(100_000), many: 100_000 }, false)]
#[case::again_to_many(Act::SendAgain { people: Some(100_001), many: 100_000 }, true)]
#[case::again_to_nobody_knows_how_many(Act::SendAgain { people: None, many: 100_000 }, true)]
#[case::few(Act::Approve { people: Some(100_000), many: 100_000 }, false)]
#[case::many(Act::Approve { people: Some(100_001), many: 100_000 }, true)]
#[case::nobody_knows_how_many(Act::Approve { people: None, many: 100_000 }, true)]
#[case::a_visit(Act::OpenContact { opened: 5, many: 5 }, false)]
#[case::a_phone_book(Act::OpenContact { opened: 6, many: 5 }, true)]
fn which_acts_ask_for_a_fresh_proof(#[case] act: Act, #[case] asks: bool) {
    assert_eq!(act.asks(), asks);
    assert_eq!(permit(act, shown(), at(299)), Ok(()));
    assert_eq!(permit(act, shown(), at(300)).is_err(), asks, "five minutes later");
    assert_eq!(permit(act, shown(), at(-60)), Ok(()), "two machines differ by a little");
    assert_eq!(permit(act, shown(), at(-61)).is_err(), asks, "a clock is wrong");
}

#[test]
fn who_has_no_factor_enrols_one_and_does_nothing_else_that_asks() {
    assert_eq!(permit(Act::ChangeOwnFactors, Proof::NotAsked, at(0)), Ok(()));
    assert_eq!(permit(Act::TakeBack, Proof::NotAsked, at(0)), Err(NotFresh));
}

#[rstest]
#[case::the_only_one(Role::Administrator, 1, false)]
#[case::one_of_two(Role::Administrator, 2, true)]
#[case::not_needed(Role::Auditor, 1, true)]
fn the_last_factor_that_is_needed_stays(#[case] role: Role, #[case] factors: usize, #[case] may: bool) {
    assert_eq!(may_remove_one(role, factors), may);
}

proptest! {
    /// Whatever order codes come in, no step is taken twice, nor one before it.
    #[test]
    fn a_step_is_used_once(steps in prop::collection::vec(0..40_u64, 1..60)) {
        let (mut last, mut used) = (None, Vec::new());
        for step in steps {
            if is_new_step(step, last) {
                prop_assert!(!used.contains(&step));
                used.push(step);
                last = Some(step);
            }
        }
        prop_assert!(used.is_sorted());
    }

    /// A session never gains by time: what a proof does not permit now it does not permit later.
    #[test]
    fn a_proof_only_ages(early in 0..1_000_i64, later in 0..1_000_i64) {
        let first = permit(Act::ConfirmUrgent, shown(), at(early));
        if first.is_err() {
            prop_assert!(permit(Act::ConfirmUrgent, shown(), at(early + later)).is_err());
        }
    }

    /// Nobody with power gets past the door on a password, whatever their account has, once the grace is over.
    #[test]
    fn a_password_alone_opens_nothing(role in prop::sample::select(Role::VARIANTS), has_factor: bool, over_for in prop::option::of(0..100_i64)) {
        let standing = standing(holder(role, has_factor, over_for.map(|seconds| -seconds)), Password, None, at(0));
        prop_assert_eq!(standing.is_err(), needed_by(role) || has_factor);
        let may_enrol = standing == Err(Needs::Enrolment);
        prop_assert!(!may_enrol, "a first factor takes more than a password");
        let shown = matches!(standing, Ok(Proof::Shown { .. }));
        prop_assert!(!shown);
    }
}
