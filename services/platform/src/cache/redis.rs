//! The cache in Redis: each entry a hash of value and expiry, each operation one command or script.
//!
//! Whether an entry has expired is judged by the caller's clock and not by that of Redis, because the caller's may be moved. Redis' own expiry only
//! sweeps; beside a moved clock, which may stand still, it sweeps a day late. Buckets go by the clock of Redis, which is the same for all who
//! take from them; only a moved clock has them go by its own.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, FromRedisValue, IntoConnectionInfo as _, RedisError, Script, ScriptInvocation,
    TlsCertificates,
};
use secrecy::ExposeSecret as _;

use super::settings::CacheSettings;
use crate::encryption::{self, Asked};
use crate::error::Error;

const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const RECONNECTS: usize = 2;
const DAY_MS: i64 = 86_400_000;

/// `v` is the value, `e` the expiry in milliseconds of the caller's clock. KEYS[1]; ARGV: now, then as named.
const GET: &str = "local f = redis.call('HMGET', KEYS[1], 'v', 'e')
if f[1] and tonumber(f[2]) > tonumber(ARGV[1]) then return f[1] end
return false";
const TAKE: &str = "local f = redis.call('HMGET', KEYS[1], 'v', 'e')
redis.call('DEL', KEYS[1])
if f[1] and tonumber(f[2]) > tonumber(ARGV[1]) then return f[1] end
return false";
/// ARGV: now, expiry, sweep after ms, value.
const SET: &str = "redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'v', ARGV[4], 'e', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1";
const SET_IF_ABSENT: &str = "local e = redis.call('HGET', KEYS[1], 'e')
if e and tonumber(e) > tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'v', ARGV[4], 'e', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1";
/// ARGV: now, expiry, sweep after ms, value, what has to be there.
const REPLACE: &str = "local f = redis.call('HMGET', KEYS[1], 'v', 'e')
if not f[1] or tonumber(f[2]) <= tonumber(ARGV[1]) or f[1] ~= ARGV[5] then return 0 end
redis.call('HSET', KEYS[1], 'v', ARGV[4], 'e', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1";
/// ARGV: now, expiry, sweep after ms.
const INCR: &str = "local e = redis.call('HGET', KEYS[1], 'e')
if e and tonumber(e) > tonumber(ARGV[1]) then return redis.call('HINCRBY', KEYS[1], 'n', 1) end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'n', 1, 'e', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1";
/// ARGV: now, or nothing for the time of Redis; tokens a second, burst, wanted, sweep after ms. Milliseconds to wait; 0 when they were taken.
const TAKE_TOKENS: &str = "local now, rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not now then
  local t = redis.call('TIME')
  now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
local f = redis.call('HMGET', KEYS[1], 't', 'a')
local tokens, at = tonumber(f[1] or burst), tonumber(f[2] or now)
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000)
local wait = 0
if tokens >= wanted then tokens = tokens - wanted else wait = math.max(1, math.ceil((wanted - tokens) * 1000 / rate)) end
redis.call('HSET', KEYS[1], 't', string.format('%.17g', tokens), 'a', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return wait";

/// What Redis says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisStanding {
    /// Its version.
    pub version: String,
    /// Its clock.
    pub now: DateTime<Utc>,
    /// What it throws away when its memory is full (`maxmemory-policy`).
    pub policy: String,
    /// How much memory it may use, in bytes; 0 is as much as there is.
    pub most_memory: u64,
}

/// Who connects to the server of the settings.
fn client(settings: &CacheSettings) -> Result<Client, Error> {
    let failed = |source| Error::Cache { action: "reading its address", source };
    let asked = Asked { tls: settings.tls, ca_file: settings.ca_file.as_deref() };
    encryption::choose_library();
    let server = settings.url.expose_secret().into_connection_info().map_err(failed)?;
    match server.addr() {
        ConnectionAddr::TcpTls { insecure: true, .. } => {
            return Err(Error::Setting {
                name: "cache.url",
                reason: "#insecure would believe any server: name its authority in cache.ca_file".to_owned(),
            });
        }
        ConnectionAddr::Tcp(host, _) if asked.is_encrypted(host) => {
            return Err(encryption::in_the_clear("cache.url", host, "rediss://", "cache.tls"));
        }
        _ => {}
    }
    match asked.authority("cache.ca_file")? {
        Some(certificates) => {
            let believed = TlsCertificates { client_tls: None, root_cert: Some(certificates.into_bytes()) };
            Client::build_with_tls(server, believed).map_err(failed)
        }
        None => Client::open(server).map_err(failed),
    }
}

/// Asks Redis, over one connection that is not made again.
pub(super) async fn standing(settings: &CacheSettings) -> Result<RedisStanding, Error> {
    required(settings)?;
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_TIMEOUT)).set_response_timeout(Some(RESPONSE_TIMEOUT));
    let client = client(settings)?;
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await.map_err(failed("connecting"))?;
    let (seconds, micros): (i64, u32) = redis::cmd("TIME").query_async(&mut connection).await.map_err(failed("asking the time"))?;
    let info: String = redis::cmd("INFO").query_async(&mut connection).await.map_err(failed("asking"))?;
    let value = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default().trim().to_owned();
    Ok(RedisStanding {
        version: value("redis_version"),
        now: DateTime::from_timestamp(seconds, micros.saturating_mul(1_000)).unwrap_or_default(),
        policy: value("maxmemory_policy"),
        most_memory: value("maxmemory").parse().unwrap_or(0),
    })
}

fn required(settings: &CacheSettings) -> Result<(), Error> {
    if settings.url.expose_secret().is_empty() {
        return Err(Error::Setting { name: "cache.url", reason: "is missing: redis://host:6379/".to_owned() });
    }
    Ok(())
}

#[derive(Clone)]
pub(super) struct Redis {
    connection: ConnectionManager,
    prefix: String,
    sweep_late_ms: i64,
    scripts: Arc<Scripts>,
}

struct Scripts {
    get: Script,
    take: Script,
    set: Script,
    set_if_absent: Script,
    replace: Script,
    incr: Script,
    take_tokens: Script,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Redis {
    pub(super) async fn open(settings: &CacheSettings, moved_clock: bool) -> Result<Self, Error> {
        required(settings)?;
        let failed = |source| Error::Cache { action: "connecting", source };
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_number_of_retries(RECONNECTS);
        let client = client(settings)?;
        let connection = ConnectionManager::new_with_config(client, config).await.map_err(failed)?;
        let scripts = Scripts {
            get: Script::new(GET),
            take: Script::new(TAKE),
            set: Script::new(SET),
            set_if_absent: Script::new(SET_IF_ABSENT),
            replace: Script::new(REPLACE),
            incr: Script::new(INCR),
            take_tokens: Script::new(TAKE_TOKENS),
        };
        let sweep_late_ms = if moved_clock { DAY_MS } else { 0 };
        Ok(Self { connection, prefix: format!("{}:", settings.prefix), sweep_late_ms, scripts: Arc::new(scripts) })
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Redis refuses an expiry of 0.
    fn sweep_after(&self, ttl_ms: i64) -> i64 {
        ttl_ms.saturating_add(self.sweep_late_ms).clamp(1, i64::MAX / 4)
    }

    async fn run<T: FromRedisValue>(&self, action: &'static str, call: &ScriptInvocation<'_>) -> Result<T, Error> {
        let done = match call.invoke_async(&mut self.connection.clone()).await {
            // What was idle while Redis was restarted finds its connection gone. It is made anew meanwhile; whoever asked is not to suffer.
            Err(lost) if lost.is_connection_dropped() => call.invoke_async(&mut self.connection.clone()).await,
            done => done,
        };
        done.map_err(|source| Error::Cache { action, source })
    }

    pub(super) async fn get(&self, key: &str, now_ms: i64) -> Result<Option<Vec<u8>>, Error> {
        self.run("getting", self.scripts.get.key(self.key(key)).arg(now_ms)).await
    }

    pub(super) async fn take(&self, key: &str, now_ms: i64) -> Result<Option<Vec<u8>>, Error> {
        self.run("taking", self.scripts.take.key(self.key(key)).arg(now_ms)).await
    }

    pub(super) async fn set(&self, key: &str, value: &[u8], now_ms: i64, ttl_ms: i64) -> Result<(), Error> {
        self.store("setting", &self.scripts.set, key, value, now_ms, ttl_ms).await.map(|_| ())
    }

    pub(super) async fn set_if_absent(&self, key: &str, value: &[u8], now_ms: i64, ttl_ms: i64) -> Result<bool, Error> {
        self.store("setting", &self.scripts.set_if_absent, key, value, now_ms, ttl_ms).await
    }

    pub(super) async fn replace(&self, key: &str, was: &[u8], value: &[u8], now_ms: i64, ttl_ms: i64) -> Result<bool, Error> {
        let mut call = self.scripts.replace.key(self.key(key));
        call.arg(now_ms).arg(now_ms.saturating_add(ttl_ms)).arg(self.sweep_after(ttl_ms)).arg(value).arg(was);
        self.run("replacing", &call).await
    }

    async fn store(&self, action: &'static str, script: &Script, key: &str, value: &[u8], now_ms: i64, ttl_ms: i64) -> Result<bool, Error> {
        let mut call = script.key(self.key(key));
        call.arg(now_ms).arg(now_ms.saturating_add(ttl_ms)).arg(self.sweep_after(ttl_ms)).arg(value);
        self.run(action, &call).await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), Error> {
        let mut command = redis::cmd("DEL");
        command.arg(self.key(key)).query_async(&mut self.connection.clone()).await.map_err(failed("deleting"))
    }

    pub(super) async fn incr(&self, key: &str, now_ms: i64, ttl_ms: i64) -> Result<u64, Error> {
        let mut call = self.scripts.incr.key(self.key(key));
        call.arg(now_ms).arg(now_ms.saturating_add(ttl_ms)).arg(self.sweep_after(ttl_ms));
        self.run("counting", &call).await
    }

    pub(super) async fn take_tokens(
        &self,
        bucket: &str,
        now_ms: Option<i64>,
        per_second: f64,
        burst: u32,
        wanted: u32,
    ) -> Result<u64, Error> {
        // a bucket that nobody asks for so long is full again, which is what a missing one is
        let full_after_ms = (f64::from(burst) * 1_000.0 / per_second).ceil().min(DAY_MS as f64) as i64;
        let mut call = self.scripts.take_tokens.key(self.key(&format!("bucket:{bucket}")));
        call.arg(now_ms.map(|now| now.to_string()).unwrap_or_default())
            .arg(per_second)
            .arg(burst)
            .arg(wanted)
            .arg(self.sweep_after(full_after_ms));
        self.run("taking tokens", &call).await
    }

    /// Its clock.
    pub(super) async fn now(&self) -> Result<DateTime<Utc>, Error> {
        let time = redis::cmd("TIME").query_async(&mut self.connection.clone()).await;
        let (seconds, micros): (i64, u32) = time.map_err(failed("asking the time"))?;
        Ok(DateTime::from_timestamp(seconds, micros.saturating_mul(1_000)).unwrap_or_default())
    }

    pub(super) async fn clear(&self) -> Result<(), Error> {
        let mut connection = self.connection.clone();
        let mut cursor = 0u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{}*", self.prefix)).arg("COUNT").arg(1_000);
            let (next, keys): (u64, Vec<String>) = scan.query_async(&mut connection).await.map_err(failed("clearing"))?;
            if !keys.is_empty() {
                redis::cmd("DEL").arg(keys).query_async::<()>(&mut connection).await.map_err(failed("clearing"))?;
            }
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }
}

fn failed(action: &'static str) -> impl Fn(RedisError) -> Error {
    move |source| Error::Cache { action, source }
}
