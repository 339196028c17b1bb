use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use proptest::sample::Index;
use rstest::rstest;
use strum::VariantArray as _;

use super::*;
use crate::ids::{StaffId, UnitId};
use crate::staff::{Role, Scope};
use crate::working_day::Calendar;

const TZ: Tz = Tz::Asia__Shanghai;

fn begin() -> DateTime<Utc> {
    "2026-11-30T02:00:00Z".parse().unwrap()
}

fn unit(number: u32) -> UnitId {
    UnitId::new(number)
}

/// People by number: 1–3 operators, 4–6 supervisors; 11, 12, 13 of unit 1, 21, 22, 23 of unit 2, and so on, the last two its leads.
fn person(number: u32) -> StaffId {
    StaffId::from_uuid(uuid::Uuid::from_u128(number.into()))
}

fn staff(number: u32) -> Actor {
    let (role, scope) = match number {
        1..=3 => (Role::HotlineOperator, Scope::City),
        4..=6 => (Role::Supervisor, Scope::City),
        _ if number % 10 == 1 => (Role::UnitHandler, Scope::Unit(unit(number / 10))),
        _ => (Role::UnitLead, Scope::Unit(unit(number / 10))),
    };
    Actor::Staff { id: person(number), role, scope }
}

const OPERATOR: u32 = 1;
const OTHER_OPERATOR: u32 = 2;
const SUPERVISOR: u32 = 4;

fn received(kind: Kind) -> Case {
    Case::received(kind, None, begin(), true)
}

/// The units: 9 is above 1 and 2, nothing above the others.
fn with_unit_above(mut case: Case) -> Case {
    case.unit_above = case.lead.filter(|lead| [1, 2].contains(&lead.get())).map(|_| unit(9));
    case
}

fn take(case: &Case, step: Step<'_>, actor: Actor) -> Result<Case, Refusal> {
    next(case, &step, &actor, true, begin() + TimeDelta::hours(1), &Promises::default()).map(|decision| with_unit_above(decision.case))
}

fn plain(case: &Case, event: Event, by: u32) -> Result<Case, Refusal> {
    take(case, Step::Plain(event), staff(by))
}

fn accept(grade: Grade) -> Step<'static> {
    Step::Class { event: Event::Accept, urgency: Urgency::Ordinary, grade }
}

/// A case that unit 1 works on.
fn at_work(kind: Kind, grade: Grade) -> Case {
    let mut case = plain(&received(kind), Event::Register, OPERATOR).unwrap();
    if case.state == State::ToCheck {
        case = plain(&case, Event::ConfirmRegistration, OTHER_OPERATOR).unwrap();
    }
    let case = take(&case, accept(grade), staff(OPERATOR)).unwrap();
    let case = take(&case, Step::Route { lead: unit(1), assists: &[] }, staff(OPERATOR)).unwrap();
    plain(&case, Event::SignFor, 11).unwrap()
}

fn told(case: &Case, author: u32, decider: u32) -> Case {
    let case = plain(case, Event::SubmitResult, author).unwrap();
    let case = plain(&case, Event::Decide, decider).unwrap();
    plain(&case, Event::Tell, author).unwrap()
}

#[test]
fn a_call_becomes_an_order_an_answer_and_an_end() {
    let told = told(&at_work(Kind::Consultation, Grade::Simple), 11, 12);
    assert_eq!(told.state, State::Told);
    assert_eq!(take(&told, Step::Plain(Event::Satisfied), Actor::Citizen).unwrap().state, State::Closed);
}

#[rstest]
#[case::a_complaint(Kind::Complaint, State::ToCheck)]
#[case::a_violation(Kind::ViolationReport, State::ToCheck)]
#[case::a_question(Kind::Consultation, State::Registered)]
#[case::help(Kind::UrgentHelp, State::Registered)]
fn what_accuses_somebody_is_checked_by_a_second_person(#[case] kind: Kind, #[case] state: State) {
    let case = plain(&received(kind), Event::Register, OPERATOR).unwrap();
    assert_eq!(case.state, state);
    if state == State::ToCheck {
        assert_eq!(plain(&case, Event::ConfirmRegistration, OPERATOR), Err(Refusal::SamePerson { event: Event::ConfirmRegistration }));
        assert_eq!(plain(&case, Event::ConfirmRegistration, OTHER_OPERATOR).unwrap().state, State::Registered);
    }
}

#[test]
fn an_order_does_not_bounce() {
    let routed = |case: &Case, to: u32| take(case, Step::Route { lead: unit(to), assists: &[] }, staff(OPERATOR));
    let case = plain(&received(Kind::Consultation), Event::Register, OPERATOR).unwrap();
    let case = take(&case, accept(Grade::Simple), staff(OPERATOR)).unwrap();
    let first = routed(&case, 1).unwrap();
    assert_eq!(take(&first, Step::RefuseCompetence { proposal: unit(1) }, staff(12)), Err(Refusal::ProposesItself));
    let again = take(&first, Step::RefuseCompetence { proposal: unit(2) }, staff(12)).unwrap();
    assert_eq!(again.state, State::Accepted);
    assert_eq!(routed(&again, 1), Err(Refusal::UnitRefusedBefore));
    let dispute = take(&routed(&again, 2).unwrap(), Step::RefuseCompetence { proposal: unit(1) }, staff(22)).unwrap();
    assert_eq!(dispute.state, State::Disputed);
    assert!(matches!(routed(&dispute, 3), Err(Refusal::NotFromHere { .. })), "the desk cannot send it on");
    let decided = take(&dispute, Step::DecideDispute { lead: unit(1) }, staff(SUPERVISOR)).unwrap();
    assert_eq!((decided.state, decided.lead), (State::Routed, Some(unit(1))));
    assert_eq!(take(&decided, Step::RefuseCompetence { proposal: unit(2) }, staff(12)), Err(Refusal::OrderBinding));
    assert_eq!(plain(&decided, Event::SignFor, 11).unwrap().state, State::Working);
}

#[test]
fn who_wrote_the_result_does_not_decide_it() {
    let case = plain(&at_work(Kind::Consultation, Grade::Simple), Event::SubmitResult, 12).unwrap();
    assert_eq!(plain(&case, Event::Decide, 12), Err(Refusal::SamePerson { event: Event::Decide }));
    assert_eq!(plain(&case, Event::Decide, 11), Err(Refusal::WrongRole { role: Role::UnitHandler, event: Event::Decide }));
    assert_eq!(plain(&case, Event::Decide, 22), Err(Refusal::OutsideUnit { event: Event::Decide }));
    assert_eq!(plain(&case, Event::Decide, 13).unwrap().state, State::Decided);
}

#[test]
fn a_major_matter_takes_two_to_decide() {
    let case = plain(&at_work(Kind::Consultation, Grade::Major), Event::SubmitResult, 11).unwrap();
    let once = plain(&case, Event::Decide, 12).unwrap();
    assert_eq!(once.state, State::ToConfirm);
    assert!(plain(&once, Event::Decide, 13).is_err());
    assert_eq!(plain(&once, Event::Decide, SUPERVISOR).unwrap().state, State::Decided);
}

#[test]
fn a_review_goes_one_level_up_and_then_to_somebody_else() {
    let dissatisfied = |case: &Case| take(case, Step::Plain(Event::NotSatisfied), Actor::Citizen);
    let second = dissatisfied(&told(&at_work(Kind::Consultation, Grade::Simple), 11, 12)).unwrap();
    assert_eq!((second.state, second.lead, second.round), (State::Routed, Some(unit(9)), 2));
    let second = plain(&second, Event::SignFor, 91).unwrap();
    let third = dissatisfied(&told(&second, 91, 92)).unwrap();
    assert_eq!((third.state, third.lead, third.round), (State::Accepted, None, 3), "above it there is none: the desk routes it");
    for earlier in [1, 9] {
        let again = take(&third, Step::Route { lead: unit(earlier), assists: &[] }, staff(OPERATOR));
        assert_eq!(again, Err(Refusal::UnitDecidedBefore));
    }
    let third = take(&third, Step::Route { lead: unit(3), assists: &[] }, staff(OPERATOR)).unwrap();
    let third = told(&plain(&third, Event::SignFor, 31).unwrap(), 31, 32);
    assert_eq!(dissatisfied(&third), Err(Refusal::ReviewUsedUp));
}

#[test]
fn a_review_is_asked_for_in_time() {
    let case = told(&at_work(Kind::Consultation, Grade::Simple), 11, 12);
    let later = |days| begin() + TimeDelta::hours(1) + TimeDelta::days(days);
    let asked = |at| next(&case, &Step::Plain(Event::NotSatisfied), &Actor::Citizen, true, at, &Promises::default()).map(|_| ());
    assert_eq!(asked(later(30)), Ok(()));
    assert_eq!(asked(later(31)), Err(Refusal::ReviewTooLate { days: 30 }));
}

#[test]
fn units_that_assist_finish_before_there_is_a_result() {
    let case = plain(&received(Kind::Consultation), Event::Register, OPERATOR).unwrap();
    let case = take(&case, accept(Grade::Simple), staff(OPERATOR)).unwrap();
    let case = take(&case, Step::Route { lead: unit(1), assists: &[unit(1), unit(2)] }, staff(OPERATOR)).unwrap();
    assert_eq!(case.assists, [unit(2)], "who leads does not assist");
    let case = plain(&case, Event::SignFor, 11).unwrap();
    assert_eq!(plain(&case, Event::SubmitResult, 11), Err(Refusal::AssistsOpen));
    let case = plain(&case, Event::FinishAssist, 21).unwrap();
    assert_eq!(plain(&case, Event::SubmitResult, 11).unwrap().state, State::ToDecide);
}

#[test]
fn more_time_is_given_once_and_no_more_than_half() {
    let case = at_work(Kind::Consultation, Grade::Complex);
    let asks = |days| take(&case, Step::AskExtension { working_days: days }, staff(12));
    assert_eq!(asks(8), Err(Refusal::ExtensionTooLong { longest: 7 }));
    assert_eq!(asks(0), Err(Refusal::ExtensionTooLong { longest: 7 }));
    let given = plain(&asks(7).unwrap(), Event::GrantExtension, SUPERVISOR).unwrap();
    assert_eq!(take(&given, Step::AskExtension { working_days: 1 }, staff(12)), Err(Refusal::ExtensionUsed));
    assert_eq!(plain(&given, Event::GrantExtension, SUPERVISOR), Err(Refusal::NoExtensionAsked));
}

#[test]
fn a_report_of_a_violation_goes_on_without_whoever_brought_it() {
    let withdrawn = |kind| take(&at_work(kind, Grade::Simple), Step::Plain(Event::Withdraw), Actor::Citizen).unwrap().state;
    assert_eq!(withdrawn(Kind::ViolationReport), State::Working);
    assert_eq!(withdrawn(Kind::Complaint), State::Withdrawn);
}

#[test]
fn a_case_in_which_others_go_on_does_not_end_without_them() {
    let joined = Case { joined: true, ..at_work(Kind::Consultation, Grade::Simple) };
    assert_eq!(take(&joined, Step::Plain(Event::Withdraw), Actor::Citizen).unwrap().state, State::Working);
    assert_eq!(plain(&joined, Event::ProposeMerge, OPERATOR), Err(Refusal::OthersGoOnInIt));
    let unregistered = Case { joined: true, ..received(Kind::Consultation) };
    assert_eq!(plain(&unregistered, Event::Decline, OPERATOR), Err(Refusal::OthersGoOnInIt));
}

#[test]
fn the_desk_does_not_turn_away_the_review_of_its_own_answer() {
    let answered = plain(&received(Kind::Consultation), Event::AnswerAtOnce, OPERATOR).unwrap();
    let again = take(&answered, Step::Plain(Event::NotSatisfied), Actor::Citizen).unwrap();
    assert_eq!(again.state, State::Registered);
    assert_eq!(plain(&again, Event::Decline, OPERATOR), Err(Refusal::WrongRole { role: Role::HotlineOperator, event: Event::Decline }));
    assert_eq!(plain(&again, Event::Decline, SUPERVISOR).unwrap().state, State::Declined);
}

#[test]
fn supervision_lets_an_assisting_unit_go_that_does_nothing() {
    let waiting = Case { assists: vec![unit(2)], ..at_work(Kind::Consultation, Grade::Simple) };
    let release = |of| take(&waiting, Step::ReleaseAssist { unit: unit(of) }, staff(SUPERVISOR));
    assert_eq!(release(3), Err(Refusal::NoSuchAssist));
    assert!(release(2).unwrap().assists.is_empty());
}

#[test]
fn a_unit_that_assisted_and_is_found_competent_leads_and_assists_no_more() {
    let disputed = Case { state: State::Disputed, assists: vec![unit(2), unit(3)], ..at_work(Kind::Consultation, Grade::Simple) };
    let decided = take(&disputed, Step::DecideDispute { lead: unit(2) }, staff(SUPERVISOR)).unwrap();
    assert_eq!((decided.lead, decided.assists), (Some(unit(2)), vec![unit(3)]));
}

#[test]
fn where_words_are_due_none_is_refused() {
    let case = received(Kind::Consultation);
    let silent = next(&case, &Step::Plain(Event::AnswerAtOnce), &staff(OPERATOR), false, begin(), &Promises::default());
    assert_eq!(silent.map(|_| ()), Err(Refusal::ReasonMissing { event: Event::AnswerAtOnce }));
}

#[test]
fn a_district_does_not_take_steps_in_another() {
    let mut case = received(Kind::Consultation);
    case.district = Some("500103".parse().unwrap());
    let of =
        |district: &str| Actor::Staff { id: person(1), role: Role::HotlineOperator, scope: Scope::District(district.parse().unwrap()) };
    assert!(take(&case, Step::Plain(Event::Register), of("500103")).is_ok());
    assert_eq!(take(&case, Step::Plain(Event::Register), of("500101")), Err(Refusal::OutsideScope { event: Event::Register }));
}

/// Which roles take which steps: whoever gives a role another step says so here.
#[rstest]
#[case(Role::HotlineOperator, &[
    Event::AnswerAtOnce, Event::Register, Event::ConfirmRegistration, Event::CorrectRegistration, Event::Decline, Event::Accept, Event::Route,
    Event::CallBack, Event::ProposeMerge, Event::Merge, Event::RefuseMerge,
])]
#[case(Role::UnitHandler, &[
    Event::SignFor, Event::ReportProgress, Event::AskCitizen, Event::FinishAssist, Event::SubmitResult, Event::Tell,
])]
#[case(Role::UnitLead, &[
    Event::SignFor, Event::RefuseCompetence, Event::ReportProgress, Event::AskCitizen, Event::FinishAssist, Event::AskExtension,
    Event::SubmitResult, Event::Decide, Event::SendBack, Event::Tell,
])]
#[case(Role::Supervisor, &[
    Event::Decline, Event::Accept, Event::Route, Event::DecideDispute, Event::ReleaseAssist, Event::GrantExtension, Event::RefuseExtension, Event::Regrade,
    Event::Decide, Event::SendBack,
])]
#[case(Role::CityCommandOfficer, &[])]
#[case(Role::DistrictReviewer, &[])]
#[case(Role::CommunityWorker, &[])]
#[case(Role::TechnicalOperator, &[])]
#[case(Role::Administrator, &[])]
#[case(Role::Auditor, &[])]
fn a_role_takes_its_steps_and_no_others(#[case] role: Role, #[case] steps: &[Event]) {
    let takes = |event: Event| TRANSITIONS.iter().any(|transition| transition.event == event && transition.by.includes(role));
    let taken: Vec<Event> = Event::VARIANTS.iter().copied().filter(|event| takes(*event)).collect();
    assert_eq!(taken, steps);
}

#[test]
fn what_is_open_to_somebody_is_what_they_may_do_and_why_not_the_rest() {
    let case = plain(&received(Kind::Complaint), Event::Register, OPERATOR).unwrap();
    let open = |by| open_events(&case, &staff(by), begin(), &Promises::default());
    assert!(open(OPERATOR).contains(&(Event::ConfirmRegistration, Err(Refusal::SamePerson { event: Event::ConfirmRegistration }))));
    assert!(open(OTHER_OPERATOR).contains(&(Event::ConfirmRegistration, Ok(()))));
    assert!(open(11).is_empty(), "a unit has no business with it yet");
}

/// Everything that somebody could try: people, units, grades by number.
fn anything() -> impl Strategy<Value = (Index, Index, Index, Index)> {
    (any::<Index>(), any::<Index>(), any::<Index>(), any::<Index>())
}

const EVERYBODY: [u32; 21] = [1, 2, 3, 4, 5, 6, 11, 12, 13, 21, 22, 23, 31, 32, 33, 41, 42, 43, 91, 92, 93];
const UNITS: [u32; 5] = [1, 2, 3, 4, 9];

fn tried((what, who, one, other): (Index, Index, Index, Index), assists: &[UnitId]) -> (Step<'_>, Actor) {
    let event = *what.get(Event::VARIANTS);
    let lead = unit(*one.get(&UNITS));
    let step = match event {
        Event::Route => Step::Route { lead, assists },
        Event::RefuseCompetence => Step::RefuseCompetence { proposal: lead },
        Event::DecideDispute => Step::DecideDispute { lead },
        Event::ReleaseAssist => Step::ReleaseAssist { unit: lead },
        Event::AskExtension => Step::AskExtension { working_days: u32::try_from(one.index(20)).unwrap() },
        Event::Accept | Event::Regrade => Step::Class { event, urgency: *one.get(Urgency::VARIANTS), grade: *other.get(Grade::VARIANTS) },
        Event::Raise => Step::Raise { urgency: *one.get(Urgency::VARIANTS) },
        plain => Step::Plain(plain),
    };
    let who = who.index(EVERYBODY.len() + 2);
    let actor = EVERYBODY.get(who).map_or(if who == EVERYBODY.len() { Actor::Citizen } else { Actor::System }, |number| staff(*number));
    (step, actor)
}

/// Whether an end can be reached by work alone: without anybody taking it back, joining it with another or declining it.
fn ends_by_work(case: &Case, now: DateTime<Utc>, promises: &Promises) -> bool {
    let mut case = case.clone();
    for _ in 0..40 {
        if !case.state.is_open() {
            return true;
        }
        let worked = [
            Event::Register,
            Event::ConfirmRegistration,
            Event::Accept,
            Event::DecideDispute,
            Event::Route,
            Event::TimeOver,
            Event::SignFor,
            Event::FinishAssist,
            Event::SubmitResult,
            Event::Decide,
            Event::Tell,
            Event::Silence,
        ];
        let moved = worked.iter().find_map(|event| {
            EVERYBODY.iter().map(|number| staff(*number)).chain([Actor::System]).find_map(|actor| {
                UNITS.iter().find_map(|to| {
                    let step = match event {
                        Event::Accept => accept(Grade::Simple),
                        Event::Route => Step::Route { lead: unit(*to), assists: &[] },
                        Event::DecideDispute => Step::DecideDispute { lead: unit(*to) },
                        plain => Step::Plain(*plain),
                    };
                    next(&case, &step, &actor, true, now, promises).ok().map(|decision| with_unit_above(decision.case))
                })
            })
        });
        match moved {
            Some(after) => case = after,
            None => return false,
        }
    }
    false
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever people try, in whatever order, with time passing in between: the rules above the table hold.
    #[test]
    fn the_rules_hold_in_every_sequence(
        kind in prop::sample::select(Kind::VARIANTS),
        joined: bool,
        steps in prop::collection::vec((anything(), 0..200_i64), 0..400),
    ) {
        let promises = Promises::default();
        let mut case = Case { joined, ..received(kind) };
        let mut now = begin();
        let mut clock: Option<Clock> = None;
        let assists = [unit(2), unit(3)];
        let (mut decided, mut refusals, mut waits_since) = (false, 0, None);
        let mut taken = BTreeSet::new();
        for (try_, hours) in steps {
            let (step, actor) = tried(try_, &assists[..try_.3.index(3)]);
            now += TimeDelta::hours(hours) / 4;
            let before = case.clone();
            let Ok(decision) = next(&case, &step, &actor, true, now, &promises) else { continue };
            case = with_unit_above(decision.case);
            let (event, person) = (step.event(), match actor { Actor::Staff { id, .. } => Some(id), _ => None });
            taken.insert(event);
            match event {
                Event::ConfirmRegistration | Event::CorrectRegistration => prop_assert_ne!(person, before.writer),
                Event::Decide => {
                    prop_assert_ne!(person, before.author);
                    prop_assert_ne!(person, before.decider);
                    prop_assert!(person.is_some_and(|person| !before.earlier_deciders.contains(&person)));
                    decided |= case.state == State::Decided;
                }
                Event::Tell => prop_assert!(decided && case.decider.is_some(), "told what nobody decided"),
                Event::CallBack => prop_assert!(person.is_some_and(|person| !before.handlers.contains(&person))),
                Event::Merge => prop_assert_ne!(person, before.merge.map(|merge| merge.by)),
                Event::Raise => prop_assert!(case.urgency > before.urgency),
                Event::Decline if before.round > 1 => {
                    prop_assert!(matches!(actor, Actor::Staff { role: Role::Supervisor, .. }), "whoever answered turned the review away");
                }
                Event::NotSatisfied => {
                    prop_assert!(case.lead.is_none_or(|lead| !case.earlier_units.contains(&lead)));
                    (decided, refusals) = (false, 0);
                }
                Event::RefuseCompetence => {
                    refusals += 1;
                    prop_assert!(refusals <= 2 && !before.binding, "an order bounced {refusals} times");
                }
                _ => {}
            }
            if matches!(case.state, State::Told) {
                prop_assert!(case.decider.is_some());
            }
            if case.grade == Grade::Major && event == Event::Decide && case.state == State::Decided && before.state == State::ToDecide {
                prop_assert!(false, "one person decided a major matter");
            }
            // what the service does with the clock of the case
            if event == Event::Accept && case.round == 1 {
                clock = promises.period(Promise::Finish, &case).map(|period| Clock::start(Promise::Finish, period, case.received_at, now, Calendar::china(), TZ));
            }
            if let Some(clock) = &mut clock {
                if decision.pauses {
                    waits_since = Some(now);
                    clock.pause(now);
                } else if decision.resumes {
                    let left = promises.pause_days - case.paused_days;
                    clock.resume(now, left, Calendar::china(), TZ);
                    case.paused_days += clock.pauses.last().map_or(0, |pause| pause.days);
                    prop_assert!(waits_since.take().is_some());
                }
                prop_assert!(clock.pauses.iter().map(|pause| pause.days).sum::<u32>() <= promises.pause_days);
            }
            prop_assert!(case.paused_days <= promises.pause_days);
            prop_assert!(case.lead.is_none_or(|lead| !case.assists.contains(&lead)), "who leads assists as well");
            prop_assert!(!joined || !matches!(case.state, State::Merged | State::Withdrawn | State::Declined), "others go on in it");
            prop_assert!(ends_by_work(&case, now, &promises), "no end from {:?} after {:?}", case.state, taken);
        }
    }

    /// Asking what is open and trying it say the same.
    #[test]
    fn what_is_open_can_be_done(kind in prop::sample::select(Kind::VARIANTS), steps in prop::collection::vec(anything(), 0..200)) {
        let (promises, now) = (Promises::default(), begin());
        let mut case = received(kind);
        for try_ in steps {
            let (step, actor) = tried(try_, &[]);
            if let (Step::Plain(event), open) = (step, open_events(&case, &actor, now, &promises)) {
                let may = open.iter().any(|(one, standing)| *one == event && standing.is_ok());
                prop_assert_eq!(may, next(&case, &step, &actor, true, now, &promises).is_ok());
            }
            if let Ok(decision) = next(&case, &step, &actor, true, now, &promises) {
                case = with_unit_above(decision.case);
            }
        }
    }
}
