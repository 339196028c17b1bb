//! What a screen shows: decided from the live alerts and the screen, without I/O.
//!
//! A screen shows an alert when the places that the alert concerns touch the place where the screen hangs: one contains the
//! other. Urgent alerts come first, then the more severe, then the newer. Exercises are shown on the screens of the drill only.

use std::cmp::Reverse;
use std::hash::{DefaultHasher, Hasher as _};

use chrono::{DateTime, Utc};
use domain::{
    alert::AlertContent,
    area::{Area, DistrictCode},
    audience::Audience,
    cap::Severity,
    ids::AlertId,
    language::Language,
    retraction::prepared::being_checked,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

domain::words! {
    /// How a screen shows texts.
    pub enum Form {
        /// One line that scrolls.
        Scrolling,
        /// The whole face.
        Full,
    }
}

/// What decides about a screen's playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Where it hangs.
    pub area: Area,
    /// What it is read in, in this order.
    pub languages: Vec<Language>,
    /// How it shows texts.
    pub form: Form,
    /// Whether it shows exercises.
    pub drill: bool,
}

/// An alert given to screens. Ended ones are kept for a while, so that a screen learns that they have ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Which.
    pub alert_id: AlertId,
    /// Urgent ones come first.
    pub urgent: bool,
    /// For screens of the drill only.
    pub exercise: bool,
    /// What it says.
    pub content: AlertContent,
    /// Whom it concerns.
    pub areas: Vec<Area>,
    /// When it was released.
    pub released_at: DateTime<Utc>,
    /// Whether it is to be shown.
    pub live: bool,
    /// Whether it is being checked, and shown with a line that says so.
    pub checked: bool,
    /// The change that made it so.
    pub revision: i64,
}

/// One screen's list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Playlist {
    /// Names the list by what it holds: another list has another number, the same list the same one. The id of its event.
    pub revision: i64,
    /// What to show, in this order, over and over.
    pub items: Vec<Item>,
}

/// One alert on a screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Item {
    /// Named in the proof of play.
    pub alert_id: AlertId,
    /// To be shown with emphasis.
    pub urgent: bool,
    /// To be marked as an exercise.
    pub exercise: bool,
    /// How much harm (CAP).
    pub severity: Severity,
    /// The texts in the screen's languages, each once.
    pub texts: Vec<Text>,
    /// Whom to ask.
    pub contact: String,
    /// To be taken off then, also when the connection is lost.
    pub expires_at: DateTime<Utc>,
}

/// One language's text, cut to the form of the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Text {
    /// Its language.
    pub language: Language,
    /// The headline; on a scrolling screen the whole line.
    pub headline: String,
    /// What happened; empty on a scrolling screen.
    pub body: String,
    /// What to do; empty on a scrolling screen.
    pub instruction: String,
}

/// The places that an alert concerns: those its audience lives in; where it names people, the place it is about, or the
/// district it comes from.
pub fn areas(audience: &Audience, content: &AlertContent, district: Option<DistrictCode>) -> Vec<Area> {
    let origin = || district.map_or(Area::City, Area::District);
    let mut areas = match audience {
        Audience::Query(query) => query
            .include
            .iter()
            .flat_map(|selection| if selection.areas.is_empty() { vec![Area::City] } else { selection.areas.clone() })
            .collect(),
        Audience::Residents(_) => vec![content.place.as_ref().map_or_else(origin, |place| place.area)],
    };
    areas.sort_unstable();
    areas.dedup();
    areas
}

impl Playlist {
    /// The screen's list out of all alerts.
    pub fn of(screen: &Profile, alerts: &[Shown], now: DateTime<Utc>) -> Self {
        let mut concerned: Vec<&Shown> = alerts.iter().filter(|alert| alert.concerns(screen)).collect();
        concerned.retain(|alert| alert.live && alert.content.expires_at > now);
        concerned.sort_by_key(|alert| (!alert.urgent, rank(alert.content.severity), Reverse(alert.released_at), alert.alert_id));
        let items: Vec<Item> = concerned.into_iter().map(|alert| alert.item(screen)).collect();
        Self { revision: name(&items), items }
    }
}

/// A number for what a list holds, the same in every process of one release. As large as a page can count exactly.
///
/// The numbers of changes cannot name a list: they are drawn before they are committed, so a list with a later one may lack an earlier one.
fn name(items: &[Item]) -> i64 {
    let mut hasher = DefaultHasher::new();
    for item in items {
        hasher.write(&serde_json::to_vec(item).unwrap_or_default());
    }
    i64::try_from(hasher.finish() >> 11).unwrap_or_default()
}

impl Shown {
    fn concerns(&self, screen: &Profile) -> bool {
        let touches = |area: &Area| area.contains(screen.area) || screen.area.contains(*area);
        (screen.drill || !self.exercise) && self.areas.iter().any(touches)
    }

    fn item(&self, screen: &Profile) -> Item {
        let mut texts: Vec<Text> = Vec::new();
        for language in &screen.languages {
            // A language that the alert lacks is stood in for by Chinese, which may be there already.
            let language = if self.content.texts.contains_key(language) { *language } else { Language::ZhCn };
            if let Some(text) = self.content.text(language).filter(|_| texts.iter().all(|text| text.language != language)) {
                let checked = if self.checked { being_checked(language) } else { "" };
                texts.push(match screen.form {
                    Form::Full => Text {
                        language,
                        headline: text.headline.clone(),
                        body: text.body.clone(),
                        instruction: [text.instruction.as_str(), checked]
                            .into_iter()
                            .filter(|part| !part.is_empty())
                            .collect::<Vec<_>>()
                            .join("\n"),
                    },
                    Form::Scrolling => Text {
                        language,
                        headline: line(language, [&text.headline, &text.instruction, checked, &self.content.contact]),
                        body: String::new(),
                        instruction: String::new(),
                    },
                });
            }
        }
        Item {
            alert_id: self.alert_id,
            urgent: self.urgent,
            exercise: self.exercise,
            severity: self.content.severity,
            texts,
            contact: self.content.contact.clone(),
            expires_at: self.content.expires_at,
        }
    }
}

/// What scrolls by: who misses the beginning sees it again.
fn line(language: Language, pieces: [&str; 4]) -> String {
    let joint = match language {
        Language::ZhCn => "　",
        Language::En => " · ",
    };
    pieces.into_iter().filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join(joint)
}

/// The most severe first; what is not known stands between what may and what hardly will do harm.
fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Extreme => 0,
        Severity::Severe => 1,
        Severity::Moderate => 2,
        Severity::Unknown => 3,
        Severity::Minor => 4,
    }
}

#[cfg(test)]
mod tests;
