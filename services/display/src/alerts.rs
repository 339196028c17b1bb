//! Alerts come and go: the handlers of `alert.released`, `alert.stopped` and `alert.closed`, and the expiry.
//!
//! Events may come twice and in any order. A stop that comes first is kept; an alert that has ended never comes back.

use domain::{
    alert::AlertContent,
    area::{Area, DistrictCode},
    audience::Audience,
    ids::AlertId,
};
use platform::{Platform, database::readable, worker::Wake};

use crate::{
    error::Error,
    playlist::{self, Shown},
};

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Alerts {
    pub(crate) platform: Platform,
    /// Tells the feed of this process.
    pub(crate) changed: Wake,
}

/// Ended alerts are told to screens for so long; a screen that was away for longer is told its whole list anyway.
const ENDED_KEPT_S: f64 = 86_400.0;

impl Alerts {
    /// Gives a released alert to the screens, if it is meant for screens.
    pub(crate) async fn released(&self, alert_id: &str) -> Result<(), Error> {
        let alert_id: AlertId = alert_id.parse().map_err(Error::Event)?;
        // An explicit audience has no places of its own; then the district counts in which the alert came up.
        let row = sqlx::query!(
            r#"select class as "class!", exercise as "exercise!", content as "content!", released.audience as "audience!",
                      released_at as "released_at!", expires_at as "expires_at!", approved.district as "district?"
               from dispatch.released_alert released
               left join (select alert_id, district from review.approved_alert) approved using (alert_id)
               where alert_id = $1"#,
            alert_id.uuid()
        )
        .fetch_optional(self.platform.database.pool())
        .await?;
        // No longer among the released ones: it ended before we came to it.
        let Some(row) = row else { return Ok(()) };
        let content: AlertContent =
            serde_json::from_value(row.content.clone()).map_err(|error| Error::damaged("content", alert_id, error))?;
        if !content.display {
            return Ok(());
        }
        let audience = Audience::from_bytes(&row.audience).map_err(|error| Error::damaged("audience", alert_id, error))?;
        let district = row.district.map(DistrictCode::try_from).transpose();
        let district = district.map_err(|error| Error::damaged("district", alert_id, error))?;
        let areas: Vec<String> = playlist::areas(&audience, &content, district).iter().map(ToString::to_string).collect();
        sqlx::query!(
            "insert into display.alert (alert_id, urgent, exercise, content, areas, released_at, expires_at)
             select $1, $2, $3, $4, $5, $6, $7 where not exists (select from display.stop where alert_id = $1)
             on conflict (alert_id) do nothing",
            alert_id.uuid(),
            row.class == "urgent",
            row.exercise,
            row.content,
            &areas,
            row.released_at,
            row.expires_at,
        )
        .execute(self.platform.database.pool())
        .await?;
        self.changed.wake();
        Ok(())
    }

    /// Takes an alert off all screens: it was cancelled, corrected or closed.
    pub(crate) async fn ended(&self, alert_id: &str) -> Result<(), Error> {
        let alert_id: AlertId = alert_id.parse().map_err(Error::Event)?;
        let now = self.platform.clock.now();
        let mut tx = self.platform.database.begin().await?;
        sqlx::query!(
            "insert into display.stop (alert_id, stopped_at) values ($1, $2) on conflict (alert_id) do nothing",
            alert_id.uuid(),
            now
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "update display.alert set state = 'stopped', ended_at = $2, revision = nextval('display.revision')
             where alert_id = $1 and state = 'live'",
            alert_id.uuid(),
            now
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.changed.wake();
        Ok(())
    }

    /// Ends what has expired, then reads all that screens have to know.
    pub(crate) async fn current(&self) -> Result<Vec<Shown>, Error> {
        let (pool, now) = (self.platform.database.pool(), self.platform.clock.now());
        sqlx::query!(
            "update display.alert set state = 'expired', ended_at = $1, revision = nextval('display.revision')
             where state = 'live' and expires_at <= $1",
            now
        )
        .execute(pool)
        .await?;
        let rows = sqlx::query!(
            r#"select alert_id, urgent, exercise, content, areas, released_at, revision, state = 'live' as "live!"
               from display.alert where state = 'live' or ended_at > $1::timestamptz - make_interval(secs => $2)"#,
            now,
            ENDED_KEPT_S
        )
        .fetch_all(pool)
        .await?;
        let alerts = rows.into_iter().map(|row| {
            let alert_id = AlertId::from_uuid(row.alert_id);
            let areas: Result<Vec<Area>, _> = row.areas.iter().map(|area| area.parse()).collect();
            Ok::<_, Error>(Shown {
                alert_id,
                urgent: row.urgent,
                exercise: row.exercise,
                content: serde_json::from_value(row.content).map_err(|error| Error::damaged("content", alert_id, error))?,
                areas: areas.map_err(|error| Error::damaged("areas", alert_id, error))?,
                released_at: row.released_at,
                live: row.live,
                revision: row.revision,
            })
        });
        Ok(readable("alerts of screens", alerts))
    }
}
