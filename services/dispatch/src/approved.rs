//! An approved alert becomes dispatch's: copied once, with its deadline and the moment from which it may be sent.

use domain::alert::{AlertContent, DeliveryClass};
use domain::approval_seal::{Terms, unsealed};
use domain::audience::Audience;
use domain::deadline;
use domain::ids::AlertId;
use platform::Platform;
use platform::database::Connection;

use crate::settings::Settings;
use crate::{Error, signals, unlike, withdrawn_for};

/// Takes over an alert of which alert.approved tells. A repeat changes nothing; a stop that came first still holds.
pub(crate) async fn on_approved(platform: &Platform, settings: &Settings, alert_id: AlertId) -> Result<(), Error> {
    let mut tx = platform.database.begin().await?;
    one_at_a_time(&mut tx, alert_id).await?;
    let row = sqlx::query!(
        r#"select short_code as "short_code!", class as "class!", content as "content!", audience as "audience!",
                  approved_at as "approved_at!", exercise as "exercise!", district, corrects, for_holders as "for_holders!", seal,
                  (select s.held_at from review.alert_standing s where s.alert_id = $1) as held_at
             from review.approved_alert where alert_id = $1"#,
        alert_id.uuid()
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NotApproved(alert_id))?;
    let class: DeliveryClass = row.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?;
    let content: AlertContent = serde_json::from_value(row.content.clone()).map_err(|error| Error::damaged("content", alert_id, error))?;
    let audience = Audience::from_bytes(&row.audience).map_err(|error| Error::damaged("audience", alert_id, error))?;
    let due_at = deadline::due_at(class, row.approved_at, &settings.quiet_hours);
    let release_at = deadline::release_at(class, row.approved_at, &settings.quiet_hours);
    let seal = unlike::seal_of(alert_id, row.seal.clone())?;
    let terms = Terms { exercise: row.exercise, ..Terms::of(class, &content) };
    let differences = match seal {
        Some(seal) => seal.unlike(&terms, &content, &audience),
        None if unlike::must_be_sealed(&mut tx, row.approved_at).await? => vec![unsealed()],
        None => Vec::new(),
    };
    sqlx::query!(
        r#"insert into dispatch.alert (alert_id, short_code, class, exercise, content, audience, personal, approved_at, release_at, due_at,
                                       expires_at, ack_window_s, district, state, ended_at, corrects, root_id, held_at, for_holders, seal)
           select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, coalesce(stop.how, 'waiting'), stop.stopped_at,
                  $14, coalesce((select old.root_id from dispatch.alert old where old.alert_id = $14), $14), $15, $16, $17
             from (select) as always left join dispatch.stop on stop.alert_id = $1
           on conflict (alert_id) do nothing"#,
        alert_id.uuid(),
        row.short_code,
        row.class,
        row.exercise,
        row.content,
        row.audience,
        matches!(audience, Audience::Residents(_)),
        row.approved_at,
        release_at,
        due_at,
        content.expires_at,
        i64::from(content.ack_window_s.seconds()),
        row.district,
        row.corrects,
        row.held_at,
        row.for_holders,
        row.seal,
    )
    .execute(&mut *tx)
    .await?;
    if !differences.is_empty() {
        // held before the first chunk is planned
        unlike::hold(&mut tx, alert_id, &differences, platform.clock.now()).await?;
    }
    withdrawn_for::take_over(&mut tx, alert_id, row.approved_at).await?;
    tx.commit().await?;
    tracing::info!(%alert_id, %class, %release_at, %due_at, "alert taken over for sending");
    signals::PLANNER.wake();
    signals::URGENT_PLANNER.wake();
    signals::FORECAST.wake();
    Ok(())
}

/// Approval and stop of one alert may arrive at the same moment: one of them waits, so that neither misses the other.
pub(crate) async fn one_at_a_time(connection: &mut Connection, alert_id: AlertId) -> Result<(), Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", alert_id.to_string()).execute(connection).await?;
    Ok(())
}
