//! Alerts as staff read them: queues, one alert with its history, what each channel will show.

use std::collections::BTreeMap;

use axum::extract::State as Shared;
use chrono::{DateTime, Utc};
use domain::alert::{AlertContent, ContentFault, DeliveryClass};
use domain::alert_state::{self, Action, Participants, State};
use domain::alert_view::AlertView;
use domain::approval_seal::ToldSeal;
use domain::area::DistrictCode;
use domain::audience::{Audience, AudienceQuery};
use domain::before_sending::{CautionNote, Sending};
use domain::headcount::HeadCount;
use domain::ids::{AlertId, StaffId};
use domain::language::Language;
use domain::retraction::{Kind, Step as RetractionStep, may_confirm, open_steps};
use domain::staff::Role;
use platform::database::{Connection, readable};
use platform::http::{Access, Path, Problem, Query, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use strum::VariantArray as _;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::actor::{Circumstances, actor, open_to};
use crate::brief::Brief;
use crate::ended_records::{self, EndedRecord};
use crate::history::{self, HistoryLine};
use crate::in_review::{self, InReview, LineInReview};
use crate::store::{self, Alert, stored_district};
use crate::{Error, Service, cautions, retraction, withdrawal};

pub(crate) const READING: &[Role] = Role::READERS_OF_ALERTS;

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("review").allow(Access::Staff(READING), routes!(list)).allow(Access::Staff(READING), routes!(read))
}

/// Whether the caller may see the alert.
pub(crate) fn may_see(caller: &StaffCaller, alert: &Alert) -> bool {
    view(caller).shows(alert.participants.district, alert.approved_at.is_some())
}

/// What the caller sees of alerts.
pub(crate) fn view(caller: &StaffCaller) -> AlertView {
    AlertView::of(caller.role, &caller.scope)
}

/// One line of a queue.
#[derive(Serialize, ToSchema)]
struct AlertLine {
    #[serde(flatten)]
    brief: Brief,
    #[serde(flatten)]
    review: LineInReview,
}

/// Which alerts to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only alerts in this state.
    state: Option<State>,
    /// Only alerts of this district.
    #[param(value_type = Option<String>)]
    district: Option<DistrictCode>,
    /// Only alerts that the caller answers for.
    #[serde(default)]
    mine: bool,
    /// Only alerts that wait for a decision which is the caller's to take.
    #[serde(default)]
    waiting: bool,
    /// Alerts made before this one, for the next page.
    before: Option<AlertId>,
    /// At most so many, 1 to 200.
    limit: Option<u16>,
}

/// Alerts of my area and of the whole city, newest first
#[utoipa::path(get, path = "/api/v1/alerts", params(Filter), responses((status = 200, description = "One page", body = Vec<AlertLine>)))]
async fn list(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Query(filter): Query<Filter>,
) -> Result<axum::Json<Vec<AlertLine>>, Problem> {
    let (view, now) = (view(&caller), service.platform.clock.now());
    let mine = if filter.waiting { waiting_for(&service, &caller).await? } else { Vec::new() };
    let rows = sqlx::query!(
        r#"select alert_id, short_code, state, class, district, content #>> '{texts,zh-CN,headline}' as headline, version, created_at, changed_at,
             approved_at, handed_over_at,
             (select reason from review.step where step.alert_id = alert.alert_id and reason is not null order by version desc limit 1) as last_reason,
             coalesce(content ->> 'status' = 'exercise', false) as "exercise!", corrects, content -> 'expires_at' as expires_at,
             content -> 'ack_window_s' as ack_window_s, held_at, waiting.kind as "retraction?", waiting.asked_at as "retraction_asked_at?",
             claim.staff as "claim_staff?", claim.until as "claim_until?", coalesce(officer.session_until > $14, false) as "claim_signed_in!",
             (select count(*) from review.comment c where c.alert_id = alert.alert_id and c.reply_to is null and c.resolved_at is null)
                 as "open_comments!",
             exists (select from review.step s where s.alert_id = alert.alert_id and s.action = any($13)) as "returned!"
           from review.alert
           left join review.claim using (alert_id)
           left join identity.officer on officer.staff_id = claim.staff
           left join lateral (select kind, asked_at from review.retraction r where r.alert_id = alert.alert_id and r.progress = 'asked') as waiting
                  on true
           where (not $7::bool or alert_id = any($12)
                  or state = any($8)
                     and case when state = 'draft' then submitter = $9
                              else submitter <> $9 and district_reviewer is distinct from $9 and not $9 = any(involved) end
                     -- the first review of an alert across districts is the city's, of any other its own district's
                     and (state <> 'district_review' or district is not distinct from $3))
             and ($1::text is null or state = $1)
             and ($2::int is null or district = $2)
             and review.shows(district, approved_at is not null, $10, $3, $11)
             and ($4::uuid is null or submitter = $4)
             and ($5::uuid is null or alert_id < $5)
           order by alert_id desc limit $6"#,
        filter.state.map(|state| state.as_ref().to_owned()),
        filter.district.map(stored_district),
        view.district.map(stored_district),
        filter.mine.then(|| caller.id.uuid()),
        filter.before.map(AlertId::uuid),
        i64::from(filter.limit.unwrap_or(50).clamp(1, 200)),
        filter.waiting,
        &waiting_states(&caller),
        caller.id.uuid(),
        view.everywhere,
        view.drafts,
        &mine,
        &in_review::steps_back(),
        now
    )
    .fetch_all(service.platform.database.pool())
    .await
    .map_err(Error::database("listing alerts"))?;
    let lines = rows.into_iter().map(|row| {
        let state = row.state.parse().map_err(|_| Error::Stored { what: "state" })?;
        let district = row.district.map(DistrictCode::try_from).transpose().map_err(|_| Error::Stored { what: "district" })?;
        let claim = row.claim_staff.zip(row.claim_until);
        let claim = claim.and_then(|(by, until)| in_review::still_standing(by, until, row.claim_signed_in, now));
        Ok::<_, Error>(AlertLine {
            review: LineInReview::of(state, view.shows(district, false), claim, row.open_comments, row.returned),
            brief: Brief {
                alert_id: AlertId::from_uuid(row.alert_id),
                short_code: row.short_code,
                state,
                class: row.class.parse().map_err(|_| Error::Stored { what: "class" })?,
                district,
                headline: row.headline.unwrap_or_default(),
                version: row.version,
                created_at: row.created_at,
                changed_at: row.changed_at,
                approved_at: row.approved_at,
                handed_over_at: row.handed_over_at,
                last_reason: row.last_reason,
                exercise: row.exercise,
                corrects: row.corrects.map(AlertId::from_uuid),
                // A draft's content is its author's: what of it cannot be read is left out of the line.
                expires_at: row.expires_at.and_then(|time| serde_json::from_value(time).ok()),
                ack_window_s: row.ack_window_s.and_then(|window| serde_json::from_value(window).ok()),
                held_at: row.held_at,
                retraction: row.retraction.and_then(|kind| kind.parse().ok()),
                retraction_asked_at: row.retraction_asked_at,
            },
        })
    });
    Ok(axum::Json(readable("alerts", lines)))
}

/// Where alerts stand that wait for somebody of this role, as the table of steps has it.
fn waiting_states(caller: &StaffCaller) -> Vec<String> {
    let is_open = |state: &State| {
        // Somebody else wrote it: what the caller could decide then is what waits for them.
        let others = Participants::written_by(StaffId::new(), caller.scope.district());
        let own = Participants::written_by(caller.id, caller.scope.district());
        let participants = if *state == State::Draft { own } else { others };
        alert_state::open_actions(*state, &participants, &actor(caller))
            .iter()
            .any(|action| !matches!(action, Action::Cancel | Action::Discard | Action::Stop | Action::Resume))
    };
    State::VARIANTS.iter().filter(|state| is_open(state)).map(|state| state.as_ref().to_owned()).collect()
}

/// The alerts about which a word waits that is the caller's to confirm.
async fn waiting_for(service: &Service, caller: &StaffCaller) -> Result<Vec<Uuid>, Error> {
    let now = service.platform.clock.now();
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let lines = retraction::waiting_everywhere(&mut connection, view(caller)).await?;
    let is_theirs = |line: &retraction::WaitingLine| may_confirm(&line.waiting.asked, &line.standing, &actor(caller), now).is_ok();
    let mut theirs: Vec<Uuid> = lines.into_iter().filter(is_theirs).map(|line| line.alert.uuid()).collect();
    // what is stopped waits for somebody who lets it go on, or asks for a word about it
    if caller.role.may(Action::Resume) {
        let stopped = retraction::stopped_everywhere(&mut connection, view(caller)).await?;
        theirs.extend(stopped.into_iter().map(|line| line.alert.uuid()));
    }
    Ok(theirs)
}

/// The SMS of one language.
#[derive(Serialize, ToSchema)]
pub(crate) struct SmsPreview {
    pub(crate) text: String,
    pub(crate) segments: usize,
}

/// For whom: who lives where is shown, who they are is not.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AudienceView {
    /// So many people named by records, in tens; 9 stands for fewer than ten (CQ14).
    Residents(HeadCount),
    /// Whoever this selects when it is planned.
    Query(AudienceQuery),
}

/// One alert.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertDetail {
    alert_id: AlertId,
    short_code: String,
    state: State,
    class: DeliveryClass,
    #[schema(value_type = Option<String>)]
    district: Option<DistrictCode>,
    content: AlertContent,
    audience: AudienceView,
    /// So many people for whom it was withdrawn while it stands for everybody else; they are in the audience no more.
    withdrawn_for: i64,
    submitter: StaffId,
    district_reviewer: Option<StaffId>,
    city_reviewer: Option<StaffId>,
    version: i32,
    rule_id: Option<Uuid>,
    rule_version: Option<i32>,
    records: i32,
    /// Template variables that nobody could fill.
    missing: Vec<String>,
    created_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
    approved_at: Option<DateTime<Utc>>,
    handed_over_at: Option<DateTime<Utc>>,
    corrects: Option<AlertId>,
    /// What whoever approved it had before them, as digests; none: it was not approved, or before there were seals.
    seal: Option<ToldSeal>,
    /// Since when it is stopped, until it is known whether it holds, and by whom.
    held_at: Option<DateTime<Utc>>,
    held_by: Option<StaffId>,
    /// Whether somebody may have it, in the hand, in the inbox or on a screen: then nobody cancels it alone.
    handed: bool,
    /// It corrects another alert and goes to exactly those who have that, whatever its audience says: two people made it.
    for_holders: bool,
    /// What waits for a second person to say it of this alert.
    retraction: Option<RetractionWaiting>,
    /// What the caller can decide now.
    open_actions: Vec<Action>,
    /// What keeps the text from going forward.
    faults: Vec<ContentFault>,
    /// What whoever sends it now has to know, people aside: whether it reaches anybody is counted when it is approved.
    cautions: Vec<CautionNote>,
    /// The SMS as it will be sent, by language.
    #[schema(value_type = std::collections::HashMap<String, SmsPreview>)]
    sms: BTreeMap<Language, SmsPreview>,
    /// Records behind it that its source has corrected or taken back since; who is undecided about comes first.
    ended_records: Vec<EndedRecord>,
    #[serde(flatten)]
    review: InReview,
    history: Vec<HistoryLine>,
}

impl AlertDetail {
    /// Where it stands.
    pub(crate) const fn state(&self) -> State {
        self.state
    }

    /// Its version.
    pub(crate) const fn version(&self) -> i32 {
        self.version
    }
}

/// That a word about an alert waits for a second person.
#[derive(Serialize, ToSchema)]
struct RetractionWaiting {
    retraction_id: Uuid,
    kind: Kind,
    asked_at: DateTime<Utc>,
    asked_by: StaffId,
    /// What the caller may do about it.
    open_steps: Vec<RetractionStep>,
}

/// One alert with its history
#[utoipa::path(get, path = "/api/v1/alerts/{alert_id}", params(("alert_id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "The alert", body = AlertDetail)))]
async fn read(Shared(service): Shared<Service>, caller: StaffCaller, Path(id): Path<AlertId>) -> Result<axum::Json<AlertDetail>, Problem> {
    let mut connection = service.platform.database.pool().acquire().await.map_err(Error::database("taking a connection"))?;
    let alert = store::load(&mut connection, id, false).await?;
    if !may_see(&caller, &alert) {
        return Err(Error::NoSuchAlert(id).into());
    }
    Ok(axum::Json(detail(&service, &mut connection, alert, &caller).await?))
}

/// The alert as the caller sees it.
pub(crate) async fn detail(
    service: &Service,
    connection: &mut Connection,
    alert: Alert,
    caller: &StaffCaller,
) -> Result<AlertDetail, Error> {
    let history = history::of_alert(connection, alert.id).await?;
    let history = in_review::as_history(connection, &alert, caller, history).await?;
    let ended_records = ended_records::of_alert(connection, &alert).await?;
    let withdrawn_for = withdrawal::people(connection, &alert).await?;
    let sending = cautions::sending(service, &alert, alert.class, service.platform.clock.now());
    let faults = alert.content.check_sending(&sending).err().unwrap_or_default();
    let (now, handed) = (service.platform.clock.now(), retraction::is_handed(connection, &alert).await?);
    let review = in_review::of_alert(connection, &alert, caller, now).await?;
    let cautions = alert.content.cautions(&sending).into_iter().chain(review.cautions.iter().copied()).map(CautionNote::from).collect();
    let sms = previews(&alert, &sending);
    let waiting = retraction::waiting(connection, alert.id, false).await?;
    let standing = retraction::standing(&alert, handed);
    Ok(AlertDetail {
        open_actions: open_to(caller, &alert, Circumstances { handed, retraction_waits: waiting.is_some() }, now),
        held_at: alert.held.map(|held| held.at),
        held_by: alert.held.map(|held| held.by),
        handed,
        for_holders: alert.for_holders,
        retraction: waiting.map(|waiting| RetractionWaiting {
            retraction_id: waiting.id,
            kind: waiting.asked.kind,
            asked_at: waiting.asked_at,
            asked_by: waiting.asked.by.id,
            open_steps: open_steps(&waiting.asked, &standing, &actor(caller), now),
        }),
        faults,
        cautions,
        sms,
        review,
        history,
        ended_records,
        withdrawn_for,
        alert_id: alert.id,
        short_code: alert.short_code,
        state: alert.state,
        class: alert.class,
        district: alert.participants.district,
        audience: match alert.audience {
            Audience::Residents(residents) => AudienceView::Residents(HeadCount::of(residents.len())),
            Audience::Query(query) => AudienceView::Query(query),
        },
        content: alert.content,
        submitter: alert.participants.submitter,
        district_reviewer: alert.participants.district_reviewer,
        city_reviewer: alert.participants.city_reviewer,
        version: alert.version,
        rule_id: alert.rule.map(|(id, _)| id),
        rule_version: alert.rule.map(|(_, version)| version),
        records: alert.records,
        missing: alert.missing,
        created_at: alert.created_at,
        changed_at: alert.changed_at,
        approved_at: alert.approved_at,
        handed_over_at: alert.handed_over_at,
        corrects: alert.corrects,
        seal: alert.seal.as_ref().map(ToldSeal::from),
    })
}

/// What the SMS centre will be given. A language whose text cannot be composed is left out: its fault is among `faults`.
fn previews(alert: &Alert, sending: &Sending<'_>) -> BTreeMap<Language, SmsPreview> {
    let composed = alert.content.texts.keys().filter_map(|&language| {
        let sms = alert.content.sms(language, sending)?.ok()?;
        Some((language, SmsPreview { text: sms.parts.concat(), segments: sms.segments }))
    });
    composed.collect()
}
