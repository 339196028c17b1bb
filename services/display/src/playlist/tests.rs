//! Which screen shows what, and in which order.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    alert::{AckWindow, AlertText, PlaceNote},
    audience::{AudienceQuery, Selection},
    cap,
};
use roaring::RoaringBitmap;
use rstest::rstest;

use super::*;

fn noon() -> DateTime<Utc> {
    "2026-03-10T12:00:00+08:00".parse().unwrap()
}

fn content(severity: Severity) -> AlertContent {
    let text = |headline: &str, instruction: &str| AlertText {
        headline: headline.into(),
        body: "body".into(),
        instruction: instruction.into(),
        sms: "sms".into(),
    };
    AlertContent {
        status: cap::Status::Actual,
        msg_type: cap::MsgType::Alert,
        references: None,
        category: cap::Category::Health,
        urgency: cap::Urgency::Expected,
        severity,
        certainty: cap::Certainty::Observed,
        purpose: "purpose".into(),
        texts: BTreeMap::from([
            (Language::ZhCn, text("请煮沸饮用水", "饮用前煮沸三分钟")),
            (Language::En, text("Boil your water", "Boil it for three minutes")),
        ]),
        contact: "12320".into(),
        expires_at: noon() + TimeDelta::hours(4),
        ack_window_s: AckWindow::capped(3_600),
        place: None,
        display: true,
        source_note: String::new(),
    }
}

fn shown(area: &str) -> Shown {
    Shown {
        alert_id: AlertId::new(),
        urgent: false,
        exercise: false,
        content: content(Severity::Moderate),
        areas: vec![area.parse().unwrap()],
        released_at: noon(),
        live: true,
        checked: false,
        revision: 1,
    }
}

fn screen(area: &str) -> Profile {
    Profile { area: area.parse().unwrap(), languages: vec![Language::ZhCn], form: Form::Full, drill: false }
}

#[rstest]
#[case::the_whole_city_everywhere("city", "500103001001", true)]
#[case::its_district("500103", "500103", true)]
#[case::a_screen_inside("500103", "500103001", true)]
#[case::a_screen_of_the_city("500103001001", "city", true)]
#[case::a_screen_of_the_district_around("500103001", "500103", true)]
#[case::the_next_district("500103", "500105", false)]
#[case::the_next_township("500103001", "500103002", false)]
fn a_screen_shows_what_touches_its_place(#[case] alert: &str, #[case] place: &str, #[case] shows: bool) {
    let playlist = Playlist::of(&screen(place), &[shown(alert)], noon());
    assert_eq!(playlist.items.len(), usize::from(shows));
}

#[test]
fn urgent_comes_first_then_the_more_severe_then_the_newer() {
    let with = |urgent, severity, minutes| Shown {
        urgent,
        content: content(severity),
        released_at: noon() + TimeDelta::minutes(minutes),
        ..shown("city")
    };
    let alerts = [
        with(false, Severity::Minor, 9),
        with(false, Severity::Extreme, 1),
        with(true, Severity::Minor, 1),
        with(false, Severity::Extreme, 2),
        with(true, Severity::Severe, 0),
    ];
    let playlist = Playlist::of(&screen("city"), &alerts, noon());
    let order: Vec<usize> =
        playlist.items.iter().map(|item| alerts.iter().position(|alert| alert.alert_id == item.alert_id).unwrap()).collect();
    assert_eq!(order, [4, 2, 3, 1, 0]);
}

#[test]
fn a_list_is_named_by_what_it_holds_whatever_the_order_of_the_changes() {
    let (first, second) = (Shown { revision: 6, ..shown("500103") }, Shown { revision: 7, ..shown("500103") });
    let of = |alerts: &[Shown]| Playlist::of(&screen("500103"), alerts, noon()).revision;
    let both = of(&[first.clone(), second.clone()]);
    // the end of the first drew its number before the second, and was committed after it
    let stopped = Shown { live: false, ..first.clone() };
    assert_ne!(of(&[stopped.clone(), second.clone()]), both, "a screen is told that the first has ended");
    assert_eq!(of(&[stopped, second.clone()]), of(&[second.clone(), Shown { live: false, ..shown("500105") }]));
    assert_ne!(of(std::slice::from_ref(&second)), of(&[]));
    assert!((0..1 << 53).contains(&both), "a page can count so far");
}

#[test]
fn what_has_ended_or_expired_is_not_shown() {
    let alerts = [shown("500103"), Shown { live: false, ..shown("500103") }];
    assert_eq!(Playlist::of(&screen("500103"), &alerts, noon()).items.len(), 1);
    assert_eq!(Playlist::of(&screen("500103"), &alerts, noon() + TimeDelta::hours(4)).items, []);
}

#[test]
fn an_exercise_is_on_the_screens_of_the_drill_only() {
    let alerts = [Shown { exercise: true, ..shown("city") }, shown("city")];
    assert_eq!(Playlist::of(&screen("city"), &alerts, noon()).items.len(), 1);
    let drill = Playlist::of(&Profile { drill: true, ..screen("city") }, &alerts, noon());
    assert_eq!(drill.items.iter().filter(|item| item.exercise).count(), 1);
    assert_eq!(drill.items.len(), 2);
}

#[test]
fn texts_come_in_the_screens_languages_and_form() {
    let both = Profile { languages: vec![Language::En, Language::ZhCn], form: Form::Scrolling, ..screen("city") };
    let lines: Vec<String> =
        Playlist::of(&both, &[shown("city")], noon()).items[0].texts.iter().map(|text| text.headline.clone()).collect();
    assert_eq!(lines, ["Boil your water · Boil it for three minutes · 12320", "请煮沸饮用水　饮用前煮沸三分钟　12320"]);

    let mut chinese_only = shown("city");
    chinese_only.content.texts.remove(&Language::En);
    let texts = Playlist::of(&both, &[chinese_only], noon()).items.remove(0).texts;
    assert_eq!(texts.len(), 1, "Chinese stands in for English once");
}

#[test]
fn an_alert_concerns_where_its_audience_lives_or_what_it_is_about() {
    let query = |areas: &[&str]| {
        let areas = areas.iter().map(|area| area.parse().unwrap()).collect();
        Audience::Query(AudienceQuery { include: vec![Selection { areas, ..Selection::default() }], exclude: vec![] })
    };
    let people = Audience::Residents(RoaringBitmap::from_iter([1]));
    let district: DistrictCode = "500103".parse().unwrap();
    let plain = content(Severity::Minor);
    let area: Area = "500105".parse().unwrap();
    let about = AlertContent { place: Some(PlaceNote { name: "market".into(), area }), ..plain.clone() };
    let texts = |areas: Vec<Area>| areas.iter().map(ToString::to_string).collect::<Vec<_>>();

    assert_eq!(texts(areas(&query(&["500105", "500103", "500105"]), &plain, None)), ["500103", "500105"]);
    assert_eq!(texts(areas(&query(&[]), &plain, Some(district))), ["city"]);
    assert_eq!(texts(areas(&people, &plain, Some(district))), ["500103"]);
    assert_eq!(texts(areas(&people, &about, Some(district))), ["500105"]);
    assert_eq!(texts(areas(&people, &plain, None)), ["city"]);
}
