//! The statements of a search, and what they find.

use chrono::{DateTime, TimeDelta, Utc};
use domain::alert::{AlertContent, DeliveryClass};
use domain::alert_state::State;
use domain::alert_view::AlertView;
use domain::area::DistrictCode;
use domain::cap::Status;
use domain::found_text::{Wanted, of_alert};
use domain::ids::{AlertId, RuleId, StaffId};
use domain::language::Language;
use platform::database::{Connection, readable};
use platform::http::StaffCaller;
use uuid::Uuid;

use crate::brief::Brief;
use crate::reading;
use crate::store::stored_district;
use crate::{Error, Service};

/// So many of the newest alerts are looked through before the index is asked: a word that stands in one of twenty fills a page there.
const WALKED: i64 = 1_000;
/// Then those of so long, before all of them.
const LATELY: TimeDelta = TimeDelta::days(90);

/// What is looked for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) wanted: Wanted,
    pub(crate) state: Option<State>,
    pub(crate) class: Option<DeliveryClass>,
    pub(crate) district: Option<DistrictCode>,
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) to: Option<DateTime<Utc>>,
    pub(crate) author: Option<StaffId>,
    pub(crate) rule: Option<RuleId>,
}

/// Where a page ends: what comes next was written before, or then and has a smaller id.
pub(crate) type Place = (DateTime<Utc>, Uuid);

/// An alert that was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) brief: Brief,
    pub(crate) rule: Option<Uuid>,
    pub(crate) contact: String,
}

/// A page of them.
#[derive(Debug)]
pub(crate) struct FoundPage {
    pub(crate) found: Vec<Found>,
    /// Where the next one begins; none: there is none.
    pub(crate) next: Option<Place>,
}

struct Row {
    alert_id: Uuid,
    short_code: String,
    state: String,
    class: String,
    district: Option<i32>,
    content: serde_json::Value,
    version: i32,
    created_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
    approved_at: Option<DateTime<Utc>>,
    handed_over_at: Option<DateTime<Utc>>,
    last_reason: Option<String>,
    corrects: Option<Uuid>,
    held_at: Option<DateTime<Utc>>,
    retraction: Option<String>,
    retraction_asked_at: Option<DateTime<Utc>>,
    rule_id: Option<Uuid>,
}

impl Row {
    /// None: the words do not stand in it after all.
    fn read(self, asked: &Asked) -> Result<Option<Found>, Error> {
        let content: Option<AlertContent> = serde_json::from_value(self.content).ok();
        let is_named = asked.wanted.alert().is_some_and(|named| named.uuid() == self.alert_id)
            || asked.wanted.short_code().is_some_and(|code| code.to_string() == self.short_code);
        let has_words = || content.as_ref().is_some_and(|content| asked.wanted.stands_in(&of_alert(content)));
        if !asked.wanted.is_nothing() && !is_named && !has_words() {
            return Ok(None);
        }
        let said = content.as_ref();
        Ok(Some(Found {
            brief: Brief {
                alert_id: AlertId::from_uuid(self.alert_id),
                short_code: self.short_code,
                state: self.state.parse().map_err(|_| Error::Stored { what: "state" })?,
                class: self.class.parse().map_err(|_| Error::Stored { what: "class" })?,
                district: self.district.map(DistrictCode::try_from).transpose().map_err(|_| Error::Stored { what: "district" })?,
                headline: said.and_then(|content| content.texts.get(&Language::ZhCn)).map(|text| text.headline.clone()).unwrap_or_default(),
                version: self.version,
                created_at: self.created_at,
                changed_at: self.changed_at,
                approved_at: self.approved_at,
                handed_over_at: self.handed_over_at,
                last_reason: self.last_reason,
                exercise: said.is_some_and(|content| content.status == Status::Exercise),
                corrects: self.corrects.map(AlertId::from_uuid),
                expires_at: said.map(|content| content.expires_at),
                ack_window_s: said.map(|content| content.ack_window_s),
                held_at: self.held_at,
                retraction: self.retraction.and_then(|kind| kind.parse().ok()),
                retraction_asked_at: self.retraction_asked_at,
            },
            rule: self.rule_id,
            contact: said.map(|content| content.contact.clone()).unwrap_or_default(),
        }))
    }
}

/// The next alerts after a place, at most `limit`.
pub(crate) async fn page(
    service: &Service,
    caller: &StaffCaller,
    asked: &Asked,
    after: Option<Place>,
    limit: i64,
) -> Result<FoundPage, Error> {
    let view = reading::view(caller);
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let pieces = asked.wanted.pieces();
    let mut rows = if pieces.is_empty() || asked.wanted.alert().is_some() {
        newest(&mut connection, view, asked, after, limit + 1).await?
    } else {
        let since = service.platform.clock.now() - LATELY;
        by_words(&mut connection, view, asked, after, limit + 1, &pieces, since).await?
    };
    let is_full = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| is_full).map(|row| (row.created_at, row.alert_id));
    let found = readable("alerts that were found", rows.into_iter().map(|row| row.read(asked))).into_iter().flatten().collect();
    Ok(FoundPage { found, next })
}

/// Whoever has these words: among the newest, among those of late, among all, until there are enough.
async fn by_words(
    connection: &mut Connection,
    view: AlertView,
    asked: &Asked,
    after: Option<Place>,
    enough: i64,
    pieces: &[i32],
    lately: DateTime<Utc>,
) -> Result<Vec<Row>, Error> {
    let is_enough = |rows: &Vec<Row>| rows.len() >= usize::try_from(enough).unwrap_or(usize::MAX);
    let walked = with_words(connection, view, asked, after, enough, pieces, Reach::Newest).await?;
    if is_enough(&walked) {
        return Ok(walked);
    }
    let late = with_words(connection, view, asked, after, enough, pieces, Reach::Since(lately)).await?;
    if is_enough(&late) {
        return Ok(late);
    }
    with_words(connection, view, asked, after, enough, pieces, Reach::All).await
}

/// How far is looked.
#[derive(Clone, Copy)]
enum Reach {
    Newest,
    Since(DateTime<Utc>),
    All,
}

async fn with_words(
    connection: &mut Connection,
    view: AlertView,
    asked: &Asked,
    after: Option<Place>,
    limit: i64,
    pieces: &[i32],
    reach: Reach,
) -> Result<Vec<Row>, Error> {
    let (before, last) = after.unzip();
    let since = match reach {
        Reach::Since(since) => Some(since),
        Reach::Newest | Reach::All => None,
    };
    sqlx::query_as!(
        Row,
        r#"with hit as materialized (
               select alert_id from (select alert_id, pieces from review.alert_search
                                      where $14 and ($8::timestamptz is null or (created_at, alert_id) < ($8, $9::uuid))
                                      order by created_at desc, alert_id desc limit $15) as newest
                where pieces @> $13
               union
               select alert_id from review.alert_search
                where not $14 and pieces @> $13 and ($16::timestamptz is null or created_at >= $16)
                  and ($8::timestamptz is null or (created_at, alert_id) < ($8, $9))
               union
               select alert_id from review.alert where short_code = $17 and ($8::timestamptz is null or (created_at, alert_id) < ($8, $9))
           )
           select a.alert_id, a.short_code, a.state, a.class, a.district, a.content, a.version, a.created_at, a.changed_at, a.approved_at, a.handed_over_at,
                  (select reason from review.step where step.alert_id = a.alert_id and reason is not null order by version desc limit 1) as last_reason,
                  a.corrects, a.held_at, waiting.kind as "retraction?", waiting.asked_at as "retraction_asked_at?", a.rule_id
             from hit join review.alert a using (alert_id)
             left join review.retraction waiting on waiting.alert_id = a.alert_id and waiting.progress = 'asked'
            where ($1::text is null or a.state = $1) and ($2::text is null or a.class = $2) and ($3::int is null or a.district = $3)
              and ($4::timestamptz is null or a.created_at >= $4) and ($5::timestamptz is null or a.created_at < $5)
              and ($6::uuid is null or a.submitter = $6) and ($7::uuid is null or a.rule_id = $7)
              and review.shows(a.district, a.approved_at is not null, $10, $11, $12)
            order by a.created_at desc, a.alert_id desc limit $18"#,
        asked.state.map(|state| state.as_ref().to_owned()),
        asked.class.map(|class| class.as_ref().to_owned()),
        asked.district.map(stored_district),
        asked.from,
        asked.to,
        asked.author.map(StaffId::uuid),
        asked.rule.map(RuleId::uuid),
        before,
        last,
        view.everywhere,
        view.district.map(stored_district),
        view.drafts,
        pieces,
        matches!(reach, Reach::Newest),
        WALKED,
        since,
        asked.wanted.short_code().map(|code| code.to_string()),
        limit
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("looking for alerts by words"))
}

/// The newest ones, whatever they say; or the one that is named.
async fn newest(connection: &mut Connection, view: AlertView, asked: &Asked, after: Option<Place>, limit: i64) -> Result<Vec<Row>, Error> {
    let (before, last) = after.unzip();
    sqlx::query_as!(
        Row,
        r#"select a.alert_id, a.short_code, a.state, a.class, a.district, a.content, a.version, a.created_at, a.changed_at, a.approved_at, a.handed_over_at,
                  (select reason from review.step where step.alert_id = a.alert_id and reason is not null order by version desc limit 1) as last_reason,
                  a.corrects, a.held_at, waiting.kind as "retraction?", waiting.asked_at as "retraction_asked_at?", a.rule_id
             from review.alert a
             left join review.retraction waiting on waiting.alert_id = a.alert_id and waiting.progress = 'asked'
            where ($1::text is null or a.state = $1) and ($2::text is null or a.class = $2) and ($3::int is null or a.district = $3)
              and ($4::timestamptz is null or a.created_at >= $4) and ($5::timestamptz is null or a.created_at < $5)
              and ($6::uuid is null or a.submitter = $6) and ($7::uuid is null or a.rule_id = $7)
              and ($8::timestamptz is null or (a.created_at, a.alert_id) < ($8, $9::uuid))
              and review.shows(a.district, a.approved_at is not null, $10, $11, $12)
              and ($13::uuid is null or a.alert_id = $13)
            order by a.created_at desc, a.alert_id desc limit $14"#,
        asked.state.map(|state| state.as_ref().to_owned()),
        asked.class.map(|class| class.as_ref().to_owned()),
        asked.district.map(stored_district),
        asked.from,
        asked.to,
        asked.author.map(StaffId::uuid),
        asked.rule.map(RuleId::uuid),
        before,
        last,
        view.everywhere,
        view.district.map(stored_district),
        view.drafts,
        asked.wanted.alert().map(AlertId::uuid),
        limit
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("looking for alerts"))
}

/// How many alerts a search may come to, counted to `most` at most: what the index holds, before it is looked at again.
pub(crate) async fn most_of(service: &Service, caller: &StaffCaller, asked: &Asked, most: i64) -> Result<i64, Error> {
    let (view, pieces) = (reading::view(caller), asked.wanted.pieces());
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from (
               select from review.alert a
                where ($1::text is null or a.state = $1) and ($2::text is null or a.class = $2) and ($3::int is null or a.district = $3)
                  and ($4::timestamptz is null or a.created_at >= $4) and ($5::timestamptz is null or a.created_at < $5)
                  and ($6::uuid is null or a.submitter = $6) and ($7::uuid is null or a.rule_id = $7)
                  and review.shows(a.district, a.approved_at is not null, $8, $9, $10)
                  and ($11 or a.alert_id in (select alert_id from review.alert_search where pieces @> $12))
                limit $13) as found"#,
        asked.state.map(|state| state.as_ref().to_owned()),
        asked.class.map(|class| class.as_ref().to_owned()),
        asked.district.map(stored_district),
        asked.from,
        asked.to,
        asked.author.map(StaffId::uuid),
        asked.rule.map(RuleId::uuid),
        view.everywhere,
        view.district.map(stored_district),
        view.drafts,
        pieces.is_empty(),
        &pieces,
        most
    )
    .fetch_one(service.platform.database.pool())
    .await
    .map_err(Error::database("counting alerts to export"))
}
