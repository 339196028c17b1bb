//! Personal data at rest: sealed bytes that only their purpose can open, and keyed hashes for look-ups.
//!
//! The keys are random, one for sealing and one for hashing, and stand in `keys.wrapped_key` encrypted under the master
//! key, which comes from a file or the environment and is never stored. Everything is AES-256-GCM-SIV (RFC 8452), so a
//! repeated nonce would show that two texts are equal and no more, and HMAC-SHA-256 (RFC 2104). The purpose is bound into both: bytes copied from
//! one column into another do not open, and equal values of two purposes have unequal hashes.
//!
//! What seals may be exchanged while everything runs ([`rotation`]): a new key opens at every process before any seals with it, so each looks for
//! new keys now and then ([`Keyring::follow`]). What hashes stays: of most of what was hashed nobody has the text any more.

mod cipher;
mod master_key;
pub mod rotation;
mod sealed;

use crate::compiled_once;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sqlx::PgConnection;
use sqlx::migrate::Migrator;
use zeroize::Zeroizing;

use crate::database::Database;
use crate::error::Error;
use crate::tasks::{Tasks, chain};
use cipher::{Cipher, random_key};
pub use master_key::KeySettings;
use master_key::MasterKey;
pub use sealed::{KeyedHash, Sealed};

/// The tables of schema `keys`.
pub static MIGRATOR: Migrator = sqlx::migrate!("migrations/keys");

domain::words! {
    /// What a value is for. Bound into every sealed value and hash.
    pub enum Purpose {
        /// A resident's phone number, in the form of E.164 (`+86…`); the same for whoever looks one up.
        ResidentPhone,
        /// A resident's name.
        ResidentName,
        /// An identity document, by kind and number; only ever hashed.
        IdentityNumber,
        /// A push token or installation id.
        PushToken,
        /// The text of an SMS reply.
        SmsReply,
        /// The text of an SMS that waits to be sent.
        SmsText,
        /// A row of risk records that was refused; it may name a person.
        RefusedRow,
        /// A piece of a file of risk records that has not been delivered yet.
        UploadPiece,
        /// Rows of a list that waits for a person; they may name people.
        WaitingRows,
        /// A one-time code.
        OneTimeCode,
        /// The token of a session, staff or resident.
        SessionToken,
        /// The key of a source system.
        ApiKey,
        /// The token of a display screen.
        ScreenToken,
        /// Half a code or key, while a change waits for the administrator who gives the other half.
        SecretHalf,
        /// The secret that an authenticator app shares with us, and the code of a demo.
        FactorSecret,
        /// What is asked of an authenticator app or a passkey, on its way to the browser and back.
        FactorOffer,
        /// A recovery code; only ever hashed.
        RecoveryCode,
        /// What a resident says about an alert, and the answer.
        Feedback,
        /// What a citizen brings and is answered, and what units write about it.
        CaseText,
        /// The name of whoever brought it.
        CaseName,
        /// The phone of whoever brought it; only ever hashed, so that it leads to no resident.
        CaseCaller,
        /// A case's number: the key of its permutation; only ever hashed.
        CaseNumber,
        /// The PIN that is told with a number; only ever hashed.
        CasePin,
        /// The name that a client gave its request, so that a repeat is the same case; only ever hashed.
        CaseRequest,
        /// Which answers to anonymous cases are looked at again; only ever hashed.
        CaseLot,
        /// A token by which a provider knows us, shared by all processes.
        ProviderToken,
        /// A message on the broker; only ever hashed.
        BusMessage,
        /// The key that signs heads of the audit trace.
        AuditSigningKey,
        /// A value of the configuration; only ever hashed.
        ConfigurationValue,
    }
}

/// How the keys in a database stand to a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStanding {
    /// It opens them.
    Opened,
    /// There are none: the first process makes them.
    NoneYet,
}

const DATA_KEY: i16 = 1;
const HASH_KEY: i16 = 2;

/// How often a process looks for new keys.
pub(crate) const LOOKED_FOR_EVERY: Duration = Duration::from_secs(30);

/// Seals, opens and hashes. Clones share the keys.
#[derive(Clone)]
pub struct Keyring(Arc<Ring>);

struct Ring {
    keys: ArcSwap<Keys>,
    /// What unwraps; none where the keys are nobody's.
    master: Option<MasterKey>,
}

struct Keys {
    /// By id; all open.
    ciphers: BTreeMap<u16, Cipher>,
    sealing: u16,
    hash: Hmac<Sha256>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} data keys)", self.0.keys.load().ciphers.len())
    }
}

impl Keyring {
    /// Unwraps the keys in the database, which are made when there are none. Processes that start together agree on one
    /// set. The schema `keys` must have been migrated.
    #[compiled_once]
    pub async fn load(settings: &KeySettings, database: &Database) -> Result<Self, Error> {
        let master = MasterKey::load(settings)?;
        let mut rows = wrapped(database.pool().acquire().await?.driver()).await?;
        // asked before: most processes have no right to make any
        if rows.is_empty() {
            make_first(&master, database).await?;
            rows = wrapped(database.pool().acquire().await?.driver()).await?;
        }
        let keys = ArcSwap::from_pointee(Keys::unwrap(&master, rows)?);
        Ok(Self(Arc::new(Ring { keys, master: Some(master) })))
    }

    /// Looks for new keys until the tasks are stopped. What cannot be read or opened changes nothing: the keys that are known stay.
    pub fn follow(&self, database: &Database, tasks: &Tasks) {
        let (ring, database, stopping) = (self.clone(), database.clone(), tasks.token().clone());
        tasks.keep("keys.follow", move || {
            let (ring, database, stopping) = (ring.clone(), database.clone(), stopping.clone());
            async move {
                while stopping.run_until_cancelled(tokio::time::sleep(LOOKED_FOR_EVERY)).await.is_some() {
                    if let Err(error) = ring.look(&database).await {
                        tracing::warn!(error = chain(&error), "whether there are new keys could not be found out");
                    }
                }
            }
        });
    }

    /// Takes over the keys as they stand in the database now.
    ///
    /// # Errors
    /// When they cannot be read, or the master key does not open them.
    #[compiled_once]
    pub async fn look(&self, database: &Database) -> Result<(), Error> {
        let Some(master) = &self.0.master else { return Ok(()) };
        let keys = Keys::unwrap(master, wrapped(database.pool().acquire().await?.driver()).await?)?;
        let known = self.0.keys.load();
        if keys.sealing != known.sealing || keys.ciphers.len() != known.ciphers.len() {
            tracing::info!(sealing = keys.sealing, keys = keys.ciphers.len(), "keys were exchanged");
            self.0.keys.store(Arc::new(keys));
        }
        Ok(())
    }

    /// The number of the key that seals now.
    pub fn sealing(&self) -> u16 {
        self.0.keys.load().sealing
    }

    /// Holds the master key of the settings against the keys in the database. Makes neither; the schema `keys` must be there.
    ///
    /// # Errors
    /// When there is no master key, or it is another one.
    #[compiled_once]
    pub async fn standing(settings: &KeySettings, database: &mut PgConnection) -> Result<KeyStanding, Error> {
        let master = MasterKey::load(&KeySettings { create: false, ..settings.clone() })?;
        let rows = wrapped(database).await?;
        if rows.is_empty() { Ok(KeyStanding::NoneYet) } else { Keys::unwrap(&master, rows).map(|_| KeyStanding::Opened) }
    }

    /// Random keys that nobody keeps, for tests without a database.
    pub fn random() -> Self {
        let ciphers = BTreeMap::from([(1, Cipher::new(&random_key()))]);
        let keys = Keys { ciphers, sealing: 1, hash: hmac_of(&random_key()) };
        Self(Arc::new(Ring { keys: ArcSwap::from_pointee(keys), master: None }))
    }

    /// Encrypts `plain`; only [`Keyring::open`] with the same purpose gives it back. Equal texts look unequal.
    pub fn seal(&self, purpose: Purpose, plain: &[u8]) -> Sealed {
        let nonce: [u8; sealed::NONCE_LEN] = rand::random();
        let keys = self.0.keys.load();
        let ciphertext = keys.ciphers[&keys.sealing].seal(nonce, label(purpose), plain);
        Sealed::assemble(keys.sealing, &nonce, &ciphertext)
    }

    /// Decrypts what was sealed for the same purpose; altered bytes are refused.
    pub fn open(&self, purpose: Purpose, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Error> {
        let parts = sealed.parts();
        let keys = self.0.keys.load();
        let cipher = keys.ciphers.get(&parts.key_id).ok_or(Error::Sealed { reason: "its key is not in this installation" })?;
        cipher
            .open(parts.nonce, label(purpose), parts.ciphertext)
            .ok_or(Error::Sealed { reason: "it was altered or belongs to another purpose" })
    }

    /// The look-up key of `value`: equal for equal values of one purpose in one installation, and meaningless outside.
    pub fn hash(&self, purpose: Purpose, value: &[u8]) -> KeyedHash {
        let mut mac = self.0.keys.load().hash.clone();
        let label = label(purpose);
        // the length keeps label and value apart
        mac.update(&[label.len() as u8]);
        mac.update(label);
        mac.update(value);
        KeyedHash::from_bytes(mac.finalize().into_bytes().into())
    }
}

impl Keys {
    fn unwrap(master: &MasterKey, rows: Vec<Wrapped>) -> Result<Self, Error> {
        let (mut ciphers, mut sealing, mut hash) = (BTreeMap::new(), None, None);
        for row in rows {
            let key = master.unwrap(&row.usage, row.id, &row.wrapped).or_else(|error| match &row.wrapped_anew {
                Some(anew) => master.unwrap(&row.usage, row.id, anew),
                None => Err(error),
            })?;
            if row.usage == "hash" {
                hash = Some(hmac_of(&key));
            } else if let Ok(id) = u16::try_from(row.id) {
                ciphers.insert(id, Cipher::new(&key));
                sealing = sealing.max(row.seals.then_some(id));
            }
        }
        let missing = || Error::MasterKey { reason: "keys.wrapped_key has lost a key".to_owned() };
        Ok(Self { ciphers, sealing: sealing.ok_or_else(missing)?, hash: hash.ok_or_else(missing)? })
    }
}

/// Makes the first keys of an installation. Whoever comes second finds the first one's keys and drops these; one that was lost is missed, never made
/// anew.
async fn make_first(master: &MasterKey, database: &Database) -> Result<(), Error> {
    sqlx::query!(
        "insert into keys.wrapped_key (id, use, wrapped)
         select * from (values ($1::smallint, 'data', $2::bytea), ($3, 'hash', $4)) as fresh (id, use, wrapped)
         where not exists (select from keys.wrapped_key)
         on conflict (id) do nothing",
        DATA_KEY,
        master.wrap("data", DATA_KEY, &random_key()),
        HASH_KEY,
        master.wrap("hash", HASH_KEY, &random_key()),
    )
    .execute(database.pool())
    .await?;
    Ok(())
}

/// A key as it stands in the database.
struct Wrapped {
    id: i16,
    usage: String,
    wrapped: Vec<u8>,
    wrapped_anew: Option<Vec<u8>>,
    seals: bool,
}

async fn wrapped(database: &mut PgConnection) -> Result<Vec<Wrapped>, Error> {
    Ok(sqlx::query_as!(
        Wrapped,
        r#"select id, use as usage, wrapped, wrapped_anew, seals_from <= clock_timestamp() as "seals!"
             from keys.wrapped_key where retired_at is null order by id"#
    )
    .fetch_all(database)
    .await?)
}

fn label(purpose: Purpose) -> &'static [u8] {
    let name: &'static str = purpose.into();
    name.as_bytes()
}

fn hmac_of(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length")
}
