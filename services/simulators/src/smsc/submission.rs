//! Judging a `submit_sm`: is it well formed, does a fault strike, is the message whole, does the sender want a receipt?

use std::time::Duration;

use rusmpp::{
    CommandStatus,
    pdus::{DeliverSm, SubmitSm},
    values::{MCDeliveryReceipt, MessageState, Ton},
};

use super::{Smsc, concatenation::Segment, phone_key, receipt, text};
use crate::{dice::Dice, fault::FaultKind, received::ReceivedSms, time};

/// Octets of one segment, header included (3GPP TS 23.040).
const SEGMENT_OCTETS: usize = 140;

/// What becomes of a submit.
pub(super) enum Judgement {
    Accepted { message_id: String, receipts: Vec<DeliverSm>, late: Duration },
    Refused(CommandStatus),
    Nonsense,
    Hang,
    Break,
}

/// What happens to an accepted message on its way to the phone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Delivered,
    Undeliverable,
    /// By a second receipt; the first one says that it was accepted.
    UndeliverableLater,
    NoReceipt,
}

impl Smsc {
    pub(super) fn judge(&self, submit: &SubmitSm, dice: &mut Dice) -> Judgement {
        if !self.within_rate() {
            return Judgement::Refused(CommandStatus::EsmeRthrottled);
        }
        let segment = match self.check(submit) {
            Ok(segment) => segment,
            Err(status) => return Judgement::Refused(status),
        };
        let phone = phone_key(submit.destination_addr.as_str());
        let faults = self.faults.now();
        let fate = match faults.strikes(&phone, dice) {
            None => Fate::Delivered,
            Some(FaultKind::NoReceipt) => Fate::NoReceipt,
            Some(FaultKind::Undeliverable) => Fate::Undeliverable,
            Some(FaultKind::AcceptedThenUndeliverable) => Fate::UndeliverableLater,
            Some(FaultKind::Refused { status }) => return Judgement::Refused(CommandStatus::from(*status)),
            Some(FaultKind::AnsweredLate { by_ms }) => {
                let late = Duration::from_millis(*by_ms);
                return self.accept(submit, &phone, segment, Fate::Delivered, late);
            }
            Some(FaultKind::Gone | FaultKind::GoneSince { .. } | FaultKind::BadRecipient | FaultKind::Foreign) => {
                return Judgement::Refused(CommandStatus::EsmeRinvdstadr);
            }
            Some(FaultKind::BadMessage) => return Judgement::Refused(CommandStatus::EsmeRsubmitfail),
            Some(FaultKind::Throttled { .. }) => return Judgement::Refused(CommandStatus::EsmeRthrottled),
            Some(FaultKind::InternalError) => return Judgement::Refused(CommandStatus::EsmeRsyserr),
            Some(FaultKind::Unavailable) => return Judgement::Refused(CommandStatus::EsmeRmsgqful),
            Some(FaultKind::Nonsense) => return Judgement::Nonsense,
            Some(FaultKind::Hang) => return Judgement::Hang,
            Some(FaultKind::AnswerLost) => {
                self.accept(submit, &phone, segment, Fate::Delivered, Duration::ZERO);
                return Judgement::Break;
            }
            Some(
                FaultKind::CloseConnection | FaultKind::CredentialsRefused | FaultKind::CredentialsExpired | FaultKind::ThirdPartyAuthError,
            ) => {
                return Judgement::Break;
            }
        };
        self.accept(submit, &phone, segment, fate, Duration::ZERO)
    }

    fn check(&self, submit: &SubmitSm) -> Result<Segment, CommandStatus> {
        let segment = Segment::read(submit)?;
        if !self.strict {
            return Ok(segment);
        }
        let destination = submit.destination_addr.as_str();
        let digits = destination.strip_prefix('+').unwrap_or(destination);
        if !(5..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CommandStatus::EsmeRinvdstadr);
        }
        if submit.dest_addr_ton == Ton::Alphanumeric {
            return Err(CommandStatus::EsmeRinvdstton);
        }
        if submit.short_message().len() > SEGMENT_OCTETS && u8::from(submit.data_coding) != 0 {
            return Err(CommandStatus::EsmeRinvmsglen);
        }
        if text::decode(&segment.octets, submit.data_coding.into()).is_none() {
            return Err(CommandStatus::EsmeRsubmitfail);
        }
        Ok(segment)
    }

    fn accept(&self, submit: &SubmitSm, phone: &str, segment: Segment, fate: Fate, late: Duration) -> Judgement {
        let (message_id, of_receipt) = self.new_id();
        let arrives = !matches!(fate, Fate::Undeliverable | Fate::UndeliverableLater);
        let from = submit.source_addr.as_str();
        if let Some(whole) = self.concatenation.join(phone, from, segment, &message_id) {
            let data_coding = submit.data_coding.into();
            let text = text::decode(&whole.octets, data_coding).unwrap_or_default();
            self.ledger.record(phone, &text);
            self.kept.keep(phone, || ReceivedSms {
                from: from.to_owned(),
                text,
                segments: whole.message_ids.len(),
                data_coding,
                message_ids: whole.message_ids,
                at: time::now(),
                validity_period: Some(submit.validity_period.as_str().to_owned()).filter(|period| !period.is_empty()),
                delivered: arrives,
            });
            self.tallies.changed();
        }
        let wanted = match submit.registered_delivery.mc_delivery_receipt() {
            MCDeliveryReceipt::McDeliveryReceiptRequestedWhereFinalDeliveryOutcomeIsSuccessOrFailure => true,
            MCDeliveryReceipt::McDeliveryReceiptRequestedWhereFinalDeliveryOutcomeIsFailure => !arrives,
            MCDeliveryReceipt::McDeliveryReceiptRequestedWhereFinalDeliveryOutcomeIsSuccess => fate == Fate::Delivered,
            _ => false,
        };
        let mut receipts = Vec::new();
        if wanted && fate != Fate::NoReceipt {
            let mut write = |state| receipts.push(receipt::receipt(submit, &of_receipt, state, time::now()));
            match fate {
                Fate::Delivered | Fate::NoReceipt => write(MessageState::Delivered),
                Fate::Undeliverable => write(MessageState::Undeliverable),
                Fate::UndeliverableLater => {
                    write(MessageState::Accepted);
                    write(MessageState::Undeliverable);
                }
            }
        }
        Judgement::Accepted { message_id, receipts, late }
    }
}

/// The specification's name of a status, for counting (SMPP 3.4 §5.1.3).
pub(super) fn status_name(status: CommandStatus) -> &'static str {
    match status {
        CommandStatus::EsmeRinvmsglen => "ESME_RINVMSGLEN",
        CommandStatus::EsmeRinvbndsts => "ESME_RINVBNDSTS",
        CommandStatus::EsmeRalybnd => "ESME_RALYBND",
        CommandStatus::EsmeRsyserr => "ESME_RSYSERR",
        CommandStatus::EsmeRinvsrcadr => "ESME_RINVSRCADR",
        CommandStatus::EsmeRinvdstadr => "ESME_RINVDSTADR",
        CommandStatus::EsmeRinvpaswd => "ESME_RINVPASWD",
        CommandStatus::EsmeRinvsysid => "ESME_RINVSYSID",
        CommandStatus::EsmeRmsgqful => "ESME_RMSGQFUL",
        CommandStatus::EsmeRinvesmclass => "ESME_RINVESMCLASS",
        CommandStatus::EsmeRsubmitfail => "ESME_RSUBMITFAIL",
        CommandStatus::EsmeRinvdstton => "ESME_RINVDSTTON",
        CommandStatus::EsmeRthrottled => "ESME_RTHROTTLED",
        _ => "ESME_RUNKNOWNERR",
    }
}
