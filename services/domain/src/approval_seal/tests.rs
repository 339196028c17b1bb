use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::alert::AckWindow;
use crate::alert::sample::content;
use crate::audience::AudienceQuery;

const CLASS: DeliveryClass = DeliveryClass::Urgent;

fn in_yuzhong() -> Audience {
    Audience::Query(AudienceQuery::everybody_in("500103001".parse().unwrap()))
}

fn seal() -> ApprovalSeal {
    ApprovalSeal::of(CLASS, &content(), &in_yuzhong(), Some(4_100))
}

fn unlike(content: &AlertContent) -> Vec<(Part, Option<Language>, Option<Channel>)> {
    let found = seal().unlike(&Terms::of(CLASS, content), content, &in_yuzhong());
    found.into_iter().map(|difference| (difference.part, difference.language, difference.channel)).collect()
}

#[test]
fn what_was_approved_is_like_itself_also_after_it_was_stored() {
    assert_eq!(unlike(&content()), []);
    let stored: ApprovalSeal = serde_json::from_value(serde_json::to_value(seal()).unwrap()).unwrap();
    assert_eq!(stored, seal());
    let read: AlertContent = serde_json::from_value(serde_json::to_value(content()).unwrap()).unwrap();
    assert_eq!(unlike(&read), []);
}

#[rstest]
#[case::headline(|text: &mut AlertText| text.headline.push('!'), &[Channel::App, Channel::Display])]
#[case::body(|text: &mut AlertText| text.body = text.body.replace("November", "Vogel"), &[Channel::App, Channel::Display])]
#[case::instruction(|text: &mut AlertText| text.instruction.clear(), &[Channel::App, Channel::Display])]
#[case::sms(|text: &mut AlertText| text.sms.push(' '), &[Channel::Sms])]
#[case::a_word_wanders(|text: &mut AlertText| { let last = text.headline.pop().unwrap(); text.body.insert(0, last); }, &[Channel::App, Channel::Display])]
fn a_word_that_changed_after_the_approval_is_found_on_the_channels_that_carry_it(
    #[case] spoil: fn(&mut AlertText),
    #[case] channels: &[Channel],
) {
    let mut content = content();
    spoil(content.texts.get_mut(&Language::En).unwrap());
    let expected: Vec<_> = channels.iter().map(|channel| (Part::Text, Some(Language::En), Some(*channel))).collect();
    assert_eq!(unlike(&content), expected);
}

#[test]
fn a_language_that_got_lost_or_that_nobody_approved_is_found() {
    let mut content = content();
    let english = content.texts.remove(&Language::En).unwrap();
    assert_eq!(unlike(&content).len(), 3);
    let only_chinese = ApprovalSeal::of(CLASS, &content, &in_yuzhong(), None);
    content.texts.insert(Language::En, english);
    assert_eq!(only_chinese.unlike_words(&content, Channel::Sms).len(), 1);
}

#[rstest]
#[case::longer(|content: &mut AlertContent| content.expires_at += chrono::TimeDelta::hours(1), true)]
#[case::another_window(|content: &mut AlertContent| content.ack_window_s = AckWindow::capped(60), true)]
#[case::on_screens(|content: &mut AlertContent| content.display = true, true)]
#[case::graver(|content: &mut AlertContent| content.severity = Severity::Extreme, true)]
#[case::another_purpose(|content: &mut AlertContent| content.purpose.push('x'), true)]
#[case::less_urgent(|content: &mut AlertContent| content.urgency = Urgency::Future, true)]
#[case::a_place_by_another_name(|content: &mut AlertContent| content.place.as_mut().unwrap().name.push('x'), true)]
#[case::on_every_screen(|content: &mut AlertContent| content.place.as_mut().unwrap().area = crate::area::Area::City, true)]
#[case::no_place(|content: &mut AlertContent| content.place = None, true)]
#[case::what_recipients_never_see(|content: &mut AlertContent| content.source_note.push('x'), false)]
fn terms_are_sealed(#[case] spoil: fn(&mut AlertContent), #[case] found: bool) {
    let mut content = content();
    spoil(&mut content);
    assert_eq!(unlike(&content).contains(&(Part::Terms, None, None)), found);
}

#[test]
fn a_routine_alert_that_became_urgent_breaks_no_quiet_hours() {
    let sealed = ApprovalSeal::of(DeliveryClass::Routine, &content(), &in_yuzhong(), None);
    assert!(sealed.unlike_terms(&Terms::of(DeliveryClass::Urgent, &content())).is_some());
}

#[test]
fn an_exercise_that_became_the_real_thing_is_found_in_its_words_and_its_terms() {
    let exercise = AlertContent { status: Status::Exercise, ..content() };
    let sealed = ApprovalSeal::of(CLASS, &exercise, &in_yuzhong(), None);
    let parts: Vec<Part> = sealed.unlike(&Terms::of(CLASS, &content()), &content(), &in_yuzhong()).iter().map(|found| found.part).collect();
    assert!(parts.contains(&Part::Text) && parts.contains(&Part::Terms));
}

#[rstest]
#[case::lost(r#"{"include":[{"areas":["500103"]}]}"#)]
#[case::the_whole_city(r#"{"include":[{"areas":["city"]}]}"#)]
#[case::an_exclusion_got_lost(r#"{"include":[{"areas":["500103001"]}],"exclude":[{"industries":["postal"]}]}"#)]
fn an_audience_that_changed_is_found(#[case] query: &str) {
    let other = Audience::Query(serde_json::from_str(query).unwrap());
    assert_eq!(seal().unlike_audience(&other).map(|found| found.part), Some(Part::Audience));
    assert_eq!(seal().unlike_audience(&in_yuzhong()), None);
}

#[test]
fn somebody_more_or_less_among_the_named_is_found() {
    let named = |numbers: &[u32]| Audience::Residents(numbers.iter().copied().collect());
    let sealed = ApprovalSeal::of(CLASS, &content(), &named(&[3, 5, 70_000]), Some(3));
    assert_eq!(sealed.people, None, "who is named is not counted");
    assert_eq!(sealed.unlike_audience(&named(&[3, 5, 70_000])), None);
    for other in [&[3, 5][..], &[3, 5, 70_000, 70_001], &[3, 5, 70_001]] {
        assert!(sealed.unlike_audience(&named(other)).is_some());
    }
}

#[test]
fn an_alert_that_was_withdrawn_for_some_is_for_the_others_and_was_approved_for_all() {
    let named = |numbers: &[u32]| Audience::Residents(numbers.iter().copied().collect());
    let mut sealed = ApprovalSeal::of(CLASS, &content(), &named(&[3, 5]), None);
    let approved = sealed.audience;
    sealed.withdrawn_for_some(&named(&[5]));
    assert_eq!((sealed.audience, sealed.unlike_audience(&named(&[5]))), (approved, None));
    assert!(sealed.unlike_audience(&named(&[3, 5])).is_some(), "it is for her no more");
}

#[rstest]
#[case::as_many(4_100, None)]
#[case::somewhat_more(5_020, None)]
#[case::too_many(5_021, Some("5020"))]
#[case::the_county(10_400_000, Some("10400000"))]
#[case::fewer(2, None)]
fn more_people_than_the_approver_was_shown_are_found(#[case] found: u64, #[case] expected: Option<&str>) {
    let difference = seal().unlike_people(found, Tolerance { percent: 20, people: 100 });
    assert_eq!(difference.as_ref().map(|difference| difference.found.as_str()), expected);
    if let Some(difference) = difference {
        let (zh, en) = sentence(&[difference]);
        assert!(zh.contains("4100") && en.contains("4100"), "{zh} {en}");
    }
}

#[test]
fn who_could_not_be_counted_holds_nothing_up() {
    let seal = ApprovalSeal { people: None, ..seal() };
    assert_eq!(seal.unlike_people(u64::MAX, Tolerance { percent: 20, people: 100 }), None);
}

#[rstest]
#[case::nothing(&[], false)]
#[case::people(&[Part::People], true)]
#[case::words(&[Part::Text], false)]
#[case::both(&[Part::People, Part::Audience], false)]
#[case::no_seal(&[Part::Seal], false)]
fn an_officer_lets_more_people_go_on_and_nothing_else(#[case] parts: &[Part], #[case] may: bool) {
    assert_eq!(may_go_on(parts.iter().copied()), may);
}

proptest! {
    #[test]
    fn digests_survive_text(bytes: [u8; 32]) {
        let digest = Digest(bytes);
        prop_assert_eq!(digest.to_string().parse(), Ok(digest));
    }

    #[test]
    fn foreign_text_is_no_digest(text in ".{0,80}") {
        let _ = text.parse::<Digest>();
    }

    #[test]
    fn a_tolerance_never_falls_below_what_was_approved(approved: u64, percent: u32, people: u64) {
        let tolerance = Tolerance { percent, people };
        prop_assert!(tolerance.most(approved) >= approved);
    }
}
