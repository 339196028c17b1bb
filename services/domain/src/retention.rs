//! What is kept, for how long, and why (CQ13, CQ14): one table for the whole platform.
//!
//! The services take the usual length of their purges and of the months that they keep from here, and the manual's page about
//! retention is made from it. A test of the whole system asks the database for all its tables: one that stands in no row here is
//! a fault, so nobody can add a table without deciding how long its rows stay.

use chrono::TimeDelta;

use crate::source_health;

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// Nothing removes it.
    ForGood,
    /// So many calendar months before the present one, by when the alert was made; older months are dropped whole.
    Months(u32),
    /// So many days.
    Days(u32),
    /// So many hours.
    Hours(u32),
    /// So many seconds.
    Seconds(u32),
    /// Until the person ends it: withdraws, signs out, removes a device, or has everything deleted.
    WithThePerson,
    /// Until its work is done: carried, handled, counted.
    UntilDone,
}

impl Keeping {
    /// The number of months, days, hours or seconds; 0 where there is none to set.
    #[must_use]
    pub const fn length(self) -> u32 {
        match self {
            Self::Months(length) | Self::Days(length) | Self::Hours(length) | Self::Seconds(length) => length,
            Self::ForGood | Self::WithThePerson | Self::UntilDone => 0,
        }
    }
}

/// One kind of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// What it is.
    pub what: &'static str,
    /// The tables that hold it, as `schema.table`; none where it stands in the cache only.
    pub tables: &'static [&'static str],
    /// How long it is kept, unless `setting` says otherwise.
    pub keeping: Keeping,
    /// The key of the configuration that changes the length, where one does.
    pub setting: Option<&'static str>,
    /// Why so long, and what of a person stands in it.
    pub why: &'static str,
    /// The requirement that it answers to.
    pub requirement: &'static str,
}

/// Single showings of screens.
pub const PLAYS: Kind = Kind {
    what: "Proof of play: each time that a screen showed an alert",
    tables: &["display.play", "display.play_day"],
    keeping: Keeping::Days(400),
    setting: Some("display.keep_plays_days"),
    why: "As long as a year's inspection looks back. How often a screen showed each alert, first and last, is kept for good. No personal data.",
    requirement: "CQ9",
};

/// Which version of an alert a reviewer had before them.
pub const LOOKS: Kind = Kind {
    what: "Which version of an alert somebody had before them, whole, before they decided about many",
    tables: &["review.look"],
    keeping: Keeping::Days(90),
    setting: None,
    why: "Decisions come within hours; that somebody looked stays in the trace. Staff and alerts only.",
    requirement: "CQ8",
};

/// Who reviews what just now.
pub const WORK: Kind = Kind {
    what: "Who reviews an alert just now, and when last the live line told of the work on it",
    tables: &["review.claim", "review.work"],
    keeping: Keeping::Days(1),
    setting: None,
    why: "A claim lapses within hours; nobody asks for it afterwards, and the trace has who claimed what. Who has an alert open stands in the cache \
          for 45 seconds. Staff and alerts only.",
    requirement: "CQ8",
};

/// What residents say.
pub const FEEDBACK: Kind = Kind {
    what: "What residents say about an alert or write back by SMS, and the answers, sealed",
    tables: &["resident.feedback"],
    keeping: Keeping::Days(1_100),
    setting: None,
    why: "Their words are theirs, and go with everything else of theirs; after three years nobody asks for them any more. What an unregistered \
          phone wrote by SMS goes after a year.",
    requirement: "CQ12",
};

/// Who brought a case.
pub const CASE_CONTACTS: Kind = Kind {
    what: "Name and phone number of whoever brought a case, sealed; they stand with the case",
    tables: &[],
    keeping: Keeping::Days(400),
    setting: Some("casework.keep_contacts_days"),
    why: "As long after its end as somebody may have to be called about it; the case stays without them.",
    requirement: "CQ14",
};

/// Who was sent what: the batches of every wave with one outcome a recipient.
pub const LEDGER: Kind = Kind {
    what: "Who was sent an alert, on which channel, with which outcome",
    tables: &["dispatch.batch", "dispatch.recipient_list", "dispatch.undelivered"],
    keeping: Keeping::Months(24),
    setting: Some("dispatch.keep_ledger_months"),
    why: "Answers later whether somebody was told. Resident numbers only, no names or phone numbers.",
    requirement: "CQ15",
};

/// Short messages, a row a part.
pub const MESSAGES: Kind = Kind {
    what: "Short messages that the SMS centre took, with their receipts",
    tables: &["sms.part"],
    keeping: Keeping::Months(24),
    setting: Some("sms.keep_messages_months"),
    why: "As long as the ledger, whose proof they are. Resident numbers and the centre's ids, neither phone number nor text.",
    requirement: "CQ15",
};

/// Who has acknowledged.
pub const ACKNOWLEDGEMENTS: Kind = Kind {
    what: "Who has acknowledged which alert, when and how",
    tables: &["resident.acknowledgement"],
    keeping: Keeping::Months(24),
    setting: Some("resident.keep_acknowledgements_months"),
    why: "Reminders and follow-ups depend on it while the alert lives, evaluation for two years after it.",
    requirement: "CQ11",
};

/// Receipts whose message is not known yet, and the references of replies.
pub const RECEIPTS: Kind = Kind {
    what: "Receipts that came before their message was stored, parts of messages that never became whole, and the references of replies that \
           were passed on",
    tables: &["sms.receipt", "sms.begun", "sms.reply"],
    keeping: Keeping::Hours(72),
    setting: Some("sms.receipt_keep_hours"),
    why: "A centre repeats a receipt or a reply for hours at most. No phone number, no text.",
    requirement: "CQ13",
};

/// Lists that wait for a person.
pub const WAITING_LISTS: Kind = Kind {
    what: "Rows of lists that are unlike what their source usually brings and wait for a person, sealed",
    tables: &["ingest.held_block"],
    keeping: Keeping::Days(30),
    setting: Some("ingest.keep_waiting_days"),
    why: "Until somebody has released or discarded the list; then they are gone. What nobody decides about in a month is out of date. A row may \
          name a person, so it is sealed.",
    requirement: "CQ14",
};

/// A member of staff's session.
pub const STAFF_SESSIONS: Kind = Kind {
    what: "Sessions of staff: the hash of the token with the account, in the cache; and which an account has",
    tables: &["identity.session"],
    keeping: Keeping::Seconds(12 * 3600),
    setting: Some("identity.session_longest_seconds"),
    why: "No shift is longer. An unused one ends earlier, after `identity.session_idle_seconds`. What has ended is gone from the table when its \
          owner next signs in.",
    requirement: "CQ13",
};

/// Who came by the city's directory and is bound to no account.
pub const DIRECTORY_ARRIVALS: Kind = Kind {
    what: "Who in the city's directory tried to sign in and is bound to no account: what the directory calls them, and the name that it tells",
    tables: &["identity.directory_arrival"],
    keeping: Keeping::Days(14),
    setting: None,
    why: "So that administrators can bind an account without typing what a directory calls somebody; the last 200 at most. Who is bound stands here no \
          more; what is older goes every night, also where the directory was switched off.",
    requirement: "CQ13",
};

/// A one-time code.
pub const CODES: Kind = Kind {
    what: "One-time codes: keyed hashes, in the cache",
    tables: &[],
    keeping: Keeping::Seconds(300),
    setting: Some("resident.code_valid_s"),
    why: "An SMS takes seconds; a code that is read later helps only somebody else.",
    requirement: "CQ14",
};

/// What residents are told about their own registration.
pub const NOTICES: Kind = Kind {
    what: "What residents were told about their own sign-in, number and document",
    tables: &["resident.notice"],
    keeping: Keeping::Days(180),
    setting: None,
    why: "To be read in the app. It says what happened, and holds no number.",
    requirement: "CQ14",
};

/// What stood against people, and who asked about it.
pub const STANDINGS: Kind = Kind {
    what: "What stands or stood against a person because of an alert, the records behind it without what they say, and who asked about it",
    tables: &["resident.standing", "resident.standing_evidence", "resident.standing_terms", "resident.standing_question"],
    keeping: Keeping::Days(365),
    setting: None,
    why: "The person reads why, until when, who asked, and may object; a year after it ended nobody asks for it any more. It goes with everything \
          else of theirs before that.",
    requirement: "CQ12",
};

/// How old a draft may be when it is approved. What is kept by the month is kept by the month in which its alert was first written, so an
/// alert that had lain for long would lose what is known of it while it holds.
pub const OLDEST_DRAFT: TimeDelta = TimeDelta::days(31);

/// Months before the present one for which anything is kept that goes by the month of its alert: a draft of [`OLDEST_DRAFT`] that then
/// holds as long as an alert can does not see its own month dropped.
pub const FEWEST_MONTHS: u32 = 3;
/// Why fewer are refused where an operator sets them.
pub const TOO_FEW_MONTHS: &str = "must be at least 3: an alert is written in one month and may hold until the third after it";

/// Hours for which a file sent in pieces is kept after its last piece.
pub const UPLOAD_HOURS: u32 = 24;

/// Everything that is kept, in the order in which it comes to be.
pub const KINDS: &[Kind] = &[
    Kind {
        what: "Risk records and the deliveries in which they came",
        tables: &["ingest.load", "ingest.held_load", "ingest.chunk", "ingest.record", "ingest.record_version", "ingest.matched"],
        keeping: Keeping::ForGood,
        setting: None,
        why: "The grounds of every alert, and what makes a record count once however often it comes. People stand in it by number or keyed \
              hash. There is no purge yet.",
        requirement: "CQ6",
    },
    Kind {
        what: "What the columns of a source's lists are called",
        tables: &["ingest.column_name"],
        keeping: Keeping::ForGood,
        setting: None,
        why: "Chosen once by the source, so that its next lists are understood. No personal data: names of columns only.",
        requirement: "CQ6",
    },
    Kind {
        what: "Refused rows, sealed",
        tables: &["ingest.refused_row"],
        keeping: Keeping::ForGood,
        setting: None,
        why: "To be mended and sent again by their sender. A row may name a person, so it is sealed. There is no purge yet.",
        requirement: "CQ14",
    },
    WAITING_LISTS,
    Kind {
        what: "What each source brought, hour by hour, and what is expected of it",
        tables: &["ingest.source", "ingest.source_hour"],
        keeping: Keeping::Days(source_health::KEPT_DAYS),
        setting: None,
        why: "Rhythm, silence, lateness and what is usual are told from it. Counts only; what a source is called and expected to do stays.",
        requirement: "CQ2",
    },
    Kind {
        what: "Files sent in pieces that are not delivered yet, sealed",
        tables: &["ingest.upload", "ingest.upload_piece"],
        keeping: Keeping::Hours(UPLOAD_HOURS),
        setting: None,
        why: "So that a file that was cut goes on where it was. Its pieces are removed half an hour after it was delivered, and a day after \
              the last of them came.",
        requirement: "CQ14",
    },
    Kind {
        what: "Rules in all their versions, what districts fill in, which loads were evaluated",
        tables: &["rules.rule_version", "rules.active", "rules.district_fact", "rules.evaluated_load"],
        keeping: Keeping::ForGood,
        setting: None,
        why: "Which rule made an alert, and who answered for it, is asked years later. No personal data.",
        requirement: "CQ7",
    },
    Kind {
        what: "Which records and people a rule brought into which draft",
        tables: &["rules.draft", "rules.match", "rules.alerted", "rules.cooled", "rules.ended_record"],
        keeping: Keeping::ForGood,
        setting: None,
        why: "Why somebody is in an audience, and when a rule last told them (no second time within its cooldown). Resident numbers only. \
              There is no purge yet.",
        requirement: "CQ4",
    },
    Kind {
        what: "Which records lift what stands against a person",
        tables: &["rules.lifting"],
        keeping: Keeping::Days(60),
        setting: None,
        why: "As long as they can lift something: nothing stands for longer. Resident numbers and times only.",
        requirement: "CQ12",
    },
    Kind {
        what: "Alerts with every step, who took it, and why",
        tables: &[
            "review.alert",
            "review.step",
            "review.comment",
            "review.ended_record",
            "review.withdrawal",
            "review.retraction",
            "review.named_by_hand",
            "review.alert_search",
            "review.alert_search_filled",
        ],
        keeping: Keeping::ForGood,
        setting: None,
        why: "What was told in the name of the city, who reviewed it, who took it back, and for whom it was withdrawn. The texts and the remarks on \
              them hold no personal data: the checks refuse it.",
        requirement: "CQ8",
    },
    LOOKS,
    WORK,
    Kind {
        what: "What dispatch knows of an alert: its waves, its forecast, the size of its audience",
        tables: &[
            "dispatch.alert",
            "dispatch.stop",
            "dispatch.wave",
            "dispatch.set_aside",
            "dispatch.sending_again",
            "dispatch.arrivals_seen",
            "dispatch.headcount",
            "dispatch.forecast",
            "dispatch.seals_since",
            "dispatch.sent_text",
            "dispatch.unlike_approved",
        ],
        keeping: Keeping::ForGood,
        setting: None,
        why: "A few rows an alert. Whether deadlines were held is asked for years. The audience is a set of resident numbers.",
        requirement: "CQ10",
    },
    LEDGER,
    Kind {
        what: "Who came into an audience late and was told then, whom neither app nor SMS reached when it was planned, and for whom an alert was \
               withdrawn",
        tables: &["dispatch.latecomer", "dispatch.no_channel", "dispatch.withdrawn_for"],
        keeping: Keeping::ForGood,
        setting: None,
        why: "An inbox shows what its owner was told late, everybody is counted once, and nobody is told what does not hold for them. Resident numbers only. There is no purge yet.",
        requirement: "CQ3",
    },
    Kind {
        what: "What each channel was seen to hand over lately",
        tables: &["dispatch.seen"],
        keeping: Keeping::UntilDone,
        setting: Some("dispatch.forecast.observed_s"),
        why: "The forecast looks back so far and no further. Counts only.",
        requirement: "CQ10",
    },
    Kind {
        what: "Follow-ups and what came of them",
        tables: &["dispatch.follow_up"],
        keeping: Keeping::ForGood,
        setting: None,
        why: "Whether everybody who stayed silent was visited. Resident numbers and communities. There is no purge yet.",
        requirement: "CQ11",
    },
    MESSAGES,
    RECEIPTS,
    Kind {
        what: "Stopped alerts whose messages are being taken back",
        tables: &["sms.stopped"],
        keeping: Keeping::UntilDone,
        setting: None,
        why: "Minutes, until the SMS centre was asked for all of them.",
        requirement: "CQ13",
    },
    Kind {
        what: "Screens, what they show, and proof of what they showed",
        tables: &["display.screen", "display.alert", "display.stop", "display.hand_over", "display.unlike_approved"],
        keeping: Keeping::ForGood,
        setting: None,
        why: "Shows later what a hall was told, how often, first and last. No personal data.",
        requirement: "CQ9",
    },
    PLAYS,
    Kind {
        what: "Residents: phone number and name sealed, kind of the identity document and its number as keyed hash, place, industry, language",
        tables: &["resident.resident"],
        keeping: Keeping::WithThePerson,
        setting: None,
        why: "Needed to reach them. Who has everything deleted leaves an empty row with its number and place, since numbers are not given \
              out again.",
        requirement: "CQ14",
    },
    Kind {
        what: "Consent: which text, when told, given, withdrawn",
        tables: &["resident.consent"],
        keeping: Keeping::WithThePerson,
        setting: None,
        why: "Proves that somebody agreed, as long as there is somebody; withdrawing ends a consent, it does not remove it.",
        requirement: "CQ1",
    },
    Kind {
        what: "Devices and browsers (sealed tokens), and the app's sign-ins (hashes)",
        tables: &["resident.device", "resident.session"],
        keeping: Keeping::WithThePerson,
        setting: None,
        why: "Until signed out, removed, or unused for `resident.sign_in_idle_days`; a sign-in that is over stays half \
              a year longer, since it tells when its owner was last heard of, and its device why it ended; a device goes as well when its provider has said for 14 days that it is gone, or when the person has \
              more than `resident.devices`.",
        requirement: "CQ14",
    },
    NOTICES,
    Kind {
        what: "By what an identity document was proved to be whose, who saw it, and what was objected",
        tables: &["resident.binding"],
        keeping: Keeping::WithThePerson,
        setting: None,
        why: "Two people may say that one document is theirs, and staff have to see what was done. Keyed hashes only.",
        requirement: "CQ14",
    },
    Kind {
        what: "Changes of phone number that wait for a check in person, sealed",
        tables: &["resident.number_change"],
        keeping: Keeping::Days(7),
        setting: None,
        why: "As long as somebody may take to come to their community with their document.",
        requirement: "CQ14",
    },
    Kind {
        what: "How many devices of an alert are gone, as their providers say",
        tables: &["resident.gone_of_alert"],
        keeping: Keeping::Days(14),
        setting: None,
        why: "As long as the marks that were set by it can be taken back. Numbers only.",
        requirement: "CQ14",
    },
    STANDINGS,
    FEEDBACK,
    Kind {
        what: "The alerts of the inboxes",
        tables: &["resident.alert", "resident.stop"],
        keeping: Keeping::ForGood,
        setting: None,
        why: "An inbox shows an alert until its validity ends; the row stays so that a late answer still finds its alert.",
        requirement: "CQ11",
    },
    ACKNOWLEDGEMENTS,
    Kind {
        what: "What a reply by SMS came to: acknowledged, withdrawn, not understood",
        tables: &["resident.reply"],
        keeping: Keeping::Days(365),
        setting: None,
        why: "A reply that is delivered again must not count again. The meaning only; words that a person has to read wait with the feedback.",
        requirement: "CQ11",
    },
    Kind {
        what: "People counted by place, industry, language and channel",
        tables: &["resident.headcount", "resident.headcount_fold"],
        keeping: Keeping::UntilDone,
        setting: None,
        why: "The size of an audience is asked before approval. Sums, folded together every few minutes.",
        requirement: "CQ4",
    },
    Kind {
        what: "Who registered, moved or consented again, so that alerts that still hold are told to them",
        tables: &["resident.arrival"],
        keeping: Keeping::UntilDone,
        setting: None,
        why: "Gone after two months, when no alert of that time holds any more. Resident numbers only.",
        requirement: "CQ3",
    },
    Kind {
        what: "Accounts of staff and keys of sources: hashes of passwords and keys",
        tables: &[
            "identity.staff",
            "identity.api_key",
            "identity.activation",
            "identity.proposal",
            "identity.second_factor_grace",
            "identity.directory_subject",
        ],
        keeping: Keeping::ForGood,
        setting: None,
        why: "The trace names accounts by number, and who stood behind each change is asked for years later. A disabled account and a revoked \
              key open nothing; half a secret is gone with the decision.",
        requirement: "CQ5",
    },
    Kind {
        what: "Second factors of staff, sealed; their recovery codes and known devices, as hashes; networks they have signed in from",
        tables: &["identity.factor", "identity.recovery_code", "identity.known_device", "identity.known_network"],
        keeping: Keeping::UntilDone,
        setting: None,
        why: "Gone when their owner removes them, when a code was used, and all of them when the account is reset or disabled. A device or network is \
              forgotten when it was not used for three months, or when its owner has used ten others (twenty networks) since.",
        requirement: "CQ13",
    },
    STAFF_SESSIONS,
    DIRECTORY_ARRIVALS,
    CODES,
    Kind {
        what: "The trace of what staff do, and of every opening of personal data",
        tables: &["audit.head", "audit.entry", "audit.subtree", "audit.signed_head", "audit.signing_key"],
        keeping: Keeping::ForGood,
        setting: None,
        why: "A log from which something were missing would prove nothing; the database refuses to change or delete an entry.",
        requirement: "CQ15",
    },
    Kind {
        what: "How many entries each service published, and which of them have not come",
        tables: &["audit.publisher", "audit.missing", "bus.configuration"],
        keeping: Keeping::ForGood,
        setting: None,
        why: "What is missing once is missing for good. One row a process that ever ran, and one a setting that ever was; hashes and numbers.",
        requirement: "CQ15",
    },
    Kind {
        what: "Events on their way",
        tables: &[
            "audit.outbox",
            "bus.outbox",
            "casework.outbox",
            "dispatch.outbox",
            "display.outbox",
            "identity.outbox",
            "ingest.outbox",
            "jobs.outbox",
            "resident.outbox",
            "review.outbox",
            "rules.outbox",
            "sms.outbox",
            "bus.message",
        ],
        keeping: Keeping::UntilDone,
        setting: None,
        why: "Gone when their reader has handled them. What fails is tried until it is handled; what nobody can understand \
              is a dead letter and stays until an operator has dealt with it. Phone numbers and texts in events are sealed.",
        requirement: "CQ13",
    },
    Kind {
        what: "Scheduled work: the table of jobs, and the last hundred runs of each",
        tables: &["jobs.job", "jobs.run"],
        keeping: Keeping::UntilDone,
        setting: None,
        why: "How a job went, and who asked for a run, as long as it matters to an operator; what people asked for is in the trace for good.",
        requirement: "CQ15",
    },
    Kind {
        what: "What citizens bring, and what is said about it, sealed; who has a hand in it, orders, clocks, history",
        tables: &["casework.matter", "casework.statement", "casework.work_order", "casework.clock", "casework.step", "casework.link"],
        keeping: Keeping::ForGood,
        setting: None,
        why: "One file a matter, from which nothing may be missing: an answer is asked for again, reviewed and inspected years later. Texts are \
              sealed.",
        requirement: "CQ15",
    },
    CASE_CONTACTS,
    Kind {
        what: "Units that work on what citizens bring, and blocks of numbers that were given out",
        tables: &["casework.unit", "casework.number_block"],
        keeping: Keeping::ForGood,
        setting: None,
        why: "Files name their units, and a number is never given twice. No personal data.",
        requirement: "CQ15",
    },
    Kind {
        what: "The keys that seal and hash, wrapped by the master key",
        tables: &["keys.wrapped_key"],
        keeping: Keeping::ForGood,
        setting: None,
        why: "Without them nothing that is sealed can be opened again.",
        requirement: "CQ13",
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::{DateTime, Utc};

    use super::*;
    use crate::month::Month;

    #[test]
    fn a_table_is_kept_for_one_reason() {
        let mut seen = BTreeSet::new();
        for table in KINDS.iter().flat_map(|kind| kind.tables) {
            assert!(seen.insert(table), "{table} stands in two rows");
        }
    }

    #[test]
    fn whoever_reads_a_length_here_finds_one() {
        for kind in [LEDGER, MESSAGES, ACKNOWLEDGEMENTS, RECEIPTS, WAITING_LISTS, STAFF_SESSIONS, CODES, CASE_CONTACTS] {
            assert!(KINDS.contains(&kind) && kind.keeping.length() > 0 && kind.setting.is_some(), "{}", kind.what);
        }
    }

    /// Whatever the day on which it was written: the fewest months that may be kept hold an alert until its end.
    #[test]
    fn an_alert_ends_before_its_month_is_dropped() {
        let mut written: DateTime<Utc> = "2027-01-01T00:00:00Z".parse().unwrap();
        let mut most = 0;
        for _ in 0..2 * 366 {
            let ended = written + OLDEST_DRAFT + crate::alert_check::LONGEST_VALIDITY;
            most = most.max((0..12).find(|months| Month::of(written).later(*months) == Month::of(ended)).unwrap());
            written += TimeDelta::days(1);
        }
        assert_eq!(most, FEWEST_MONTHS);
    }

    #[test]
    fn every_row_says_why() {
        for kind in KINDS {
            assert!(!kind.what.is_empty() && kind.why.ends_with('.') && kind.requirement.starts_with("CQ"), "{}", kind.what);
        }
    }
}
