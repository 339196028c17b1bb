//! `fenghuo keys`: the keys that seal personal data, exchanged while everything runs (CQ13).

mod places;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand};
use platform::Platform;
use platform::crypto::KeySettings;
use platform::crypto::rotation::{self, Place, Progress};

use crate::configuration::Configuration;
use crate::migrate;
use places::PLACES;

/// What lies sealed in the cache or on the broker is gone after this long: sessions, codes, messages.
const LONGEST_ON_ITS_WAY: TimeDelta = TimeDelta::days(2);
/// Rows that somebody held are sealed anew the next time.
const PASSES: usize = 5;

/// The keys that seal personal data.
#[derive(Subcommand)]
pub(crate) enum Keys {
    Status(Status),
    Rotate(Rotate),
    Retire(Retire),
    Rewrap(Rewrap),
}

/// Say which keys there are, and how much is sealed with older ones.
#[derive(Args)]
pub(crate) struct Status {}

/// Make a new key and seal everything with it, while the platform runs.
///
/// It opens at every process before anything is sealed with it, so the first two minutes pass in waiting. It may be broken off and called again.
#[derive(Args)]
pub(crate) struct Rotate {
    /// Make no new key: go on with what is sealed with older ones.
    #[arg(long)]
    go_on: bool,
}

/// End the older keys, when nothing is sealed with them any more.
#[derive(Args)]
pub(crate) struct Retire {}

/// Exchange the master key: wrap every key under the new one as well, and, when all processes have it, no longer under the old one.
#[derive(Args)]
#[command(group(clap::ArgGroup::new("step").required(true).args(["to", "finish"])))]
pub(crate) struct Rewrap {
    /// The file of the new master key, 32 bytes as 64 hexadecimal digits.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// The configuration names the new one now, everywhere: drop the wrapping under the old one.
    #[arg(long)]
    finish: bool,
}

pub(crate) async fn run(config: Option<&Path>, keys: Keys) -> Result<()> {
    let settings = Configuration::load(config)?.stores().keys;
    let platform = migrate::open(config).await?;
    let done = match keys {
        Keys::Status(Status {}) => status(&platform).await,
        Keys::Rotate(Rotate { go_on }) => rotate(&platform, &settings, go_on).await,
        Keys::Retire(Retire {}) => retire(&platform).await,
        Keys::Rewrap(Rewrap { to: Some(file), .. }) => rewrap(&platform, &settings, file).await,
        Keys::Rewrap(Rewrap { .. }) => finish(&platform, &settings).await,
    };
    migrate::close(platform).await?;
    done
}

async fn status(platform: &Platform) -> Result<()> {
    let now = server_clock(platform).await?;
    for key in rotation::keys(&platform.database).await? {
        let what = match (key.usage.as_str(), key.retired_at) {
            (_, Some(at)) => format!("ended {}", at.format("%F %R")),
            ("hash", None) => "hashes".to_owned(),
            _ if i16::try_from(platform.keyring.sealing()).is_ok_and(|sealing| sealing == key.id) => "seals".to_owned(),
            _ if key.seals_from > now => format!("will seal from {}", key.seals_from.format("%F %R:%S")),
            _ => "opens".to_owned(),
        };
        let master = if key.wrapped_anew { ", under two master keys" } else { "" };
        println!("key {} ({}), made {}: {what}{master}", key.id, key.usage, key.made_at.format("%F"));
    }
    for place in PLACES {
        println!("{}.{}: {} sealed with an older key", place.table, place.column, left(platform, *place).await?);
    }
    Ok(())
}

async fn rotate(platform: &Platform, settings: &KeySettings, go_on: bool) -> Result<()> {
    if !go_on {
        let seals_from = rotation::add(settings, &platform.database).await.context("no new key was made")?;
        wait_until(platform, seals_from + TimeDelta::from_std(rotation::KNOWN_AFTER / 4).unwrap_or_default()).await?;
        platform.keyring.look(&platform.database).await?;
    }
    let sealing = platform.keyring.sealing();
    for _ in 0..PASSES {
        let mut damaged = 0;
        for place in PLACES {
            damaged += reseal(platform, *place).await?.damaged;
        }
        let mut all = 0;
        for place in PLACES {
            all += left(platform, *place).await?;
        }
        if all == damaged {
            println!("fenghuo: everything is sealed with key {sealing}{}", of_damaged(damaged));
            println!("fenghuo: older keys open what is on its way; end them in two days or later: fenghuo keys retire");
            return Ok(());
        }
    }
    bail!(
        "some values are still sealed with an older key: is a process running that does not look for new keys? Call it again with --go-on"
    );
}

fn of_damaged(damaged: u64) -> String {
    if damaged == 0 { String::new() } else { format!(", but for {damaged} values that no key opens") }
}

/// Seals a column anew, and tells how far it is.
async fn reseal(platform: &Platform, place: Place) -> Result<Progress> {
    let mut last = std::time::Instant::now();
    let shows = std::io::stderr().is_terminal();
    let told = |progress: Progress| {
        if shows && last.elapsed() > Duration::from_millis(500) {
            last = std::time::Instant::now();
            let Progress { pages, of, sealed, .. } = progress;
            eprint!("\r{}.{}: {} %, {sealed} sealed anew ", place.table, place.column, pages * 100 / of.max(1));
            // progress that is not shown is no failure
            let _ = std::io::stderr().flush();
        }
    };
    let progress = rotation::reseal(&platform.database, &platform.keyring, place, told)
        .await
        .with_context(|| format!("{}.{} was sealed anew in part: call it again with --go-on", place.table, place.column))?;
    if shows {
        eprint!("\r");
    }
    if progress.sealed > 0 {
        println!("{}.{}: {} sealed anew", place.table, place.column, progress.sealed);
    }
    Ok(progress)
}

async fn left(platform: &Platform, place: Place) -> Result<u64> {
    let left = rotation::left(&platform.database, &platform.keyring, place).await;
    left.with_context(|| format!("{}.{} cannot be looked through", place.table, place.column))
}

async fn server_clock(platform: &Platform) -> Result<DateTime<Utc>> {
    Ok(platform.database.server_clock().await?)
}

async fn wait_until(platform: &Platform, then: DateTime<Utc>) -> Result<()> {
    if then > server_clock(platform).await? {
        println!("fenghuo: the new key is made; until {} UTC every process learns of it", then.format("%R:%S"));
    }
    loop {
        match (then - server_clock(platform).await?).to_std() {
            Ok(left) if !left.is_zero() => tokio::time::sleep(left.min(Duration::from_secs(5))).await,
            _ => return Ok(()),
        }
    }
}

async fn retire(platform: &Platform) -> Result<()> {
    for place in PLACES {
        let left = left(platform, *place).await?;
        ensure!(
            left == 0,
            "{left} values of {}.{} are sealed with an older key, and nobody could open them: fenghuo keys rotate --go-on",
            place.table,
            place.column
        );
    }
    let dead = platform::bus::dead_letters_in(platform.database.pool().acquire().await?.driver()).await?;
    ensure!(dead == 0, "{dead} dead letters may hold what is sealed with an older key: have them delivered again, or dropped, first");
    let before = server_clock(platform).await? - LONGEST_ON_ITS_WAY;
    let retired = rotation::retire(&platform.database, &platform.keyring, before).await?;
    ensure!(
        retired > 0,
        "there is no older key, or the new one has not sealed for two days yet: what is in the cache may still need the older one"
    );
    println!("fenghuo: {retired} older keys have ended");
    Ok(())
}

async fn rewrap(platform: &Platform, settings: &KeySettings, file: PathBuf) -> Result<()> {
    let new = KeySettings { master_key_file: Some(file.clone()), ..KeySettings::default() };
    let keys = rotation::wrap_anew(settings, &new, &platform.database).await?;
    println!("fenghuo: {keys} keys are wrapped under both master keys; processes start with either");
    println!(
        "set keys.master_key_file to {} and start every process anew, one after the other; then: fenghuo keys rewrap --finish",
        file.display()
    );
    Ok(())
}

async fn finish(platform: &Platform, settings: &KeySettings) -> Result<()> {
    let keys = rotation::drop_old_wrapping(settings, &platform.database)
        .await
        .context("nothing was dropped: the configuration has to name the new master key")?;
    println!("fenghuo: {keys} keys are wrapped under this master key alone; the old one opens nothing any more, but for dumps from before");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use platform::StoreSettings;
    use platform::clock::Clock;
    use platform::crypto::{Keyring, Purpose, Sealed};
    use platform::database::Database;
    use sqlx::AssertSqlSafe;

    use super::*;
    use crate::services;

    async fn city() -> (Platform, StoreSettings) {
        let stores = StoreSettings { keys: platform::scratch::passing_key(), ..StoreSettings::default() };
        let platform = Platform::on(Database::temporary().await.unwrap(), &stores, Clock::real()).await.unwrap();
        services::migrate(&platform).await.unwrap();
        (platform, stores)
    }

    /// As though so much time had passed since the newest key was made.
    async fn later(platform: &Platform, interval: &str) {
        let moved = format!("update keys.wrapped_key set seals_from = seals_from - interval '{interval}' where retired_at is null");
        sqlx::raw_sql(AssertSqlSafe(moved)).execute(platform.database.pool()).await.unwrap();
        platform.keyring.look(&platform.database).await.unwrap();
    }

    /// People who have registered before keys were exchanged.
    async fn register(platform: &Platform, people: u32) {
        let sealed: Vec<Vec<u8>> =
            (0..people).map(|no| platform.keyring.seal(Purpose::ResidentPhone, format!("+86138{no:08}").as_bytes()).into_bytes()).collect();
        sqlx::query(
            "insert into resident.resident (phone_hash, phone_sealed, district, township, community, notices, registered_at)
             select sha256(sealed), sealed, 500101, 500101001, 500101001001, true, now() from unnest($1::bytea[]) as person (sealed)",
        )
        .bind(sealed)
        .execute(platform.database.pool())
        .await
        .unwrap();
    }

    async fn phones(platform: &Platform) -> BTreeSet<String> {
        let rows: Vec<Vec<u8>> =
            sqlx::query_scalar("select phone_sealed from resident.resident").fetch_all(platform.database.pool()).await.unwrap();
        let open = |bytes| platform.keyring.open(Purpose::ResidentPhone, &Sealed::from_bytes(bytes).unwrap()).unwrap().to_vec();
        rows.into_iter().map(open).map(|plain| String::from_utf8(plain).unwrap()).collect()
    }

    #[tokio::test]
    async fn every_column_of_sealed_values_is_sealed_anew() {
        let (platform, _) = city().await;
        let named: Vec<(String, String)> = sqlx::query_as(
            "select c.table_schema || '.' || c.table_name, c.column_name::text
               from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
              where c.data_type = 'bytea' and t.table_type = 'BASE TABLE' and (c.column_name ~ 'sealed' or c.column_name ~ 'secret')
                and c.table_name !~ '_(default|[0-9]{4}_[0-9]{2})$'",
        )
        .fetch_all(platform.database.pool())
        .await
        .unwrap();
        let named: BTreeSet<(String, String)> = named.into_iter().collect();
        let known: BTreeSet<(String, String)> = PLACES.iter().map(|place| (place.table.to_owned(), place.column.to_owned())).collect();
        assert_eq!(known, named);
    }

    #[tokio::test]
    async fn keys_are_exchanged_while_everybody_works_and_the_old_one_ends() {
        let (platform, stores) = city().await;
        register(&platform, 3_000).await;
        let (before, told) = (phones(&platform).await, sum_of_arrivals(&platform).await);

        let seals_from = rotation::add(&stores.keys, &platform.database).await.unwrap();
        platform.keyring.look(&platform.database).await.unwrap();
        assert_eq!(platform.keyring.sealing(), 1, "first everybody learns of it");
        assert_eq!(rotation::add(&stores.keys, &platform.database).await.unwrap(), seals_from, "a second call makes no second one");
        later(&platform, "3 minutes").await;
        assert_eq!(platform.keyring.sealing(), 3);
        assert!(retire(&platform).await.is_err(), "nobody could open what is sealed with the old one");

        let place = PLACES[0];
        assert_eq!(left(&platform, place).await.unwrap(), 3_000);
        // somebody holds a row: it waits for the next time
        let mut holder = platform.database.begin().await.unwrap();
        sqlx::raw_sql("update resident.resident set notices = notices where resident_no = 7").execute(&mut *holder).await.unwrap();
        let progress = reseal(&platform, place).await.unwrap();
        assert_eq!((progress.sealed, progress.damaged, left(&platform, place).await.unwrap()), (2_999, 0, 1));
        holder.rollback().await.unwrap();
        assert_eq!(reseal(&platform, place).await.unwrap().sealed, 1);
        assert_eq!(left(&platform, place).await.unwrap(), 0);
        assert_eq!(phones(&platform).await, before);
        assert_eq!(sum_of_arrivals(&platform).await, told, "nobody has arrived or moved by it");

        rotate(&platform, &stores.keys, true).await.unwrap();
        assert!(retire(&platform).await.is_err(), "what is in the cache may need the old one");
        later(&platform, "3 days").await;
        retire(&platform).await.unwrap();
        // a process that starts now knows the new one alone
        let fresh = Keyring::load(&stores.keys, &platform.database).await.unwrap();
        assert_eq!(format!("{fresh:?}"), "Keyring(1 data keys)");
        assert_eq!(phones(&Platform { keyring: fresh, ..platform.clone() }).await, before);
        assert!(rotation::keys(&platform.database).await.unwrap().iter().any(|key| key.id == 1 && key.retired_at.is_some()));
        platform.database.close().await.unwrap();
    }

    /// How often the audience of an alert has to be looked at anew.
    async fn sum_of_arrivals(platform: &Platform) -> i64 {
        sqlx::query_scalar("select count(*) from resident.arrival").fetch_one(platform.database.pool()).await.unwrap()
    }

    #[tokio::test]
    async fn the_key_that_signs_the_trace_is_sealed_anew_and_stays_what_it_is() {
        let (platform, stores) = city().await;
        let sealed = platform.keyring.seal(Purpose::AuditSigningKey, &[7; 32]).into_bytes();
        sqlx::query("insert into audit.signing_key (public_key, sealed, made_at_ms) values ($1, $2, 0)")
            .bind(vec![1_u8; 32])
            .bind(sealed)
            .execute(platform.database.pool())
            .await
            .unwrap();
        rotation::add(&stores.keys, &platform.database).await.unwrap();
        later(&platform, "3 minutes").await;
        rotate(&platform, &stores.keys, true).await.unwrap();
        let place = PLACES.iter().find(|place| place.table == "audit.signing_key").unwrap();
        assert_eq!(left(&platform, *place).await.unwrap(), 0);
        for change in ["update audit.signing_key set public_key = sha256('')", "delete from audit.signing_key"] {
            assert!(sqlx::raw_sql(change).execute(platform.database.pool()).await.is_err(), "{change}");
        }
        platform.database.close().await.unwrap();
    }

    #[tokio::test]
    async fn the_master_key_is_exchanged_while_processes_start_with_either() {
        let (platform, stores) = city().await;
        register(&platform, 10).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new.key");
        std::fs::write(&file, "11".repeat(32)).unwrap();
        let new = KeySettings { master_key_file: Some(file.clone()), ..KeySettings::default() };
        assert!(Keyring::load(&new, &platform.database).await.is_err(), "it opens nothing yet");
        assert!(finish(&platform, &new).await.is_err());

        rewrap(&platform, &stores.keys, file).await.unwrap();
        for either in [&stores.keys, &new] {
            Keyring::load(either, &platform.database).await.unwrap();
        }
        assert!(rotation::add(&stores.keys, &platform.database).await.is_err(), "not everybody would open a new one");
        assert!(finish(&platform, &stores.keys).await.is_err(), "not by who has the old one");
        finish(&platform, &new).await.unwrap();
        assert!(Keyring::load(&stores.keys, &platform.database).await.is_err());
        let keyring = Keyring::load(&new, &platform.database).await.unwrap();
        assert_eq!(phones(&Platform { keyring, ..platform.clone() }).await.len(), 10);
        // who runs on knows what it knew
        assert_eq!(phones(&platform).await.len(), 10);
        platform.database.close().await.unwrap();
    }
}
