//! Every metric of the platform: its name, kind and unit, what its labels say, what it means, and when somebody has to act.
//!
//! Prometheus is told the meanings ([`describe`]), the manual's page about metrics is made from this table, and a test looks
//! through all sources: a metric that is recorded and does not stand here, or with other labels, is a fault, and so is one that
//! stands here and is recorded nowhere.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

domain::words! {
    /// How a metric behaves.
    pub enum MeasureKind {
        /// Only grows; ask for its rate.
        Counter,
        /// Goes up and down.
        Gauge,
        /// Spread over buckets, with sum and count.
        Histogram,
    }
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// Its name on `/metrics`.
    pub name: &'static str,
    /// How it behaves.
    pub kind: MeasureKind,
    /// What is counted or measured.
    pub unit: Unit,
    /// Its labels, each with what it says.
    pub labels: &'static [(&'static str, &'static str)],
    /// What it tells.
    pub meaning: &'static str,
    /// When an operator has to act, and what to do; empty where it is read, not watched.
    pub act: &'static str,
}

const fn counter(name: &'static str, labels: &'static [(&'static str, &'static str)], meaning: &'static str, act: &'static str) -> Measure {
    Measure { name, kind: MeasureKind::Counter, unit: Unit::Count, labels, meaning, act }
}

const fn gauge(
    name: &'static str,
    unit: Unit,
    labels: &'static [(&'static str, &'static str)],
    meaning: &'static str,
    act: &'static str,
) -> Measure {
    Measure { name, kind: MeasureKind::Gauge, unit, labels, meaning, act }
}

const METHOD: (&str, &str) = ("method", "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, or OTHER");
const ROUTE: (&str, &str) =
    ("route", "template of the route such as `/api/v1/alerts/{alert_id}`, never the path; `none` where none matches");
const CLASS: (&str, &str) = ("class", "`routine` or `urgent`");
const CHANNEL: (&str, &str) = ("channel", "`app` or `sms`");
const OUTCOME: &str = "`accepted`, `throttled`, `temporary`, `permanent`, `endpoint_gone`, `credentials_refused`";

/// All of them, by the part of the platform that records them.
pub const MEASURES: &[Measure] = &[
    // Database
    counter(
        "unreadable_rows_total",
        &[("list", "what was listed, counted or followed")],
        "Rows that could not be read and were left out, each time that their list was.",
        "Any: the log names the row once. It is damaged, or a newer version of the platform wrote it.",
    ),
    gauge(
        "database_place_held",
        Unit::Count,
        &[],
        "1 while this process holds its place on the database, 0 while it does not.",
        "0 for more than a minute: another process with a bus or cache of its own may work on the same database. Stop one of them.",
    ),
    // HTTP
    counter(
        "http_requests_total",
        &[METHOD, ROUTE, ("status", "HTTP status")],
        "Requests answered.",
        "A rise of 5xx: look for `request failed` in the log.",
    ),
    counter(
        "http_connections_full_total",
        &[],
        "Times that as many connections were open as `http.connections` allows, so that the next ones waited.",
        "Any: somebody holds connections, or the limit is too low for the city; see `http.connections`.",
    ),
    Measure {
        name: "http_request_duration_seconds",
        kind: MeasureKind::Histogram,
        unit: Unit::Seconds,
        labels: &[METHOD, ROUTE],
        meaning: "Time until an answer began.",
        act: "",
    },
    counter(
        "job_runs_total",
        &[("job", "name of the job"), ("outcome", "`done`, `failed`, or `lost` where its process ended in the middle")],
        "Runs of scheduled work that have ended.",
        "`failed` or `lost` at one job twice in a row: its error stands on the console, under 定时任务 Scheduled work.",
    ),
    Measure {
        name: "job_duration_seconds",
        kind: MeasureKind::Histogram,
        unit: Unit::Seconds,
        labels: &[("job", "name of the job")],
        meaning: "How long a run of scheduled work took.",
        act: "",
    },
    gauge("http_requests_in_flight", Unit::Count, &[], "Requests that are being answered.", ""),
    counter(
        "http_handler_panics_total",
        &[],
        "Requests whose handler panicked; the caller got a 500.",
        "Any: a fault of ours. The log has the place (`panicked`).",
    ),
    // Staff
    counter(
        "staff_changes_total",
        &[("step", "`proposed`, `confirmed`, `withdrawn` or `objected`")],
        "Changes of accounts and keys that give power: what one administrator proposed, and what became of it.",
        "Many `proposed` at once, or any at night: ask both administrators. The console shows what they are.",
    ),
    counter(
        "staff_emergencies_total",
        &[],
        "Emergencies that an administrator declared to change an account or key without a second one.",
        "Any: call the administrator now. Another administrator or the city command can stop it until its delay is over.",
    ),
    counter(
        "staff_proofs_total",
        &[
            ("kind", "with what: `totp`, `passkey`, `demo`, `recovery_code`; `none` of what was refused"),
            ("outcome", "`proved` or `refused`"),
        ],
        "Second factors that staff showed, at the sign-in or once more.",
        "Many `refused`: somebody knows passwords. The trace says whose (`session.refuse_proof`).",
    ),
    counter(
        "staff_accounts_flooded_total",
        &[],
        "Accounts of staff on which there were very many attempts at the door, each once an hour.",
        "Any: the trace says whose (`session.flood`). Its owner gets in from known devices and networks; a flood is stopped at the network's edge.",
    ),
    counter(
        "staff_directory_sign_ins_total",
        &[(
            "outcome",
            "`begun`; `away`: the directory does not answer; `broken_off` there; `refused`: what came back did not hold; `not_bound` to an account; \
             `too_many` at once",
        )],
        "Sign-ins through the city's directory.",
        "Any `away`: staff sign in with passwords and passkeys meanwhile; the log says what of the directory's answer failed (`fault`). Many `refused`: \
         somebody tries what is not theirs, or the directory was set up anew; the trace says why (`session.refuse`).",
    ),
    counter(
        "callers_turned_away_total",
        &[(
            "code",
            "`role_not_allowed`, `caller_not_allowed`, `outside_scope`, or `key_elsewhere`: a key from another network than its own",
        )],
        "Requests of staff and sources for what they have no right to. Each leaves a trace, once an hour for the same.",
        "Any `key_elsewhere`: the unit has moved, or somebody else has its key: ask it, and revoke the key if it cannot say. Many of the others: the \
         trace says who tries doors (`session.turn_away`).",
    ),
    counter(
        "staff_factors_enrolled_total",
        &[("kind", "`totp` or `passkey`")],
        "Second factors that staff enrolled.",
        "Any that nobody can explain: the trace says whose (`factor.enrol`).",
    ),
    // Bus, and questions asked together
    counter(
        "fenghuo_bus_messages_total",
        &[
            ("queue", "the queue, as in the table of events"),
            (
                "outcome",
                "`done`; `failed`: comes again; `stuck`: the same, for the eighth time or later; `dead`: nobody can understand it; \
                 `let_go`: not handled, but its publisher says it again",
            ),
        ],
        "Events handled.",
        "Any `stuck`: the log says `a message is still not handled`, and on what; it is tried until that is mended. Any `dead`: see `dead_letters`.",
    ),
    gauge(
        "bus_messages_stuck",
        Unit::Count,
        &[],
        "Events that have failed eight times or more and are tried again every few minutes.",
        "Above 0: mend what the log names; they go on by themselves.",
    ),
    gauge(
        "dead_letters",
        Unit::Count,
        &[],
        "Events that nobody can understand, kept with their reason.",
        "Above 0: the console's page 死信 Dead letters says why; mend it and have them delivered again there.",
    ),
    // What runs in the background
    gauge(
        "worker_last_turn_timestamp_seconds",
        Unit::Seconds,
        &[("worker", "its name")],
        "When a worker last ended a turn, as a Unix time.",
        "Minutes old: it hangs, or is gone. `/readyz` says so after five minutes.",
    ),
    counter(
        "worker_turns_failed_total",
        &[("worker", "its name"), ("how", "`error` or `panic`")],
        "Turns of workers that came to nothing and are repeated.",
        "Any `panic`: a fault of ours; the log has the place. A steady rise of `error`: the log says what fails.",
    ),
    counter(
        "tasks_restarted_total",
        &[("task", "its name")],
        "Tasks that ended before the process did and were started again.",
        "Any: a fault of ours; the log says why it ended.",
    ),
    counter(
        "taken_over_total",
        &[("by", "the service"), ("what", "`approval`, `stop`, `release`, `hand-over`, `close`")],
        "What a service had not heard of an alert by an event and has taken over by its sweep.",
        "Any: an event was lost or is stuck. Look for `bus_messages_stuck` and `dead_letters`; the log names the alert.",
    ),
    counter(
        "gathered_batches_total",
        &[("name", "what is gathered, such as `resident.acknowledgements`")],
        "Statements that asked or wrote for many requests at once.",
        "",
    ),
    counter("gathered_items_total", &[("name", "the same")], "Requests that shared those statements.", ""),
    // Records and rules
    counter(
        "ingest_records_total",
        &[("outcome", "`accepted`, `repeated`, `refused`, `corrected`, `retracted`")],
        "Rows of risk records that came in.",
        "Many `refused`: a source sends what cannot be read; its page of the delivery says why.",
    ),
    gauge(
        "ingest_sources_silent",
        Unit::Count,
        &[],
        "Sources of which nothing has come for longer than usual.",
        "Above 0: the page of the sources names them. Ask the unit; its key may have ended.",
    ),
    counter(
        "ingest_source_alarms_total",
        &[("what", "`fell_silent` or `came_back`")],
        "Times that a source fell silent, each silence once, and that it came back.",
        "",
    ),
    gauge(
        "ingest_lists_waiting",
        Unit::Count,
        &[],
        "Lists that are unlike what their source usually brings and wait for a person. Nothing of them counts meanwhile.",
        "Above 0: the city command or the district has to release or discard them, on the page of the sources.",
    ),
    gauge(
        "ingest_oldest_list_waiting_seconds",
        Unit::Seconds,
        &[],
        "How long the oldest of them has been waiting; 0 while none does.",
        "More than an hour: people who should be told may stand in it.",
    ),
    counter(
        "ingest_lists_held_total",
        &[("why", "`many_rows`, `one_district`, `empty_column`, `refused`")],
        "Lists that were held back, for each way in which they are unlike the usual.",
        "A steady rise: one of the settings `ingest.hold_…` is too strict for a source.",
    ),
    counter("ingest_lists_decided_total", &[("decision", "`release` or `discard`")], "Lists that waited and were decided about.", ""),
    counter("rules_records_total", &[], "Records that the rules looked at.", ""),
    counter("rules_matches_total", &[], "Times that a rule matched a record.", ""),
    counter("rules_cooldown_given_back_total", &[], "People of drafts that came to nothing: they count as not told.", ""),
    counter(
        "rules_cooldown_skipped_total",
        &[("when", "`gathering` or `closing`")],
        "Matches left out because the rule has told the person not long ago.",
        "",
    ),
    counter(
        "rules_unusable_total",
        &[("why", "`undecided`, `stranger`, `nobody_concerned`, `nowhere`")],
        "Times that a rule could not use a record.",
        "A steady rise: the rule wants what the source does not send.",
    ),
    counter(
        "rules_records_unreadable_total",
        &[],
        "Stored records that could not be read and were passed over.",
        "Any: a fault of ours; the log names the load.",
    ),
    counter(
        "rules_records_ended_total",
        &[],
        "Records that their source corrected or took back.",
        "Many at once: a source delivered wrong records; `GET /api/v1/ended-records` names the alerts.",
    ),
    counter("rules_unreadable_total", &[], "Active rules that could not be read.", "Any: save the rule anew; the log names it."),
    counter("rules_drafts_total", &[("ended", "`gathered` or `empty`")], "Drafts whose window has ended.", ""),
    // Review
    counter("alerts_drafted_total", &[("by", "`rule` or `staff`")], "Drafts made.", ""),
    counter("alerts_approved_total", &[CLASS], "Alerts approved.", ""),
    counter(
        "alerts_records_ended_total",
        &[],
        "Times that a record behind an alert was corrected or taken back.",
        "Any: an alert names somebody by a record that does not hold; its reviewers decide.",
    ),
    counter(
        "alerts_withdrawn_for_total",
        &[],
        "People for whom alone an approved alert was withdrawn.",
        "Many: a correction may be due instead.",
    ),
    gauge(
        "alerts_stopped",
        Unit::Count,
        &[],
        "Alerts of which nothing more is sent until it is known whether they hold.",
        "Above 0 for more than a few minutes: somebody has to confirm the withdrawal or let the alert go on.",
    ),
    counter("alerts_stopped_total", &[CLASS], "Approved alerts that one officer has stopped, until it is known whether they hold.", ""),
    counter(
        "retractions_total",
        &[
            ("kind", "`withdraw`, `all_clear` or `correct`"),
            ("progress", "`asked`, `confirmed`, `refused`, `taken_back`, `overtaken` or `expired`"),
        ],
        "Withdrawals, all-clears and corrections that one person has asked for, and what became of them.",
        "`asked` well ahead of the others: nobody confirms; look at who is on duty.",
    ),
    Measure {
        name: "retraction_confirm_seconds",
        kind: MeasureKind::Histogram,
        unit: Unit::Seconds,
        labels: &[CLASS, ("kind", "`withdraw`, `all_clear` or `correct`")],
        meaning: "From when one person asked for a withdrawal, an all-clear or a correction until a second one confirmed it.",
        act: "Above a minute for urgent alerts: people go on by what is false; the playbook of the alert names who may confirm.",
    },
    // Dispatch
    Measure {
        name: "retraction_first_hand_over_seconds",
        kind: MeasureKind::Histogram,
        unit: Unit::Seconds,
        labels: &[CLASS, ("word", "`end` or `correction`")],
        meaning: "From when a word back was confirmed until the first person had it.",
        act: "",
    },
    Measure {
        name: "retraction_told_seconds",
        kind: MeasureKind::Histogram,
        unit: Unit::Seconds,
        labels: &[CLASS, ("word", "`end` or `correction`")],
        meaning: "From when a word back was confirmed until everybody had it who had the alert, or is unreachable.",
        act: "Longer than the alert itself took: look at its delivery.",
    },
    counter(
        "dispatch_undelivered_total",
        &[],
        "People whom a short message did not reach although the SMS centre had taken it.",
        "A sudden rise: the centre takes messages and does not deliver them.",
    ),
    counter(
        "dispatch_outcomes_total",
        &[CHANNEL, ("outcome", "what became of a recipient, as in the ledger")],
        "Recipients that a batch was closed with.",
        "",
    ),
    counter(
        "dispatch_waves_closed_total",
        &[CLASS, ("late", "`yes` when the deadline was missed, else `no`")],
        "Waves in which everybody was handed over or is unreachable. A reminder that goes on with those who were told later counts again.",
        "Any `late=\"yes\"`: the log has an error with the alert.",
    ),
    counter(
        "dispatch_latecomers_total",
        &[CLASS],
        "People who registered, moved or consented again while an alert held, and were told it late.",
        "",
    ),
    counter(
        "dispatch_withdrawn_for_total",
        &[CLASS],
        "People for whom alone an alert was withdrawn, and who had it: they are told so.",
        "",
    ),
    counter(
        "dispatch_leases_ended_total",
        &[],
        "Batches whose holder was lost and that went to another.",
        "A steady rise: senders die or are too slow for `lease_s`.",
    ),
    counter(
        "dispatch_ledger_retries_total",
        &[CHANNEL],
        "Times that what is known of a batch could not be written, because the database failed. It is kept and tried again.",
        "A rise that does not end: look at the database. No batch goes on before.",
    ),
    counter(
        "dispatch_refused_by_sms_total",
        &[],
        "Recipients who are told by SMS because a provider refuses our credentials and the deadline is near.",
        "Any: mend key or account; each of them costs a short message.",
    ),
    counter(
        "dispatch_devices_again_total",
        &[],
        "Devices that failed for now while their owner was reached by another; they are tried again alone.",
        "A sudden rise: one of the providers has trouble.",
    ),
    counter(
        "dispatch_browser_by_sms_total",
        &[],
        "People who had an urgent alert in a browser only, did not answer, and were sent it by SMS as well.",
        "",
    ),
    counter(
        "dispatch_credentials_refused_total",
        &[CHANNEL],
        "Times that a batch was put down because a provider refuses our credentials.",
        "Any: mend key or account; the batches go on by themselves. Near the deadline their people are told by SMS.",
    ),
    counter(
        "dispatch_steps_failed_total",
        &[("step", "`release`, `plan`, `publish`, `close`, `remind`, `withdraw`, `count`, `send`")],
        "Steps that failed for one alert or wave, which was set aside for a while so that the others go on.",
        "A rise at one step: the log says for which alert, and why.",
    ),
    gauge(
        "dispatch_set_aside",
        Unit::Count,
        &[],
        "Alerts and waves for which a step keeps failing. They are tried again every half minute.",
        "Above 0: people are not told because of it. The page of the delivery and the log say why.",
    ),
    gauge(
        "dispatch_alerts_in_danger",
        Unit::Count,
        &[],
        "Alerts that will miss their deadline or hold it only just.",
        "Above 0: the page of the delivery says what holds it up.",
    ),
    gauge(
        "dispatch_latest_alert_late_seconds",
        Unit::Seconds,
        &[],
        "By how much the worst of them will be late; 0 or less: none will be.",
        "",
    ),
    counter("dispatch_alarms_total", &[("kind", "`in_danger`, `worse`, `out_of_danger`")], "Alarms about deadlines.", ""),
    gauge(
        "dispatch_seen_per_second",
        Unit::CountPerSecond,
        &[CHANNEL],
        "What a channel was lately seen to hand over; 0 while nothing is known.",
        "Far below the account's rate while something waits: the provider is slow, or a process is missing.",
    ),
    // Push
    counter(
        "push_answers_total",
        &[
            ("account", "the provider's account"),
            ("answer", "`accepted`, `endpoint_gone`, `throttled`, or the provider's reason in a word"),
        ],
        "Answers of push providers.",
        "Look here first when an alert is late: what do they answer?",
    ),
    gauge(
        "push_credentials_refused",
        Unit::Count,
        &[("account", "the provider's account")],
        "1 while a provider refuses our credentials, else 0.",
        "At 1: mend key or account. Nobody is lost, the batches wait.",
    ),
    counter(
        "push_refusals_total",
        &[("account", "the provider's account"), ("reason", "the provider's"), ("whose", "`recipient` or `us`")],
        "Messages that were refused for a reason that may be ours, and whose fault that was taken to be.",
        "Many of `recipient` with one reason: some devices belong to another app, project or key.",
    ),
    gauge(
        "push_pace",
        Unit::Count,
        &[("account", "the provider's account")],
        "The share of its rate at which an account is used: 1, or less after the provider has asked to slow down.",
        "Below 1 for long: the rate in the settings is more than the provider grants.",
    ),
    gauge(
        "push_without_cache",
        Unit::Count,
        &[("account", "the provider's account")],
        "1 while the cache does not answer and this process keeps rate and hold of the account for itself, else 0.",
        "At 1: pushes go on, several processes together may send faster than the rate. Look after Redis.",
    ),
    counter(
        "push_connections_failed_total",
        &[("provider", "whom the connection was for")],
        "Connections to a provider that could not be made.",
        "A steady rise: name, firewall, certificate.",
    ),
    counter(
        "push_requests_repeated_total",
        &[("why", "`unreachable`, `timed_out`, `connection_lost`, `going_away`, `stream_refused`, `stream_reset`")],
        "Requests that certainly were not processed and were sent again.",
        "",
    ),
    // SMS
    gauge(
        "sms_links_bound",
        Unit::Count,
        &[],
        "Connections bound to the SMS centre; `sms.binds` when all is well.",
        "At 0: no SMS leaves; they wait.",
    ),
    counter("sms_links_broken_total", &[], "Connections to the SMS centre that broke.", ""),
    counter(
        "sms_credentials_refused_total",
        &[],
        "Times that the SMS centre refused the account.",
        "Any: mend `sms.system_id` and `sms.password`; SMS are held until then.",
    ),
    counter("sms_parts_total", &[("answer", OUTCOME)], "Parts of short messages answered by the centre.", ""),
    counter("sms_duty_total", &[("answer", OUTCOME)], "Messages to who is on duty, about deadlines in danger, answered by the centre.", ""),
    counter("sms_codes_total", &[("answer", OUTCOME)], "One-time codes answered by the centre.", ""),
    counter(
        "sms_throttled_pauses_total",
        &[],
        "Parts that waited a moment because the centre asked to slow down.",
        "A steady rise: `sms.rate_per_second` is above what was agreed.",
    ),
    gauge(
        "sms_pace_rate",
        Unit::Count,
        &[],
        "The share of `sms.rate_per_second` that is used, by what the centre throttles; set when it changes.",
        "Below 1 for long: the centre allows less than was agreed.",
    ),
    gauge(
        "sms_pace_window",
        Unit::Count,
        &[],
        "Parts that may be unanswered over all connections of the process, by how fast the centre answers; set when it changes.",
        "At 1: the centre does not answer.",
    ),
    counter(
        "sms_unanswered_total",
        &[],
        "Parts of short messages that the centre did not answer in time. Each is submitted once more at most.",
        "A rise: the centre is overloaded, or `sms.response_timeout_s` too short for it.",
    ),
    counter("sms_late_answers_total", &[], "Answers of the centre that came after their time-out; they settle their part.", ""),
    counter(
        "sms_refused_for_all_total",
        &[],
        "Times that a batch was held because the centre refused most of its messages.",
        "Any: the log names the centre's answer; mend `sms.source_address`, `sms.system_type` or what was agreed. SMS wait until then.",
    ),
    counter("sms_texts_cut_total", &[], "Texts of batches that were too long for a short message and were cut.", "Any: shorten the text."),
    counter(
        "sms_texts_unwritten_total",
        &[],
        "Times that a batch was held because its alert cannot be written as a short message.",
        "Any: `sms.signature` is too long, or the alert has no text for SMS.",
    ),
    counter(
        "sms_cancelled_total",
        &[("answer", "`taken_back` or `refused`")],
        "Messages of stopped alerts that the centre was asked to take back, by its answer.",
        "All `refused`: the centre has no such command; stopped messages end with their validity.",
    ),
    counter("sms_undelivered_total", &[], "Messages that the centre had taken and could not deliver, told to dispatch.", ""),
    counter(
        "sms_receipts_unmatched_total",
        &[],
        "Receipts that fit no message when they came. Some do that are very early.",
        "Nearly all receipts: the centre writes their ids in another base than its answers; set `sms.receipt_ids`.",
    ),
    counter("sms_phones_unreadable_total", &[], "Phone numbers that could not be opened.", "Any: is the master key the right one?"),
    counter("sms_receipts_unreadable_total", &[], "Messages of the centre that are neither a receipt nor a reply.", ""),
    counter("sms_replies_total", &[], "Replies passed on, each once.", ""),
    counter("sms_replies_of_no_phone_total", &[], "Replies from what is no mobile number.", ""),
    // Residents
    counter(
        "sms_replies_understood_total",
        &[("meaning", "`acknowledged`, `withdrawn`, `other`, `unknown_sender`, `no_open_alert`")],
        "What replies by SMS came to.",
        "Many `other`: people ask something by SMS; it waits with the feedback.",
    ),
    counter(
        "resident_codes_refused_total",
        &[("limit", "`again`, `number`, `network`, `resident`, `document`, `city`")],
        "One-time codes that were asked for and not sent, by the limit that they met.",
        "Any `city`: somebody asks for codes in masses, or everybody registers at once; then raise `resident.codes_per_minute` and \
         `sms.codes_per_second`. Many `network`: see whether `http.trusted_proxies` names the proxy.",
    ),
    counter("acknowledgements_total", &[("by", "`app` or `sms`")], "Acknowledgements, each person and alert once.", ""),
    counter(
        "contacts_opened_total",
        &[("outcome", "`opened` or `refused`, of somebody who has opened as many as a day may have")],
        "Names and phones that staff asked to open.",
        "Any `refused`: ask whose they are; the log names the account, the trace says whom they opened and why.",
    ),
    counter(
        "audience_questions_total",
        &[("outcome", "`answered` or `refused`, past `resident.audience_questions_per_day`")],
        "Questions of staff about the size of an audience.",
        "Any `refused`: ask whose they are; the log names the account, the trace says what was asked.",
    ),
    counter(
        "feedback_total",
        &[("kind", "`unclear`, `wrong`, `question`, `objection`"), ("by", "`app` or `sms`")],
        "What residents said about alerts, or wrote back.",
        "Many `wrong`: read them; an alert may need a correction.",
    ),
    counter(
        "casework_cases_total",
        &[("kind", "`consultation`, `complaint`, `urgent_help`, …"), ("channel", "`web`, `app`, `call`, `visit`, `proxy`")],
        "Cases that citizens brought.",
        "Many of one kind at once: people ask the same; say it in an alert or by the hotline's announcement.",
    ),
    counter(
        "casework_cases_refused_total",
        &[],
        "Cases that were not taken because too many came from one network, or from everywhere.",
        "Any: look at who sends them; if it is the city's people, raise `casework.cases_per_minute`.",
    ),
    counter(
        "casework_pins_refused_total",
        &[],
        "Questions for a case that were refused after too many wrong PINs.",
        "Many: somebody tries numbers.",
    ),
    counter("casework_steps_total", &[("event", "`register`, `route`, `sign_for`, `tell`, …")], "Steps that were taken with cases.", ""),
    counter(
        "casework_warnings_total",
        &[("promise", "`take`, `order`, `begin`, `progress`, `finish`, …"), ("share", "`50`, `80` or `100` percent of the time")],
        "Times at which somebody was warned that a promise is due.",
        "Many at `100`: promises are broken; supervision's page says where.",
    ),
    gauge(
        "casework_urgent_waiting_seconds",
        Unit::Seconds,
        &[],
        "For how long the oldest call for urgent help has waited for somebody at the desk; 0 where none waits.",
        "Above 120: nobody takes them; call the desk.",
    ),
    counter(
        "standings_opened_total",
        &[],
        "People against whom something began to stand because of an alert.",
        "Far more than an alert was for: look at its rule and its records.",
    ),
    counter(
        "standings_lifted_total",
        &[("how", "`record`, `decision`, `alert_withdrawn`, `withdrawn_for_person`, `evidence_ended`")],
        "Standings that were lifted before their time.",
        "Many `evidence_ended`: a source reports what it has to take back; talk to it. No `record` while tests come in: their results do not reach the platform.",
    ),
    counter(
        "standing_questions_total",
        &[("outcome", "`answered`, `purpose_not_named`, `too_many`")],
        "Questions of source systems whether something stands against a person.",
        "Any `too_many` or `purpose_not_named`: somebody asks what they may not; the trace names the key.",
    ),
    counter(
        "dispatch_unlike_approved_total",
        &[("part", "`text`, `audience`, `terms`, `people`")],
        "Parts of alerts that were not as they were approved when they were planned or sent, and were held.",
        "Any: the delivery page says what differs. `text`, `audience`, `terms`: somebody or something changed what three people had approved; look into the database and the trace. `people`: an officer decides.",
    ),
    gauge(
        "dispatch_unlike_approved",
        Unit::Count,
        &[],
        "Alerts that are held because what would leave is not what was approved.",
        "Any: nobody is told by them until an officer lets them go on, or they are withdrawn or corrected.",
    ),
    counter(
        "display_unlike_approved_total",
        &[],
        "Alerts that no screen shows because their words are not what was approved.",
        "Any: as `dispatch_unlike_approved_total`.",
    ),
    counter(
        "resident_unlike_approved_total",
        &[],
        "Times that an alert was not taken into inboxes because what it says is not what was approved; asked anew every minute.",
        "Any: as `dispatch_unlike_approved_total`.",
    ),
    counter(
        "exports_total",
        &[("outcome", "`answered`, `refused`")],
        "Lists that staff took along as files; `refused`: one more than a day may have.",
        "Many `refused`: the limit is too low for the work, or an account carries everything away; the trace names it.",
    ),
    counter(
        "rules_lifting_records_total",
        &[],
        "Records that lift what stands against people, negative tests for instance.",
        "None for a day while tests are done: laboratories do not deliver, and what should be lifted stays.",
    ),
    counter(
        "alerts_naming_by_hand_total",
        &[],
        "Alerts written or changed so that they name people without a record behind each.",
        "Any: the auditor's list says which, who and why.",
    ),
    counter("alert_comments_total", &[], "Remarks that were made on drafts, replies among them.", ""),
    counter(
        "alert_claims_total",
        &[("how", "`claimed`; `taken_over` from a colleague")],
        "Reviews of alerts that somebody said they are at.",
        "Many that are taken over: reviewers leave what they have claimed, or are too few.",
    ),
    counter(
        "alert_decisions_in_bulk_total",
        &[("taken", "`yes` or `no`")],
        "Decisions that were asked for together with others.",
        "Many that are not taken: reviewers decide about what changed under their eyes.",
    ),
    counter(
        "resident_gone_doubted_total",
        &[],
        "Devices that providers said are gone and that were not believed to be: too great a share of one alert's.",
        "Any rise: topic, environment or project of push is wrong, or a provider is. Nobody loses the app meanwhile.",
    ),
    gauge("inbox_live_alerts", Unit::Count, &[], "Alerts that this process keeps for inboxes.", ""),
    gauge("inbox_audience_bytes", Unit::Bytes, &[], "Memory that their audiences take.", ""),
    // Screens, trace
    counter("display_plays_total", &[], "Times that a screen showed an alert, as it reported.", ""),
    counter("audit_entries_total", &[], "Entries appended to the trace.", ""),
    gauge(
        "audit_entries_lost",
        Unit::Count,
        &[],
        "Entries that a service published and that never reached the trace.",
        "Any: somebody took them out of an outbox or a queue, or a disk lost them. `GET /api/v1/audit/losses` says of which service; tell the auditor.",
    ),
    counter(
        "audit_heads_unpublished_total",
        &[],
        "Times that signed heads could not be written into `audit.publish_heads_to`.",
        "Any rise: mend the share. They are written when it answers again; until then nobody else can tell a rewritten trace.",
    ),
    counter(
        "audit_heads_refused_total",
        &[],
        "Times that no head was signed, because the trace is not the one that was signed before, or the database failed.",
        "Any rise: run `fenghuo audit verify` with the heads that the auditor keeps.",
    ),
    gauge(
        "audit_entries_outside_tree",
        Unit::Count,
        &[],
        "Entries at the end of the trace that its tree does not cover: no signed head vouches for them.",
        "Any for more than a few minutes after an upgrade: an entry is gone or the tree's end was changed. Run `fenghuo audit verify`; entries are appended meanwhile.",
    ),
];

/// Tells the recorder what each metric means; `/metrics` repeats it as `# HELP`.
pub(crate) fn describe() {
    for Measure { name, kind, unit, meaning, .. } in MEASURES {
        match kind {
            MeasureKind::Counter => describe_counter!(*name, *unit, *meaning),
            MeasureKind::Gauge => describe_gauge!(*name, *unit, *meaning),
            MeasureKind::Histogram => describe_histogram!(*name, *unit, *meaning),
        }
    }
}
