//! Personal data at rest: sealed bytes that only their purpose can open, and keyed hashes for look-ups.
//!
//! The keys are random, one for sealing and one for hashing, and stand in `keys.wrapped_key` encrypted under the master
//! key, which comes from a file or the environment and is never stored. Everything is AES-256-GCM-SIV (RFC 8452), so a
//! repeated nonce would show that two texts are equal and no more, and HMAC-SHA-256 (RFC 2104). The purpose is bound into both: bytes copied from
//! one column into another do not open, and equal values of two purposes have unequal hashes.

mod cipher;
mod master_key;
mod sealed;

use crate::compiled_once;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sqlx::PgConnection;
use sqlx::migrate::Migrator;
use zeroize::Zeroizing;

use crate::database::Database;
use crate::error::Error;
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

/// Seals, opens and hashes. Clones share the keys.
#[derive(Clone)]
pub struct Keyring(Arc<Keys>);

struct Keys {
    /// By id; the highest seals, all open.
    ciphers: BTreeMap<u16, Cipher>,
    sealing: u16,
    hash: Hmac<Sha256>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} data keys)", self.0.ciphers.len())
    }
}

impl Keyring {
    /// Unwraps the keys in the database, which are made when there are none. Processes that start together agree on one
    /// set. The schema `keys` must have been migrated.
    #[compiled_once]
    pub async fn load(settings: &KeySettings, database: &Database) -> Result<Self, Error> {
        let master = MasterKey::load(settings)?;
        let fresh_data = master.wrap("data", DATA_KEY, &random_key());
        let fresh_hash = master.wrap("hash", HASH_KEY, &random_key());
        // whoever comes second finds the first one's keys and drops these; one that was lost is missed, never made anew
        sqlx::query!(
            "insert into keys.wrapped_key (id, use, wrapped)
             select * from (values ($1::smallint, 'data', $2::bytea), ($3, 'hash', $4)) as fresh (id, use, wrapped)
             where not exists (select from keys.wrapped_key)
             on conflict (id) do nothing",
            DATA_KEY,
            fresh_data,
            HASH_KEY,
            fresh_hash,
        )
        .execute(database.pool())
        .await?;
        Self::unwrap(&master, wrapped(database.pool().acquire().await?.driver()).await?)
    }

    /// Holds the master key of the settings against the keys in the database. Makes neither; the schema `keys` must be there.
    ///
    /// # Errors
    /// When there is no master key, or it is another one.
    #[compiled_once]
    pub async fn standing(settings: &KeySettings, database: &mut PgConnection) -> Result<KeyStanding, Error> {
        let master = MasterKey::load(&KeySettings { create: false, ..settings.clone() })?;
        let rows = wrapped(database).await?;
        if rows.is_empty() { Ok(KeyStanding::NoneYet) } else { Self::unwrap(&master, rows).map(|_| KeyStanding::Opened) }
    }

    fn unwrap(master: &MasterKey, rows: Vec<Wrapped>) -> Result<Self, Error> {
        let mut ciphers = BTreeMap::new();
        let mut hash = None;
        for row in rows {
            let key = master.unwrap(&row.usage, row.id, &row.wrapped)?;
            if row.usage == "hash" {
                hash = Some(hmac_of(&key));
            } else if let Ok(id) = u16::try_from(row.id) {
                ciphers.insert(id, Cipher::new(&key));
            }
        }
        let missing = || Error::MasterKey { reason: "keys.wrapped_key has lost a key".to_owned() };
        let sealing = ciphers.last_key_value().map(|(id, _)| *id).ok_or_else(missing)?;
        Ok(Self(Arc::new(Keys { ciphers, sealing, hash: hash.ok_or_else(missing)? })))
    }

    /// Random keys that nobody keeps, for tests without a database.
    pub fn random() -> Self {
        let ciphers = BTreeMap::from([(1, Cipher::new(&random_key()))]);
        Self(Arc::new(Keys { ciphers, sealing: 1, hash: hmac_of(&random_key()) }))
    }

    /// Encrypts `plain`; only [`Keyring::open`] with the same purpose gives it back. Equal texts look unequal.
    pub fn seal(&self, purpose: Purpose, plain: &[u8]) -> Sealed {
        let nonce: [u8; sealed::NONCE_LEN] = rand::random();
        let ciphertext = self.0.ciphers[&self.0.sealing].seal(nonce, label(purpose), plain);
        Sealed::assemble(self.0.sealing, &nonce, &ciphertext)
    }

    /// Decrypts what was sealed for the same purpose; altered bytes are refused.
    pub fn open(&self, purpose: Purpose, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Error> {
        let parts = sealed.parts();
        let cipher = self.0.ciphers.get(&parts.key_id).ok_or(Error::Sealed { reason: "its key is not in this installation" })?;
        cipher
            .open(parts.nonce, label(purpose), parts.ciphertext)
            .ok_or(Error::Sealed { reason: "it was altered or belongs to another purpose" })
    }

    /// The look-up key of `value`: equal for equal values of one purpose in one installation, and meaningless outside.
    pub fn hash(&self, purpose: Purpose, value: &[u8]) -> KeyedHash {
        let mut mac = self.0.hash.clone();
        let label = label(purpose);
        // the length keeps label and value apart
        mac.update(&[label.len() as u8]);
        mac.update(label);
        mac.update(value);
        KeyedHash::from_bytes(mac.finalize().into_bytes().into())
    }
}

/// A key as it stands in the database.
struct Wrapped {
    id: i16,
    usage: String,
    wrapped: Vec<u8>,
}

async fn wrapped(database: &mut PgConnection) -> Result<Vec<Wrapped>, Error> {
    let rows = sqlx::query!("select id, use, wrapped from keys.wrapped_key order by id").fetch_all(database).await?;
    Ok(rows.into_iter().map(|row| Wrapped { id: row.id, usage: row.r#use, wrapped: row.wrapped }).collect())
}

fn label(purpose: Purpose) -> &'static [u8] {
    let name: &'static str = purpose.into();
    name.as_bytes()
}

fn hmac_of(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length")
}
