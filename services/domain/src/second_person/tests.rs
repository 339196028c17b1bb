//! Tables of cases, and what holds in every sequence of steps.

use chrono::TimeDelta;
use proptest::prelude::*;
use rstest::rstest;
use uuid::Uuid;

use super::*;

const DELAY: TimeDelta = TimeDelta::minutes(15);
const WAITING: TimeDelta = TimeDelta::hours(24);
const LIFE: TimeDelta = TimeDelta::hours(72);

const HEARD: Hearing = Hearing { others: true, silenced_at: None };

fn at(minutes: i64) -> DateTime<Utc> {
    "2026-11-02T01:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
}

fn person(number: u128, role: Role) -> StaffMember {
    StaffMember { id: StaffId::from_uuid(Uuid::from_u128(number)), role, active: true, acts_from: None }
}

fn post(role: Role, scope: &str) -> Post {
    Post { role, scope: scope.parse().unwrap() }
}

fn proposal_of(by: &StaffMember, change: Change) -> Proposal {
    Proposal { change, concerns: None, proposed_by: Some(by.id), state: ProposalState::Waiting, expires_at: at(0) + LIFE, alone_from: None }
}

#[rstest]
#[case(Role::SubmittingUnit, "city", Role::SubmittingUnit, "district:500103", false)]
#[case(Role::SubmittingUnit, "district:500103", Role::SubmittingUnit, "city", true)]
#[case(Role::DistrictReviewer, "district:500103", Role::DistrictReviewer, "district:500101", true)]
#[case(Role::DistrictReviewer, "district:500103", Role::DistrictReviewer, "district:500103", false)]
#[case(Role::CommunityWorker, "community:500103001001", Role::CommunityWorker, "community:500103001002", true)]
#[case(Role::IndustrySupervisor, "industry:education", Role::IndustrySupervisor, "industry:health", true)]
#[case(Role::UnitHandler, "unit:1", Role::UnitHandler, "unit:2", true)]
#[case(Role::UnitHandler, "unit:1", Role::UnitHandler, "unit:1", false)]
#[case(Role::CityCommandOfficer, "city", Role::Auditor, "city", true)]
#[case(Role::CommunityWorker, "community:500103001001", Role::CityCommandOfficer, "city", true)]
fn a_post_that_gives_something_new_needs_a_second_person(
    #[case] role: Role,
    #[case] scope: &str,
    #[case] new_role: Role,
    #[case] new_scope: &str,
    #[case] needed: bool,
) {
    let change = |renamed| Change::Alter { from: post(role, scope), to: post(new_role, new_scope), renamed };
    assert_eq!(change(false).gives_power(), needed);
    assert!(change(true).gives_power(), "another name makes somebody seem to be somebody else");
}

#[rstest]
#[case(Change::MakeAccount(post(Role::CityCommandOfficer, "city")), true, true)]
#[case(Change::MakeAccount(post(Role::Auditor, "city")), true, false)]
#[case(Change::Enable(post(Role::DistrictReviewer, "district:500103")), true, true)]
#[case(Change::Reset(post(Role::Administrator, "city")), true, true)]
#[case(Change::Reset(post(Role::CommunityWorker, "community:500103001001")), true, false)]
#[case(Change::LiftWaiting, true, false)]
#[case(Change::BindDirectory(post(Role::CityCommandOfficer, "city")), true, true)]
#[case(Change::BindDirectory(post(Role::SubmittingUnit, "city")), true, false)]
#[case(Change::UnbindDirectory, false, false)]
#[case(Change::MakeKey, true, false)]
#[case(Change::MoveKey, true, false)]
#[case(Change::Disable, false, false)]
#[case(Change::EndSessions, false, false)]
#[case(Change::RevokeKey, false, false)]
fn what_gives_power_needs_two_and_what_releases_waits(#[case] change: Change, #[case] two: bool, #[case] waits: bool) {
    assert_eq!((change.gives_power(), change.begins_waiting()), (two, waits));
}

#[rstest]
#[case(2, Role::Administrator, Ok(Confirmed::ByAnother))]
#[case(1, Role::Administrator, Err(Refusal::SamePerson))]
#[case(3, Role::Administrator, Err(Refusal::OwnAccount))]
#[case(4, Role::CityCommandOfficer, Err(Refusal::NotAdministrator))]
fn another_administrator_confirms_who_is_not_concerned(#[case] who: u128, #[case] role: Role, #[case] answer: Result<Confirmed, Refusal>) {
    let proposer = person(1, Role::Administrator);
    let concerned = Some(person(3, Role::Administrator).id);
    let proposal = Proposal { concerns: concerned, ..proposal_of(&proposer, Change::Reset(post(Role::Administrator, "city"))) };
    assert_eq!(confirm(&proposal, &person(who, role), Some(&proposer), HEARD, at(1)), answer);
}

#[test]
fn who_is_disabled_waits_or_was_stopped_stands_behind_nothing() {
    let (one, two) = (person(1, Role::Administrator), person(2, Role::Administrator));
    let proposal = proposal_of(&one, Change::MakeKey);
    let off = |person: StaffMember| StaffMember { active: false, ..person };
    assert_eq!(confirm(&proposal, &off(two), Some(&one), HEARD, at(1)), Err(Refusal::NotAdministrator));
    let new = StaffMember { acts_from: Some(at(60)), ..two };
    assert_eq!(confirm(&proposal, &new, Some(&one), HEARD, at(59)), Err(Refusal::StillWaiting { from: at(60) }));
    assert_eq!(confirm(&proposal, &new, Some(&one), HEARD, at(60)), Ok(Confirmed::ByAnother));
    assert_eq!(confirm(&proposal, &two, Some(&off(one)), HEARD, at(1)), Err(Refusal::ProposerGone));
    let demoted = StaffMember { role: Role::Auditor, ..one };
    assert_eq!(confirm(&proposal, &two, Some(&demoted), HEARD, at(1)), Err(Refusal::ProposerGone));
}

#[test]
fn an_emergency_lets_one_act_alone_only_after_the_delay_and_never_lifts_the_waiting() {
    let one = person(1, Role::Administrator);
    let proposal = proposal_of(&one, Change::MakeAccount(post(Role::CityCommandOfficer, "city")));
    assert_eq!(declare_emergency(&proposal, &person(2, Role::Administrator), HEARD, at(0)), Err(Refusal::NotProposer));
    declare_emergency(&proposal, &one, HEARD, at(0)).unwrap();
    let declared = Proposal { alone_from: Some(at(0) + DELAY), ..proposal };
    assert_eq!(declare_emergency(&declared, &one, HEARD, at(1)), Err(Refusal::AlreadyEmergency));
    assert_eq!(confirm(&declared, &one, Some(&one), HEARD, at(14)), Err(Refusal::TooEarly { at: at(15) }));
    assert_eq!(confirm(&declared, &one, Some(&one), HEARD, at(15)), Ok(Confirmed::Alone));
    assert_eq!(confirm(&declared, &one, Some(&one), HEARD, at(134)), Ok(Confirmed::Alone));
    assert_eq!(confirm(&declared, &one, Some(&one), HEARD, at(135)), Err(Refusal::EmergencyOver { at: at(135) }));
    let another = person(2, Role::Administrator);
    assert_eq!(confirm(&declared, &another, Some(&one), HEARD, at(135)), Ok(Confirmed::ByAnother), "two people may still");
}

#[rstest]
#[case(Change::MakeAccount(post(Role::CityCommandOfficer, "city")), true)]
#[case(Change::Enable(post(Role::DistrictReviewer, "district:500103")), true)]
#[case(Change::Reset(post(Role::CityCommandOfficer, "city")), true)]
#[case(Change::MakeAccount(post(Role::Administrator, "city")), false)]
#[case(Change::Enable(post(Role::Administrator, "city")), false)]
#[case(Change::Reset(post(Role::Administrator, "city")), false)]
#[case(Change::Alter { from: post(Role::Auditor, "city"), to: post(Role::Administrator, "city"), renamed: false }, false)]
#[case(Change::Alter { from: post(Role::Administrator, "city"), to: post(Role::Administrator, "city"), renamed: true }, false)]
#[case(Change::LiftWaiting, false)]
#[case(Change::BindDirectory(post(Role::SubmittingUnit, "city")), false)]
#[case(Change::MakeKey, false)]
#[case(Change::MoveKey, false)]
fn no_emergency_makes_a_second_person_or_a_key_or_lifts_the_waiting(#[case] change: Change, #[case] possible: bool) {
    let one = person(1, Role::Administrator);
    let proposal = proposal_of(&one, change);
    assert_eq!(declare_emergency(&proposal, &one, HEARD, at(0)), if possible { Ok(()) } else { Err(Refusal::NoEmergency) });
    let declared = Proposal { alone_from: Some(at(0)), ..proposal };
    let alone = if possible { Ok(Confirmed::Alone) } else { Err(Refusal::NoEmergency) };
    assert_eq!(confirm(&declared, &one, Some(&one), HEARD, at(0)), alone);
}

#[test]
fn whoever_stopped_those_who_could_object_does_not_act_alone() {
    let one = person(1, Role::Administrator);
    let proposal = proposal_of(&one, Change::MakeAccount(post(Role::Auditor, "city")));
    let declared = Proposal { alone_from: Some(at(15)), ..proposal };
    let silenced = Hearing { silenced_at: Some(at(5)), ..HEARD };
    let stopped = Refusal::ObjectorStopped { until: at(5) + SILENCE };
    assert_eq!(declare_emergency(&proposal, &one, silenced, at(10)), Err(stopped));
    assert_eq!(confirm(&declared, &one, Some(&one), silenced, at(15)), Err(stopped));
    assert_eq!(confirm(&declared, &person(2, Role::Administrator), Some(&one), silenced, at(15)), Ok(Confirmed::ByAnother));
    let long_ago = Hearing { silenced_at: Some(at(15) - SILENCE), ..HEARD };
    assert_eq!(confirm(&declared, &one, Some(&one), long_ago, at(15)), Ok(Confirmed::Alone));
    let unheard = Hearing { others: false, ..HEARD };
    assert_eq!(declare_emergency(&proposal, &one, unheard, at(10)), Err(Refusal::NobodyToObject));
    assert_eq!(confirm(&declared, &one, Some(&one), unheard, at(15)), Err(Refusal::NobodyToObject));
}

#[rstest]
#[case(Role::Administrator, 1, 0, false)]
#[case(Role::Administrator, 0, 3, true)]
#[case(Role::CityCommandOfficer, 1, 2, false)]
#[case(Role::CityCommandOfficer, 1, 1, true)]
#[case(Role::CityCommandOfficer, 0, 0, true)]
#[case(Role::DistrictReviewer, 0, 0, false)]
fn one_person_does_not_leave_the_city_with_too_few(
    #[case] of: Role,
    #[case] administrators: i64,
    #[case] officers: i64,
    #[case] two: bool,
) {
    assert_eq!(Left { administrators, officers }.is_too_few(of), two);
}

#[test]
fn whoever_waits_is_neither_half_of_a_change_but_stops_what_is_wrong() {
    let (one, other) = (person(1, Role::Administrator), person(9, Role::Auditor).id);
    let new = StaffMember { acts_from: Some(at(60)), ..one };
    let waiting = Refusal::StillWaiting { from: at(60) };
    assert_eq!(propose(&new, Some(other), at(59)), Err(waiting));
    assert_eq!(propose(&new, Some(other), at(60)), Ok(()));
    assert_eq!(lessen(&new, Some(other)), Ok(()));
    let proposal = proposal_of(&one, Change::MakeAccount(post(Role::Auditor, "city")));
    assert_eq!(declare_emergency(&proposal, &new, HEARD, at(59)), Err(waiting));
    let two = person(2, Role::Administrator);
    assert_eq!(confirm(&proposal, &two, Some(&new), HEARD, at(59)), Err(Refusal::ProposerWaiting { from: at(60) }));
    assert_eq!(confirm(&proposal, &two, Some(&new), HEARD, at(60)), Ok(Confirmed::ByAnother));
}

#[test]
fn what_was_agreed_is_for_the_situation_that_two_people_saw() {
    let officer = post(Role::CityCommandOfficer, "city");
    let before = Stood { post: officer, disabled_at: Some(at(0)), acts_from: Some(at(60)), credential_revision: 3 };
    let cases = [
        (Change::Enable(officer), Stood { disabled_at: Some(at(5)), ..before }),
        (Change::Reset(officer), Stood { credential_revision: 4, ..before }),
        (Change::LiftWaiting, Stood { acts_from: Some(at(90)), ..before }),
    ];
    for (change, later) in cases {
        assert!(before.still(&before, &change));
        assert!(!before.still(&later, &change), "{change:?}");
        assert!(!before.still(&Stood { post: post(Role::Auditor, "city"), ..before }, &change), "{change:?}");
        for (other, _) in cases.iter().filter(|(other, _)| *other != change) {
            assert!(before.still(&later, other), "{other:?} does not turn on it");
        }
    }
}

#[test]
fn a_proposal_is_taken_back_by_who_made_it_and_stopped_by_anybody_else_with_a_say() {
    let (one, two, officer) = (person(1, Role::Administrator), person(2, Role::Administrator), person(3, Role::CityCommandOfficer));
    let proposal = proposal_of(&one, Change::MakeKey);
    withdraw(&proposal, &one, at(0)).unwrap();
    assert_eq!(withdraw(&proposal, &two, at(0)), Err(Refusal::NotProposer));
    object(&proposal, &two, at(0)).unwrap();
    object(&proposal, &officer, at(0)).unwrap();
    assert_eq!(object(&proposal, &one, at(0)), Err(Refusal::SamePerson));
    assert_eq!(object(&proposal, &person(4, Role::Auditor), at(0)), Err(Refusal::NotAdministrator));
    let about_them = |change| Proposal { change, concerns: Some(officer.id), ..proposal };
    assert_eq!(
        object(&about_them(Change::Disable), &officer, at(0)),
        Err(Refusal::OwnAccount),
        "whose account is to be stopped is not asked"
    );
    object(&about_them(Change::Reset(post(Role::CityCommandOfficer, "city"))), &officer, at(0)).unwrap();
    for state in [ProposalState::Effective, ProposalState::Withdrawn, ProposalState::Objected] {
        let ended = Proposal { state, ..proposal };
        assert_eq!(confirm(&ended, &two, Some(&one), HEARD, at(0)), Err(Refusal::NotWaiting { state }));
    }
    let late = at(0) + LIFE;
    let expired = Err(Refusal::NotWaiting { state: ProposalState::Expired });
    assert_eq!(confirm(&proposal, &two, Some(&one), HEARD, late), expired.map(|()| Confirmed::Alone));
    assert_eq!(withdraw(&proposal, &one, late), expired);
}

#[test]
fn nobody_proposes_anything_about_themselves() {
    let one = person(1, Role::Administrator);
    assert_eq!(propose(&one, Some(one.id), at(0)), Err(Refusal::OwnAccount));
    assert_eq!(propose(&one, Some(person(2, Role::Auditor).id), at(0)), Ok(()));
    assert_eq!(propose(&person(3, Role::CityCommandOfficer), None, at(0)), Err(Refusal::NotAdministrator));
}

/// What one person with an administrator's account, and every account that they could take over with it, may try.
#[derive(Debug, Clone)]
enum Step {
    Make { with: usize, role: Role },
    Promote { with: usize, whom: usize, to: Role },
    Reset { with: usize, whom: usize },
    Lift { with: usize, whom: usize },
    Key { with: usize },
    Stop { with: usize, whom: usize },
    Emergency { with: usize, proposal: usize },
    Confirm { with: usize, proposal: usize },
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let role = || prop_oneof![Just(Role::Administrator), Just(Role::CityCommandOfficer), Just(Role::Auditor)];
    let step = prop_oneof![
        (0..8usize, role()).prop_map(|(with, role)| Step::Make { with, role }),
        (0..8usize, 0..8usize, role()).prop_map(|(with, whom, to)| Step::Promote { with, whom, to }),
        (0..8usize, 0..8usize).prop_map(|(with, whom)| Step::Reset { with, whom }),
        (0..8usize, 0..8usize).prop_map(|(with, whom)| Step::Lift { with, whom }),
        (0..8usize).prop_map(|with| Step::Key { with }),
        (0..8usize, 0..8usize).prop_map(|(with, whom)| Step::Stop { with, whom }),
        (0..8usize, 0..12usize).prop_map(|(with, proposal)| Step::Emergency { with, proposal }),
        (0..8usize, 0..12usize).prop_map(|(with, proposal)| Step::Confirm { with, proposal }),
        (1..900i64).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..40)
}

/// The city as one rogue administrator sees it: accounts whose password they know, and those of honest people.
struct Story {
    now: DateTime<Utc>,
    staff: Vec<StaffMember>,
    /// Which accounts the rogue can sign in with.
    taken: Vec<bool>,
    proposals: Vec<Proposal>,
    first_emergency: Option<DateTime<Utc>>,
    /// When each last disabled somebody who could object.
    silenced: Vec<Option<DateTime<Utc>>>,
    /// Keys that one hand has both halves of.
    keys: usize,
    /// Whether anything was done alone while nobody honest could object.
    unheard: bool,
}

impl Story {
    fn begun() -> Self {
        let staff = vec![person(1, Role::Administrator), person(2, Role::Administrator), person(3, Role::CityCommandOfficer)];
        Self {
            now: at(0),
            taken: vec![true, false, false],
            silenced: vec![None; staff.len()],
            staff,
            proposals: Vec::new(),
            first_emergency: None,
            keys: 0,
            unheard: false,
        }
    }

    fn propose(&mut self, with: usize, change: Change, concerns: Option<usize>) {
        let (by, concerns) = (with % self.staff.len(), concerns.map(|index| self.staff[index].id));
        if self.taken[by] && propose(&self.staff[by], concerns, self.now).is_ok() {
            let proposal = Proposal { concerns, expires_at: self.now + LIFE, ..proposal_of(&self.staff[by], change) };
            self.proposals.push(proposal);
        }
    }

    fn hearing(&self, proposal: &Proposal) -> Hearing {
        let aside = [proposal.proposed_by, proposal.concerns];
        let hears =
            |member: &StaffMember| member.active && member.role.objects() && member.acts_at(self.now) && !aside.contains(&Some(member.id));
        let proposer = self.staff.iter().position(|member| Some(member.id) == proposal.proposed_by);
        Hearing { others: self.staff.iter().any(hears), silenced_at: proposer.and_then(|index| self.silenced[index]) }
    }

    fn take(&mut self, step: &Step) {
        let count = self.staff.len();
        match *step {
            Step::Make { with, role } => self.propose(with, Change::MakeAccount(post(role, "city")), None),
            Step::Promote { with, whom, to } => {
                let (whom, to) = (whom % count, post(to, "city"));
                let from = Post { role: self.staff[whom].role, scope: Scope::City };
                self.propose(with, Change::Alter { from, to, renamed: false }, Some(whom));
            }
            Step::Reset { with, whom } => {
                let post = Post { role: self.staff[whom % count].role, scope: Scope::City };
                self.propose(with, Change::Reset(post), Some(whom % count));
            }
            Step::Lift { with, whom } => self.propose(with, Change::LiftWaiting, Some(whom % count)),
            Step::Key { with } => self.propose(with, Change::MakeKey, None),
            Step::Stop { with, whom } => {
                let (with, whom) = (with % count, whom % count);
                if self.taken[with] && lessen(&self.staff[with], Some(self.staff[whom].id)).is_ok() {
                    self.staff[whom].active = false;
                    if self.staff[whom].role.objects() {
                        self.silenced[with] = Some(self.now);
                    }
                }
            }
            Step::Emergency { with, proposal } if !self.proposals.is_empty() => {
                let (with, which) = (with % count, proposal % self.proposals.len());
                let proposal = self.proposals[which];
                if self.taken[with] && declare_emergency(&proposal, &self.staff[with], self.hearing(&proposal), self.now).is_ok() {
                    self.proposals[which].alone_from = Some(self.now + DELAY);
                    self.first_emergency.get_or_insert(self.now);
                }
            }
            Step::Confirm { with, proposal } if !self.proposals.is_empty() => self.confirm(with % count, proposal % self.proposals.len()),
            Step::Wait(minutes) => self.now += TimeDelta::minutes(minutes),
            Step::Emergency { .. } | Step::Confirm { .. } => {}
        }
    }

    fn confirm(&mut self, with: usize, which: usize) {
        let proposal = self.proposals[which];
        let proposer = self.staff.iter().find(|member| Some(member.id) == proposal.proposed_by).copied();
        if !self.taken[with] {
            return;
        }
        let hearing = self.hearing(&proposal);
        let Ok(how) = confirm(&proposal, &self.staff[with], proposer.as_ref(), hearing, self.now) else { return };
        let honest = |(member, taken): (&StaffMember, &bool)| !taken && member.active && member.role.objects();
        self.unheard |= how == Confirmed::Alone && !self.staff.iter().zip(&self.taken).any(honest);
        self.proposals[which].state = ProposalState::Effective;
        let concerned = self.staff.iter().position(|member| Some(member.id) == proposal.concerns);
        let acts_from = proposal.change.begins_waiting().then(|| self.now + WAITING);
        match (proposal.change, concerned) {
            (Change::MakeAccount(post), _) => {
                let number = self.staff.len() as u128 + 1;
                self.staff.push(StaffMember { acts_from, ..person(number, post.role) });
                self.taken.push(true);
                self.silenced.push(None);
            }
            (Change::MakeKey, _) => self.keys += 1,
            (Change::Alter { to, .. }, Some(whom)) => {
                self.staff[whom].role = to.role;
                self.staff[whom].acts_from = acts_from.or(self.staff[whom].acts_from);
            }
            (Change::Reset(_), Some(whom)) => {
                self.staff[whom].acts_from = acts_from;
                // both halves of the code are in one hand
                self.taken[whom] = true;
            }
            (Change::LiftWaiting, Some(whom)) => self.staff[whom].acts_from = None,
            _ => {}
        }
    }

    /// Accounts in the rogue's hand, or raised by them, that may release something now.
    fn gained(&self) -> usize {
        let (before, now) = (Self::begun(), self.now);
        let releases = |member: &StaffMember| member.role.releases() && member.acts_at(now);
        self.staff
            .iter()
            .enumerate()
            .filter(|(index, member)| {
                let was_theirs = before.taken.get(*index).copied().unwrap_or(false);
                let had = before.staff.get(*index).is_some_and(releases);
                releases(member) && self.taken[*index] && !(was_theirs && had)
            })
            .count()
    }
}

proptest! {
    /// Whatever one person tries, without an emergency nothing changes, and with one nothing is gained before everybody had the delay and a
    /// day to notice.
    #[test]
    fn no_sequence_of_steps_by_one_person_ends_with_more_power(steps in steps()) {
        let mut story = Story::begun();
        for step in &steps {
            story.take(step);
            prop_assert!(!story.unheard, "nobody could have objected");
            match story.first_emergency {
                None => {
                    let in_use: Vec<_> = story.staff.iter().map(|member| StaffMember { active: true, ..*member }).collect();
                    prop_assert_eq!(&story.taken, &Story::begun().taken);
                    prop_assert_eq!(in_use, Story::begun().staff);
                    prop_assert_eq!(story.keys, 0);
                }
                Some(declared) if story.now < declared + DELAY + WAITING => prop_assert_eq!((story.gained(), story.keys), (0, 0)),
                Some(_) => {}
            }
        }
    }
}
