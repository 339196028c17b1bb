use proptest::prelude::*;
use proptest::sample::select;
use rstest::rstest;
use uuid::Uuid;

use super::*;
use crate::alert_state::next;
use crate::staff::Role;

const LASTS: TimeDelta = TimeDelta::minutes(15);

fn noon() -> DateTime<Utc> {
    "2026-11-02T04:00:00Z".parse().unwrap()
}

fn person(number: usize) -> StaffId {
    StaffId::from_uuid(Uuid::from_u128(number as u128))
}

/// A submitting unit, two reviewers of the district, one of another, and three officers.
const STAFF: [(Role, &str); 7] = [
    (Role::SubmittingUnit, "district:500103"),
    (Role::DistrictReviewer, "district:500103"),
    (Role::DistrictReviewer, "district:500103"),
    (Role::DistrictReviewer, "district:500101"),
    (Role::CityCommandOfficer, "city"),
    (Role::CityCommandOfficer, "city"),
    (Role::CityCommandOfficer, "city"),
];

fn actor(number: usize) -> Actor {
    let (role, scope) = STAFF[number];
    Actor::Staff { id: person(number), role, scope: scope.parse().unwrap(), involved: false }
}

fn written_in_yuzhong() -> Participants {
    Participants::written_by(person(0), Some("500103".parse().unwrap()))
}

#[rstest]
#[case::its_author(0, State::DistrictReview, Err(Refusal::NotYoursToDecide))]
#[case::its_district(1, State::DistrictReview, Ok(()))]
#[case::another_district(3, State::DistrictReview, Err(Refusal::NotYoursToDecide))]
#[case::the_city_too_early(4, State::DistrictReview, Err(Refusal::NotYoursToDecide))]
#[case::the_city(4, State::CityReview, Ok(()))]
#[case::a_draft(0, State::Draft, Err(Refusal::NotWaiting(State::Draft)))]
#[case::approved(4, State::Approved, Err(Refusal::NotWaiting(State::Approved)))]
fn whoever_may_decide_may_claim(#[case] number: usize, #[case] state: State, #[case] expected: Result<(), Refusal>) {
    assert_eq!(may_claim(state, &written_in_yuzhong(), &actor(number)), expected);
}

#[test]
fn one_of_two_has_it_and_the_other_takes_it_over_by_saying_so() {
    let first = claimed(None, person(1), false, noon(), LASTS).unwrap();
    assert_eq!(claimed(Some(first), person(2), false, noon(), LASTS), Err(Refusal::ClaimedByOther));
    let second = claimed(Some(first), person(2), true, noon(), LASTS).unwrap();
    assert_eq!(second.by, person(2));
    let longer = claimed(Some(second), person(2), false, noon() + TimeDelta::minutes(5), LASTS).unwrap();
    assert_eq!(longer.until, noon() + TimeDelta::minutes(20));
}

#[rstest]
#[case::while_it_lasts(TimeDelta::minutes(14), true, true)]
#[case::its_time_is_over(TimeDelta::minutes(15), true, false)]
#[case::its_owner_is_gone(TimeDelta::zero(), false, false)]
fn a_claim_lapses(#[case] after: TimeDelta, #[case] signed_in: bool, #[case] stands: bool) {
    let claim = claimed(None, person(1), false, noon(), LASTS).unwrap();
    assert_eq!(claim.stands(signed_in, noon() + after), stands);
}

#[rstest]
#[case::a_review(Action::PassDistrict, true)]
#[case::a_return(Action::ReturnCity, true)]
#[case::a_cancellation_waits_for_nobody(Action::Cancel, false)]
#[case::nor_does_a_stop(Action::Stop, false)]
fn others_are_told_before_they_review_what_somebody_is_at(#[case] action: Action, #[case] expected: bool) {
    let claim = claimed(None, person(1), false, noon(), LASTS).ok();
    assert_eq!(is_in_the_way(claim, person(2), action), expected);
    assert!(!is_in_the_way(claim, person(1), action));
    assert!(!is_in_the_way(None, person(2), action));
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Claim { by: usize, take_over: bool },
    Release { by: usize },
    Decide { by: usize, action: Action, known: bool },
    SignOut { by: usize },
    Wait { minutes: i64 },
}

fn deeds() -> impl Strategy<Value = Deed> {
    let by = 0..STAFF.len();
    let steps =
        vec![Action::Submit, Action::ComposeUrgent, Action::PassDistrict, Action::ReturnDistrict, Action::ReturnCity, Action::Decline];
    prop_oneof![
        4 => (by.clone(), any::<bool>()).prop_map(|(by, take_over)| Deed::Claim { by, take_over }),
        1 => by.clone().prop_map(|by| Deed::Release { by }),
        4 => (by.clone(), select(steps), any::<bool>()).prop_map(|(by, action, known)| Deed::Decide { by, action, known }),
        1 => by.prop_map(|by| Deed::SignOut { by }),
        2 => (0..30_i64).prop_map(|minutes| Deed::Wait { minutes }),
    ]
}

proptest! {
    /// Whatever is claimed, released, taken over and decided: for an alert that waits there is somebody who may decide about it at once, and nobody who
    /// may is kept from it by a claim that they know of or take over.
    #[test]
    fn nothing_leaves_an_alert_that_nobody_may_decide(author in select(vec![0_usize, 4]), deeds in prop::collection::vec(deeds(), 0..40)) {
        let district = (author == 0).then(|| "500103".parse().unwrap());
        let (mut state, mut participants) = (State::Draft, Participants::written_by(person(author), district));
        let (mut claim, mut now): (Option<Claim>, _) = (None, noon());
        let mut gone = [false; STAFF.len()];
        for deed in deeds {
            let owner = |claim: &Claim| (0..STAFF.len()).find(|number| person(*number) == claim.by).unwrap();
            claim = claim.filter(|claim| claim.stands(!gone[owner(claim)], now));
            match deed {
                Deed::Claim { by, take_over } => {
                    gone[by] = false;
                    if may_claim(state, &participants, &actor(by)).is_ok() {
                        claim = claimed(claim, person(by), take_over, now, LASTS).ok().or(claim);
                    }
                }
                Deed::Release { by } => claim = claim.filter(|claim| claim.by != person(by)),
                Deed::Decide { by, action, known } => {
                    let decided = next(state, action, &participants, &actor(by), "理由").ok();
                    if let Some(decided) = decided.filter(|_| known || !is_in_the_way(claim, person(by), action)) {
                        (state, participants, claim) = (decided.state, decided.participants, None);
                    }
                }
                Deed::SignOut { by } => gone[by] = true,
                Deed::Wait { minutes } => now += TimeDelta::minutes(minutes),
            }
            if state.waits() {
                let reviews = |number: usize| open_actions(state, &participants, &actor(number)).into_iter().filter(|step| step.reviews());
                prop_assert!((0..STAFF.len()).any(|number| reviews(number).next().is_some()), "{state:?} {participants:?}");
                for number in 0..STAFF.len() {
                    for step in reviews(number) {
                        prop_assert!(next(state, step, &participants, &actor(number), "理由").is_ok());
                        // whoever is not at it themselves says that they know, or takes it over and is in nobody's way
                        let own = claimed(claim, person(number), true, now, LASTS);
                        prop_assert!(own.is_ok_and(|own| own.stands(true, now) && !is_in_the_way(Some(own), person(number), step)));
                    }
                }
            }
        }
    }
}
