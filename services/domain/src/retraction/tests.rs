use chrono::TimeDelta;
use proptest::prelude::*;
use rstest::rstest;
use uuid::Uuid;

use super::*;
use crate::alert::sample::{content, noon};
use crate::alert::{AlertContent, AlertText, DeliveryClass};
use crate::before_sending::Sending;
use crate::ids::AlertId;
use crate::language::Language;
use crate::quiet_hours::QuietHours;
use prepared::{Prepared, short_message};

const YUZHONG: &str = "500103";
const WANZHOU: &str = "500101";

fn staff(number: u128, role: Role, scope: &str) -> Actor {
    let scope: Scope = scope.parse().unwrap();
    assert!(role.accepts(&scope));
    Actor::Staff { id: StaffId::from_uuid(Uuid::from_u128(number)), role, scope, involved: true }
}

fn city(number: u128) -> Actor {
    staff(number, Role::CityCommandOfficer, "city")
}

fn reviewer(number: u128, of: &str) -> Actor {
    staff(number, Role::DistrictReviewer, &format!("district:{of}"))
}

fn standing() -> Standing {
    Standing { state: State::Active, district: Some(YUZHONG.parse().unwrap()), handed: true, expires_at: noon() + TimeDelta::days(1) }
}

fn asked_by(actor: &Actor) -> Asked {
    let Actor::Staff { id, role, .. } = *actor else { panic!("people ask") };
    Asked { kind: Kind::Withdraw, by: Person { id, role }, progress: Progress::Asked }
}

#[rstest]
#[case::the_city(city(1), None)]
#[case::the_district_whose_alert_it_is(reviewer(1, YUZHONG), None)]
#[case::a_neighbour(reviewer(1, WANZHOU), Some(Refusal::OutsideScope))]
#[case::a_unit(staff(1, Role::SubmittingUnit, "district:500103"), Some(Refusal::WrongRole { role: Role::SubmittingUnit }))]
#[case::an_operator(staff(1, Role::TechnicalOperator, "city"), Some(Refusal::WrongRole { role: Role::TechnicalOperator }))]
#[case::the_platform(Actor::System, Some(Refusal::OutsideScope))]
fn who_speaks_for_a_place_asks(#[case] actor: Actor, #[case] refusal: Option<Refusal>) {
    assert_eq!(may_ask(&standing(), Kind::Withdraw, &actor, noon()).err(), refusal);
    assert_eq!(kinds_open(&standing(), &actor, noon()).is_empty(), refusal.is_some());
}

#[rstest]
#[case::of_the_whole_city(Standing { district: None, ..standing() }, reviewer(1, YUZHONG), &[])]
#[case::that_nobody_has(Standing { handed: false, ..standing() }, city(1), &[Kind::Withdraw])]
#[case::that_is_not_approved(Standing { state: State::CityReview, ..standing() }, city(1), &[])]
#[case::that_has_ended(Standing { state: State::Superseded, ..standing() }, city(1), &[])]
#[case::whose_time_is_over(Standing { expires_at: noon(), ..standing() }, city(1), &[])]
#[case::that_waits_for_the_morning(Standing { state: State::Approved, handed: false, ..standing() }, city(1), &[Kind::Withdraw])]
#[case::that_is_being_sent(Standing { state: State::Dispatching, ..standing() }, city(1), &[Kind::Withdraw, Kind::AllClear, Kind::Correct])]
fn what_can_be_said_of_an_alert(#[case] standing: Standing, #[case] actor: Actor, #[case] open: &[Kind]) {
    assert_eq!(kinds_open(&standing, &actor, noon()), open);
}

#[rstest]
#[case::two_of_the_city(city(1), city(2), None)]
#[case::district_and_city(reviewer(1, YUZHONG), city(2), None)]
#[case::city_and_district(city(1), reviewer(2, YUZHONG), None)]
#[case::two_of_the_district(reviewer(1, YUZHONG), reviewer(2, YUZHONG), Some(Refusal::NeedsCityOfficer))]
#[case::one_alone(city(1), city(1), Some(Refusal::SamePerson))]
#[case::a_neighbour(city(1), reviewer(2, WANZHOU), Some(Refusal::OutsideScope))]
#[case::a_unit(city(1), staff(2, Role::SubmittingUnit, "city"), Some(Refusal::WrongRole { role: Role::SubmittingUnit }))]
fn it_takes_two_people_who_are_right_for_the_place(#[case] first: Actor, #[case] second: Actor, #[case] refusal: Option<Refusal>) {
    let asked = asked_by(&first);
    assert_eq!(may_confirm(&asked, &standing(), &second, noon()).err(), refusal);
    assert_eq!(open_steps(&asked, &standing(), &second, noon()).contains(&Step::Confirm), refusal.is_none());
}

#[rstest]
#[case(Progress::Confirmed)]
#[case(Progress::Refused)]
#[case(Progress::TakenBack)]
#[case(Progress::Overtaken)]
#[case(Progress::Expired)]
fn what_was_decided_about_is_not_decided_about_again(#[case] progress: Progress) {
    let asked = Asked { progress, ..asked_by(&city(1)) };
    assert_eq!(may_confirm(&asked, &standing(), &city(2), noon()), Err(Refusal::Over { progress }));
    assert_eq!(may_refuse(&asked, &standing(), &city(2)), Err(Refusal::Over { progress }));
    assert_eq!(may_take_back(&asked, &city(1)), Err(Refusal::Over { progress }));
    assert_eq!(open_steps(&asked, &standing(), &city(2), noon()), []);
}

#[test]
fn who_asked_takes_it_back_and_anybody_else_refuses_it() {
    let asked = asked_by(&reviewer(1, YUZHONG));
    assert_eq!(open_steps(&asked, &standing(), &reviewer(1, YUZHONG), noon()), [Step::TakeBack]);
    assert_eq!(open_steps(&asked, &standing(), &reviewer(2, YUZHONG), noon()), [Step::Refuse]);
    assert_eq!(open_steps(&asked, &standing(), &city(3), noon()), [Step::Confirm, Step::Refuse]);
    assert_eq!(may_take_back(&asked, &city(3)), Err(Refusal::NotAsker));
    // an alert that has run out meanwhile is not taken back, but the question can still be closed
    let over = noon() + TimeDelta::days(2);
    assert_eq!(open_steps(&asked, &standing(), &city(3), over), [Step::Refuse]);
}

#[test]
fn that_the_danger_is_over_is_said_by_an_all_clear_alone() {
    assert_eq!(check_reason(Kind::Withdraw, Some(PublicReason::Over)), Err(Refusal::OverIsAnAllClear));
    assert_eq!(check_reason(Kind::AllClear, Some(PublicReason::WrongTime)), Err(Refusal::ReasonOfAWithdrawal));
    assert_eq!(check_reason(Kind::Correct, Some(PublicReason::WrongTime)), Err(Refusal::ReasonOfAWithdrawal));
    for reason in PublicReason::VARIANTS {
        assert_eq!(check_reason(Kind::Withdraw, Some(*reason)).is_ok(), *reason != PublicReason::Over);
    }
    assert!(Kind::VARIANTS.iter().all(|kind| check_reason(*kind, None).is_ok()));
}

fn prepared(of: &AlertContent) -> Prepared<'_> {
    Prepared { id: AlertId::from_uuid(Uuid::nil()), of, since: noon(), zone: chrono_tz::Tz::Asia__Shanghai }
}

#[test]
fn the_words_name_the_alert_say_since_when_and_what_to_do_in_both_languages() {
    let alert = content();
    let texts = prepared(&alert).withdrawal(Some(PublicReason::SentByMistake));
    let (zh, en) = (&texts[&Language::ZhCn], &texts[&Language::En]);
    assert_eq!(zh.headline, "【已撤回】《您是密切接触者，请立即隔离》");
    assert_eq!(
        zh.sms,
        "【已撤回】11月2日12:00发给您的提醒《您是密切接触者，请立即隔离》有误，现予撤回，不再有效。原因：误发。\
         请不要再按它的要求做；因它而停下的事，可以恢复。"
    );
    assert_eq!(
        en.sms,
        "WITHDRAWN: The alert \"You are a close contact: isolate at once\" sent to you at 12:00 on 2 November was wrong and is withdrawn. Reason: \
         it was sent by mistake. Please stop following it. What you stopped because of it, you may take up again."
    );
    let lifted = prepared(&alert).all_clear();
    assert!(lifted[&Language::ZhCn].sms.contains("所说的情况已经解除") && !lifted[&Language::ZhCn].sms.contains("有误"));
    assert!(lifted[&Language::En].headline.starts_with("ALL CLEAR"));
}

#[test]
fn who_reads_a_language_that_the_alert_lacked_is_told_in_it() {
    let mut alert = content();
    alert.texts.remove(&Language::En);
    assert_eq!(prepared(&alert).all_clear()[&Language::En].headline, "ALL CLEAR: 您是密切接触者，请立即隔离");
    assert_eq!(prepared(&alert).correction().texts.len(), 1, "a correction says what the alert said, in its languages");
}

#[test]
fn a_correction_begins_as_what_the_alert_said_and_is_fit_to_be_sent() {
    let alert = content();
    let correction = prepared(&alert).correction();
    assert_eq!((correction.references, correction.msg_type), (Some(AlertId::from_uuid(Uuid::nil())), crate::cap::MsgType::Update));
    assert!(correction.texts[&Language::ZhCn].headline.starts_with("【更正】您是密切接触者"));
    assert!(correction.texts[&Language::ZhCn].body.starts_with("11月2日12:00发给您的提醒有误，现更正如下。"));
    assert!(correction.texts[&Language::En].sms.starts_with("CORRECTION: "));
    let night = QuietHours::default();
    let sending = Sending {
        class: DeliveryClass::Urgent,
        now: noon(),
        quiet_hours: &night,
        signature: "重庆疾控",
        short_code: "AB3C".parse().ok(),
        personal: false,
    };
    assert_eq!(correction.check_sending(&sending), Ok(()));
    // a correction of a correction is not marked twice
    let again = prepared(&correction).correction();
    assert!(!again.texts[&Language::ZhCn].headline.starts_with("【更正】【更正】"));
}

proptest! {
    /// Whatever an alert was called, its end can be said: on a phone, in the app, on a screen.
    #[test]
    fn prepared_words_can_always_be_sent(
        headline in "[一-龥a-zA-Z0-9 \u{1F600}-\u{1F64F}]{1,300}", contact in "[热线0-9]{1,50}", reason in prop::sample::select(PublicReason::VARIANTS),
        exercise in any::<bool>(),
    ) {
        let text = AlertText { headline, body: "正文".into(), instruction: "措施".into(), sms: "短信".into() };
        let mut alert = content();
        alert.texts = [(Language::ZhCn, text.clone()), (Language::En, text)].into();
        alert.contact = format!("1{contact}");
        if exercise {
            alert.status = crate::cap::Status::Exercise;
        }
        let words = [prepared(&alert).withdrawal(Some(reason)), prepared(&alert).all_clear()];
        for (language, text) in words.into_iter().flatten() {
            let sms = short_message(&alert, language, &text, "重庆市疾病预防控制中心");
            prop_assert!(sms.is_some_and(|(_, segments)| segments <= crate::sms_text::MAX_SEGMENTS), "{language}: {}", text.sms);
            prop_assert!(!text.headline.is_empty() && !text.body.is_empty() && !text.instruction.is_empty());
        }
    }

    /// Whatever people try, in whatever order and roles: a word goes out by two of them, one of whom is of the city command.
    #[test]
    fn nobody_takes_a_word_back_alone(first in (0_u128..4, 0_usize..3), second in (0_u128..4, 0_usize..3), kind in prop::sample::select(Kind::VARIANTS)) {
        let actor = |(number, post): (u128, usize)| match post {
            0 => city(number),
            1 => reviewer(number, YUZHONG),
            _ => reviewer(number, WANZHOU),
        };
        let (one, other) = (actor(first), actor(second));
        prop_assume!(may_ask(&standing(), kind, &one, noon()).is_ok());
        if may_confirm(&Asked { kind, ..asked_by(&one) }, &standing(), &other, noon()).is_ok() {
            prop_assert!(first.0 != second.0);
            prop_assert!(first.1 == 0 || second.1 == 0);
        }
    }
}
