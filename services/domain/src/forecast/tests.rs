//! Lines of alerts and when they are done.

use chrono_tz::Tz;
use proptest::prelude::*;
use rstest::rstest;

use super::LaneRate::{Absent, Unlimited};
use super::*;
use crate::alert::DeliveryClass::{Routine, Urgent};
use crate::quiet_hours::QuietHours;

/// The residents of the city.
const CITY: u64 = 32_054_159;
/// Google's quota for a project, a second.
const PROJECT: f64 = 10_000.0;

fn noon() -> DateTime<Utc> {
    "2026-03-10T12:00:00+08:00".parse().unwrap()
}

fn day() -> QuietHours {
    QuietHours::none(Tz::Asia__Shanghai)
}

/// One Firebase project, APNs without a limit, 1,000 message parts a second.
fn rates() -> Rates {
    Rates { fcm: LaneRate::Granted(PROJECT), sms: LaneRate::Granted(1_000.0), ..Rates::default() }
}

/// People by lane, one device each, messages of one part, nobody falls back.
fn work(class: DeliveryClass, start: DateTime<Utc>, apns: u64, fcm: u64, sms: u64) -> Work {
    let reach = Reach { app: apns + fcm, apns, fcm, web: 0, sms };
    Work {
        class,
        due_at: crate::deadline::due_at(class, start, &QuietHours::default()),
        approved_at: start,
        begins_at: start,
        app: reach.app,
        sms,
        mix: Mix::of(&reach, &rates(), 0.0, 1),
        app_waits_until: None,
        sms_waits_until: None,
    }
}

fn alone(work: Work, rates: &Rates) -> Outlook {
    of_line(noon(), &[work], rates, &day()).remove(0)
}

fn minutes(outlook: &Outlook) -> f64 {
    ((outlook.last_at - noon()).as_seconds_f64() / 6.0).round() / 10.0
}

#[rstest]
// apns, fcm, sms, rates, done after minutes, held back by
#[case::the_city_by_one_project(0, CITY, 0, rates(), 53.4, Some(Brake::Rate(Lane::Fcm)))]
#[case::the_city_by_two_projects(0, CITY, 0, Rates { fcm: LaneRate::Granted(2.0 * PROJECT), ..rates() }, 26.7, Some(Brake::Rate(Lane::Fcm)))]
#[case::iphones_without_a_limit(CITY, 0, 0, rates(), 0.0, None)]
#[case::iphones_with_an_assumption(
    6_000_000, 0, 0, Rates { apns: LaneRate::Assumed(10_000.0), ..rates() }, 10.0, Some(Brake::Rate(Lane::Apns))
)]
#[case::the_slower_lane_rules(
    6_000_000, 1_200_000, 0, Rates { apns: LaneRate::Granted(20_000.0), ..rates() }, 5.0, Some(Brake::Rate(Lane::Apns))
)]
#[case::short_messages(0, 600_000, 600_000, rates(), 10.0, Some(Brake::Rate(Lane::Sms)))]
#[case::seen_slower_than_granted(0, 600_000, 0, Rates { seen_app: Some(1_000.0), ..rates() }, 10.0, Some(Brake::Seen(Channel::App)))]
#[case::seen_nearly_as_granted(0, 600_000, 0, Rates { seen_app: Some(9_500.0), ..rates() }, 1.1, Some(Brake::Rate(Lane::Fcm)))]
#[case::seen_faster_than_granted(0, 600_000, 0, Rates { seen_app: Some(50_000.0), ..rates() }, 1.0, Some(Brake::Rate(Lane::Fcm)))]
#[case::what_was_seen_replaces_what_was_assumed(
    6_000_000, 0, 0, Rates { apns: LaneRate::Assumed(10_000.0), seen_app: Some(20_000.0), ..rates() }, 5.0, Some(Brake::Seen(Channel::App))
)]
#[case::our_own_processes(600_000, 0, 0, Rates { processes: Some(1_000.0), ..rates() }, 10.0, Some(Brake::Processes))]
#[case::our_own_processes_shared_by_two_channels(
    0, 300_000, 300_000, Rates { processes: Some(1_000.0), ..rates() }, 10.0, Some(Brake::Processes)
)]
#[case::nothing_left(0, 0, 0, rates(), 0.0, None)]
fn an_alert_alone_in_line_is_done(
    #[case] apns: u64,
    #[case] fcm: u64,
    #[case] sms: u64,
    #[case] rates: Rates,
    #[case] done_min: f64,
    #[case] brake: Option<Brake>,
) {
    let outlook = alone(work(Urgent, noon(), apns, fcm, sms), &rates);
    assert_eq!((minutes(&outlook), outlook.slowest.map(|slowest| slowest.brake)), (done_min, brake));
}

#[test]
fn one_project_misses_thirty_minutes_for_the_whole_city_and_says_why() {
    let outlook = alone(work(Urgent, noon(), 0, CITY, 0), &rates());
    let Verdict::Misses { by_s, because: Some(because) } = outlook.verdict() else { panic!("it misses: {outlook:?}") };
    assert_eq!((by_s, because.brake, because.per_minute, because.recipients), (1_406, Brake::Rate(Lane::Fcm), 600_000, CITY));
    let sentence = outlook.sentence(noon());
    assert_eq!(sentence.en, "Misses the deadline by 24 min because of FCM: 600,000 a minute; 32,054,159 recipients take 54 min.");
    assert_eq!(sentence.zh, "将超出时限 24 分钟，原因：FCM 每分钟最多 600,000 条，32,054,159 人共需 54 分钟。");
}

#[test]
fn two_projects_hold_it() {
    let outlook = alone(work(Urgent, noon(), 0, CITY, 0), &Rates { fcm: LaneRate::Granted(2.0 * PROJECT), ..rates() });
    assert_eq!(outlook.verdict(), Verdict::Holds { spare_s: 197 });
    assert_eq!(outlook.sentence(noon()).en, "Can be held: everybody is reached within 27 min, 3 min before the deadline.");
    assert_eq!(outlook.sentence(noon()).zh, "可以按时完成：27 分钟内全部送达，比时限提前 3 分钟。");
}

#[test]
fn both_lanes_of_the_app_end_together_and_each_says_what_it_takes_itself() {
    let outlook = alone(work(Urgent, noon(), 6_000_000, 6_000_000, 0), &Rates { apns: LaneRate::Granted(60_000.0), ..rates() });
    let lanes: Vec<_> = outlook.lanes.iter().map(|lane| (lane.lane, lane.recipients, lane.takes_s, lane.last_at - noon())).collect();
    let ten = TimeDelta::minutes(10);
    assert_eq!(lanes, [(Lane::Apns, 6_000_000, 100, ten), (Lane::Fcm, 6_000_000, 600, ten)]);
}

#[test]
fn a_long_message_takes_the_centre_as_many_times_as_it_has_parts() {
    let mut long = work(Urgent, noon(), 0, 0, 600_000);
    long.mix.sms_parts = 3;
    let outlook = alone(long, &rates());
    assert_eq!(minutes(&outlook), 30.0);
    let slowest = outlook.slowest.unwrap();
    assert_eq!((slowest.recipients, slowest.parts, slowest.per_minute, slowest.takes_s), (600_000, 3, 60_000, 1_800));
}

#[rstest]
#[case::one_in_ten_loses_the_app(0.1, 60_000, 600)]
#[case::nobody_does(0.0, 0, 600)]
fn who_falls_back_gets_an_sms_until_the_app_is_done(#[case] share: f64, #[case] sms: u64, #[case] done_s: i64) {
    let mut work = work(Urgent, noon(), 0, 600_000, 0);
    work.mix.fallback = share;
    let outlook = alone(work, &Rates { fcm: LaneRate::Granted(1_000.0), ..rates() });
    let by_sms = outlook.lanes.iter().find(|lane| lane.lane == Lane::Sms);
    assert_eq!(by_sms.map_or(0, |lane| lane.recipients), sms);
    assert!(by_sms.is_none_or(|lane| lane.last_at == outlook.last_at));
    assert_eq!((outlook.last_at - noon()).num_seconds(), done_s);
}

#[test]
fn without_a_firebase_project_android_phones_get_an_sms() {
    let rates = Rates { fcm: LaneRate::Absent, ..rates() };
    let reach = Reach { app: 1_000, apns: 400, fcm: 700, web: 0, sms: 0 };
    let mix = Mix::of(&reach, &rates, 0.0, 1);
    assert_eq!((mix.apns, mix.fcm, mix.fallback), (0.4, 0.0, 0.6), "one in ten has both phones");
    assert_eq!(Mix::of(&reach, &Rates { apns: LaneRate::Absent, ..rates }, 0.0, 1).fallback, 1.0);
}

#[test]
fn an_audience_that_nobody_has_counted_is_as_slow_as_its_slowest_lane() {
    let mix = Mix::of(&Reach::default(), &rates(), 0.02, 1);
    assert_eq!((mix.apns, mix.fcm), (1.0, 1.0));
    assert!((mix.fallback - 0.02).abs() < 1e-9);
}

#[test]
fn an_urgent_alert_goes_first_and_pushes_a_routine_one_past_its_deadline() {
    let routine = work(Routine, noon(), 0, 60_000_000, 0);
    let urgent = work(Urgent, noon() + TimeDelta::seconds(1), 0, 15_000_000, 0);
    let before = alone(routine, &rates());
    assert!(before.holds(), "100 of its 120 minutes");
    let now = noon() + TimeDelta::seconds(1);
    let [routine, urgent] = &of_line(now, &[routine, urgent], &rates(), &day())[..] else { panic!("two") };
    assert!(urgent.holds());
    let Verdict::Misses { by_s, because: Some(because) } = routine.verdict() else { panic!("it misses") };
    assert_eq!((by_s, because.ahead, because.takes_s), (301, 15_000_000, 7_500));
}

#[test]
fn of_two_with_the_same_deadline_the_one_approved_first_goes_first_whatever_the_order_given() {
    let (first, mut second) = (work(Routine, noon(), 0, 600_000, 0), work(Routine, noon(), 0, 600_000, 0));
    second.approved_at = noon() + TimeDelta::seconds(1);
    let [second, first] = &of_line(noon(), &[second, first], &rates(), &day())[..] else { panic!("two") };
    assert_eq!((minutes(first), minutes(second)), (1.0, 2.0));
    assert_eq!(second.lanes[0].ahead, 600_000);
}

#[test]
fn an_alert_without_short_messages_does_not_wait_for_those_of_another() {
    let texts = work(Urgent, noon(), 0, 0, 600_000);
    let pushes = work(Routine, noon(), 0, 600_000, 0);
    let [_, pushes] = &of_line(noon(), &[texts, pushes], &rates(), &day())[..] else { panic!("two") };
    assert_eq!(minutes(pushes), 1.0);
}

#[rstest]
// approved, fcm recipients, done
#[case::before_the_night("2026-03-10T21:00:00+08:00", 18_000_000, "2026-03-10T21:30:00+08:00")]
#[case::over_the_night("2026-03-10T21:30:00+08:00", 36_000_000, "2026-03-11T07:30:00+08:00")]
#[case::in_the_night("2026-03-10T23:00:00+08:00", 18_000_000, "2026-03-11T07:30:00+08:00")]
fn a_routine_alert_pauses_in_the_night(#[case] approved: &str, #[case] fcm: u64, #[case] done: &str) {
    let approved: DateTime<Utc> = approved.parse().unwrap();
    let outlook = of_line(approved, &[work(Routine, approved, 0, fcm, 0)], &rates(), &QuietHours::default()).remove(0);
    assert_eq!(outlook.last_at, done.parse::<DateTime<Utc>>().unwrap());
    assert!(outlook.holds());
}

#[test]
fn an_urgent_alert_goes_through_the_night_while_a_routine_one_waits() {
    let evening: DateTime<Utc> = "2026-03-10T21:50:00+08:00".parse().unwrap();
    let (routine, urgent) = (work(Routine, evening, 0, 6_000_000, 0), work(Urgent, evening, 0, 12_000_000, 0));
    let [routine, urgent] = &of_line(evening, &[routine, urgent], &rates(), &QuietHours::default())[..] else { panic!("two") };
    assert_eq!(urgent.last_at - evening, TimeDelta::minutes(20));
    assert_eq!(routine.last_at, "2026-03-11T07:10:00+08:00".parse::<DateTime<Utc>>().unwrap());
}

#[test]
fn an_alert_that_begins_later_leaves_its_place_to_others_until_then() {
    let mut later = work(Urgent, noon(), 0, 600_000, 0);
    later.begins_at = noon() + TimeDelta::seconds(30);
    let [later, routine] = &of_line(noon(), &[later, work(Routine, noon(), 0, 600_000, 0)], &rates(), &day())[..] else { panic!("two") };
    assert_eq!((minutes(later), minutes(routine)), (1.5, 2.0));
    assert_eq!(later.lanes[0].ahead, 0);
}

#[test]
fn batches_that_wait_hold_the_end_up() {
    let mut held = work(Urgent, noon(), 0, 600, 60);
    held.sms_waits_until = Some(noon() + TimeDelta::minutes(45));
    let outlook = alone(held, &rates());
    assert_eq!(minutes(&outlook), 45.0);
    assert_eq!(
        outlook.sentence(noon()).en,
        "Misses the deadline by 15 min because of a wait: some messages by SMS are not tried again before 45 min."
    );
}

#[test]
fn what_stands_still_is_looked_at_no_further_than_the_horizon() {
    let outlook = alone(work(Urgent, noon(), 0, CITY, 0), &Rates { seen_app: seen_rate([(60.0, 0.0)], 30.0), ..rates() });
    assert_eq!((outlook.last_at - noon(), outlook.slowest.unwrap().brake), (HORIZON, Brake::Seen(Channel::App)));
    assert!(!outlook.holds());
}

#[rstest]
#[case::nothing_seen(&[], None)]
#[case::too_little(&[(10.0, 5_000.0), (19.0, 5_000.0)], None)]
#[case::enough(&[(10.0, 5_000.0), (30.0, 14_999.0)], Some(500.0))]
#[case::a_standstill(&[(50.0, 0.0)], Some(0.02))]
fn a_rate_is_what_was_handed_over_while_there_was_enough_to_do(#[case] seen: &[(f64, f64)], #[case] rate: Option<f64>) {
    assert_eq!(seen_rate(seen.iter().copied(), 30.0), rate);
}

#[test]
fn nothing_left_after_the_deadline_is_late_without_a_reason() {
    let mut over = work(Urgent, noon(), 0, 0, 0);
    over.due_at = noon() - TimeDelta::minutes(3);
    assert_eq!(alone(over, &rates()).sentence(noon()).en, "Is 3 min past the deadline already.");
}

proptest! {
    #[test]
    fn more_recipients_or_less_rate_never_make_an_alert_earlier(
        line in prop::collection::vec((any::<bool>(), 0u64..5_000_000, 0u64..5_000_000, 0u64..500_000, 0i64..600), 1..6),
        more in 0u64..1_000_000,
        slower in 1.0f64..10.0,
        start_min in 0i64..1_440,
    ) {
        let now = noon() + TimeDelta::minutes(start_min);
        let line: Vec<Work> = line
            .into_iter()
            .map(|(urgent, apns, fcm, sms, begins_min)| {
                let class = if urgent { Urgent } else { Routine };
                let mut one = work(class, now, apns, fcm, sms);
                one.begins_at = now + TimeDelta::minutes(begins_min);
                one
            })
            .collect();
        let quiet_hours = QuietHours::default();
        let rates = Rates { apns: LaneRate::Granted(15_000.0), ..rates() };
        let before = of_line(now, &line, &rates, &quiet_hours);
        let slow = Rates { fcm: LaneRate::Granted(PROJECT / slower), ..rates };
        let second = TimeDelta::seconds(1);
        for (early, late) in before.iter().zip(of_line(now, &line, &slow, &quiet_hours)) {
            prop_assert!(late.last_at + second >= early.last_at);
        }
        let mut longer = line;
        longer[0].sms += more;
        let after = of_line(now, &longer, &rates, &quiet_hours);
        prop_assert!(after[0].last_at + second >= before[0].last_at);
    }
}

// apns, fcm, web push, fallback
#[rstest]
#[case::everything_is_there(Unlimited, Unlimited, Unlimited, 0.0)]
#[case::no_web_push(Unlimited, Unlimited, Absent, 0.2)]
#[case::nothing_but_web_push(Absent, Absent, Unlimited, 0.8)]
#[case::no_fcm(Unlimited, Absent, Unlimited, 0.5)]
#[case::nothing(Absent, Absent, Absent, 1.0)]
fn who_has_the_app_only_in_a_browser_is_reached_where_web_push_is_there(
    #[case] apns: LaneRate,
    #[case] fcm: LaneRate,
    #[case] web: LaneRate,
    #[case] fallback: f64,
) {
    let reach = Reach { app: 1_000, apns: 300, fcm: 500, web: 200, sms: 0 };
    let mix = Mix::of(&reach, &Rates { apns, fcm, web, ..rates() }, 0.0, 1);
    assert!((mix.fallback - fallback).abs() < 1e-9, "{}", mix.fallback);
    assert_eq!(mix.web, if web == Absent { 0.0 } else { 0.2 });
}
