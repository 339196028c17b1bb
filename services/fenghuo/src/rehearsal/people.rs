//! Residents, played by rule.
//!
//! Of twenty people thirteen answer promptly, three late, four never; who does what follows from the resident's number.
//! Whoever has the app registers with the code from the SMS and acknowledges in the app; the others reply to the SMS, some
//! with a 1, some with 收到, some naming the alert's code.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use roaring::RoaringBitmap;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::cast::Cast;
use super::stage::{self, Stage};

/// How long an SMS may take through centre and platform, in real time.
const PATIENCE: Duration = Duration::from_secs(180);
const ASKED_EVERY: Duration = Duration::from_millis(10);

/// Who reads their messages now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Those who answer the first message.
    Prompt,
    /// Those who need the reminder.
    Late,
}

/// How many answered, and how.
#[derive(Default)]
pub(crate) struct Answers {
    pub(crate) by_app: usize,
    pub(crate) by_sms: usize,
}

impl Readers {
    fn has(self, resident_no: u32) -> bool {
        match resident_no.wrapping_mul(2_654_435_761) >> 16 {
            fate if fate % 20 < 13 => self == Self::Prompt,
            fate if fate % 20 < 16 => self == Self::Late,
            _ => false,
        }
    }
}

/// An alert that somebody has received and not acknowledged.
struct Unread {
    alert: Uuid,
    short_code: String,
}

/// These readers answer everything that is open for them.
pub(crate) async fn answer(stage: &Stage, cast: &Cast, readers: Readers) -> Result<Answers> {
    let mut answers = Answers::default();
    let with_app = residents_with_app(stage).await?;
    for (resident_no, unread) in unread(stage).await? {
        if !readers.has(resident_no) {
            continue;
        }
        if with_app.contains(resident_no) {
            answers.by_app += in_the_app(stage, cast, resident_no).await?;
        } else {
            answers.by_sms += by_sms(stage, cast, resident_no, &unread).await?;
        }
    }
    Ok(answers)
}

/// What is live and unacknowledged, by resident.
async fn unread(stage: &Stage) -> Result<BTreeMap<u32, Vec<Unread>>> {
    let pool = stage.platform.database.pool();
    let alerts = sqlx::query!(
        "select alert_id, short_code, audience from resident.alert where state = 'live' and expires_at > $1 order by released_at",
        stage.platform.clock.now()
    )
    .fetch_all(pool)
    .await?;
    let acknowledged = sqlx::query!("select alert_id, resident_no from resident.acknowledgement").fetch_all(pool).await?;
    let mut unread: BTreeMap<u32, Vec<Unread>> = BTreeMap::new();
    for alert in alerts {
        let mut audience = RoaringBitmap::deserialize_from(&alert.audience[..]).context("an audience cannot be read")?;
        audience -= acknowledged
            .iter()
            .filter(|row| row.alert_id == alert.alert_id)
            .map(|row| row.resident_no.unsigned_abs())
            .collect::<RoaringBitmap>();
        for resident_no in audience {
            unread.entry(resident_no).or_default().push(Unread { alert: alert.alert_id, short_code: alert.short_code.clone() });
        }
    }
    Ok(unread)
}

async fn residents_with_app(stage: &Stage) -> Result<RoaringBitmap> {
    let numbers = sqlx::query_scalar!("select resident_no from resident.resident where has_apns or has_fcm")
        .fetch_all(stage.platform.database.pool())
        .await?;
    Ok(numbers.into_iter().map(i32::unsigned_abs).collect())
}

/// Registers with the code from the SMS, opens the inbox, and taps 我已知晓 on everything there. Returns on how much.
async fn in_the_app(stage: &Stage, cast: &Cast, resident_no: u32) -> Result<usize> {
    let person = cast.person(resident_no)?;
    let post = |path: &str| stage.client.post(format!("{}/api/v1/{path}", stage.url));
    let known = messages(stage, &person.phone).await?.len();
    let asked = stage::answer(post("registration/code").json(&json!({ "phone": person.phone }))).await.context("no code was sent")?;
    let Some(code) = code_from_sms(stage, &person.phone, known).await? else { return Ok(0) };
    let body = json!({
        "phone": person.phone, "request": asked["request"], "code": code, "community": person.community, "language": person.language, "consent_version": domain::consent::CURRENT_VERSION,
    });
    let registered = stage::answer(post("registration").json(&body)).await.context("the registration was refused")?;
    let token = registered["token"].as_str().context("a registration has a token")?;
    let inbox = stage::answer(stage.client.get(format!("{}/api/v1/me/inbox", stage.url)).bearer_auth(token)).await?;
    let mut answered = 0;
    for item in inbox.as_array().into_iter().flatten().filter(|item| item["acknowledged_at"].is_null() && item["state"] == "live") {
        let id = item["alert_id"].as_str().context("an alert has an id")?;
        stage::answer(post(&format!("me/alerts/{id}/acknowledgement")).bearer_auth(token))
            .await
            .context("an acknowledgement was refused")?;
        answered += 1;
    }
    Ok(answered)
}

/// Replies to the SMS of each alert that came; who got none cannot answer.
async fn by_sms(stage: &Stage, cast: &Cast, resident_no: u32, unread: &[Unread]) -> Result<usize> {
    let person = cast.person(resident_no)?;
    let received = messages(stage, &person.phone).await?;
    let mut answered = 0;
    for alert in unread {
        if !received.iter().any(|sms| sms["delivered"] == true && sms["text"].as_str().is_some_and(|text| text.contains(&alert.short_code)))
        {
            continue;
        }
        let words = match resident_no % 3 {
            0 => format!("1 {}", alert.short_code),
            1 => format!("收到{}", alert.short_code),
            _ => format!("y {}", alert.short_code.to_lowercase()),
        };
        stage.control("sms/reply", &json!({ "from": person.phone, "text": words })).await?;
        arrives(stage, alert.alert, resident_no).await?;
        answered += 1;
    }
    Ok(answered)
}

/// Waits until the platform knows of the acknowledgement.
async fn arrives(stage: &Stage, alert: Uuid, resident_no: u32) -> Result<()> {
    let began = Instant::now();
    loop {
        let there = sqlx::query_scalar!(
            r#"select exists (select from resident.acknowledgement where alert_id = $1 and resident_no = $2) as "there!""#,
            alert,
            resident_no.cast_signed()
        )
        .fetch_one(stage.platform.database.pool())
        .await?;
        if there {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "a reply by SMS was not understood within {} s", PATIENCE.as_secs());
        tokio::time::sleep(ASKED_EVERY).await;
    }
}

async fn messages(stage: &Stage, phone: &str) -> Result<Vec<Value>> {
    let request = stage.client.get(format!("{}/sms?phone={}", stage.control, phone.replace('+', "%2B")));
    Ok(stage::answer(request).await?["messages"].as_array().cloned().unwrap_or_default())
}

/// The code of the newest message beyond those known. A phone that the SMS centre cannot reach gets none.
async fn code_from_sms(stage: &Stage, phone: &str, known: usize) -> Result<Option<String>> {
    stage.settle().await?;
    let new = messages(stage, phone).await?;
    Ok(new.iter().skip(known).rev().find_map(|sms| {
        let text = sms["text"].as_str()?.split("验证码").nth(1)?;
        let digits: String = text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        (digits.len() == 6).then_some(digits)
    }))
}
