//! Tables in the place of what other services show.
//!
//! A service reads the views of others ([`RESIDENT`], [`REVIEW`], [`DISPATCH`]); where those services do not run, a story makes tables of
//! their names and columns, and fills them.

use domain::alert::{AlertContent, DeliveryClass};
use domain::approval_seal::ApprovalSeal;
use domain::audience::Audience;
use domain::cap;
use domain::ids::AlertId;
use domain::language::Language;
use domain::phone::PhoneNumber;
use platform::Platform;
use platform::crypto::Purpose;

/// Whom dispatch, push and sms reach, how, and who has acknowledged or written back.
pub const RESIDENT: &str = "
    create schema resident;
    create table resident.reach (resident_no int primary key, district int not null, township int not null, community bigint not null,
                                 industry text, language text not null, app bool not null, sms bool not null, drill bool not null,
                                 apns bool not null default false, fcm bool not null default false, web bool not null default false);
    create table resident.endpoint (resident_no int not null, endpoint_id bigint not null, kind text not null, sealed bytea not null,
                                    language text not null, registered_at timestamptz not null);
    create function resident.push_endpoints(first_no int, last_no int)
        returns table (resident_no int, endpoint_id bigint, kind text, sealed bytea, language text, registered_at timestamptz)
        language sql stable
        as $$ select * from resident.endpoint where endpoint.resident_no between first_no and last_no and kind <> 'phone' order by 1 $$;
    create table resident.acknowledged (alert_id uuid not null, resident_no int not null, at timestamptz, by text);
    create table resident.wrote_back (alert_id uuid not null, resident_no int not null, at timestamptz, urgent bool not null default false,
                                      read bool not null default false);
    create view resident.answered as
        select alert_id, resident_no from resident.acknowledged union all select alert_id, resident_no from resident.wrote_back;
    create table resident.arrived (tx xid8 not null default pg_current_xact_id(), first_no int not null, last_no int not null);";

/// What dispatch, resident and display read of review.
pub const REVIEW: &str = "
    create schema review;
    create table review.approved_alert (alert_id uuid primary key, short_code text, class text, content jsonb, audience bytea,
                                        approved_at timestamptz, district int, exercise bool, corrects uuid, for_holders bool not null default false, seal jsonb);
    create table review.alert_standing (alert_id uuid primary key, state text, approved_at timestamptz, changed_at timestamptz,
                                        superseded_by uuid, stop_reason text, held_at timestamptz, last_word jsonb);
    create table review.withdrawn_for (alert_id uuid not null, resident_no int not null, at timestamptz not null);
    create table review.had_a_hand (alert_id uuid not null, staff uuid not null);";

/// What resident and review read of rules.
pub const RULES: &str = "
    create schema rules;
    create table rules.leaves_standing (alert_id uuid primary key, sent_by int not null, definition jsonb not null);
    create table rules.named (alert_id uuid not null, resident_no int not null, record_id bigint not null, kind text, source text not null,
                              occurred_at timestamptz not null, place text, ended_at timestamptz, primary key (alert_id, resident_no, record_id));
    create table rules.lifts (resident_no int not null, clause uuid not null, record_id bigint not null, sampled_at timestamptz not null,
                              ended_at timestamptz, primary key (record_id, clause));
    create table rules.asked_for (code text not null, label jsonb not null);
    create table rules.behind_alert (alert_id uuid not null, record_id bigint not null, kind text, source text not null, area text not null,
                                     place bool not null, occurred_at timestamptz not null, matched_at timestamptz not null, ended_at timestamptz);";

/// What resident, display and review read of dispatch.
pub const DISPATCH: &str = "
    create schema dispatch;
    create table dispatch.released_alert (alert_id uuid primary key, short_code text, class text, content jsonb, audience_bitmap bytea,
                                          released_at timestamptz, expires_at timestamptz, ack_by timestamptz, exercise bool, audience bytea,
                                          audience_revision int not null default 1, seal jsonb);
    create table dispatch.alert_progress (alert_id uuid primary key, state text, released_at timestamptz, handed_over_at timestamptz,
                                          ended_at timestamptz);
    create table dispatch.ended (alert_id uuid primary key, state text, superseded_by uuid, stop_reason text);
    create view dispatch.shown_alert as
        select alert_id, short_code, content, audience_bitmap, released_at, expires_at, ack_by, audience_revision,
               coalesce(e.state, 'live') as state, e.superseded_by, e.stop_reason, class, seal
          from dispatch.released_alert left join dispatch.ended e using (alert_id);
    create table dispatch.growing_alert (alert_id uuid primary key);
    create table dispatch.late_recipient (resident_no int not null, alert_id uuid not null);
    create table dispatch.recipient_range (alert_id uuid not null, first_no bigint not null, last_no bigint not null, recipients bytea not null,
                                           expires_at timestamptz not null);
    create table dispatch.word_told (alert_id uuid not null, wave smallint not null, first_hand_over_at timestamptz, last_closed_at timestamptz,
                                     handed_over bigint, unreachable bigint, open bigint, primary key (alert_id, wave));
    create table dispatch.wave_story (alert_id uuid not null, wave smallint not null, recipients bigint not null, no_channel bigint not null,
                                      began_at timestamptz not null, planned_at timestamptz, closed_at timestamptz);
    create table dispatch.handed_story (alert_id uuid not null, wave smallint not null, channel text not null, first_at timestamptz,
                                        last_at timestamptz, handed_over bigint, unreachable bigint, withdrawn bigint, open bigint);
    create table dispatch.unlike_story (alert_id uuid not null, part text, language text, channel text, approved text, found text,
                                        found_at timestamptz, went_on_at timestamptz, went_on_by uuid, reason text);
    create table dispatch.follow_up_story (alert_id uuid not null, outcome text, people bigint, first_at timestamptz, last_at timestamptz);";

/// What dispatch and review read of display.
pub const DISPLAY: &str = "
    create schema display;
    create table display.shown_story (alert_id uuid primary key, given jsonb, given_at timestamptz, screens bigint, plays bigint, first_at timestamptz,
                                      last_at timestamptz);";

/// Who might decide about an alert, as review reads it of identity.
pub const IDENTITY: &str = "
    create schema identity;
    create table identity.officer (staff_id uuid primary key, name text, role text, scope text, acts_from timestamptz, in_use bool,
                                   signed_in_at timestamptz, session_until timestamptz);";

/// What resident reads of sms.
pub const SMS: &str = "
    create schema sms;
    create table sms.handed (resident_no bigint not null, alert_id uuid not null, at timestamptz not null);";

/// Makes such tables.
pub async fn stand_in(platform: &Platform, tables: &'static str) {
    sqlx::raw_sql(tables).execute(platform.database.pool()).await.unwrap();
}

/// How somebody is reached.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// They have the app.
    pub app: bool,
    /// They have a phone for short messages.
    pub sms: bool,
    /// They take part in exercises.
    pub drill: bool,
    /// In which language.
    pub language: Language,
}

/// Residents of one community of 500103, all reached in one way.
pub async fn residents(platform: &Platform, numbers: impl IntoIterator<Item = u32>, reach: Reach) {
    let numbers: Vec<i32> = numbers.into_iter().map(|number| number.try_into().unwrap()).collect();
    sqlx::query("insert into resident.reach select n, 500103, 500103001, 500103001001, null, $2, $3, $4, $5 from unnest($1::int[]) as n")
        .bind(numbers)
        .bind(reach.language.as_ref())
        .bind(reach.app)
        .bind(reach.sms)
        .bind(reach.drill)
        .execute(platform.database.pool())
        .await
        .unwrap();
}

/// A device of theirs, as it is stored.
pub async fn device(platform: &Platform, resident_no: u32, endpoint_id: i64, kind: &str, stored: &[u8], language: Language) {
    let sealed = platform.keyring.seal(Purpose::PushToken, stored).into_bytes();
    endpoint(platform, resident_no, endpoint_id, kind, sealed, language).await;
}

/// Their phone.
pub async fn phone(platform: &Platform, resident_no: u32, phone: &str) {
    let e164 = phone.parse::<PhoneNumber>().unwrap().e164();
    let sealed = platform.keyring.seal(Purpose::ResidentPhone, e164.as_bytes()).into_bytes();
    endpoint(platform, resident_no, -i64::from(resident_no), "phone", sealed, Language::ZhCn).await;
}

async fn endpoint(platform: &Platform, resident_no: u32, endpoint_id: i64, kind: &str, sealed: Vec<u8>, language: Language) {
    sqlx::query("insert into resident.endpoint values ($1, $2, $3, $4, $5, $6)")
        .bind(i32::try_from(resident_no).unwrap())
        .bind(endpoint_id)
        .bind(kind)
        .bind(sealed)
        .bind(language.as_ref())
        .bind(platform.clock.now())
        .execute(platform.database.pool())
        .await
        .unwrap();
}

/// Whoever approved an alert sealed what review shows of it, having been shown so many people.
pub async fn sealed(
    platform: &Platform,
    alert_id: AlertId,
    class: DeliveryClass,
    content: &AlertContent,
    audience: &Audience,
    people: Option<u64>,
) {
    sqlx::query("update review.approved_alert set seal = $2 where alert_id = $1")
        .bind(alert_id.uuid())
        .bind(serde_json::to_value(ApprovalSeal::of(class, content, audience, people)).unwrap())
        .execute(platform.database.pool())
        .await
        .unwrap();
}

/// Review shows that an alert was approved, or stopped, or whatever became of it, now.
pub async fn standing(platform: &Platform, alert_id: AlertId, state: &str) {
    sqlx::query(
        "insert into review.alert_standing (alert_id, state, approved_at, changed_at) values ($1, $2, $3, $3)
         on conflict (alert_id) do update set state = excluded.state, changed_at = excluded.changed_at",
    )
    .bind(alert_id.uuid())
    .bind(state)
    .bind(platform.clock.now())
    .execute(platform.database.pool())
    .await
    .unwrap();
}

/// Review shows that an alert is being checked from now on, or is so no longer.
pub async fn held(platform: &Platform, alert_id: AlertId, held: bool) {
    sqlx::query("update review.alert_standing set held_at = case when $2 then $3::timestamptz end, changed_at = $3 where alert_id = $1")
        .bind(alert_id.uuid())
        .bind(held)
        .bind(platform.clock.now())
        .execute(platform.database.pool())
        .await
        .unwrap();
}

/// Review withdraws an alert for these residents alone, now.
pub async fn withdrawn_for(platform: &Platform, alert_id: AlertId, numbers: impl IntoIterator<Item = u32>) {
    let numbers: Vec<i32> = numbers.into_iter().map(|number| number.try_into().unwrap()).collect();
    sqlx::query("insert into review.withdrawn_for select $1, n, $3 from unnest($2::int[]) as n")
        .bind(alert_id.uuid())
        .bind(numbers)
        .bind(platform.clock.now())
        .execute(platform.database.pool())
        .await
        .unwrap();
}

/// Dispatch shows how far an alert is: in this state, released now, and handed over or ended where the state says so.
pub async fn progress(platform: &Platform, alert_id: AlertId, state: &str) {
    sqlx::query(
        "insert into dispatch.alert_progress (alert_id, state, released_at, handed_over_at, ended_at)
         values ($1, $2, $3, case when $2 = 'active' then $3 end, case when $2 in ('closed', 'cancelled', 'superseded') then $3 end)
         on conflict (alert_id) do update
             set state = excluded.state, handed_over_at = coalesce(alert_progress.handed_over_at, excluded.handed_over_at),
                 ended_at = excluded.ended_at",
    )
    .bind(alert_id.uuid())
    .bind(state)
    .bind(platform.clock.now())
    .execute(platform.database.pool())
    .await
    .unwrap();
}

/// Review shows an alert of 500103 as approved now. Its short code is 7KQ3.
pub async fn approved(platform: &Platform, alert_id: AlertId, class: DeliveryClass, content: &AlertContent, audience: &Audience) {
    sqlx::query("insert into review.approved_alert values ($1, '7KQ3', $2, $3, $4, $5, 500103, $6)")
        .bind(alert_id.uuid())
        .bind(class.as_ref())
        .bind(serde_json::to_value(content).unwrap())
        .bind(audience.to_bytes())
        .bind(platform.clock.now())
        .bind(content.status == cap::Status::Exercise)
        .execute(platform.database.pool())
        .await
        .unwrap();
    standing(platform, alert_id, "approved").await;
}
