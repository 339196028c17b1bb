//! SMS replies: `1`, `Y`, `收到` acknowledge, `T`, `TD`, `退订` withdraw consent (CQ11, CQ1).
//!
//! A reply without a short code acknowledges the newest alert that is open for the sender; with one, that alert. The text
//! itself is never kept.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::ids::{AlertId, ResidentNo};
use domain::sms_reply::{self, Reply};
use platform::BoxError;
use platform::crypto::{Purpose, Sealed};
use proto::SmsReplied;
use proto::topology::RESIDENT_SMS_REPLIES;

use crate::acknowledgement::By;
use crate::inbox::live_alerts::LiveAlert;
use crate::inbox::named;
use crate::{Error, Service, consent, directory};

pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let own = service.clone();
    service.platform.bus.subscribe(&RESIDENT_SMS_REPLIES, 4, move |event: SmsReplied| {
        let service = own.clone();
        async move { replied(&service, event).await }
    })?;
    Ok(())
}

/// What a reply came to.
struct Understood {
    meaning: &'static str,
    alert: Option<AlertId>,
}

async fn replied(service: &Service, event: SmsReplied) -> Result<(), BoxError> {
    let platform = &service.platform;
    let at = DateTime::from_timestamp_millis(event.received_at_ms).unwrap_or_else(|| platform.clock.now());
    let mut connection = platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    // Delivered again: who has consented anew since then must not be withdrawn by an old reply.
    let known = sqlx::query_scalar!(r#"select exists (select from resident.reply where message_ref = $1) as "known!""#, event.message_ref)
        .fetch_one(&mut connection)
        .await
        .map_err(Error::database("looking for the reply"))?;
    if known {
        return Ok(());
    }
    let sender = directory::by_phone(&mut connection, &event.phone_hash).await?;
    drop(connection);
    let understood = match sender {
        None => Understood { meaning: "unknown_sender", alert: None },
        Some(no) => {
            let text = platform.keyring.open(Purpose::SmsReply, &Sealed::from_bytes(event.text_sealed)?)?;
            act(service, no, &String::from_utf8_lossy(&text), at).await?
        }
    };
    sqlx::query!(
        "insert into resident.reply (message_ref, resident_no, meaning, alert_id, received_at) values ($1, $2, $3, $4, $5)
         on conflict (message_ref) do nothing",
        event.message_ref,
        sender.map(directory::stored),
        understood.meaning,
        understood.alert.map(AlertId::uuid),
        at
    )
    .execute(platform.database.pool())
    .await
    .map_err(Error::database("recording a reply"))?;
    metrics::counter!("sms_replies_understood_total", "meaning" => understood.meaning).increment(1);
    Ok(())
}

/// Does what the reply asks. Doing it again changes nothing.
async fn act(service: &Service, no: ResidentNo, text: &str, at: DateTime<Utc>) -> Result<Understood, BoxError> {
    match sms_reply::parse(text) {
        Reply::Withdraw => {
            let mut tx = service.platform.database.begin().await?;
            consent::end(&mut tx, no, "sms", at).await?;
            tx.commit().await?;
            Ok(Understood { meaning: "withdrawn", alert: None })
        }
        Reply::Acknowledge { code } => {
            let open: Vec<Arc<LiveAlert>> =
                service.inboxes.of(no, at).await?.into_iter().filter(|alert| code.is_some() || alert.is_open(at)).collect();
            let alert = match code {
                Some(code) => named(&open, code),
                None => open.first(),
            };
            let Some(alert) = alert else { return Ok(Understood { meaning: "no_open_alert", alert: None }) };
            service.acknowledgements.record(alert.id, no, By::Sms, at).await?;
            Ok(Understood { meaning: "acknowledged", alert: Some(alert.id) })
        }
        Reply::Other => Ok(Understood { meaning: "other", alert: None }),
    }
}
