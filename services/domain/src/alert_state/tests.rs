use std::collections::BTreeSet;

use proptest::prelude::*;
use rstest::rstest;
use strum::VariantArray;
use uuid::Uuid;

use super::*;
use crate::industry::Industry;

const YUZHONG: &str = "500103";
const WANZHOU: &str = "500101";

fn district(code: &str) -> DistrictCode {
    code.parse().unwrap()
}

fn person(number: u128) -> StaffId {
    StaffId::from_uuid(Uuid::from_u128(number))
}

fn staff(number: u128, role: Role, scope: Scope) -> Actor {
    assert!(role.accepts(&scope), "{role} with scope {scope}");
    Actor::Staff { id: person(number), role, scope, involved: false }
}

fn unit(number: u128) -> Actor {
    staff(number, Role::SubmittingUnit, Scope::District(district(YUZHONG)))
}

fn reviewer(number: u128, of: &str) -> Actor {
    staff(number, Role::DistrictReviewer, Scope::District(district(of)))
}

fn city(number: u128) -> Actor {
    staff(number, Role::CityCommandOfficer, Scope::City)
}

/// A draft of person 1 in Yuzhong.
fn draft() -> Participants {
    Participants::written_by(person(1), Some(district(YUZHONG)))
}

/// Takes steps one after the other; each has to be permitted.
fn walk(start: Participants, steps: &[(Action, Actor)]) -> Decision {
    let mut at = Decision { state: State::Draft, participants: start, class: None };
    for (action, actor) in steps {
        let class = at.class;
        at = next(at.state, *action, &at.participants, actor, "理由").unwrap_or_else(|refusal| panic!("{action}: {refusal}"));
        at.class = at.class.or(class);
    }
    at
}

/// Whoever delivered a record behind an alert, wrote its rule or an earlier version of its text would review themselves.
#[rstest]
#[case(State::DistrictReview, Action::PassDistrict, reviewer(2, YUZHONG), true)]
#[case(State::DistrictReview, Action::ReturnDistrict, reviewer(2, YUZHONG), true)]
#[case(State::CityReview, Action::Approve, city(3), true)]
#[case(State::CityReview, Action::Refuse, city(3), true)]
#[case(State::AwaitingConfirmation, Action::Confirm, city(3), true)]
#[case::cancelling_needs_no_other(State::Active, Action::Cancel, city(3), false)]
#[case::stopping_needs_no_other(State::Active, Action::Stop, city(3), false)]
fn who_had_a_hand_in_it_reviews_nothing_of_it(#[case] state: State, #[case] action: Action, #[case] actor: Actor, #[case] refused: bool) {
    let participants = draft();
    assert!(next(state, action, &participants, &actor, "理由").is_ok());
    let Actor::Staff { id, role, scope, .. } = actor else { panic!("the cases are people") };
    let involved = Actor::Staff { id, role, scope, involved: true };
    let outcome = next(state, action, &participants, &involved, "理由");
    assert_eq!(outcome == Err(Refusal::SamePerson { action }), refused);
    assert_eq!(open_actions(state, &participants, &involved).contains(&action), !refused);
}

#[test]
fn a_routine_alert_passes_district_and_city_and_lives_until_it_expires() {
    let end = walk(
        draft(),
        &[
            (Action::Submit, unit(1)),
            (Action::PassDistrict, reviewer(2, YUZHONG)),
            (Action::Approve, city(3)),
            (Action::Release, Actor::System),
            (Action::HandedOver, Actor::System),
            (Action::Close, Actor::System),
        ],
    );
    assert_eq!((end.state, end.class), (State::Closed, Some(DeliveryClass::Routine)));
    assert_eq!((end.participants.district_reviewer, end.participants.city_reviewer), (Some(person(2)), Some(person(3))));
}

#[test]
fn an_urgent_alert_is_composed_by_one_city_officer_and_confirmed_by_another() {
    let end = walk(Participants::written_by(person(3), None), &[(Action::ComposeUrgent, city(3)), (Action::Confirm, city(4))]);
    assert_eq!((end.state, end.class), (State::Approved, Some(DeliveryClass::Urgent)));
    assert_eq!((end.participants.submitter, end.participants.city_reviewer), (person(3), Some(person(4))));
}

#[test]
fn the_city_takes_a_districts_draft_over_as_urgent_and_answers_for_it() {
    let submitted = walk(draft(), &[(Action::ComposeUrgent, city(3))]);
    assert_eq!(submitted.participants.submitter, person(3));
    let refusal = next(submitted.state, Action::Confirm, &submitted.participants, &city(3), "").unwrap_err();
    assert_eq!(refusal, Refusal::SamePerson { action: Action::Confirm });
}

#[test]
fn an_alert_across_districts_is_reviewed_by_two_officers_of_the_city() {
    let mut of_city = Participants::written_by(person(1), None);
    let submitted = walk(of_city, &[(Action::Submit, staff(1, Role::SubmittingUnit, Scope::City))]);
    of_city = submitted.participants;
    let by_district = next(State::DistrictReview, Action::PassDistrict, &of_city, &reviewer(2, YUZHONG), "");
    assert_eq!(by_district, Err(Refusal::OutsideScope { action: Action::PassDistrict }));
    let passed = next(State::DistrictReview, Action::PassDistrict, &of_city, &city(2), "").unwrap();
    let by_same = next(passed.state, Action::Approve, &passed.participants, &city(2), "");
    assert_eq!(by_same, Err(Refusal::SamePerson { action: Action::Approve }));
    assert_eq!(next(passed.state, Action::Approve, &passed.participants, &city(3), "").unwrap().state, State::Approved);
}

#[test]
fn a_returned_alert_goes_through_both_reviews_again() {
    let returned = walk(draft(), &[(Action::Submit, unit(1)), (Action::PassDistrict, reviewer(2, YUZHONG)), (Action::ReturnCity, city(3))]);
    assert_eq!((returned.state, returned.participants.district_reviewer), (State::Draft, None));
    let again = walk(returned.participants, &[(Action::Submit, unit(1))]);
    assert_eq!(again.state, State::DistrictReview);
}

#[test]
fn a_complete_rule_draft_is_submitted_by_the_platform_once() {
    let gathered = Participants::gathered_by_rule(person(3), district(YUZHONG), true);
    let submitted = walk(gathered, &[(Action::Submit, Actor::System)]);
    assert_eq!(submitted.participants.submitter, person(3), "who activated the rule answers for it");
    let returned = walk(gathered, &[(Action::Submit, Actor::System), (Action::ReturnDistrict, reviewer(2, YUZHONG))]);
    assert_eq!(
        next(State::Draft, Action::Submit, &returned.participants, &Actor::System, ""),
        Err(Refusal::NotAutomatic { action: Action::Submit })
    );
}

#[test]
fn an_incomplete_rule_draft_waits_until_a_person_completes_it() {
    let gathered = Participants::gathered_by_rule(person(3), district(YUZHONG), false);
    assert_eq!(open_actions(State::Draft, &gathered, &Actor::System), []);
    assert!(may_edit(State::Draft, &gathered, &unit(1)));
    assert_eq!(
        next(State::Draft, Action::Submit, &gathered, &unit(1), ""),
        Err(Refusal::NotAuthor { action: Action::Submit }),
        "nobody hands in what somebody else answers for"
    );
    assert_eq!(walk(gathered.edited_by(person(1)), &[(Action::Submit, unit(1))]).participants.submitter, person(1));
}

#[test]
fn who_activated_a_rule_does_not_review_its_drafts() {
    let gathered = Participants::gathered_by_rule(person(3), district(YUZHONG), true);
    let passed = walk(gathered, &[(Action::Submit, Actor::System), (Action::PassDistrict, reviewer(2, YUZHONG))]);
    assert_eq!(
        next(passed.state, Action::Approve, &passed.participants, &city(3), ""),
        Err(Refusal::SamePerson { action: Action::Approve })
    );
    assert!(next(passed.state, Action::Approve, &passed.participants, &city(4), "").is_ok());
}

#[rstest]
#[case::neighbour(State::DistrictReview, Action::PassDistrict, reviewer(2, WANZHOU), Refusal::OutsideScope { action: Action::PassDistrict })]
#[case::city_instead_of_district(State::DistrictReview, Action::PassDistrict, city(3), Refusal::OutsideScope { action: Action::PassDistrict })]
#[case::own_text(State::DistrictReview, Action::PassDistrict, reviewer(1, YUZHONG), Refusal::SamePerson { action: Action::PassDistrict })]
#[case::district_for_city(State::CityReview, Action::Approve, reviewer(2, YUZHONG), Refusal::WrongRole { role: Role::DistrictReviewer, action: Action::Approve })]
#[case::submitter_as_city_officer(State::CityReview, Action::Approve, city(1), Refusal::SamePerson { action: Action::Approve })]
#[case::unit_reviews(State::DistrictReview, Action::PassDistrict, unit(2), Refusal::WrongRole { role: Role::SubmittingUnit, action: Action::PassDistrict })]
#[case::platform_approves(State::CityReview, Action::Approve, Actor::System, Refusal::NotAutomatic { action: Action::Approve })]
#[case::skipping_review(State::Draft, Action::Approve, city(3), Refusal::NotFromHere { state: State::Draft, action: Action::Approve })]
#[case::district_goes_urgent(State::Draft, Action::ComposeUrgent, reviewer(2, YUZHONG), Refusal::WrongRole { role: Role::DistrictReviewer, action: Action::ComposeUrgent })]
#[case::person_submits_for_another(State::Draft, Action::Submit, unit(2), Refusal::NotAuthor { action: Action::Submit })]
#[case::reviving(State::Closed, Action::Cancel, city(3), Refusal::NotFromHere { state: State::Closed, action: Action::Cancel })]
#[case::person_plays_the_platform(State::Approved, Action::Release, city(3), Refusal::WrongRole { role: Role::CityCommandOfficer, action: Action::Release })]
fn a_step_is_refused_with_its_reason(#[case] state: State, #[case] action: Action, #[case] actor: Actor, #[case] refusal: Refusal) {
    assert_eq!(next(state, action, &draft(), &actor, "理由"), Err(refusal));
    assert!(!open_actions(state, &draft(), &actor).contains(&action));
    assert!(!refusal.to_string().is_empty());
}

#[rstest]
#[case(State::DistrictReview, Action::ReturnDistrict, reviewer(2, YUZHONG))]
#[case(State::CityReview, Action::ReturnCity, city(3))]
#[case(State::CityReview, Action::Refuse, city(3))]
#[case(State::AwaitingConfirmation, Action::Decline, city(3))]
#[case(State::Active, Action::Cancel, city(3))]
#[case(State::Active, Action::Stop, city(3))]
#[case(State::Active, Action::Resume, city(3))]
#[case(State::Draft, Action::Discard, unit(1))]
fn who_says_no_says_why(#[case] state: State, #[case] action: Action, #[case] actor: Actor) {
    assert_eq!(next(state, action, &draft(), &actor, " \n"), Err(Refusal::ReasonMissing { action }));
    assert!(next(state, action, &draft(), &actor, "地址不准确").is_ok());
}

#[rstest]
#[case(State::Draft, false)]
#[case(State::DistrictReview, false)]
#[case(State::CityReview, true)]
#[case(State::AwaitingConfirmation, true)]
#[case(State::Approved, true)]
#[case(State::Dispatching, true)]
#[case(State::Active, true)]
#[case(State::Closed, false)]
#[case(State::Refused, false)]
#[case(State::Cancelled, false)]
#[case(State::Superseded, false)]
#[case(State::AllClear, false)]
fn the_city_can_cancel_whatever_has_reached_it_and_not_ended(#[case] state: State, #[case] can: bool) {
    assert_eq!(open_actions(state, &draft(), &city(3)).contains(&Action::Cancel), can);
}

#[rstest]
#[case::community(staff(9, Role::CommunityWorker, Scope::Community("500103001001".parse().unwrap())))]
#[case::industry(staff(9, Role::IndustrySupervisor, Scope::Industry(Industry::Education)))]
#[case::operator(staff(9, Role::TechnicalOperator, Scope::City))]
#[case::auditor(staff(9, Role::Auditor, Scope::City))]
#[case::administrator(staff(9, Role::Administrator, Scope::City))]
fn who_only_passes_on_or_looks_on_takes_no_step_at_all(#[case] actor: Actor) {
    for state in State::VARIANTS {
        assert_eq!(open_actions(*state, &draft(), &actor), []);
        assert!(!may_edit(*state, &draft(), &actor));
    }
    let Actor::Staff { role, .. } = actor else { panic!("the cases are people") };
    assert!(Action::VARIANTS.iter().all(|action| !role.may(*action)));
}

#[test]
fn the_events_of_dispatch_may_arrive_in_any_order() {
    let approved = walk(draft(), &[(Action::Submit, unit(1)), (Action::PassDistrict, reviewer(2, YUZHONG)), (Action::Approve, city(3))]);
    let handed_over = next(approved.state, Action::HandedOver, &approved.participants, &Actor::System, "").unwrap();
    assert_eq!(handed_over.state, State::Active);
    assert!(next(handed_over.state, Action::Release, &approved.participants, &Actor::System, "").is_err());
}

#[test]
fn the_table_names_every_state_and_every_action_and_no_step_twice() {
    let reached: BTreeSet<State> = TRANSITIONS.iter().map(|transition| transition.to).collect();
    assert_eq!(reached.len(), State::VARIANTS.len());
    let taken: BTreeSet<Action> = TRANSITIONS.iter().map(|transition| transition.action).collect();
    assert_eq!(taken.len(), Action::VARIANTS.len());
    for (index, one) in TRANSITIONS.iter().enumerate() {
        for other in &TRANSITIONS[index + 1..] {
            let same_step = (one.from, one.action) == (other.from, other.action);
            assert!(!same_step || one.to == other.to, "{:?} from {:?} leads to two states", one.action, one.from);
        }
    }
    let ends: Vec<State> = State::VARIANTS.iter().copied().filter(|state| state.is_final()).collect();
    assert_eq!(ends, [State::Closed, State::Refused, State::Cancelled, State::Superseded, State::AllClear]);
}

#[test]
fn no_one_person_takes_a_word_back_from_the_public() {
    for (state, action) in
        [Action::Retract, Action::Lift].into_iter().flat_map(|action| State::VARIANTS.iter().map(move |state| (*state, action)))
    {
        assert!(next(state, action, &draft(), &city(3), "理由").is_err(), "{action} from {state}");
    }
    assert_eq!(next(State::Active, Action::Lift, &draft(), &Actor::System, "").map(|decision| decision.state), Ok(State::AllClear));
}

/// Four people who may each come in any of the roles that do anything, in the right or in another district.
fn anybody() -> impl Strategy<Value = Actor> {
    let yuzhong = Scope::District(district(YUZHONG));
    let wanzhou = Scope::District(district(WANZHOU));
    let posts = vec![
        (Role::SubmittingUnit, yuzhong),
        (Role::SubmittingUnit, Scope::City),
        (Role::DistrictReviewer, yuzhong),
        (Role::DistrictReviewer, wanzhou),
        (Role::CityCommandOfficer, Scope::City),
    ];
    prop_oneof![
        6 => (1_u128..=4, prop::sample::select(posts)).prop_map(|(number, (role, scope))| staff(number, role, scope)),
        1 => Just(Actor::System),
    ]
}

fn any_start() -> impl Strategy<Value = Participants> {
    prop_oneof![
        Just(draft()),
        Just(Participants::written_by(person(1), None)),
        any::<bool>().prop_map(|complete| Participants::gathered_by_rule(person(1), district(YUZHONG), complete)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// The heart of CQ8: whatever people try, in whatever order and roles, an alert is approved by three of them, or by two
    /// officers of the city command on the urgent path.
    #[test]
    fn nothing_is_approved_by_fewer_people_than_it_takes(
        start in any_start(),
        // Half the attempts are open steps, so that the walks get far; the other half is anything.
        attempts in prop::collection::vec((anybody(), any::<prop::sample::Index>(), any::<bool>(), any::<bool>()), 1..60),
    ) {
        let mut state = State::Draft;
        let mut participants = start;
        let mut class = None;
        let mut involved = BTreeSet::from([start.submitter]);
        for (actor, pick, edits, sensible) in attempts {
            if edits && may_edit(state, &participants, &actor) {
                let Actor::Staff { id, .. } = actor else { panic!("the platform edits nothing") };
                participants = participants.edited_by(id);
                involved = BTreeSet::from([id]);
            }
            let open = open_actions(state, &participants, &actor);
            let action = if sensible && !open.is_empty() { open[pick.index(open.len())] } else { *pick.get(Action::VARIANTS) };
            let outcome = next(state, action, &participants, &actor, "理由");
            prop_assert_eq!(outcome.is_ok(), open.contains(&action), "what is open is what is permitted");
            let Ok(decision) = outcome else { continue };
            if let Actor::Staff { id, .. } = actor {
                if matches!(action, Action::Submit | Action::ComposeUrgent) {
                    involved = BTreeSet::from([id]);
                }
                if matches!(action, Action::PassDistrict | Action::Approve | Action::Confirm) {
                    involved.insert(id);
                }
            }
            if decision.state == State::Draft {
                involved = BTreeSet::from([decision.participants.submitter]);
            }
            (state, participants, class) = (decision.state, decision.participants, decision.class.or(class));
            if state == State::Approved {
                let needed = if class == Some(DeliveryClass::Urgent) { 2 } else { 3 };
                prop_assert!(involved.len() >= needed, "approved by {} people as {:?}", involved.len(), class);
                prop_assert!(participants.city_reviewer.is_some_and(|id| id != participants.submitter));
            }
            if state.is_final() {
                break;
            }
        }
    }
}
