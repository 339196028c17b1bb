//! Consent (CQ1): what a person was told, when they agreed to it, and when they took it back.
//!
//! A consent names the version of the text that was shown. Texts are never changed, only followed by a new version, so
//! that it can be said years later what exactly somebody agreed to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::language::Language;

/// What people are told before they agree, in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConsentText {
    /// Counted from 1; the same in all languages.
    pub version: u16,
    /// The language it is written in.
    pub language: Language,
    /// What the data is for.
    pub purpose: &'static str,
    /// How it is collected, kept and protected.
    pub manner: &'static str,
    /// Which data.
    pub scope: &'static str,
    /// How to take the consent back.
    pub withdrawal: &'static str,
}

/// The version shown to whoever registers now.
pub const CURRENT_VERSION: u16 = 2;

/// Every text that was ever shown.
pub const TEXTS: &[ConsentText] = &[
    ConsentText {
        version: 1,
        language: Language::ZhCn,
        purpose: "用于传染病防控：当您可能面临健康风险时，向您推送与您有关的健康提示，并在需要时提醒您确认。不用于其他目的。",
        manner: "由您在登记时自行填写；加密存储，仅限经授权的工作人员因防控需要查阅，每次查阅均有记录。身份证号码只保存不可还原的校验值。",
        scope: "手机号码、姓名、所在区县、街道（乡镇）和社区（村）、行业、语言，以及接收推送所需的设备标识；身份证号码可不填写。",
        withdrawal: "您可随时在“我的”页面撤回同意，或回复短信“退订”。撤回后不再向您推送。",
    },
    ConsentText {
        version: 1,
        language: Language::En,
        purpose: "To control infectious disease: you are sent health alerts that concern you when you may be at risk, and are reminded \
                  to confirm them where needed. For nothing else.",
        manner: "You enter the data yourself when you register. It is stored encrypted, seen only by authorised staff who need it, and \
                 every such access is recorded. Of an identity number only a check value is kept, from which it cannot be recovered.",
        scope: "Phone number, name, district, township and community, industry, language, and the device identifiers needed to send \
                you alerts; an identity number is optional.",
        withdrawal: "You can withdraw at any time under \"Me\" or by answering an SMS with TD. You are then sent nothing more.",
    },
    // since documents other than identity cards are asked for, and their kind is kept
    ConsentText {
        version: 2,
        language: Language::ZhCn,
        purpose: "用于传染病防控：当您可能面临健康风险时，向您推送与您有关的健康提示，并在需要时提醒您确认。不用于其他目的。",
        manner: "由您在登记时自行填写；加密存储，仅限经授权的工作人员因防控需要查阅，每次查阅均有记录。证件号码只保存不可还原的校验值。",
        scope: "手机号码、姓名、所在区县、街道（乡镇）和社区（村）、行业、语言，以及接收推送所需的设备标识；\
                证件（身份证、通行证、居住证、永久居留身份证或护照）的类型和号码可不填写。",
        withdrawal: "您可随时在“我的”页面撤回同意，或回复短信“退订”。撤回后不再向您推送。",
    },
    ConsentText {
        version: 2,
        language: Language::En,
        purpose: "To control infectious disease: you are sent health alerts that concern you when you may be at risk, and are reminded \
                  to confirm them where needed. For nothing else.",
        manner: "You enter the data yourself when you register. It is stored encrypted, seen only by authorised staff who need it, and \
                 every such access is recorded. Of the number of an identity document only a check value is kept, from which it cannot \
                 be recovered.",
        scope: "Phone number, name, district, township and community, industry, language, and the device identifiers needed to send \
                you alerts; kind and number of an identity document (identity card, permit, permanent resident card or passport) are \
                optional.",
        withdrawal: "You can withdraw at any time under \"Me\" or by answering an SMS with TD. You are then sent nothing more.",
    },
];

/// The text of a version, in this language or in Chinese.
#[must_use]
pub fn text(version: u16, language: Language) -> Option<&'static ConsentText> {
    let find = |language| TEXTS.iter().find(|text| text.version == version && text.language == language);
    find(language).or_else(|| find(Language::ZhCn))
}

/// One person's consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Consent {
    /// Which text was shown.
    pub version: u16,
    /// When it was shown.
    pub told_at: DateTime<Utc>,
    /// When the person agreed.
    pub given_at: DateTime<Utc>,
    /// When they took it back, if they did.
    pub withdrawn_at: Option<DateTime<Utc>>,
}

/// Why this is no consent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// Nobody can have read it.
    #[error("there is no consent text of version {version}")]
    UnknownVersion {
        /// The version named.
        version: u16,
    },
    /// Agreed before anything was told.
    #[error("consent was given at {given_at}, before its text was shown at {told_at}")]
    NotTold {
        /// When the text was shown.
        told_at: DateTime<Utc>,
        /// When the person agreed.
        given_at: DateTime<Utc>,
    },
}

impl Consent {
    /// A consent to a text that was shown first.
    ///
    /// # Errors
    /// If there is no such text, or the person agreed before they could read it.
    pub fn give(version: u16, told_at: DateTime<Utc>, given_at: DateTime<Utc>) -> Result<Self, ConsentError> {
        if text(version, Language::ZhCn).is_none() {
            return Err(ConsentError::UnknownVersion { version });
        }
        if given_at < told_at {
            return Err(ConsentError::NotTold { told_at, given_at });
        }
        Ok(Self { version, told_at, given_at, withdrawn_at: None })
    }

    /// The consent taken back; the first time counts.
    #[must_use]
    pub fn withdraw(self, at: DateTime<Utc>) -> Self {
        Self { withdrawn_at: self.withdrawn_at.or(Some(at)), ..self }
    }

    /// Whether the person may be sent anything.
    #[must_use]
    pub const fn is_in_force(&self) -> bool {
        self.withdrawn_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-11-02T04:00:00Z".parse().unwrap()
    }

    #[test]
    fn consent_follows_what_was_told_and_ends_when_it_is_withdrawn() {
        let consent = Consent::give(CURRENT_VERSION, noon(), noon() + TimeDelta::seconds(40)).unwrap();
        assert!(consent.is_in_force());
        let withdrawn = consent.withdraw(noon() + TimeDelta::days(3));
        assert!(!withdrawn.is_in_force());
        assert_eq!(withdrawn.withdraw(noon() + TimeDelta::days(9)), withdrawn, "the first withdrawal counts");
    }

    #[test]
    fn nobody_agrees_to_what_they_were_not_told() {
        let before = noon() - TimeDelta::seconds(1);
        assert_eq!(Consent::give(CURRENT_VERSION, noon(), before), Err(ConsentError::NotTold { told_at: noon(), given_at: before }));
        assert_eq!(Consent::give(99, noon(), noon()), Err(ConsentError::UnknownVersion { version: 99 }));
    }

    #[test]
    fn the_current_text_exists_in_every_language() {
        for language in <Language as strum::VariantArray>::VARIANTS {
            assert_eq!(text(CURRENT_VERSION, *language).map(|text| text.language), Some(*language));
        }
    }
}
