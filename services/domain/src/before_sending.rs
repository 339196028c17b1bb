//! What is looked at before an alert goes forward, beyond its text alone: how and when it would be sent.
//!
//! A *fault* keeps it back: as it stands it would reach nobody, or not in this language. A *caution* does not, but whoever sends it has
//! to know: it is said before the decision, and the weighty ones have to be confirmed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alert::{AlertContent, AlertText, ContentFault, DeliveryClass, FaultKind};
use crate::deadline::{self, Release};
use crate::exercise::Sendable;
use crate::ids::ShortCode;
use crate::language::Language;
use crate::quiet_hours::QuietHours;
use crate::sms_text::{self, Composition, MAX_SEGMENTS, SmsText, SmsTextError};

/// How an alert would be sent.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// How soon.
    pub class: DeliveryClass,
    /// From when on.
    pub now: DateTime<Utc>,
    /// When nothing routine is sent.
    pub quiet_hours: &'a QuietHours,
    /// Who signs the SMS 签名.
    pub signature: &'a str,
    /// What a reply by SMS names; none while the alert has none.
    pub short_code: Option<ShortCode>,
    /// Whether it goes to people who are named, so that whoever stays silent is followed up (CQ12).
    pub personal: bool,
}

crate::words! {
    /// What whoever sends an alert has to know, although nothing in it is wrong.
    pub enum Caution {
        /// Neither app nor SMS reaches anybody in the audience. Has to be confirmed.
        ReachesNobody,
        /// Quiet hours leave too little time until its end: who is not told before them may never be. Has to be confirmed.
        CutByQuietHours,
        /// It ends before the silent can be reminded, and followed up where they are named. Has to be confirmed.
        NoReminder,
        /// An alert that holds, or is being reviewed, asks people in the same place for the opposite. Has to be confirmed.
        ContradictsAnother,
        /// A text is not in the language it is declared in: it is read aloud wrongly, and its SMS may take twice as many parts.
        OtherLanguage,
        /// Somebody has remarked on it, and nobody has said that this is settled. Has to be confirmed.
        OpenComments,
        /// Somebody else is reviewing it just now. Has to be confirmed.
        ClaimedByOther,
    }
}

impl Caution {
    /// Whether nothing is sent before somebody says that they know.
    #[must_use]
    pub const fn must_be_confirmed(self) -> bool {
        match self {
            Self::ReachesNobody
            | Self::CutByQuietHours
            | Self::NoReminder
            | Self::ContradictsAnother
            | Self::OpenComments
            | Self::ClaimedByOther => true,
            Self::OtherLanguage => false,
        }
    }

    /// What it means, in Chinese.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::ReachesNobody => "弹窗和短信都到不了受众中的任何人，批准后没有人会收到。",
            Self::CutByQuietHours => "免打扰时段使有效期内的可发送时间不足，免打扰之前没有收到的人可能永远收不到，也不会有二次提醒。",
            Self::NoReminder => "有效期结束得太早，没有确认的人来不及收到二次提醒和上门跟进。",
            Self::ContradictsAnother => "另一条有效或正在审核的弹窗对同一地区提出了相反的要求，居民会收到相互矛盾的通知。",
            Self::OtherLanguage => "有文本的文字与所标的语言不符：朗读会出错，短信也可能多占条数。",
            Self::OpenComments => "还有批注没有处理完：请先看过，再决定是否继续。",
            Self::ClaimedByOther => "另一位同事正在审核这条弹窗：请先与其联系；等不及时，您仍可以决定。",
        }
    }

    /// The same in English.
    #[must_use]
    pub const fn english(self) -> &'static str {
        match self {
            Self::ReachesNobody => "Neither app nor SMS reaches anybody in the audience: nobody would be told.",
            Self::CutByQuietHours => {
                "Quiet hours leave too little time to send before it ends: whoever is not told before them may never be, and nobody is reminded."
            }
            Self::NoReminder => "It ends too early for a reminder to those who do not confirm, and for following them up.",
            Self::ContradictsAnother => {
                "Another alert that holds or is being reviewed asks people in the same place for the opposite: they would be told both."
            }
            Self::OtherLanguage => {
                "A text is not in the language it is marked with: it is read aloud wrongly, and its SMS may cost more parts."
            }
            Self::OpenComments => "Comments on it are not settled yet: read them before you go on.",
            Self::ClaimedByOther => {
                "A colleague is reviewing this alert just now: speak with them first. Where it cannot wait, you may still decide."
            }
        }
    }
}

/// A caution with what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CautionNote {
    /// Which.
    pub caution: Caution,
    /// Whether a decision that sends the alert has to name it as known.
    pub must_be_confirmed: bool,
    /// What it means, in Chinese.
    pub sentence: String,
    /// The same in English.
    pub sentence_en: String,
}

impl From<Caution> for CautionNote {
    fn from(caution: Caution) -> Self {
        Self {
            caution,
            must_be_confirmed: caution.must_be_confirmed(),
            sentence: caution.sentence().to_owned(),
            sentence_en: caution.english().to_owned(),
        }
    }
}

impl AlertContent {
    /// Everything that keeps this alert from going forward: what [`validate`](Self::validate) finds, a validity in which nothing may be
    /// sent, and SMS that take more parts than are sent, each language for itself and with all that is added to the author's text.
    ///
    /// # Errors
    /// The faults; at least one.
    pub fn check_sending(&self, sending: &Sending<'_>) -> Result<(), Vec<ContentFault>> {
        let mut faults = self.validate(sending.now).err().unwrap_or_default();
        let is_over = faults.iter().any(|fault| fault.field == "expires_at");
        if !is_over && self.release(sending) == Release::Never {
            let message = "免打扰时段内不发送，而有效期在免打扰结束之前就到期，没有人会收到：请延长有效期，或改为紧急推送".to_owned();
            faults.push(ContentFault { field: "expires_at".into(), kind: FaultKind::NeverSent, message });
        }
        for &language in self.texts.keys() {
            let Some(Err(SmsTextError::TooLong { segments })) = self.sms(language, sending) else { continue };
            let message = format!("短信（{language}）连同签名、咨询方式和回复说明共 {segments} 条，最多 {MAX_SEGMENTS} 条，请缩短");
            faults.push(ContentFault { field: format!("texts.{language}.sms"), kind: FaultKind::TooManyParts, message });
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// The SMS in a language as it would be sent; none where there is no such text, or nothing to reply to yet.
    #[must_use]
    pub fn sms(&self, language: Language, sending: &Sending<'_>) -> Option<Result<SmsText, SmsTextError>> {
        let (text, short_code) = (self.texts.get(&language)?.clone(), sending.short_code?);
        let AlertText { sms, .. } = match Sendable::of(self.status, text).ok()? {
            Sendable::Live(text) => text.into_inner(),
            Sendable::Drill(text) => text.announced(language),
        };
        let (signature, contact) = (sending.signature, self.contact.as_str());
        Some(sms_text::compose(&Composition { signature, text: &sms, contact, short_code: Some(short_code), language }))
    }

    /// What its sender has to know, as far as it can be told without counting people; in the order of [`Caution`].
    #[must_use]
    pub fn cautions(&self, sending: &Sending<'_>) -> Vec<Caution> {
        let mut cautions = Vec::new();
        if self.release(sending) != Release::Never {
            let due = deadline::due_at(sending.class, sending.now, sending.quiet_hours);
            // Who is told last has the whole window; whoever is named and stays silent then gets a second one, before somebody comes.
            let windows = if sending.personal { 2 } else { 1 };
            if due > self.expires_at && self.expires_at - sending.now >= deadline::time_allowed(sending.class) {
                cautions.push(Caution::CutByQuietHours);
            } else if due.checked_add_signed(self.ack_window() * windows).is_none_or(|answered| answered > self.expires_at) {
                cautions.push(Caution::NoReminder);
            }
        }
        if self
            .texts
            .iter()
            .any(|(language, text)| [&text.headline, &text.body, &text.instruction, &text.sms].iter().any(|part| !language.fits(part)))
        {
            cautions.push(Caution::OtherLanguage);
        }
        cautions
    }

    fn release(&self, sending: &Sending<'_>) -> Release {
        deadline::release(sending.class, sending.now, self.expires_at, sending.quiet_hours)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::DeliveryClass::{Routine, Urgent};
    use super::*;
    use crate::alert::AckWindow;
    use crate::alert::sample::content;
    use crate::cap::Status;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-{text}:00+08:00").parse().unwrap()
    }

    fn sending<'a>(class: DeliveryClass, now: &str, quiet_hours: &'a QuietHours) -> Sending<'a> {
        Sending { class, now: at(now), quiet_hours, signature: "烽火", short_code: "AB3C".parse().ok(), personal: false }
    }

    #[rstest]
    #[case::by_day(Routine, "20T12:00", "21T12:00", &[])]
    #[case::over_by_the_morning(Routine, "20T22:30", "21T06:30", &[("expires_at", FaultKind::NeverSent)])]
    #[case::over_as_the_night_is(Routine, "20T22:30", "21T07:00", &[("expires_at", FaultKind::NeverSent)])]
    #[case::a_minute_of_the_morning_is_left(Routine, "20T22:30", "21T07:01", &[])]
    #[case::urgent_at_night(Urgent, "20T22:30", "21T06:30", &[])]
    #[case::over_already(Routine, "20T22:30", "20T22:00", &[("expires_at", FaultKind::Invalid)])]
    fn what_could_never_be_sent_is_a_fault(
        #[case] class: DeliveryClass,
        #[case] now: &str,
        #[case] expires: &str,
        #[case] expected: &[(&str, FaultKind)],
    ) {
        let content = AlertContent { expires_at: at(expires), ..content() };
        let faults = content.check_sending(&sending(class, now, &QuietHours::default())).err().unwrap_or_default();
        assert_eq!(faults.iter().map(|fault| (fault.field.as_str(), fault.kind)).collect::<Vec<_>>(), expected);
    }

    #[rstest]
    // signature, characters of the English text, whether they are in seven bits, status, faults
    #[case::chinese_signature_and_a_long_text("烽火", 450, Status::Actual, 1)]
    #[case::chinese_signature_and_a_text_that_just_fits("烽火", 420, Status::Actual, 0)]
    #[case::the_mark_of_an_exercise_counts("烽火", 420, Status::Exercise, 1)]
    #[case::seven_bits_take_more("CQ CDC", 450, Status::Actual, 0)]
    fn an_sms_is_measured_as_it_will_be_sent(
        #[case] signature: &str,
        #[case] length: usize,
        #[case] status: Status,
        #[case] expected: usize,
    ) {
        let mut content = AlertContent { expires_at: at("21T12:00"), status, contact: "x".repeat(57) + "123", ..content() };
        content.texts.get_mut(&Language::En).unwrap().sms = "y".repeat(length - 1) + ".";
        let quiet_hours = QuietHours::default();
        let faults = content.check_sending(&Sending { signature, ..sending(Routine, "20T12:00", &quiet_hours) }).err().unwrap_or_default();
        assert_eq!(faults.len(), expected, "{faults:?}");
        assert!(faults.iter().all(|fault| (fault.field.as_str(), fault.kind) == ("texts.en.sms", FaultKind::TooManyParts)));
    }

    #[rstest]
    // class, now, end, window in minutes, whether it names people, caution
    #[case::enough_of_everything(Routine, "20T12:00", "21T12:00", 60, true, None)]
    #[case::a_window_as_long_as_the_alert(Routine, "20T12:00", "21T12:00", 24 * 60, false, Some(Caution::NoReminder))]
    #[case::room_for_one_window(Routine, "20T12:00", "20T15:00", 60, false, None)]
    #[case::who_is_named_needs_two(Routine, "20T12:00", "20T15:00", 60, true, Some(Caution::NoReminder))]
    #[case::urgent_has_less_to_wait_for(Urgent, "20T12:00", "20T14:30", 60, true, None)]
    #[case::short_by_day_is_meant_so(Routine, "20T12:00", "20T13:00", 60, false, Some(Caution::NoReminder))]
    #[case::the_night_takes_what_was_enough(Routine, "20T21:30", "21T07:30", 5, false, Some(Caution::CutByQuietHours))]
    #[case::the_night_leaves_two_hours(Routine, "20T21:30", "21T09:00", 5, false, None)]
    #[case::urgent_knows_no_night(Urgent, "20T21:30", "21T07:30", 5, true, None)]
    fn whoever_sends_it_is_told_what_will_not_happen(
        #[case] class: DeliveryClass,
        #[case] now: &str,
        #[case] expires: &str,
        #[case] window: u32,
        #[case] personal: bool,
        #[case] expected: Option<Caution>,
    ) {
        let content = AlertContent { expires_at: at(expires), ack_window_s: AckWindow::capped(window * 60), ..content() };
        let quiet_hours = QuietHours::default();
        let found = content.cautions(&Sending { personal, ..sending(class, now, &quiet_hours) });
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }
}
