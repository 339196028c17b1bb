//! An alert that comes again: what changed since a reviewer sent it back.
//!
//! [`changes`] compares what it said then with what it says now, part by part and language by language, so that whoever reviews it again reads what is
//! new, and sees at once where nothing was done about what was found wrong.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alert::AlertContent;
use crate::audience::Audience;
use crate::language::Language;
use crate::passage::TextField;

crate::words! {
    /// A part of an alert that may be another one than it was.
    pub enum ChangedField {
        /// The line seen first, in one language.
        Headline,
        /// What happened, in one language.
        Body,
        /// What to do, in one language.
        Instruction,
        /// The short form, in one language.
        Sms,
        /// The purpose it serves.
        Purpose,
        /// Whom to ask.
        Contact,
        /// When it stops being true.
        ExpiresAt,
        /// How long recipients have to acknowledge.
        AckWindowS,
        /// The place it is about.
        Place,
        /// Whether screens show it.
        Display,
        /// Where the information comes from.
        SourceNote,
        /// What it is about.
        Category,
        /// How soon to act.
        Urgency,
        /// How much harm.
        Severity,
        /// How sure.
        Certainty,
        /// Actual or exercise.
        Status,
        /// For whom it is.
        Audience,
    }
}

impl From<TextField> for ChangedField {
    fn from(part: TextField) -> Self {
        match part {
            TextField::Headline => Self::Headline,
            TextField::Body => Self::Body,
            TextField::Instruction => Self::Instruction,
            TextField::Sms => Self::Sms,
        }
    }
}

/// One part that is another one than it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Changed {
    /// Which.
    pub field: ChangedField,
    /// In which language; none for what has none.
    pub language: Option<Language>,
    /// What it was; none: nothing, or, of an audience, not told.
    pub was: Option<String>,
    /// What it is.
    pub is: Option<String>,
}

/// What an audience is told apart by, without saying who is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudienceMark([u8; 32]);

impl AudienceMark {
    /// The mark of an audience.
    #[must_use]
    pub fn of(audience: &Audience) -> Self {
        let mut mark = [0; 32];
        mark.copy_from_slice(digest(&SHA256, &audience.to_bytes()).as_ref());
        Self(mark)
    }

    /// As it is kept.
    #[must_use]
    pub const fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The mark that was kept; none where it is no mark.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// Everything that an alert says otherwise than it did, texts first, in the order in which they are read.
#[must_use]
pub fn changes(was: &AlertContent, is: &AlertContent, audience: (AudienceMark, AudienceMark)) -> Vec<Changed> {
    let languages: std::collections::BTreeSet<_> = was.texts.keys().chain(is.texts.keys()).copied().collect();
    let parts = [TextField::Headline, TextField::Body, TextField::Instruction, TextField::Sms];
    let texts = languages.into_iter().flat_map(|language| {
        parts.into_iter().map(move |part| {
            let text = |content: &AlertContent| content.texts.get(&language).map(|text| part.of(text).to_owned());
            (part.into(), Some(language), text(was), text(is))
        })
    });
    let rest = FIELDS.iter().map(|(field, written)| (*field, None, written(was), written(is)));
    let mut changes: Vec<_> = texts
        .chain(rest)
        .filter(|(_, _, was, is)| was != is)
        .map(|(field, language, was, is)| Changed { field, language, was, is })
        .collect();
    if audience.0 != audience.1 {
        changes.push(Changed { field: ChangedField::Audience, language: None, was: None, is: None });
    }
    changes
}

/// What an alert says beside its texts, as it is shown.
type Written = fn(&AlertContent) -> Option<String>;

const FIELDS: &[(ChangedField, Written)] = &[
    (ChangedField::Purpose, |content| Some(content.purpose.clone())),
    (ChangedField::Contact, |content| Some(content.contact.clone())),
    (ChangedField::ExpiresAt, |content| Some(content.expires_at.to_rfc3339_opts(SecondsFormat::Secs, true))),
    (ChangedField::AckWindowS, |content| Some(content.ack_window().num_seconds().to_string())),
    (ChangedField::Place, |content| content.place.as_ref().map(|place| format!("{} ({})", place.name, place.area))),
    (ChangedField::Display, |content| Some(content.display.to_string())),
    (ChangedField::SourceNote, |content| Some(content.source_note.clone())),
    (ChangedField::Category, |content| Some(content.category.to_string())),
    (ChangedField::Urgency, |content| Some(content.urgency.to_string())),
    (ChangedField::Severity, |content| Some(content.severity.to_string())),
    (ChangedField::Certainty, |content| Some(content.certainty.to_string())),
    (ChangedField::Status, |content| Some(content.status.to_string())),
];

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use rstest::rstest;

    use super::*;
    use crate::alert::sample::content;
    use crate::alert::{AckWindow, PlaceNote};
    use crate::cap::{Category, Severity, Status};

    fn mark(residents: &[u32]) -> AudienceMark {
        AudienceMark::of(&Audience::Residents(residents.iter().copied().collect()))
    }

    fn changed(edit: impl Fn(&mut AlertContent)) -> Vec<(ChangedField, Option<Language>)> {
        let mut later = content();
        edit(&mut later);
        changes(&content(), &later, (mark(&[1]), mark(&[1]))).into_iter().map(|change| (change.field, change.language)).collect()
    }

    #[rstest]
    #[case::nothing(|_: &mut AlertContent| (), &[])]
    #[case::a_text(|content: &mut AlertContent| content.texts.get_mut(&Language::En).unwrap().body = "Other words.".into(), &[(ChangedField::Body, Some(Language::En))])]
    #[case::end_and_window(
        |content: &mut AlertContent| { content.expires_at += TimeDelta::hours(1); content.ack_window_s = AckWindow::capped(60); },
        &[(ChangedField::ExpiresAt, None), (ChangedField::AckWindowS, None)])]
    #[case::no_place(|content: &mut AlertContent| content.place = None, &[(ChangedField::Place, None)])]
    #[case::the_place_lies_elsewhere(
        |content: &mut AlertContent| content.place = Some(PlaceNote { area: "500105".parse().unwrap(), ..content.place.clone().unwrap() }), &[(ChangedField::Place, None)])]
    #[case::what_it_is(
        |content: &mut AlertContent| { content.category = Category::Other; content.severity = Severity::Minor; content.status = Status::Exercise; },
        &[(ChangedField::Category, None), (ChangedField::Severity, None), (ChangedField::Status, None)])]
    fn what_is_new_is_named_by_part_and_language(
        #[case] edit: fn(&mut AlertContent),
        #[case] expected: &[(ChangedField, Option<Language>)],
    ) {
        assert_eq!(changed(edit), expected);
    }

    #[test]
    fn a_language_that_was_added_or_dropped_is_new_in_all_its_parts() {
        let mut chinese = content();
        chinese.texts.remove(&Language::En);
        let added = changes(&chinese, &content(), (mark(&[1]), mark(&[1])));
        assert_eq!(added.len(), 4);
        assert!(added.iter().all(|change| change.language == Some(Language::En) && change.was.is_none() && change.is.is_some()));
        assert_eq!(changes(&content(), &chinese, (mark(&[1]), mark(&[1]))).len(), 4);
    }

    #[test]
    fn another_audience_is_told_without_anybody_who_is_in_it() {
        let expected = Changed { field: ChangedField::Audience, language: None, was: None, is: None };
        assert_eq!(changes(&content(), &content(), (mark(&[1, 2]), mark(&[1]))), [expected]);
        assert_eq!(AudienceMark::from_bytes(mark(&[1, 2]).bytes()), Some(mark(&[2, 1])));
        assert_eq!(AudienceMark::from_bytes(b"short"), None);
    }
}
