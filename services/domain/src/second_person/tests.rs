//! Tables of cases, and what holds in every sequence of steps.

use chrono::TimeDelta;
use proptest::prelude::*;
use rstest::rstest;
use uuid::Uuid;

use super::*;

const DELAY: TimeDelta = TimeDelta::minutes(15);
const WAITING: TimeDelta = TimeDelta::hours(24);
const LIFE: TimeDelta = TimeDelta::hours(72);

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
#[case(Change::MakeKey, true, false)]
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
    assert_eq!(confirm(&proposal, &person(who, role), Some(&proposer), at(1)), answer);
}

#[test]
fn who_is_disabled_waits_or_was_stopped_stands_behind_nothing() {
    let (one, two) = (person(1, Role::Administrator), person(2, Role::Administrator));
    let proposal = proposal_of(&one, Change::MakeKey);
    let off = |person: StaffMember| StaffMember { active: false, ..person };
    assert_eq!(confirm(&proposal, &off(two), Some(&one), at(1)), Err(Refusal::NotAdministrator));
    let new = StaffMember { acts_from: Some(at(60)), ..two };
    assert_eq!(confirm(&proposal, &new, Some(&one), at(59)), Err(Refusal::StillWaiting { from: at(60) }));
    assert_eq!(confirm(&proposal, &new, Some(&one), at(60)), Ok(Confirmed::ByAnother));
    assert_eq!(confirm(&proposal, &two, Some(&off(one)), at(1)), Err(Refusal::ProposerGone));
    let demoted = StaffMember { role: Role::Auditor, ..one };
    assert_eq!(confirm(&proposal, &two, Some(&demoted), at(1)), Err(Refusal::ProposerGone));
}

#[test]
fn an_emergency_lets_one_act_alone_only_after_the_delay_and_never_lifts_the_waiting() {
    let one = person(1, Role::Administrator);
    let proposal = proposal_of(&one, Change::MakeKey);
    assert_eq!(declare_emergency(&proposal, &person(2, Role::Administrator), at(0)), Err(Refusal::NotProposer));
    declare_emergency(&proposal, &one, at(0)).unwrap();
    let declared = Proposal { alone_from: Some(at(0) + DELAY), ..proposal };
    assert_eq!(declare_emergency(&declared, &one, at(1)), Err(Refusal::AlreadyEmergency));
    assert_eq!(confirm(&declared, &one, Some(&one), at(14)), Err(Refusal::TooEarly { at: at(15) }));
    assert_eq!(confirm(&declared, &one, Some(&one), at(15)), Ok(Confirmed::Alone));
    let lifting = proposal_of(&one, Change::LiftWaiting);
    assert_eq!(declare_emergency(&lifting, &one, at(0)), Err(Refusal::NoEmergency));
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
    for state in [ProposalState::Effective, ProposalState::Withdrawn, ProposalState::Objected] {
        let ended = Proposal { state, ..proposal };
        assert_eq!(confirm(&ended, &two, Some(&one), at(0)), Err(Refusal::NotWaiting { state }));
    }
    let late = at(0) + LIFE;
    let expired = Err(Refusal::NotWaiting { state: ProposalState::Expired });
    assert_eq!(confirm(&proposal, &two, Some(&one), late), expired.map(|()| Confirmed::Alone));
    assert_eq!(withdraw(&proposal, &one, late), expired);
}

#[test]
fn nobody_proposes_anything_about_themselves() {
    let one = person(1, Role::Administrator);
    assert_eq!(propose(&one, Some(one.id)), Err(Refusal::OwnAccount));
    assert_eq!(propose(&one, Some(person(2, Role::Auditor).id)), Ok(()));
    assert_eq!(propose(&person(3, Role::CityCommandOfficer), None), Err(Refusal::NotAdministrator));
}

/// What one person with an administrator's account, and every account that they could take over with it, may try.
#[derive(Debug, Clone)]
enum Step {
    Make(Role),
    Promote(usize),
    Reset(usize),
    Lift(usize),
    Emergency(usize),
    Confirm { with: usize, proposal: usize },
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        prop_oneof![Just(Role::Administrator), Just(Role::CityCommandOfficer), Just(Role::Auditor)].prop_map(Step::Make),
        (0..8usize).prop_map(Step::Promote),
        (0..8usize).prop_map(Step::Reset),
        (0..8usize).prop_map(Step::Lift),
        (0..8usize).prop_map(Step::Emergency),
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
}

impl Story {
    fn begun() -> Self {
        let staff = vec![person(1, Role::Administrator), person(2, Role::Administrator), person(3, Role::CityCommandOfficer)];
        Self { now: at(0), taken: vec![true, false, false], staff, proposals: Vec::new(), first_emergency: None }
    }

    fn propose(&mut self, change: Change, concerns: Option<usize>) {
        let concerns = concerns.map(|index| self.staff[index].id);
        let Some(by) = self.staff.iter().zip(&self.taken).find(|(by, taken)| **taken && propose(by, concerns).is_ok()) else { return };
        let expires_at = self.now + LIFE;
        self.proposals.push(Proposal { concerns, expires_at, ..proposal_of(by.0, change) });
    }

    fn take(&mut self, step: &Step) {
        let count = self.staff.len();
        match *step {
            Step::Make(role) => self.propose(Change::MakeAccount(post(role, "city")), None),
            Step::Promote(whom) => {
                let (whom, to) = (whom % count, post(Role::CityCommandOfficer, "city"));
                let from = Post { role: self.staff[whom].role, scope: Scope::City };
                self.propose(Change::Alter { from, to, renamed: false }, Some(whom));
            }
            Step::Reset(whom) => {
                let post = Post { role: self.staff[whom % count].role, scope: Scope::City };
                self.propose(Change::Reset(post), Some(whom % count));
            }
            Step::Lift(whom) => self.propose(Change::LiftWaiting, Some(whom % count)),
            Step::Emergency(which) if !self.proposals.is_empty() => {
                let which = which % self.proposals.len();
                let by = self
                    .staff
                    .iter()
                    .zip(&self.taken)
                    .any(|(by, taken)| *taken && declare_emergency(&self.proposals[which], by, self.now).is_ok());
                if by {
                    self.proposals[which].alone_from = Some(self.now + DELAY);
                    self.first_emergency.get_or_insert(self.now);
                }
            }
            Step::Confirm { with, proposal } if !self.proposals.is_empty() => self.confirm(with % count, proposal % self.proposals.len()),
            Step::Wait(minutes) => self.now += TimeDelta::minutes(minutes),
            Step::Emergency(_) | Step::Confirm { .. } => {}
        }
    }

    fn confirm(&mut self, with: usize, which: usize) {
        let proposal = self.proposals[which];
        let proposer = self.staff.iter().find(|member| Some(member.id) == proposal.proposed_by).copied();
        if !self.taken[with] || confirm(&proposal, &self.staff[with], proposer.as_ref(), self.now).is_err() {
            return;
        }
        self.proposals[which].state = ProposalState::Effective;
        let concerned = self.staff.iter().position(|member| Some(member.id) == proposal.concerns);
        let acts_from = proposal.change.begins_waiting().then(|| self.now + WAITING);
        match (proposal.change, concerned) {
            (Change::MakeAccount(post), _) => {
                let number = self.staff.len() as u128 + 1;
                self.staff.push(StaffMember { acts_from, ..person(number, post.role) });
                self.taken.push(true);
            }
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
            match story.first_emergency {
                None => {
                    prop_assert_eq!(story.staff.len(), 3);
                    prop_assert_eq!(&story.taken, &Story::begun().taken);
                    prop_assert_eq!(&story.staff, &Story::begun().staff);
                }
                Some(declared) if story.now < declared + DELAY + WAITING => prop_assert_eq!(story.gained(), 0),
                Some(_) => {}
            }
        }
    }
}
