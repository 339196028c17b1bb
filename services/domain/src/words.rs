//! Words: enums that are the same text wherever they go, in JSON, in the database, in a query string, in the OpenAPI document.

/// Makes enums of words, each variant with its text.
///
/// The text is the variant's name in snake case, or what is given with `as`. It is what `Display`, `AsRef<str>`, `&'static str: From`
/// and serde write, what `FromStr` and serde read, and what the schema lists. `VariantArray` and `Ord` keep the order of the list.
///
/// A variant's number is written as in any enum. With `=>` a variant gets its title, the word as people read it, and the enum a method
/// `title`; either all variants of an enum have one, or none has.
///
/// ```
/// domain::words! {
///     /// What a siren does.
///     pub enum Siren {
///         /// Up and down for a minute.
///         AirRaid => "预先警报",
///         /// One long sound.
///         AllClear as "all-clear" => "解除警报",
///     }
/// }
///
/// assert_eq!(Siren::AirRaid.to_string(), "air_raid");
/// assert_eq!("all-clear".parse(), Ok(Siren::AllClear));
/// assert_eq!(Siren::AllClear.title(), "解除警报");
/// ```
///
/// Attributes stay where they stand: documentation, `#[schema(as = …)]`, `#[repr(u8)]`, `#[derive(Default)]` with its `#[default]`. The crate that
/// has words has `serde`, `strum` and `utoipa` among its dependencies.
#[macro_export]
macro_rules! words {
    (@titles $name:ident $($variant:ident)+) => {};
    (@titles $name:ident $($variant:ident => $title:literal)+) => {
        impl $name {
            /// The word as people read it.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)+
                }
            }
        }
    };
    ($(
        $(#[$about:meta])*
        $visibility:vis enum $name:ident {
            $($(#[$meaning:meta])* $variant:ident $(as $text:tt)? $(= $number:literal)? $(=> $title:literal)?,)+
        }
    )+) => {$(
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize, ::utoipa::ToSchema,
            ::strum::Display, ::strum::EnumString, ::strum::AsRefStr, ::strum::IntoStaticStr, ::strum::VariantArray,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        $(#[$about])*
        $visibility enum $name {
            $($(#[$meaning])* $(#[serde(rename = $text)] #[strum(serialize = $text)])? $variant $(= $number)?,)+
        }

        $crate::words!(@titles $name $($variant $(=> $title)?)+);
    )+};
}

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};
    use std::str::FromStr;

    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};
    use strum::VariantArray;
    use utoipa::PartialSchema;

    crate::words! {
        /// What is heard.
        #[derive(Default)]
        #[repr(u8)]
        enum Sound {
            /// From a tower.
            #[default]
            TempleBell = 1 => "钟",
            /// From a street.
            Gong as "大锣" = 4 => "锣",
        }

        /// What is seen.
        enum Sight {
            /// By day.
            Smoke,
            /// By night.
            FireAtNight as "fire-at-night",
        }
    }

    /// That the words of an enum are these, whoever writes or reads them.
    fn are_the_words<T>(expected: &[&str])
    where
        T: VariantArray + Debug + Display + AsRef<str> + Into<&'static str> + FromStr<Err: Debug> + Serialize + DeserializeOwned,
        T: PartialSchema + Copy + Ord + 'static,
    {
        let written = |write: fn(T) -> String| T::VARIANTS.iter().map(|word| write(*word)).collect::<Vec<_>>();
        assert_eq!(written(|word| word.to_string()), expected);
        assert_eq!(written(|word| word.as_ref().to_owned()), expected);
        assert_eq!(written(|word| Into::<&'static str>::into(word).to_owned()), expected);
        assert_eq!(serde_json::to_value(T::VARIANTS).unwrap(), json!(expected));
        assert_eq!(serde_json::to_value(T::schema()).unwrap()["enum"], json!(expected));

        let read: Vec<T> = expected.iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(read, T::VARIANTS);
        assert_eq!(serde_json::from_value::<Vec<T>>(json!(expected)).unwrap(), T::VARIANTS);
        assert!(read.is_sorted(), "they stand in the order of the list");
    }

    #[test]
    fn a_word_is_the_same_text_everywhere() {
        are_the_words::<Sound>(&["temple_bell", "大锣"]);
        are_the_words::<Sight>(&["smoke", "fire-at-night"]);
    }

    #[test]
    fn what_is_no_word_is_refused() {
        for text in ["", "TempleBell", "gong", "temple_bell "] {
            assert!(text.parse::<Sound>().is_err(), "{text}");
            assert!(serde_json::from_value::<Sound>(Value::from(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_word_has_its_title_and_number_and_an_enum_its_default_and_description() {
        assert_eq!((Sound::TempleBell.title(), Sound::Gong.title()), ("钟", "锣"));
        assert_eq!((Sound::TempleBell as u8, Sound::Gong as u8), (1, 4));
        assert_eq!(Sound::default(), Sound::TempleBell);
        assert_eq!(serde_json::to_value(Sound::schema()).unwrap()["description"], "What is heard.");
    }

    /// The words that are stored, and that other systems know: a renamed variant would change them unseen.
    #[test]
    fn the_words_of_the_platform_are_what_they_have_been() {
        use crate::alert_state::{Action, State};
        use crate::{
            alert, alert_check, before_sending, cap, forecast, industry, language, outcome, privacy, risk_record, rule, schedule, sms_text,
            staff,
        };

        are_the_words::<language::Language>(&["zh-CN", "en"]);
        are_the_words::<alert::DeliveryClass>(&["routine", "urgent"]);
        are_the_words::<State>(&[
            "draft",
            "district_review",
            "city_review",
            "awaiting_confirmation",
            "approved",
            "dispatching",
            "active",
            "closed",
            "refused",
            "cancelled",
            "superseded",
            "all_clear",
        ]);
        are_the_words::<Action>(&[
            "submit",
            "pass_district",
            "return_district",
            "approve",
            "return_city",
            "refuse",
            "compose_urgent",
            "confirm",
            "decline",
            "release",
            "handed_over",
            "close",
            "cancel",
            "supersede",
            "discard",
            "stop",
            "resume",
            "retract",
            "lift",
        ]);
        are_the_words::<alert_check::FaultKind>(&[
            "missing",
            "too_long",
            "invalid",
            "unfilled",
            "personal_data",
            "never_sent",
            "too_many_parts",
        ]);
        are_the_words::<before_sending::Caution>(&[
            "reaches_nobody",
            "cut_by_quiet_hours",
            "no_reminder",
            "contradicts_another",
            "other_language",
            "open_comments",
            "claimed_by_other",
        ]);
        are_the_words::<cap::Status>(&["actual", "exercise", "system", "test", "draft"]);
        are_the_words::<cap::MsgType>(&["alert", "update", "cancel"]);
        are_the_words::<cap::Category>(&[
            "geo",
            "met",
            "safety",
            "security",
            "rescue",
            "fire",
            "health",
            "env",
            "transport",
            "infra",
            "cbrne",
            "other",
        ]);
        are_the_words::<cap::Urgency>(&["immediate", "expected", "future", "past", "unknown"]);
        are_the_words::<cap::Severity>(&["extreme", "severe", "moderate", "minor", "unknown"]);
        are_the_words::<cap::Certainty>(&["observed", "likely", "possible", "unlikely", "unknown"]);
        are_the_words::<forecast::Lane>(&["apns", "fcm", "web_push", "sms"]);
        are_the_words::<industry::Industry>(&[
            "education",
            "transport",
            "health",
            "commerce",
            "catering",
            "culture_tourism",
            "civil_affairs",
            "construction",
            "manufacturing",
            "agriculture",
            "postal",
            "public_service",
        ]);
        are_the_words::<outcome::Channel>(&["app", "sms", "display"]);
        are_the_words::<outcome::Outcome>(&[
            "pending",
            "accepted",
            "endpoint_gone",
            "throttled",
            "temporary",
            "permanent",
            "credentials_refused",
            "no_endpoint",
            "withdrawn",
            "accepted_by_browser",
        ]);
        are_the_words::<privacy::FindingKind>(&["identity_number", "phone_number", "home_address"]);
        are_the_words::<risk_record::RecordKind>(&[
            "test_result",
            "case",
            "close_contact",
            "secondary_contact",
            "place_visited",
            "arrival_from_risk_area",
            "analysis_finding",
            "community_report",
        ]);
        are_the_words::<risk_record::Origin>(&["surveillance", "analysis", "grassroots"]);
        are_the_words::<risk_record::RiskLevel>(&["low", "medium", "high"]);
        are_the_words::<rule::RuleAudience>(&["subject", "subject_township", "subject_community", "record_district"]);
        are_the_words::<schedule::JobState>(&["waiting", "asked", "running", "overdue"]);
        are_the_words::<sms_text::Encoding>(&["gsm7", "ucs2"]);
        are_the_words::<staff::Role>(&[
            "city_command_officer",
            "district_reviewer",
            "submitting_unit",
            "industry_supervisor",
            "community_worker",
            "technical_operator",
            "auditor",
            "administrator",
            "hotline_operator",
            "unit_handler",
            "unit_lead",
            "supervisor",
        ]);
    }
}
