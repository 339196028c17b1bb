//! Passwords: hashed with argon2id, compared in the same time whether or not there is anything to compare with.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error as HashError, PasswordHasher, PasswordVerifier};
use platform::http::FieldFault;
use serde::Deserialize;
use tokio::sync::{OnceCell, Semaphore};
use utoipa::ToSchema;
use zxcvbn::Score;

use crate::Error;

/// Shortest password that people may choose, in characters (NIST SP 800-63B asks for length, not for kinds of characters).
const SHORTEST: usize = 12;
/// How hard to guess it has to be: more than 10^8 guesses by whoever knows lists of passwords, names, words, dates and rows of keys.
const LEAST_SCORE: Score = Score::Three;
/// Longest, in bytes: hashing time must not be in the caller's hands.
const LONGEST: usize = 256;
/// Characters of generated passwords: none that is taken for another.
const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// A hash takes 19 MiB and a core for some ten milliseconds; so many run at once for whoever comes, and so many beside them for known devices.
const AT_ONCE: usize = 2;
const AT_ONCE_KNOWN: usize = 1;
/// So many wait behind them, in each lane: a second's work. Whoever comes then is told to come again.
const WAITING: usize = 40;
/// When they are to come again.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// A password on its way through. It never prints.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password)]
pub struct Password(String);

impl Password {
    /// A password that nobody chose: four groups of five characters, 99 bits.
    pub fn generate() -> Self {
        let letter = || char::from(LETTERS[rand::random_range(..LETTERS.len())]);
        let groups: [String; 4] = std::array::from_fn(|_| (0..5).map(|_| letter()).collect());
        Self(groups.join("-"))
    }

    /// The text, to be shown to its owner once.
    pub fn into_text(self) -> String {
        self.0
    }

    /// Refuses a password that is too short, too long, contains the login name, or is among the first that somebody would try.
    pub fn check_chosen(&self, field: &str, login: &str) -> Result<(), Error> {
        let refused = |reason: String, reason_en: String| Err(Error::Invalid(vec![FieldFault::new(field, reason, reason_en)]));
        if self.0.chars().count() < SHORTEST {
            return refused(format!("至少 {SHORTEST} 个字符"), format!("takes at least {SHORTEST} characters"));
        }
        if self.0.len() > LONGEST {
            return refused(format!("最多 {LONGEST} 字节"), format!("takes at most {LONGEST} bytes"));
        }
        if self.0.to_lowercase().contains(login) {
            return refused("不能包含登录名".to_owned(), "may not contain the login name".to_owned());
        }
        if zxcvbn::zxcvbn(&self.0, &[login]).score() < LEAST_SCORE {
            return refused(
                "过于常见，容易被猜到：请换用几个互不相关的词".to_owned(),
                "is too common and soon guessed: take several words that have nothing to do with each other".to_owned(),
            );
        }
        Ok(())
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Where a password waits to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// With all who come.
    Anybody,
    /// With those who have been here before: strangers, however many, take no place of theirs.
    Known,
}

/// A few places, and a bounded number who wait for one.
struct Places {
    free: Arc<Semaphore>,
    here: AtomicUsize,
    most: usize,
}

impl Places {
    fn new(at_once: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(at_once)), here: AtomicUsize::new(0), most: at_once + WAITING }
    }
}

/// Somebody who waits or is served; gone when dropped.
struct Here(Arc<Places>);

impl Here {
    fn come(places: &Arc<Places>) -> Result<Self, Error> {
        let here = Self(places.clone());
        let before = places.here.fetch_add(1, Ordering::Relaxed);
        if before < places.most { Ok(here) } else { Err(Error::SignInBusy { after: AGAIN_AFTER }) }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.0.here.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Hashes and compares, a few at a time, off the runtime's threads.
#[derive(Clone)]
pub struct Hasher {
    anybody: Arc<Places>,
    known: Arc<Places>,
    /// Hash of a password that nobody knows, for names that do not exist.
    nobody: Arc<OnceCell<String>>,
}

impl Hasher {
    /// Ready to hash.
    pub fn new() -> Self {
        Self { anybody: Arc::new(Places::new(AT_ONCE)), known: Arc::new(Places::new(AT_ONCE_KNOWN)), nobody: Arc::default() }
    }

    /// Makes what unknown names are compared with now rather than with the first of them, whom it would give away.
    pub async fn prepare(&self) -> Result<&str, Error> {
        let made = self.nobody.get_or_try_init(|| self.hash(Password::generate(), Lane::Known)).await?;
        Ok(made)
    }

    /// The argon2id hash as a PHC string, with a salt of its own.
    pub async fn hash(&self, password: Password, lane: Lane) -> Result<String, Error> {
        self.run(lane, move || Argon2::default().hash_password(password.0.as_bytes()).map(|hash: PasswordHash| hash.to_string())).await
    }

    /// Whether the password fits the hash. Without a hash it never does, after the same work.
    pub async fn fits(&self, password: Password, hash: Option<String>, lane: Lane) -> Result<bool, Error> {
        let exists = hash.is_some();
        let hash = match hash {
            Some(hash) => hash,
            None => self.prepare().await?.to_owned(),
        };
        let fits = self
            .run(lane, move || {
                if password.0.len() > LONGEST {
                    return Ok(false);
                }
                let hash = PasswordHash::new(&hash)?;
                match Argon2::default().verify_password(password.0.as_bytes(), &hash) {
                    Ok(()) => Ok(true),
                    Err(HashError::PasswordInvalid) => Ok(false),
                    Err(error) => Err(error),
                }
            })
            .await?;
        Ok(fits && exists)
    }

    async fn run<T: Send + 'static>(&self, lane: Lane, work: impl FnOnce() -> Result<T, HashError> + Send + 'static) -> Result<T, Error> {
        let places = match lane {
            Lane::Anybody => &self.anybody,
            Lane::Known => &self.known,
        };
        let here = Here::come(places)?;
        let failed = |reason: String| Error::Hashing { reason };
        let place = places.free.clone().acquire_owned().await.map_err(|error| failed(error.to_string()))?;
        // The work holds its place itself: whoever hangs up does not end it.
        let holding = move || {
            let (_here, _place) = (here, place);
            work()
        };
        let done = tokio::task::spawn_blocking(holding).await.map_err(|error| failed(error.to_string()))?;
        done.map_err(|error| failed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_and_no_other() {
        let hasher = Hasher::new();
        let hash = hasher.hash("beacon tower at dusk".into(), Lane::Anybody).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.fits("beacon tower at dusk".into(), Some(hash.clone()), Lane::Anybody).await.unwrap());
        assert!(!hasher.fits("beacon tower at dawn".into(), Some(hash), Lane::Known).await.unwrap());
        assert!(!hasher.fits("beacon tower at dusk".into(), None, Lane::Anybody).await.unwrap());
    }

    #[tokio::test]
    async fn strangers_in_a_queue_are_told_to_come_again_and_a_known_device_has_its_own() {
        let hasher = Hasher::new();
        let strangers: Vec<_> = (0..AT_ONCE + WAITING).map(|_| Here::come(&hasher.anybody).unwrap()).collect();
        let refused = hasher.hash("beacon tower at dusk".into(), Lane::Anybody).await;
        assert!(matches!(refused, Err(Error::SignInBusy { after }) if after == AGAIN_AFTER));
        assert!(hasher.hash("beacon tower at dusk".into(), Lane::Known).await.is_ok());
        drop(strangers);
        assert!(hasher.hash("beacon tower at dusk".into(), Lane::Anybody).await.is_ok(), "once they have gone there is room");
    }

    #[tokio::test]
    async fn whoever_hangs_up_keeps_their_place_until_the_work_is_done() {
        let hasher = Hasher::new();
        {
            let mut hashing = std::pin::pin!(hasher.hash("beacon tower at dusk".into(), Lane::Anybody));
            tokio::select! {
                biased;
                _ = &mut hashing => panic!("it takes its time"),
                () = std::future::ready(()) => {}
            }
        }
        assert_eq!(hasher.anybody.here.load(Ordering::Relaxed), 1, "the work goes on");
        assert_eq!(hasher.anybody.free.available_permits(), AT_ONCE - 1);
        while hasher.anybody.here.load(Ordering::Relaxed) > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(hasher.anybody.free.available_permits(), AT_ONCE, "and then it is free");
    }

    #[rstest]
    #[case("short", false)]
    #[case("qz7-lamp-vok", true)]
    #[case("123456789012", false)]
    #[case("password1234", false)]
    #[case("qwertyuiop123", false)]
    #[case("十二个汉字也是一个好密码", true)]
    #[case("my.name.is.Wang.Wu", false)]
    #[case(&"x".repeat(257), false)]
    fn a_chosen_password_is_long_uncommon_and_not_the_name(#[case] password: &str, #[case] good: bool) {
        assert_eq!(Password::from(password).check_chosen("new", "wang.wu").is_ok(), good);
    }

    #[test]
    fn generated_passwords_differ_and_never_print() {
        let (one, other) = (Password::generate(), Password::generate());
        assert_ne!(one.0, other.0);
        assert_eq!(one.0.len(), 23);
        assert!(!format!("{one:?}").contains(&one.0));
    }
}
