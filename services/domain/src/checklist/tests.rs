use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rstest::rstest;
use serde_json::json;
use strum::VariantArray;

use super::*;

const PLAIN: Nature = Nature { names_people: false, corrects: false, crosses_districts: false };
const EVERYTHING: Nature = Nature { names_people: true, corrects: true, crosses_districts: true };

fn yes(item: Item) -> Answered {
    Answered { item, answer: Answer::Yes, note: None }
}

fn no(item: Item, note: &str) -> Answered {
    Answered { item, answer: Answer::No, note: Some(note.to_owned()) }
}

fn all_yes(state: State, nature: &Nature) -> Vec<Answered> {
    Checklist::of(state, nature).unwrap().all_well()
}

#[rstest]
#[case::a_list_of_people(Nature { names_people: true, ..PLAIN }, Item::PeopleEvidenced)]
#[case::a_correction(Nature { corrects: true, ..PLAIN }, Item::CorrectionClear)]
#[case::several_districts(Nature { crosses_districts: true, ..PLAIN }, Item::DistrictsInformed)]
fn what_the_alert_is_adds_to_what_is_asked(#[case] nature: Nature, #[case] added: Item) {
    for step in [Action::PassDistrict, Action::Approve, Action::Confirm] {
        let (plain, more) = (items(step, &PLAIN), items(step, &nature));
        assert_eq!(more, [plain, vec![added]].concat());
    }
}

#[rstest]
#[case::a_pass(State::DistrictReview, Action::PassDistrict)]
#[case::an_approval(State::CityReview, Action::Approve)]
#[case::a_confirmation(State::AwaitingConfirmation, Action::Confirm)]
fn a_step_forward_takes_an_answer_to_every_item_and_no_no(#[case] state: State, #[case] action: Action) {
    let answers = all_yes(state, &EVERYTHING);
    assert_eq!(check(state, action, &EVERYTHING, &answers), Ok(()));
    for left_out in 0..answers.len() {
        let mut some = answers.clone();
        let item = some.remove(left_out).item;
        assert_eq!(check(state, action, &EVERYTHING, &some), Err(Refusal::Faults(vec![(item, Fault::Missing)])));
        let mut denied = answers.clone();
        denied[left_out] = no(item, "与记录不符");
        assert_eq!(check(state, action, &EVERYTHING, &denied), Err(Refusal::SaysNo));
    }
}

#[rstest]
#[case::unasked(yes(Item::TrueEmergency), Fault::NotAsked)]
#[case::always_arises(Answered { answer: Answer::NotApplicable, ..yes(Item::Accurate) }, Fault::Applies)]
#[case::no_without_a_word(Answered { answer: Answer::No, ..yes(Item::Accurate) }, Fault::NoteMissing)]
#[case::no_with_blanks(no(Item::Accurate, "  "), Fault::NoteMissing)]
#[case::a_long_note(no(Item::Accurate, &"长".repeat(201)), Fault::NoteTooLong)]
#[case::a_phone_number(no(Item::Accurate, "请联系 13800138000"), Fault::PersonalData)]
fn an_answer_that_is_none_is_refused_whatever_the_step(#[case] answer: Answered, #[case] fault: Fault) {
    let refused = Err(Refusal::Faults(vec![(answer.item, fault)]));
    assert_eq!(check(State::DistrictReview, Action::ReturnDistrict, &PLAIN, &[answer]), refused);
}

#[rstest]
#[case::back(State::DistrictReview, Action::ReturnDistrict, true)]
#[case::back_from_the_city(State::CityReview, Action::ReturnCity, false)]
#[case::cancelled(State::DistrictReview, Action::Cancel, false)]
#[case::handed_in(State::Draft, Action::Submit, false)]
#[case::approved_long_ago(State::Active, Action::Approve, false)]
fn a_step_back_takes_some_answers_and_others_none(#[case] state: State, #[case] action: Action, #[case] takes: bool) {
    let answers = [no(Item::Accurate, "日期与记录不符")];
    assert_eq!(check(state, action, &PLAIN, &answers).is_ok(), takes);
    assert_eq!(check(state, action, &PLAIN, &[]), Ok(()));
}

#[test]
fn what_does_not_arise_may_be_said_so() {
    let mut answers = all_yes(State::CityReview, &EVERYTHING);
    answers.last_mut().unwrap().answer = Answer::NotApplicable;
    assert_eq!(check(State::CityReview, Action::Approve, &EVERYTHING, &answers), Ok(()));
    let twice = [answers.clone(), vec![yes(Item::Compliant)]].concat();
    assert_eq!(check(State::CityReview, Action::Approve, &EVERYTHING, &twice), Err(Refusal::Faults(vec![(Item::Compliant, Fault::Twice)])));
}

#[test]
fn an_alert_brings_along_what_is_answered_before_its_next_step() {
    let alert = json!({ "checklist": Checklist::of(State::CityReview, &EVERYTHING) });
    assert_eq!(check(State::CityReview, Action::Approve, &EVERYTHING, &all_well(&alert, "approve")), Ok(()));
    assert_eq!(all_well(&alert, "cancel"), []);
    assert_eq!(all_well(&json!({ "checklist": null }), "submit"), []);
    for state in State::VARIANTS {
        assert_eq!(Checklist::of(*state, &PLAIN).is_some(), state.waits(), "{state}");
    }
}

proptest! {
    /// Whatever is answered, an alert goes on only with a yes, or no need of one, to each item.
    #[test]
    fn nothing_goes_on_with_an_item_unanswered_or_denied(
        answers in subsequence(Item::VARIANTS, 0..=Item::VARIANTS.len()).prop_flat_map(|items| {
            items.into_iter().map(|item| (Just(item), select(Answer::VARIANTS), ".{0,8}")).collect::<Vec<_>>()
        }),
        state in select(State::VARIANTS),
        nature in (any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let nature = Nature { names_people: nature.0, corrects: nature.1, crosses_districts: nature.2 };
        let answers: Vec<_> = answers.into_iter().map(|(item, answer, note)| Answered { item, answer, note: Some(note) }).collect();
        let Some(action) = step_forward(state) else { return Ok(()) };
        let well = |item: &Item| answers.iter().any(|it| it.item == *item && it.answer != Answer::No);
        if check(state, action, &nature, &answers).is_ok() {
            prop_assert!(items(action, &nature).iter().all(well));
        }
    }
}
