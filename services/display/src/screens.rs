//! The registry of screens, and how a screen proves which one it is.
//!
//! A screen gets its key once, when it is registered; only the keyed hash is stored. A lost key means a new screen.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{
    area::Area,
    ids::{ScreenId, StaffId},
    language::Language,
};
use platform::{
    Platform,
    crypto::{Keyring, Purpose},
    database::readable,
    http::{Authenticator, Caller, Problem, ScreenCaller},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    error::Error,
    playlist::{Form, Profile},
};

const KEY_PREFIX: &str = "fhd_";

/// A screen as staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Screen {
    /// Its id.
    pub screen_id: ScreenId,
    /// Its name.
    pub name: String,
    /// Where it hangs, as people say it.
    pub place: String,
    /// Where it hangs.
    pub area: Area,
    /// What it is read in.
    pub languages: Vec<Language>,
    /// How it shows texts.
    pub form: Form,
    /// Whether it shows exercises.
    pub drill: bool,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it last gave a sign of life.
    pub last_heartbeat_at: Option<DateTime<Utc>>,
    /// Whether it has been silent for too long: somebody should go and look.
    pub stale: bool,
}

/// A screen to register, already checked.
pub(crate) struct NewScreen {
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) profile: Profile,
}

/// The key of a screen; it is shown once, and never by `Debug`.
pub(crate) struct Key(String);

impl Key {
    fn new() -> Self {
        let secret: [u8; 32] = rand::random();
        Self(format!("{KEY_PREFIX}{}", hex::encode(secret)))
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

fn hash(keyring: &Keyring, key: &str) -> [u8; 32] {
    *keyring.hash(Purpose::ScreenToken, key.as_bytes()).bytes()
}

/// Registers a screen.
pub(crate) async fn register(platform: &Platform, screen: &NewScreen, by: StaffId) -> Result<(ScreenId, Key), Error> {
    let (screen_id, key) = (ScreenId::new(), Key::new());
    let languages: Vec<String> = screen.profile.languages.iter().map(ToString::to_string).collect();
    let now = platform.clock.now();
    let mut tx = platform.database.begin().await?;
    sqlx::query!(
        "insert into display.screen (screen_id, name, place, area, languages, form, drill, key_hash, created_by, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        screen_id.uuid(),
        screen.name,
        screen.place,
        screen.profile.area.to_string(),
        &languages,
        screen.profile.form.as_ref(),
        screen.profile.drill,
        &hash(&platform.keyring, &key.0),
        by.uuid(),
        now,
    )
    .execute(&mut *tx)
    .await?;
    crate::trace::write(&mut tx, by, "screen_registered", screen_id, screen.profile.area, now).await?;
    tx.commit().await?;
    Ok((screen_id, key))
}

/// Retires a screen: its key is worth nothing from now on.
pub(crate) async fn retire(platform: &Platform, screen_id: ScreenId, by: StaffId) -> Result<(), Error> {
    let now = platform.clock.now();
    let mut tx = platform.database.begin().await?;
    let area = sqlx::query_scalar!(
        "update display.screen set retired_at = $2 where screen_id = $1 and retired_at is null returning area",
        screen_id.uuid(),
        now
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(Error::NoSuchScreen(screen_id))?;
    crate::trace::write(&mut tx, by, "screen_retired", screen_id, parse_area(screen_id, &area)?, now).await?;
    Ok(tx.commit().await?)
}

/// The screens in use, by name. Silent since `stale_before` means stale; a screen that never spoke counts from its registration.
pub(crate) async fn list(platform: &Platform, stale_before: DateTime<Utc>) -> Result<Vec<Screen>, Error> {
    let rows = sqlx::query!(
        r#"select screen_id, name, place, area, languages, form, drill, created_at, last_heartbeat_at,
                  coalesce(last_heartbeat_at, created_at) < $1 as "stale!"
           from display.screen where retired_at is null order by name, screen_id"#,
        stale_before
    )
    .fetch_all(platform.database.pool())
    .await?;
    let screens = rows.into_iter().map(|row| {
        let screen_id = ScreenId::from_uuid(row.screen_id);
        let profile = profile(screen_id, &row.area, &row.languages, &row.form, row.drill)?;
        Ok::<_, Error>(Screen {
            screen_id,
            name: row.name,
            place: row.place,
            area: profile.area,
            languages: profile.languages,
            form: profile.form,
            drill: profile.drill,
            created_at: row.created_at,
            last_heartbeat_at: row.last_heartbeat_at,
            stale: row.stale,
        })
    });
    Ok(readable("screens", screens))
}

/// What decides about a screen's list.
pub(crate) async fn profile_of(platform: &Platform, screen_id: ScreenId) -> Result<Profile, Error> {
    let row = sqlx::query!(
        "select area, languages, form, drill from display.screen where screen_id = $1 and retired_at is null",
        screen_id.uuid()
    )
    .fetch_optional(platform.database.pool())
    .await?
    .ok_or(Error::NoSuchScreen(screen_id))?;
    profile(screen_id, &row.area, &row.languages, &row.form, row.drill)
}

/// Where a screen in use hangs.
pub(crate) async fn area_of(platform: &Platform, screen_id: ScreenId) -> Result<Area, Error> {
    Ok(profile_of(platform, screen_id).await?.area)
}

/// Notes a sign of life and which list the screen shows.
pub(crate) async fn heartbeat(platform: &Platform, screen_id: ScreenId, showing: i64) -> Result<(), Error> {
    sqlx::query!(
        "update display.screen set last_heartbeat_at = $2, showing_revision = $3 where screen_id = $1",
        screen_id.uuid(),
        platform.clock.now(),
        showing
    )
    .execute(platform.database.pool())
    .await?;
    Ok(())
}

fn profile(screen_id: ScreenId, area: &str, languages: &[String], form: &str, drill: bool) -> Result<Profile, Error> {
    let languages: Result<Vec<Language>, _> = languages.iter().map(|language| language.parse()).collect();
    Ok(Profile {
        area: parse_area(screen_id, area)?,
        languages: languages.map_err(|error| Error::damaged("languages", screen_id, error))?,
        form: form.parse().map_err(|error: strum::ParseError| Error::damaged("form", screen_id, error))?,
        drill,
    })
}

fn parse_area(screen_id: ScreenId, area: &str) -> Result<Area, Error> {
    area.parse().map_err(|error: domain::area::AreaError| Error::damaged("area", screen_id, error))
}

/// Knows the tokens of screens.
pub(crate) struct ScreenKeys {
    pub(crate) platform: Platform,
}

#[async_trait]
impl Authenticator for ScreenKeys {
    fn prefixes(&self) -> &'static [&'static str] {
        &[KEY_PREFIX]
    }

    async fn authenticate(&self, token: &str) -> Result<Option<Caller>, Problem> {
        let found: Option<Uuid> = sqlx::query_scalar!(
            "select screen_id from display.screen where key_hash = $1 and retired_at is null",
            &hash(&self.platform.keyring, token)
        )
        .fetch_optional(self.platform.database.pool())
        .await
        .map_err(Error::from)?;
        Ok(found.map(|id| Caller::Screen(ScreenCaller { id: ScreenId::from_uuid(id) })))
    }
}
