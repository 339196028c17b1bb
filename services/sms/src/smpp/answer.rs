//! What the SMS centre's `command_status` means for us (SMPP 3.4 §5.1.3): one named answer each, in two exhaustive tables, so
//! that a status nobody thought of does not compile.
//!
//! The rule behind them: what one recipient's number causes is [`Outcome::EndpointGone`]; what trying later may cure is
//! `Throttled` or `Temporary`; what our own message or account causes and a retry cannot cure is `Permanent`, or
//! `CredentialsRefused` when it concerns every message of the account (the batch is then held, nothing is lost). Whether it really
//! does, or only this message's, is seen by what the others are answered ([`crate::brake`]).

use domain::outcome::Outcome;
use rusmpp::CommandStatus::{self, *};

/// The answer in a `submit_sm_resp` or `generic_nack`.
pub fn to_submit(status: CommandStatus) -> Outcome {
    match status {
        EsmeRok => Outcome::Accepted,

        EsmeRthrottled | EsmeRmsgqful => Outcome::Throttled,

        EsmeRinvdstadr | EsmeRinvdstton | EsmeRinvdstnpi | EsmeRinvdstaddrsubunit => Outcome::EndpointGone,

        EsmeRsyserr | EsmeRsubmitfail | EsmeRxTAppn | EsmeRdeliveryfailure | EsmeRunknownerr | EsmeRsertypunavail => Outcome::Temporary,

        // Not bound in a way that may submit: another link, or this one bound anew, can.
        EsmeRinvbndsts | EsmeRalybnd => Outcome::Temporary,

        EsmeRbindfail | EsmeRinvpaswd | EsmeRinvsysid | EsmeRsertypunauth | EsmeRprohibited => Outcome::CredentialsRefused,

        EsmeRinvmsglen
        | EsmeRinvcmdlen
        | EsmeRinvcmdid
        | EsmeRinvprtflg
        | EsmeRinvregdlvflg
        | EsmeRinvsrcadr
        | EsmeRinvmsgid
        | EsmeRcancelfail
        | EsmeRreplacefail
        | EsmeRinvsertyp
        | EsmeRinvnumdests
        | EsmeRinvdlname
        | EsmeRinvdestflag
        | EsmeRinvsubrep
        | EsmeRinvesmclass
        | EsmeRcntsubdl
        | EsmeRinvsrcton
        | EsmeRinvsrcnpi
        | EsmeRinvsystyp
        | EsmeRinvrepflag
        | EsmeRinvnummsgs
        | EsmeRinvsched
        | EsmeRinvexpiry
        | EsmeRinvdftmsgid
        | EsmeRxPAppn
        | EsmeRxRAppn
        | EsmeRqueryfail
        | EsmeRinvtlvstream
        | EsmeRtlvnotallwd
        | EsmeRinvtlvlen
        | EsmeRmissingtlv
        | EsmeRinvtlvval
        | EsmeRsertypdenied
        | EsmeRinvdcs
        | EsmeRinvsrcaddrsubunit
        | EsmeRinvbcastfreqint
        | EsmeRinvbcastaliasName
        | EsmeRinvbcastareafmt
        | EsmeRinvnumbcastAreas
        | EsmeRinvbcastcnttype
        | EsmeRinvbcastmsgclass
        | EsmeRbcastfail
        | EsmeRbcastqueryfail
        | EsmeRbcastcancelfail
        | EsmeRinvbcastRep
        | EsmeRinvbcastsrvgrp
        | EsmeRinvbcastchanind => Outcome::Permanent,

        // Reserved or vendor specific (0x400–0x4FF): nobody here knows, so trying again is the safe reading.
        Other(_) => Outcome::Temporary,
    }
}

/// The centre's answer to a bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindAnswer {
    /// The link may submit.
    Bound,
    /// The account, its password or its rights are wrong: only an operator can help.
    CredentialsRefused,
    /// It cannot now.
    Temporary,
}

impl BindAnswer {
    /// The answer in a `bind_transceiver_resp`.
    pub fn to_bind(status: CommandStatus) -> Self {
        match status {
            EsmeRok => Self::Bound,
            // Bind failed says nothing more; centres use it for a wrong account as well as for one that may not bind.
            EsmeRbindfail | EsmeRinvpaswd | EsmeRinvsysid | EsmeRinvsystyp | EsmeRsertypunauth | EsmeRprohibited | EsmeRsertypdenied => {
                Self::CredentialsRefused
            }
            // Above all EsmeRalybnd: after a broken connection the centre still holds the old bind for a while.
            _ => Self::Temporary,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::ok(0x00, Outcome::Accepted)]
    #[case::throttled(0x58, Outcome::Throttled)]
    #[case::queue_full(0x14, Outcome::Throttled)]
    #[case::invalid_destination(0x0B, Outcome::EndpointGone)]
    #[case::system_error(0x08, Outcome::Temporary)]
    #[case::submit_failed(0x45, Outcome::Temporary)]
    #[case::not_bound(0x04, Outcome::Temporary)]
    #[case::vendor_specific(0x4FF, Outcome::Temporary)]
    #[case::invalid_source(0x0A, Outcome::Permanent)]
    #[case::message_too_long(0x01, Outcome::Permanent)]
    #[case::may_not_send(0x101, Outcome::CredentialsRefused)]
    fn a_submit_is_answered_by_name(#[case] status: u32, #[case] answer: Outcome) {
        assert_eq!(to_submit(CommandStatus::from(status)), answer);
    }

    #[rstest]
    #[case::ok(0x00, BindAnswer::Bound)]
    #[case::wrong_password(0x0E, BindAnswer::CredentialsRefused)]
    #[case::wrong_account(0x0F, BindAnswer::CredentialsRefused)]
    #[case::bind_failed(0x0D, BindAnswer::CredentialsRefused)]
    #[case::old_bind_still_held(0x05, BindAnswer::Temporary)]
    #[case::system_error(0x08, BindAnswer::Temporary)]
    fn a_bind_is_answered_by_name(#[case] status: u32, #[case] answer: BindAnswer) {
        assert_eq!(BindAnswer::to_bind(CommandStatus::from(status)), answer);
    }
}
