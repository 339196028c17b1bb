//! Which event travels under which topic, and which queues read it.

use crate::events;

/// The name under which an event is published; on RabbitMQ the routing key.
pub type Topic = &'static str;

/// An event: a message with its topic.
pub trait Event: prost::Message + Default + 'static {
    /// Where it is published.
    const TOPIC: Topic;
}

/// One reader's line of events.
#[derive(Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name, `<owner>.<what>`.
    pub name: &'static str,
    /// What it reads.
    pub topic: Topic,
    /// The service that reads it.
    pub owner: &'static str,
    /// Whether what it carries is said again by its publisher until it has been heeded. A message that its reader keeps failing on may then be
    /// let go; any other is tried without end, since nothing else would tell its reader.
    pub said_again: bool,
}

macro_rules! topology {
    (said_again) => { true };
    () => { false };
    ($($topic:literal $event:ident { $($konst:ident = $queue:literal by $owner:literal $($said_again:ident)?),+ $(,)? })+) => {
        $(impl Event for events::$event {
            const TOPIC: Topic = $topic;
        })+

        $($(
            #[doc = concat!("`", $queue, "`: ", stringify!($event), " for ", $owner, ".")]
            pub const $konst: Queue =
                Queue { name: $queue, topic: $topic, owner: $owner, said_again: topology!($($said_again)?) };
        )+)+

        /// Every queue there is. All of them are declared by every process before it publishes.
        pub const QUEUES: &[Queue] = &[$($($konst),+),+];
    };
}

topology! {
    "records.stored" RecordsStored { RULES_RECORDS = "rules.records" by "rules" }
    "records.ended" RecordsEnded { RULES_ENDED = "rules.ended" by "rules" }
    "records.identities-paired" IdentitiesPaired { RESIDENT_PAIRED = "resident.paired" by "resident" }
    "resident.registered" ResidentRegistered { INGEST_REGISTRATIONS = "ingest.registrations" by "ingest" }
    "draft.gathered" DraftGathered { REVIEW_DRAFTS = "review.drafts" by "review" }
    "draft.settled" DraftSettled { RULES_SETTLED = "rules.settled" by "rules" }
    "alert.records_ended" RecordsBehindAlertEnded {
        REVIEW_RECORDS_ENDED = "review.records_ended" by "review",
        RESIDENT_RECORDS_ENDED = "resident.records_ended" by "resident",
    }
    "records.lifting" LiftingRecordsChanged { RESIDENT_LIFTING = "resident.lifting" by "resident" }
    "alert.approved" AlertApproved { DISPATCH_APPROVED = "dispatch.approved" by "dispatch" }
    "alert.stopped" AlertStopped {
        DISPATCH_STOPPED = "dispatch.stopped" by "dispatch",
        SMS_STOPPED = "sms.stopped" by "sms",
        RESIDENT_STOPPED = "resident.stopped" by "resident",
        DISPLAY_STOPPED = "display.stopped" by "display",
    }
    "alert.held" AlertHeld {
        DISPATCH_HELD = "dispatch.held" by "dispatch",
        RESIDENT_HELD = "resident.held" by "resident",
        DISPLAY_HELD = "display.held" by "display",
    }
    "alert.withdrawn-for" AlertWithdrawnFor {
        DISPATCH_WITHDRAWN_FOR = "dispatch.withdrawn-for" by "dispatch",
        RESIDENT_WITHDRAWN_FOR = "resident.withdrawn-for" by "resident",
    }
    "alert.released" AlertReleased {
        REVIEW_RELEASED = "review.released" by "review",
        RESIDENT_RELEASED = "resident.released" by "resident",
        DISPLAY_RELEASED = "display.released" by "display",
    }
    "alert.handed-over" AlertHandedOver { REVIEW_HANDED_OVER = "review.handed-over" by "review" }
    "alert.in-danger" AlertInDanger {
        AUDIT_IN_DANGER = "audit.in-danger" by "audit",
        SMS_IN_DANGER = "sms.in-danger" by "sms",
    }
    "alert.out-of-danger" AlertOutOfDanger { AUDIT_OUT_OF_DANGER = "audit.out-of-danger" by "audit" }
    "alert.closed" AlertClosed {
        REVIEW_CLOSED = "review.closed" by "review",
        RESIDENT_CLOSED = "resident.closed" by "resident",
        DISPLAY_CLOSED = "display.closed" by "display",
    }
    "batch.ready.app" AppBatchReady { PUSH_BATCHES = "push.batches" by "push" said_again }
    "batch.ready.app.urgent" UrgentAppBatchReady { PUSH_URGENT_BATCHES = "push.urgent-batches" by "push" said_again }
    "batch.ready.sms" SmsBatchReady { SMS_BATCHES = "sms.batches" by "sms" said_again }
    "batch.ready.sms.urgent" UrgentSmsBatchReady { SMS_URGENT_BATCHES = "sms.urgent-batches" by "sms" said_again }
    "endpoints.gone" EndpointsGone { RESIDENT_ENDPOINTS_GONE = "resident.endpoints-gone" by "resident" }
    "sms.code-requested" CodeRequested { SMS_CODES = "sms.codes" by "sms" }
    "sms.replied" SmsReplied { RESIDENT_SMS_REPLIES = "resident.sms-replies" by "resident" }
    "sms.undelivered" SmsUndelivered { DISPATCH_UNDELIVERED = "dispatch.undelivered" by "dispatch" }
    "audit.entry" AuditEntry { AUDIT_ENTRIES = "audit.entries" by "audit" }
}

/// The queues that read a topic.
pub fn queues_of(topic: &str) -> impl Iterator<Item = &'static Queue> {
    QUEUES.iter().filter(move |queue| queue.topic == topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_queue_has_a_name_of_its_own_that_begins_with_its_owner() {
        for (at, queue) in QUEUES.iter().enumerate() {
            assert!(queue.name.starts_with(queue.owner), "{queue:?}");
            assert!(QUEUES[at + 1..].iter().all(|other| other.name != queue.name), "{queue:?}");
        }
    }

    #[test]
    fn only_what_the_pump_hands_out_again_may_be_let_go() {
        let said_again: Vec<_> = QUEUES.iter().filter(|queue| queue.said_again).map(|queue| queue.topic).collect();
        assert_eq!(said_again, ["batch.ready.app", "batch.ready.app.urgent", "batch.ready.sms", "batch.ready.sms.urgent"]);
    }

    #[test]
    fn a_stopped_alert_is_told_to_all_who_show_or_send_it() {
        let readers: Vec<_> = queues_of(events::AlertStopped::TOPIC).map(|queue| queue.owner).collect();
        assert_eq!(readers, ["dispatch", "sms", "resident", "display"]);
    }
}
