//! SMS replies: `1`, `Y`, `收到` and their like acknowledge, `T`, `TD`, `退订` withdraw consent (CQ11, CQ1), of which the person is told by SMS and in the app,
//! since anybody can forge a sender, and `HF`, `恢复` takes that back; everything else is kept for a person to
//! read (CQ12), and who wrote it is answered once with the number to call.
//!
//! A reply with a code acknowledges that alert. One without acknowledges the newest alert that *this phone was handed by SMS* before the reply was
//! written, that was open then and is not acknowledged yet ([`domain::sms_reply::meant`]); who could have meant several is told which one it
//! was. What finds no alert is looked at again ([`second_look`]). What is understood is kept by its meaning alone, what is not is kept sealed ([`crate::feedback`]).

mod answer;
mod handed;
pub(crate) mod second_look;

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{AlertId, ResidentNo};
use domain::language::Language;
use domain::retention;
use domain::sms_reply::{self, Reply};
use platform::BoxError;
use platform::crypto::{Purpose, Sealed};
use platform::jobs::{Did, Job};
use proto::SmsReplied;
use proto::topology::RESIDENT_SMS_REPLIES;

use crate::consent::{self, By};
use crate::feedback::written::Written;
use crate::inbox::named;
use crate::notices::{self, NoticeKind};
use crate::{Error, Service, directory};
use answer::{About, Answer, Phone};
use handed::HandedAlerts;

/// Lets go of what need not be known any more.
pub(crate) const FORGET: Job = Job {
    name: "resident.forget_replies",
    cron: "0 35 3 * * *",
    about: "删除一年前的短信回复记录、未登记号码一年前发来的短信，以及三年前的意见反馈。",
    about_en: "Removes what replies by SMS came to, and what unregistered numbers wrote, after a year; what residents said about alerts after three.",
    at_start: false,
};

/// A year after it came nobody asks for a reply any more, and no centre delivers it again.
const KEPT: TimeDelta = TimeDelta::days(365);

pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let own = service.clone();
    service.platform.bus.subscribe(&RESIDENT_SMS_REPLIES, 4, move |event: SmsReplied| {
        let service = own.clone();
        async move { replied(&service, event).await }
    })?;
    let own = service.clone();
    service.platform.jobs.register(&FORGET, move || {
        let service = own.clone();
        async move { Ok(forget(&service).await?) }
    })?;
    let own = service.clone();
    service.platform.jobs.register(&second_look::LOOK_AGAIN, move || {
        let service = own.clone();
        async move { Ok(second_look::look_again(&service).await?) }
    })?;
    Ok(())
}

async fn forget(service: &Service) -> Result<Did, Error> {
    let (pool, before) = (service.platform.database.pool(), service.platform.clock.now() - KEPT);
    let replies = sqlx::query!("delete from resident.reply where received_at < $1", before).execute(pool).await;
    let replies = replies.map_err(Error::database("forgetting replies"))?.rows_affected();
    let said_before = service.platform.clock.now() - TimeDelta::days(retention::FEEDBACK.keeping.length().into());
    let letters = sqlx::query!("delete from resident.feedback where (resident_no is null and at < $1) or at < $2", before, said_before);
    let letters = letters.execute(pool).await;
    let letters = letters.map_err(Error::database("forgetting what strangers wrote"))?.rows_affected();
    Ok(Did::nothing().and("删除短信回复记录", "replies removed", replies).and("删除短信和意见反馈", "letters removed", letters))
}

/// Somebody's reply.
struct Said<'a> {
    by: Option<ResidentNo>,
    text: &'a str,
    /// The phone it came from, by its hash.
    phone: &'a [u8],
    /// Whether alerts go to them.
    is_told: bool,
    /// When it was written, as far as is known.
    at: DateTime<Utc>,
    now: DateTime<Utc>,
}

/// What a reply came to.
struct CameTo {
    meaning: &'static str,
    alert: Option<AlertId>,
    answer: Option<Answer>,
    /// Whether a person has to read it, and whether first.
    to_be_read: Option<bool>,
    /// The code by which an alert is to be looked for again; empty for none.
    look_again: Option<String>,
}

impl CameTo {
    fn of(meaning: &'static str) -> Self {
        Self { meaning, alert: None, answer: None, to_be_read: None, look_again: None }
    }
}

async fn replied(service: &Service, event: SmsReplied) -> Result<(), BoxError> {
    let (platform, now) = (&service.platform, service.platform.clock.now());
    let moment = |millis| DateTime::from_timestamp_millis(millis).unwrap_or(now).min(now);
    let received_at = moment(event.received_at_ms);
    let at = event.written_at_ms.map_or(received_at, moment);
    let mut connection = platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    // Delivered again: who has consented anew since then must not be withdrawn by an old reply.
    let known = sqlx::query_scalar!(r#"select exists (select from resident.reply where message_ref = $1) as "known!""#, event.message_ref)
        .fetch_one(&mut connection)
        .await
        .map_err(Error::database("looking for the reply"))?;
    if known {
        return Ok(());
    }
    let sender = sqlx::query!("select resident_no, language, notices from resident.resident where phone_hash = $1", event.phone_hash)
        .fetch_optional(&mut connection)
        .await
        .map_err(Error::database("finding who replied"))?;
    drop(connection);
    let language = sender.as_ref().and_then(|sender| sender.language.parse().ok()).unwrap_or(Language::ZhCn);
    let text = platform.keyring.open(Purpose::SmsReply, &Sealed::from_bytes(event.text_sealed)?)?;
    let text = String::from_utf8_lossy(&text);
    let is_told = sender.as_ref().is_some_and(|sender| sender.notices);
    let by = sender.map(|sender| directory::resident_no(sender.resident_no));
    let said = Said { by, text: &text, phone: &event.phone_hash, is_told, at, now };
    let reply = sms_reply::parse(&text);
    let came_to = match said.by {
        None => of_a_stranger(reply),
        Some(no) => act(service, no, &said, reply).await?,
    };

    let due = match came_to.answer {
        Some(answer) if !event.phone_sealed.is_empty() && answer.is_due(platform, &event.phone_hash).await => Some(answer),
        _ => None,
    };
    let mut tx = platform.database.begin().await?;
    let fresh = sqlx::query!(
        "insert into resident.reply (message_ref, resident_no, meaning, alert_id, received_at, said_at, code, look_until)
         values ($1, $2, $3, $4, $5, $6, nullif($7, ''), $8) on conflict (message_ref) do nothing",
        event.message_ref,
        said.by.map(directory::stored),
        came_to.meaning,
        came_to.alert.map(AlertId::uuid),
        received_at,
        at,
        came_to.look_again,
        came_to.look_again.as_ref().map(|_| now + second_look::FOR)
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("recording a reply"))?
    .rows_affected();
    // Handled by another process in the meantime: it is kept and answered once.
    if fresh == 0 {
        return Ok(());
    }
    if let (Reply::Withdraw, Some(no)) = (reply, said.by)
        && consent::end(&mut tx, no, By::Sms(&event.phone_hash), at).await?
    {
        notices::tell(&mut tx, directory::stored(no), NoticeKind::ConsentWithdrawnBySms, None, now).await?;
    }
    if let (Reply::Resume, "resumed", Some(no)) = (reply, came_to.meaning, said.by) {
        consent::resume(&mut tx, no, now).await?;
        notices::tell(&mut tx, directory::stored(no), NoticeKind::ConsentResumedBySms, None, now).await?;
    }
    if let Some(urgent) = came_to.to_be_read {
        let phone_sealed = &event.phone_sealed;
        let written = Written { by: said.by, phone_sealed, alert: came_to.alert, text: said.text, urgent, at };
        written.keep(&mut tx, &platform.keyring).await?;
    }
    if let Some(answer) = due {
        let about = About::of(&mut tx, came_to.alert, language).await?;
        answer::send(&mut tx, service, answer, &about, &Phone { sealed: &event.phone_sealed, language }, now).await?;
    }
    tx.commit().await?;
    metrics::counter!("sms_replies_understood_total", "meaning" => came_to.meaning).increment(1);
    Ok(())
}

/// A second phone of the household, a number that was never registered: what it says may concern somebody who is in need all the same.
fn of_a_stranger(reply: Reply) -> CameTo {
    let urgent = matches!(reply, Reply::Other { needs_help: true });
    let answer = if urgent { Answer::KeptAsUrgent } else { Answer::Stranger };
    CameTo { answer: Some(answer), to_be_read: Some(urgent), ..CameTo::of("unknown_sender") }
}

/// Does what the reply asks. Doing it again changes nothing.
async fn act(service: &Service, no: ResidentNo, said: &Said<'_>, reply: Reply) -> Result<CameTo, BoxError> {
    let code = match reply {
        // who is told of nothing already has had their answer
        Reply::Withdraw => return Ok(CameTo { answer: said.is_told.then_some(Answer::Withdrawn), ..CameTo::of("withdrawn") }),
        Reply::Resume if !said.is_told && consent::may_resume(&service.platform.database, no, said.phone, said.now).await? => {
            return Ok(CameTo { answer: Some(Answer::Resumed), ..CameTo::of("resumed") });
        }
        // there is nothing to take back: somebody reads what is meant
        Reply::Resume => return Ok(CameTo { answer: Some(Answer::Kept), to_be_read: Some(false), ..CameTo::of("other") }),
        Reply::Acknowledge { code } => code,
        Reply::Other { needs_help } => {
            let handed = handed(service, no, said).await?;
            let answer = if needs_help { Answer::KeptAsUrgent } else { Answer::Kept };
            return Ok(CameTo { alert: handed.last(), answer: Some(answer), to_be_read: Some(needs_help), ..CameTo::of("other") });
        }
    };
    let handed = handed(service, no, said).await?;
    let alert = match code {
        // What somebody has in the app may be named, too.
        Some(code) => match handed.named(code) {
            Some(alert) => Some((alert, false)),
            None => named(&service.inboxes.of(no, said.at).await?, code).map(|alert| (alert.id, false)),
        },
        None => handed.meant(said.at),
    };
    let Some((alert, could_be_another)) = alert else {
        let look_again = Some(code.map(|code| code.to_string()).unwrap_or_default());
        return Ok(CameTo { answer: Some(Answer::NothingOpen), look_again, ..CameTo::of("no_open_alert") });
    };
    service.acknowledgements.record_reply(alert, no, said.at).await?;
    Ok(CameTo { alert: Some(alert), answer: could_be_another.then_some(Answer::Confirmed), ..CameTo::of("acknowledged") })
}

async fn handed(service: &Service, no: ResidentNo, said: &Said<'_>) -> Result<HandedAlerts, Error> {
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    HandedAlerts::of(&mut connection, no, said.at, said.now).await
}
