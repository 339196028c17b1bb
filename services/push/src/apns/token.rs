//! The provider token: an ES256 JWT that says who sends (Apple, "Establishing a token-based connection to APNs").
//!
//! Apple refuses tokens older than an hour and teams that show new ones more often than every 20 minutes, however many processes they have. So all
//! processes of a team use one token: it is issued at a time of a common grid of 40 minutes, and whoever signs it first leaves it, sealed, in the
//! cache for the others, because two signatures of the same words differ. A token is renewed earlier, half-way, only when APNs calls it expired and
//! it is 20 minutes old.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use platform::cache::Cache;
use platform::clock::Clock;
use platform::crypto::{Keyring, Purpose, Sealed};
use serde::Serialize;

use crate::cache_away::CacheAway;

/// A token is replaced at every multiple of this.
const RENEWED_EVERY: TimeDelta = TimeDelta::minutes(40);
/// A token younger than this is not replaced, whatever happens.
const KEPT_FOR: TimeDelta = TimeDelta::minutes(20);
/// How long the others find it: longer than anybody uses it, whose clock is late.
const SHARED_FOR: Duration = Duration::from_secs(2 * 40 * 60);

/// The signing key and the token made with it last.
pub(super) struct ProviderToken {
    key: EncodingKey,
    header: Header,
    team_id: String,
    clock: Clock,
    current: Mutex<Option<Signed>>,
    /// When the token is issued that was made because APNs called an earlier one expired.
    renewed_from: Mutex<Option<DateTime<Utc>>>,
    shared: Option<Shared>,
}

/// Where the processes of a team find each other's token.
pub(super) struct Shared {
    pub(super) cache: Cache,
    pub(super) keyring: Keyring,
    pub(super) away: CacheAway,
}

#[derive(Clone)]
struct Signed {
    authorization: HeaderValue,
    at: DateTime<Utc>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
}

impl ProviderToken {
    /// Tokens of the team, signed with the key (the text of a `.p8` file) under its id.
    pub(super) fn new(key_p8: &str, key_id: &str, team_id: &str, clock: Clock) -> Result<Self, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(key_id.to_owned());
        header.typ = None;
        let key = EncodingKey::from_ec_pem(key_p8.as_bytes())?;
        let (current, renewed_from) = (Mutex::new(None), Mutex::new(None));
        let token = Self { key, header, team_id: team_id.to_owned(), clock, current, renewed_from, shared: None };
        // A key that cannot sign is a fault of the settings: better found at the start than at the first alert.
        token.sign(token.clock.now())?;
        Ok(token)
    }

    /// The same for all processes that share this cache.
    pub(super) fn share(&mut self, shared: Shared) {
        self.shared = Some(shared);
    }

    /// The `authorization` header of this moment.
    pub(super) async fn authorization(&self) -> Result<HeaderValue, jsonwebtoken::errors::Error> {
        let at = self.issued_at();
        let of_then = |signed: &Signed| (signed.at == at).then(|| signed.authorization.clone());
        if let Some(authorization) = lock(&self.current).as_ref().and_then(of_then) {
            return Ok(authorization);
        }
        let own = self.sign(at)?;
        let signed = match &self.shared {
            Some(shared) => self.first_of_team(shared, own).await,
            None => own,
        };
        let mut current = lock(&self.current);
        // Of two who asked at once, both use what the first has kept.
        if let Some(authorization) = current.as_ref().and_then(of_then) {
            return Ok(authorization);
        }
        Ok(current.insert(signed).authorization.clone())
    }

    /// APNs calls `authorization` expired. False when it is too young for that: then the clocks differ, and a new token will not help.
    pub(super) fn expired(&self, authorization: &HeaderValue) -> bool {
        match lock(&self.current).as_ref() {
            Some(signed) if signed.authorization == authorization => {
                let old_enough = self.clock.now() - signed.at >= KEPT_FOR;
                if old_enough {
                    *lock(&self.renewed_from) = Some(signed.at + KEPT_FOR);
                }
                old_enough
            }
            // Somebody else has renewed it already.
            _ => true,
        }
    }

    /// When the token of this moment is issued, in all processes.
    fn issued_at(&self) -> DateTime<Utc> {
        let now = self.clock.now();
        let on_grid = now - TimeDelta::seconds(now.timestamp().rem_euclid(RENEWED_EVERY.num_seconds()));
        let on_grid = DateTime::from_timestamp(on_grid.timestamp(), 0).unwrap_or(on_grid);
        // One that was renewed half-way is used as long as any other: the next of the grid would come too soon after it.
        lock(&self.renewed_from).filter(|renewed| now < *renewed + RENEWED_EVERY).unwrap_or(on_grid)
    }

    /// The token that the first process of the team has signed for this time; our own where the cache is away.
    async fn first_of_team(&self, shared: &Shared, own: Signed) -> Signed {
        let Shared { cache, keyring, away } = shared;
        let key = format!("push:apns-token:{}:{}:{}", self.team_id, self.header.kid.as_deref().unwrap_or_default(), own.at.timestamp());
        let sealed = keyring.seal(Purpose::ProviderToken, own.authorization.as_bytes()).into_bytes();
        let asked = async { if cache.set_if_absent(&key, &sealed, SHARED_FOR).await? { Ok(None) } else { cache.get(&key).await } };
        let Some(Some(bytes)) = away.or_without("apns", asked).await else { return own };
        let opened = Sealed::from_bytes(bytes).and_then(|sealed| keyring.open(Purpose::ProviderToken, &sealed)).ok();
        match opened.and_then(|plain| HeaderValue::from_bytes(&plain).ok()) {
            Some(authorization) => Signed { authorization, at: own.at },
            None => own,
        }
    }

    fn sign(&self, at: DateTime<Utc>) -> Result<Signed, jsonwebtoken::errors::Error> {
        let token = jsonwebtoken::encode(&self.header, &Claims { iss: &self.team_id, iat: at.timestamp() }, &self.key)?;
        // base64url and dots only
        let authorization = HeaderValue::try_from(format!("bearer {token}")).expect("a JWT is printable ASCII");
        Ok(Signed { authorization, at })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Whole values: nothing is left half done by a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for ProviderToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderToken").field("team_id", &self.team_id).field("key_id", &self.header.kid).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
    use stages::Store;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    /// A time of the grid.
    const ON_GRID: i64 = 1_700_001_600;

    fn token() -> (ProviderToken, Clock, Vec<u8>) {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let clock = Clock::moved(DateTime::from_timestamp(ON_GRID, 0).unwrap());
        let token = ProviderToken::new(&key.serialize_pem(), "KEY4567890", "TEAM567890", clock.clone()).unwrap();
        (token, clock, key.public_key_pem().into_bytes())
    }

    #[tokio::test]
    async fn a_token_names_key_team_and_time_and_is_signed() {
        let (token, clock, public) = token();
        clock.forward(MINUTE * 7);
        let authorization = token.authorization().await.unwrap();
        let jwt = authorization.to_str().unwrap().strip_prefix("bearer ").unwrap();
        let mut rules = jsonwebtoken::Validation::new(Algorithm::ES256);
        rules.set_required_spec_claims::<&str>(&[]);
        rules.validate_exp = false;
        let key = jsonwebtoken::DecodingKey::from_ec_pem(&public).unwrap();
        let read = jsonwebtoken::decode::<serde_json::Value>(jwt, &key, &rules).unwrap();
        assert_eq!(read.header.kid.as_deref(), Some("KEY4567890"));
        assert_eq!(read.claims, serde_json::json!({ "iss": "TEAM567890", "iat": ON_GRID }));
    }

    #[tokio::test]
    async fn a_token_is_used_for_forty_minutes_of_the_platforms_clock_and_then_renewed() {
        let (token, clock, _) = token();
        let first = token.authorization().await.unwrap();
        clock.forward(MINUTE * 39);
        assert_eq!(token.authorization().await.unwrap(), first);
        clock.forward(MINUTE);
        assert_ne!(token.authorization().await.unwrap(), first);
    }

    #[tokio::test]
    async fn a_token_that_apns_calls_expired_is_renewed_unless_it_is_younger_than_apple_allows() {
        let (token, clock, _) = token();
        let first = token.authorization().await.unwrap();
        clock.forward(MINUTE * 19);
        assert!(!token.expired(&first));
        assert_eq!(token.authorization().await.unwrap(), first);
        clock.forward(MINUTE);
        assert!(token.expired(&first));
        let second = token.authorization().await.unwrap();
        assert_ne!(second, first);
        assert!(token.expired(&first), "a late answer to the first token");
        assert_eq!(token.authorization().await.unwrap(), second, "does not cost the second");
    }

    /// Apple counts the new tokens of a team, whichever of its processes shows them.
    #[tokio::test]
    async fn four_processes_never_show_more_than_one_new_token_in_twenty_minutes() {
        let keyring = Store::Postgres.open().await.keyring;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
        let clock = Clock::moved(DateTime::from_timestamp(ON_GRID, 0).unwrap());
        let cache = Cache::in_process(&clock);
        let process = || {
            let mut token = ProviderToken::new(&key, "KEY4567890", "TEAM567890", clock.clone()).unwrap();
            token.share(Shared { cache: cache.clone(), keyring: keyring.clone(), away: CacheAway::default() });
            token
        };
        let mut processes: Vec<ProviderToken> = Vec::new();
        let mut shown: Vec<BTreeSet<Vec<u8>>> = Vec::new();
        for minute in 0..180 {
            // One starts every eleven minutes, and the first starts anew at times.
            match processes.len() {
                started if started < 4 && minute % 11 == 0 => processes.push(process()),
                _ if minute == 93 => processes[0] = process(),
                _ => {}
            }
            let mut now = BTreeSet::new();
            for process in &processes {
                let token = process.authorization().await.unwrap();
                if minute == 144 {
                    assert!(process.expired(&token));
                }
                now.insert(token.as_bytes().to_vec());
            }
            shown.push(now);
            clock.forward(MINUTE);
        }
        for at in 1..shown.len() {
            let before: BTreeSet<_> = shown[..at].iter().flatten().collect();
            let soon = &shown[at..shown.len().min(at + 20)];
            let new: BTreeSet<_> = soon.iter().flatten().filter(|token| !before.contains(token)).collect();
            assert!(new.len() <= 1, "{} new tokens in twenty minutes from minute {at}", new.len());
        }
    }

    #[test]
    fn what_is_no_key_is_found_at_the_start() {
        let clock = Clock::real();
        assert!(ProviderToken::new("no key", "KEY4567890", "TEAM567890", clock).is_err());
    }
}
