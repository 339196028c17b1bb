//! What each service may do in the database beyond its own schema: read the views that others publish for it, and, where it sends batches, write the
//! ledger. What stands here is all; a test holds it against the sources.

use crate::services::Service;

/// A right to some columns of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) table: &'static str,
    pub(super) columns: &'static str,
}

/// The rights of one service outside of its own schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rights {
    /// Views that it may read.
    pub(super) reads: &'static [&'static str],
    /// What it may read since functions of another service's library do, which it calls in its own process.
    pub(super) reads_through: &'static [&'static str],
    /// Tables of which it may read some columns: where a function that it calls stands for a view.
    pub(super) reads_columns: &'static [Columns],
    /// Tables with which it works as their owner does: read, insert, update, delete.
    pub(super) works_with: &'static [&'static str],
    /// Sequences from which it draws.
    pub(super) draws: &'static [&'static str],
}

impl Rights {
    const NONE: Self = Self { reads: &[], reads_through: &[], reads_columns: &[], works_with: &[], draws: &[] };
}

/// What every process does: it knows who calls, carries events, opens the keys and takes part in scheduled work.
pub(super) const EVERYBODY_READS: &[&str] = &["identity.account_in_session", "identity.presented_key"];
/// The schemas that all processes work with.
pub(super) const SHARED: &[&str] = &["bus", "jobs"];
/// Where the wrapped keys lie: a process reads them. The first ones are made before there are roles, others by whoever exchanges them.
pub(super) const KEYS: &str = "keys";

/// The ledger of dispatch, which the senders of batches keep ([`dispatch::worker`]).
const LEDGER: &[&str] = &[
    "dispatch.batch",
    "dispatch.recipient_list",
    "dispatch.set_aside",
    "dispatch.outbox",
    "dispatch.wave",
    "dispatch.follow_up",
    "dispatch.sent_text",
    "dispatch.unlike_approved",
];
const LEDGER_DRAWS: &[&str] = &["dispatch.batch_number"];
const LEDGER_READS: &[&str] = &[
    "dispatch.alert",
    "dispatch.seals_since",
    "dispatch.stop",
    "dispatch.withdrawn_for",
    "resident.answered",
    "resident.endpoint",
    "resident.reach",
    "review.withdrawn_for",
];
/// How many people an audience has ([`resident::headcount`]).
const HEADCOUNT: &[&str] = &["resident.headcount", "resident.headcount_fold", "resident.reach"];
/// What the rules in force would make of a record ([`rules::RulesInForce`]).
const RULES_IN_FORCE: &[&str] = &["rules.active", "rules.rule_version"];

/// What this service may do outside of its own schema.
pub(super) const fn of(service: Service) -> Rights {
    match service {
        Service::Identity | Service::Audit | Service::Casework => Rights::NONE,
        Service::Resident => Rights {
            reads: &[
                "dispatch.alert_progress",
                "dispatch.growing_alert",
                "dispatch.late_recipient",
                "dispatch.recipient_range",
                "dispatch.shown_alert",
                "review.alert_standing",
                "review.had_a_hand",
                "review.withdrawn_for",
                "rules.asked_for",
                "rules.leaves_standing",
                "rules.lifts",
                "rules.named",
                "sms.handed",
            ],
            ..Rights::NONE
        },
        Service::Ingest => Rights { reads: &["resident.subject"], reads_through: RULES_IN_FORCE, ..Rights::NONE },
        Service::Rules => Rights { reads: &["ingest.ended_feed", "ingest.record_feed"], ..Rights::NONE },
        Service::Review => Rights {
            reads: &[
                "dispatch.alert_progress",
                "dispatch.follow_up_story",
                "dispatch.handed_story",
                "dispatch.unlike_story",
                "dispatch.wave_story",
                "dispatch.word_told",
                "display.shown_story",
                "identity.officer",
                "resident.acknowledged_story",
                "resident.feedback_story",
                "rules.behind_alert",
            ],
            reads_through: HEADCOUNT,
            ..Rights::NONE
        },
        Service::Dispatch => Rights {
            reads: &[
                "display.shown_story",
                "resident.acknowledged",
                "resident.answered",
                "resident.arrived",
                "resident.reach",
                "resident.wrote_back",
                "review.alert_audience",
                "review.alert_standing",
                "review.approved_alert",
                "review.withdrawn_for",
            ],
            reads_through: HEADCOUNT,
            ..Rights::NONE
        },
        Service::Push => Rights {
            reads: &["resident.endpoint", "resident.reach"],
            reads_through: LEDGER_READS,
            reads_columns: &[
                Columns { table: "resident.device", columns: "resident_no, endpoint_id, kind, token_sealed, registered_at, gone_at" },
                Columns { table: "resident.resident", columns: "resident_no, language, enrolled_drill, notices" },
            ],
            works_with: LEDGER,
            draws: LEDGER_DRAWS,
        },
        Service::Sms => Rights {
            reads: &["dispatch.withdrawal_batch", "resident.endpoint", "resident.reach", "review.approved_alert"],
            reads_through: LEDGER_READS,
            reads_columns: &[],
            works_with: LEDGER,
            draws: LEDGER_DRAWS,
        },
        Service::Display => Rights {
            reads: &["dispatch.alert_progress", "dispatch.released_alert", "review.alert_standing", "review.approved_alert"],
            ..Rights::NONE
        },
    }
}
