//! Alerts of several authors for one place that contradict, double or overlap each other (CQ2, CQ8).
//!
//! In Seoul a district copied a general order and told people to get ready to leave; 22 minutes later the ministry said that it was a mistake, and the
//! city said something else again. So whoever writes or reviews an alert is shown what holds or is being reviewed for the same place, and what
//! contradicts it has to be confirmed by name before it is approved.
//!
//! What an alert asks for is told by the words for action in its texts ([`demands`]): no understanding, a net for what is plain. Whoever reads the
//! texts decides; the net is wide where lives depend on one answer (stay or leave), and silent otherwise.

mod demands;
mod overlap;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::alert::AlertContent;
use crate::area::{Area, DistrictCode};
use crate::audience::Audience;
use crate::cap::Status;
use crate::ids::{AlertId, StaffId};
use crate::language::Language;

pub use demands::{Demand, Measure, demands};
pub use overlap::Overlap;
use overlap::{Reach, overlap};

/// Conflicts that are shown at most: nobody reads more before a decision.
pub const MOST: usize = 50;
/// Alerts that are compared at most, the newest first.
pub const COMPARED: usize = 500;
/// So much of the shorter text, in the hundred of its pairs of characters, stands in the other one too where both tell of one event.
const ALIKE_PERCENT: usize = 60;

crate::words! {
    /// How two alerts for one place stand to each other, the gravest first.
    #[schema(as = ConflictKind)]
    pub enum Kind {
        /// One asks for what the other forbids, or has lifted.
        Contradicts => "相互矛盾",
        /// Both tell of the same event.
        Doubles => "重复",
        /// Somebody else tells the same people something.
        Overlaps => "范围重叠",
    }
}

/// An alert, as far as it is compared.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// Which; none: it is being written.
    pub alert: Option<AlertId>,
    /// Which it corrects.
    pub corrects: Option<AlertId>,
    /// The district whose alert it is; none: the whole city's.
    pub district: Option<DistrictCode>,
    /// Who answers for its text.
    pub author: StaffId,
    /// What it says.
    pub content: &'a AlertContent,
    /// To whom.
    pub audience: &'a Audience,
}

/// How one alert stands to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What is between them.
    pub kind: Kind,
    /// How the places of the first lie to those of the second.
    pub overlap: Overlap,
    /// Places in which both hold, the largest ones.
    pub areas: Vec<Area>,
    /// What the first asks for.
    pub demands: BTreeSet<Demand>,
    /// What the second asks for.
    pub other_demands: BTreeSet<Demand>,
    /// What contradicts what.
    pub contradiction: Option<(Demand, Demand)>,
}

/// An alert, ready to be compared with many: what is told by its texts is found out once.
#[derive(Debug)]
pub struct Compared<'a> {
    said: Said<'a>,
    demands: BTreeSet<Demand>,
    pairs: BTreeSet<(char, char)>,
    reach: Reach<'a>,
}

impl<'a> Compared<'a> {
    /// Looks at an alert.
    #[must_use]
    pub fn of(said: Said<'a>) -> Self {
        let (demands, pairs, reach) = (demands(said.content), pairs(said.content), Reach::of(&said));
        Self { said, demands, pairs, reach }
    }
}

/// What stands between two alerts; none: nothing does, or one takes the other's place.
#[must_use]
pub fn between(one: &Compared<'_>, other: &Compared<'_>) -> Option<Conflict> {
    let takes_its_place = |later: &Said<'_>, earlier: &Said<'_>| later.corrects.is_some() && later.corrects == earlier.alert;
    let (own, theirs) = (&one.said, &other.said);
    let is_itself = own.alert.is_some() && own.alert == theirs.alert;
    // two corrections of one alert exclude each other when they are approved
    let corrects_the_same = own.corrects.is_some() && own.corrects == theirs.corrects;
    let exercise = |said: &Said<'_>| said.content.status == Status::Exercise;
    if is_itself || corrects_the_same || takes_its_place(own, theirs) || takes_its_place(theirs, own) || exercise(own) != exercise(theirs) {
        return None;
    }
    let (overlap, areas) = overlap(&one.reach, &other.reach)?;
    let contradiction = one
        .demands
        .iter()
        .flat_map(|demand| other.demands.iter().map(move |other| (*demand, *other)))
        .find(|(demand, other)| demand.contradicts(*other));
    let kind = if contradiction.is_some() {
        Kind::Contradicts
    } else if tell_of_one_event(one, other) {
        Kind::Doubles
    } else if own.author != theirs.author {
        Kind::Overlaps
    } else {
        return None;
    };
    Some(Conflict { kind, overlap, areas, demands: one.demands.clone(), other_demands: other.demands.clone(), contradiction })
}

/// Whether two texts tell of one event: the same kind of event, and the same place by name or mostly the same words.
fn tell_of_one_event(one: &Compared<'_>, other: &Compared<'_>) -> bool {
    let place = |compared: &Compared<'_>| compared.said.content.place.as_ref().map(|place| (place.area, place.name.trim().to_owned()));
    let same_place = place(one).is_some_and(|own| place(other) == Some(own));
    let same_words = || {
        let shorter = one.pairs.len().min(other.pairs.len());
        (one.pairs.intersection(&other.pairs).count() * 100).checked_div(shorter).unwrap_or(0) >= ALIKE_PERCENT
    };
    one.said.content.category == other.said.content.category && (same_place || same_words())
}

/// The pairs of neighbouring characters of what an alert tells.
fn pairs(content: &AlertContent) -> BTreeSet<(char, char)> {
    let Some(text) = content.text(Language::ZhCn) else { return BTreeSet::new() };
    let letters: Vec<char> = text.headline.chars().chain(text.body.chars()).filter(|letter| letter.is_alphanumeric()).collect();
    letters.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

impl Conflict {
    /// Whether it has to be confirmed by name before the first alert is approved.
    #[must_use]
    pub fn must_be_confirmed(&self) -> bool {
        self.kind == Kind::Contradicts
    }

    /// What it is, in Chinese and in English.
    #[must_use]
    pub fn sentence(&self) -> (String, String) {
        match (self.kind, self.contradiction) {
            (Kind::Contradicts, Some((own, other))) => (
                format!("本弹窗{}，另一条{}：同一地区的人会收到相互矛盾的要求。", own.zh(), other.zh()),
                format!(
                    "This alert {}, the other one {}: people in one place would be told things that contradict each other.",
                    own.en(),
                    other.en()
                ),
            ),
            (Kind::Contradicts | Kind::Doubles, _) => (
                "两条弹窗很可能说的是同一件事，同一地区的人会收到两次。".to_owned(),
                "Both alerts seem to tell of the same event: people in one place would be told twice.".to_owned(),
            ),
            (Kind::Overlaps, _) => (
                "另一单位对同一地区也有弹窗，请核对口径是否一致。".to_owned(),
                "Another author has an alert for the same place. See that both say the same.".to_owned(),
            ),
        }
    }
}
