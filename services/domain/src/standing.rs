//! What stands against a person 弹窗状态 (CQ2, CQ8, CQ12): an alert about them asks for a measure, and the measure stands until it is lifted.
//!
//! A rule says what its alerts leave behind ([`StandingTerms`]): for what reason, which measure, for how long, which record lifts it, which staff may.
//! What becomes of one person's standing follows from what is known of it ([`Known`]) by [`StandingTerms::course`]. In Beijing pop-ups stayed because
//! a result came late; here nothing depends on the order in which things become known: a test counts by when its sample was taken.
//!
//! Who is wronged objects, and is answered within a day by others than those who sent it ([`objection`]).

mod course;
pub mod objection;
mod terms;

use crate::staff::Role;

pub use course::{Course, Happened, Known};
pub use terms::{AskingPurpose, LONGEST, LiftingRecord, StandingTerms};

crate::words! {
    /// Whether it stands.
    pub enum StandingState {
        /// It stands.
        Stands => "存续",
        /// It does not any more.
        Lifted => "已解除",
    }

    /// What lifted it. What undoes more stands first: who never should have stood reads that, whatever else has happened since.
    #[schema(as = StandingLiftedHow)]
    pub enum LiftedHow {
        /// No record behind it holds: their sources took them back or corrected them.
        EvidenceEnded => "依据已撤回",
        /// The alert was withdrawn for everybody.
        AlertWithdrawn => "弹窗已撤销",
        /// The alert was withdrawn for this person.
        WithdrawnForPerson => "已对本人撤销",
        /// Staff decided so.
        Decision => "人工解除",
        /// Records that the rule names, negative tests for instance.
        Record => "记录解除",
        /// Its time was over.
        Time => "到期解除",
    }

    /// Which staff may lift a standing by a decision.
    #[schema(as = StandingLifter)]
    pub enum Lifter {
        /// The community where the person lives.
        Community => "社区",
        /// Their district.
        District => "区县",
        /// The city command.
        City => "市级指挥部",
    }
}

impl Lifter {
    /// What somebody of this role lifts as; the part of the city that they answer for is asked elsewhere.
    #[must_use]
    pub const fn of(role: Role) -> Option<Self> {
        match role {
            Role::CommunityWorker => Some(Self::Community),
            Role::DistrictReviewer => Some(Self::District),
            Role::CityCommandOfficer => Some(Self::City),
            Role::SubmittingUnit
            | Role::IndustrySupervisor
            | Role::TechnicalOperator
            | Role::Auditor
            | Role::Administrator
            | Role::HotlineOperator
            | Role::UnitHandler
            | Role::UnitLead
            | Role::Supervisor => None,
        }
    }
}
