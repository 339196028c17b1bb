//! The cache: whether it answers, whether its clock goes right, and what it throws away.

use platform::Error;
use platform::cache::{Cache, CacheMode, CacheSettings, RedisStanding};
use platform::tasks::chain;

use super::clocks::Asked;
use super::finding::Finding;

/// The oldest Redis that the tests run on.
const OLDEST: u32 = 7;

pub(super) async fn look(settings: &CacheSettings) -> Vec<Finding> {
    if settings.mode == CacheMode::InProcess {
        return vec![Finding::ok("cache", "none: it is kept in this process")];
    }
    let asked = Asked::now();
    match Cache::standing(settings).await {
        Ok(standing) => vec![of_version(&standing), of_policy(&standing), asked.finding("cache clock", standing.now)],
        Err(error) => vec![Finding::fail("cache", chain(&error), remedy(&error))],
    }
}

fn of_version(standing: &RedisStanding) -> Finding {
    let what = format!("Redis {}", standing.version);
    match standing.version.split('.').next().and_then(|major| major.parse::<u32>().ok()) {
        Some(major) if major < OLDEST => Finding::fail("cache", what, format!("use Redis {OLDEST} or newer")),
        _ => Finding::ok("cache", what),
    }
}

/// All our entries expire, so `volatile` policies throw them away just as `allkeys` ones do: people are signed out, and a provider's rate that is
/// forgotten is exceeded.
fn of_policy(standing: &RedisStanding) -> Finding {
    let policy = &standing.policy;
    match standing.most_memory {
        0 => Finding::ok("cache memory", "not bounded, so nothing is thrown away before its time"),
        _ if policy == "noeviction" => Finding::ok("cache memory", "nothing is thrown away before its time"),
        bytes => Finding::warn(
            "cache memory",
            format!("beyond {} sessions and send rates are thrown away ({policy})", super::machine::size(bytes)),
            "set maxmemory-policy to noeviction, or use a Redis for Fenghuo alone",
        ),
    }
}

fn remedy(error: &Error) -> &'static str {
    match error {
        Error::Setting { .. } => "set cache.url",
        error if ["WRONGPASS", "NOAUTH", "AUTH", "Authentication", "NOPERM"].iter().any(|word| chain(error).contains(word)) => {
            "give user and password in cache.url as Redis has them"
        }
        _ => "start Redis, or set cache.url to where it is",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(version: &str, policy: &str, most_memory: u64) -> RedisStanding {
        RedisStanding { version: version.to_owned(), now: chrono::DateTime::UNIX_EPOCH, policy: policy.to_owned(), most_memory }
    }

    #[test]
    fn a_redis_that_forgets_sessions_is_told() {
        assert!(of_policy(&standing("7.0.15", "noeviction", 1 << 30)).to_string().starts_with("ok "));
        assert!(of_policy(&standing("7.0.15", "allkeys-lru", 0)).to_string().starts_with("ok "));
        for policy in ["allkeys-lru", "volatile-ttl"] {
            let found = of_policy(&standing("7.0.15", policy, 1_000_000_000)).to_string();
            assert!(found.starts_with("warn  cache memory     beyond 1.00 GB ") && found.contains("noeviction"), "{found}");
        }
    }

    #[test]
    fn an_old_redis_is_refused() {
        assert!(
            of_version(&standing("6.2.7", "noeviction", 0)).to_string().starts_with("fail  cache            Redis 6.2.7 → use Redis 7")
        );
        assert!(of_version(&standing("8.2.1", "noeviction", 0)).to_string().starts_with("ok "));
    }
}
