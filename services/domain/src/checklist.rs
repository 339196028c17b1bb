//! What a reviewer makes sure of before an alert goes on (CQ8), item by item: the district whether it is complete and accurate, the city whether it
//! may be done and is reasonable, the second officer whether it is real.
//!
//! [`items`] is all that is asked, by the step and by what the alert is; [`check`] decides whether a step may be taken with the answers that were
//! given. A step forward takes an answer to every item and no [`Answer::No`]; whoever answers *no* sends the alert back, and the answers go with it.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alert_state::{Action, State};
use crate::privacy;

/// Longest note beside an answer, in characters.
pub const LONGEST_NOTE: usize = 200;

crate::words! {
    /// One thing to make sure of.
    #[schema(as = ChecklistItem)]
    pub enum Item {
        /// Who, what, what to do, whom to ask: all is there.
        Complete,
        /// It agrees with what is behind it.
        Accurate,
        /// Where it comes from is known.
        SourceKnown,
        /// What it asks for can be done, and is not too much.
        MeasureReasonable,
        /// Nobody is told whom it does not concern.
        AudienceNeeded,
        /// It is lawful and serves a purpose that it names.
        Compliant,
        /// Nobody can be recognised from it.
        NoPersonalData,
        /// It is real, and cannot wait.
        TrueEmergency,
        /// Area and number of people are what is meant.
        AreaRight,
        /// Each person on the list is there for a reason.
        PeopleEvidenced,
        /// Whoever had the old alert understands what of it was wrong.
        CorrectionClear,
        /// The districts that it reaches know of it.
        DistrictsInformed,
    }

    /// What a reviewer says of an item.
    #[schema(as = ChecklistAnswer)]
    pub enum Answer {
        /// It is so.
        Yes,
        /// It is not.
        No,
        /// It does not arise.
        NotApplicable,
    }
}

impl Item {
    /// What is asked, in Chinese.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::Complete => "信息完整：对象、事由、要求、咨询方式都有",
            Self::Accurate => "内容准确：与来源记录一致",
            Self::SourceKnown => "来源清楚、可追溯",
            Self::MeasureReasonable => "措施合理，居民做得到",
            Self::AudienceNeeded => "受众不超过必要范围",
            Self::Compliant => "合法合规，有明确的管控目的",
            Self::NoPersonalData => "没有个人信息",
            Self::TrueEmergency => "情况属实，确需紧急推送",
            Self::AreaRight => "区域和人数与要告知的一致",
            Self::PeopleEvidenced => "名单上的每个人都有依据，没有多余的人",
            Self::CorrectionClear => "说清了原来哪里有误、现在以什么为准",
            Self::DistrictsInformed => "涉及的各区县已知情",
        }
    }

    /// The same in English.
    #[must_use]
    pub const fn question_en(self) -> &'static str {
        match self {
            Self::Complete => "Complete: who, what, what to do, whom to ask",
            Self::Accurate => "Accurate: agrees with the records behind it",
            Self::SourceKnown => "The source is known and can be traced",
            Self::MeasureReasonable => "The measure is reasonable and can be followed",
            Self::AudienceNeeded => "The audience is no larger than needed",
            Self::Compliant => "Lawful and compliant, with a stated purpose",
            Self::NoPersonalData => "No personal data in the texts",
            Self::TrueEmergency => "It is real and needs an urgent push",
            Self::AreaRight => "Area and number of people are those that are meant",
            Self::PeopleEvidenced => "Everybody on the list is there for a reason, and nobody else is",
            Self::CorrectionClear => "It says what was wrong before and what holds now",
            Self::DistrictsInformed => "The districts that it reaches know of it",
        }
    }

    /// Whether it may not arise at all.
    #[must_use]
    pub const fn may_not_apply(self) -> bool {
        matches!(self, Self::DistrictsInformed)
    }
}

/// What of an alert decides what is asked about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nature {
    /// It names people.
    pub names_people: bool,
    /// It takes the place of another.
    pub corrects: bool,
    /// It belongs to no district alone.
    pub crosses_districts: bool,
}

/// The step by which an alert goes on from a review.
#[must_use]
pub const fn step_forward(state: State) -> Option<Action> {
    match state {
        State::DistrictReview => Some(Action::PassDistrict),
        State::CityReview => Some(Action::Approve),
        State::AwaitingConfirmation => Some(Action::Confirm),
        _ => None,
    }
}

/// What is asked before this step, in the order in which it is looked at; nothing for a step that is no review's.
#[must_use]
pub fn items(step: Action, nature: &Nature) -> Vec<Item> {
    let asked: &[Item] = match step {
        Action::PassDistrict => &[Item::Complete, Item::Accurate, Item::SourceKnown, Item::MeasureReasonable, Item::AudienceNeeded],
        Action::Approve => &[Item::Compliant, Item::MeasureReasonable, Item::AudienceNeeded, Item::SourceKnown, Item::NoPersonalData],
        Action::Confirm => &[Item::TrueEmergency, Item::AreaRight, Item::MeasureReasonable, Item::AudienceNeeded, Item::NoPersonalData],
        _ => return Vec::new(),
    };
    let by_nature = [
        (nature.names_people, Item::PeopleEvidenced),
        (nature.corrects, Item::CorrectionClear),
        (nature.crosses_districts, Item::DistrictsInformed),
    ];
    asked.iter().copied().chain(by_nature.into_iter().filter_map(|(is_so, item)| is_so.then_some(item))).collect()
}

/// An item with what is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AskedItem)]
pub struct Asked {
    /// Which.
    pub item: Item,
    /// What is asked, in Chinese.
    pub question: String,
    /// The same in English.
    pub question_en: String,
    /// Whether `not_applicable` is an answer.
    pub may_not_apply: bool,
}

impl From<Item> for Asked {
    fn from(item: Item) -> Self {
        let (question, question_en) = (item.question().to_owned(), item.question_en().to_owned());
        Self { item, question, question_en, may_not_apply: item.may_not_apply() }
    }
}

/// What whoever takes the next step forward answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checklist {
    /// The step.
    pub action: Action,
    /// What is asked.
    pub items: Vec<Asked>,
}

impl Checklist {
    /// The one of an alert that stands here; none where no review is due.
    #[must_use]
    pub fn of(state: State, nature: &Nature) -> Option<Self> {
        let action = step_forward(state)?;
        Some(Self { action, items: items(action, nature).into_iter().map(Asked::from).collect() })
    }

    /// The answers of a reviewer who has found everything as it should be.
    #[must_use]
    pub fn all_well(&self) -> Vec<Answered> {
        self.items.iter().map(|asked| Answered { item: asked.item, answer: Answer::Yes, note: None }).collect()
    }
}

/// What somebody says of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AnsweredItem)]
pub struct Answered {
    /// Of which.
    pub item: Item,
    /// What they say.
    pub answer: Answer,
    /// In words, at most 200 characters without personal data; a `no` needs it.
    #[serde(default)]
    pub note: Option<String>,
}

impl Answered {
    fn note(&self) -> Option<&str> {
        self.note.as_deref().map(str::trim).filter(|note| !note.is_empty())
    }

    /// As it is kept: without blanks around the note, and without an empty one.
    #[must_use]
    pub fn kept(&self) -> Self {
        Self { note: self.note().map(str::to_owned), ..self.clone() }
    }
}

/// What is wrong with the answer to an item, in Chinese ([`Fault::english`] in English).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Fault {
    /// There is none.
    #[error("请逐项回答，这一项还没有回答")]
    Missing,
    /// Nobody has asked.
    #[error("这一步不核对此项，请去掉")]
    NotAsked,
    /// There are two.
    #[error("这一项回答了两次，请只留一个")]
    Twice,
    /// The item always arises.
    #[error("这一项不能答“不适用”")]
    Applies,
    /// A *no* without a word.
    #[error("答“否”须写明哪里不符合")]
    NoteMissing,
    /// A note that is none any more.
    #[error("说明最多 {LONGEST_NOTE} 个字，请缩短")]
    NoteTooLong,
    /// Somebody could be recognised.
    #[error("说明中有个人信息，请删去")]
    PersonalData,
}

impl Fault {
    /// What is wrong, in English.
    #[must_use]
    pub const fn english(self) -> &'static str {
        match self {
            Self::Missing => "is not answered yet: every item takes an answer",
            Self::NotAsked => "is not asked before this step: leave it out",
            Self::Twice => "is answered twice: leave one answer",
            Self::Applies => "always applies: answer yes or no",
            Self::NoteMissing => "is answered with no: say in a note what is wrong",
            Self::NoteTooLong => "has a note of more than 200 characters: shorten it",
            Self::PersonalData => "has personal data in its note: take it out",
        }
    }
}

/// Why a step is not taken with these answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Answers are missing or wrong.
    #[error("{} answers are wrong", .0.len())]
    Faults(Vec<(Item, Fault)>),
    /// Something is not as it should be: the alert does not go on.
    #[error("an item is answered with no")]
    SaysNo,
}

/// Whether a step may be taken with these answers by an alert that stands here.
///
/// A step forward from a review takes them all. A step back or a refusal takes any of them; every other step none.
///
/// # Errors
/// [`Refusal::Faults`] with everything that is wrong, or [`Refusal::SaysNo`].
pub fn check(state: State, action: Action, nature: &Nature, answers: &[Answered]) -> Result<(), Refusal> {
    let asked = step_forward(state).filter(|_| action.reviews()).map(|step| items(step, nature)).unwrap_or_default();
    let mut faults = Vec::new();
    let mut answered = BTreeSet::new();
    for answer in answers {
        if !asked.contains(&answer.item) {
            faults.push((answer.item, Fault::NotAsked));
        } else if !answered.insert(answer.item) {
            faults.push((answer.item, Fault::Twice));
        } else {
            faults.extend(fault_of(answer).map(|fault| (answer.item, fault)));
        }
    }
    let forward = step_forward(state) == Some(action);
    if forward {
        faults.extend(asked.iter().filter(|item| !answered.contains(item)).map(|item| (*item, Fault::Missing)));
    }
    if !faults.is_empty() {
        return Err(Refusal::Faults(faults));
    }
    if forward && answers.iter().any(|answer| answer.answer == Answer::No) {
        return Err(Refusal::SaysNo);
    }
    Ok(())
}

fn fault_of(answer: &Answered) -> Option<Fault> {
    match (answer.answer, answer.note()) {
        (Answer::NotApplicable, _) if !answer.item.may_not_apply() => Some(Fault::Applies),
        (Answer::No, None) => Some(Fault::NoteMissing),
        (_, Some(note)) if note.chars().count() > LONGEST_NOTE => Some(Fault::NoteTooLong),
        (_, Some(note)) if !privacy::find(note, "").is_empty() => Some(Fault::PersonalData),
        _ => None,
    }
}

/// The answers of a reviewer who has found everything as it should be, for a step with an alert as the interface shows it (`checklist` of
/// `GET /api/v1/alerts/{alert_id}`); none where the step asks nothing.
#[must_use]
pub fn all_well(alert: &serde_json::Value, action: &str) -> Vec<Answered> {
    let checklist = Checklist::deserialize(&alert["checklist"]).ok();
    checklist.filter(|checklist| checklist.action.as_ref() == action).map(|checklist| checklist.all_well()).unwrap_or_default()
}
