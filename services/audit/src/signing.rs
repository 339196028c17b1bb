//! Signs the head of the trace once a minute, if something came, with a key of its own that is stored sealed.

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use platform::Platform;
use platform::compiled_once;
use platform::crypto::{Purpose, Sealed};
use platform::database::Database;

use crate::Error;
use crate::chain::Hash;
use crate::head::{MOST_LEAVES, PublicKey, Signature, SignedHead, signed_text};
use crate::{proofs, trace};

/// The key that signs heads.
pub(crate) struct Signer {
    pair: Ed25519KeyPair,
    key: PublicKey,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.key.fingerprint())
    }
}

impl Signer {
    /// Opens the key, which is made when there is none. Processes that start together agree on one.
    #[compiled_once]
    pub(crate) async fn load(platform: &Platform) -> Result<Self, Error> {
        let fresh = Ed25519KeyPair::generate().map_err(|_| Error::SigningKey { reason: "none could be made" })?;
        let seed = fresh.seed().and_then(|seed| seed.as_be_bytes()).map_err(|_| Error::SigningKey { reason: "none could be made" })?;
        let sealed = platform.keyring.seal(Purpose::AuditSigningKey, seed.as_ref());
        let (public, now) = (fresh.public_key().as_ref(), platform.clock.now().timestamp_millis());
        sqlx::query!(
            "insert into audit.signing_key (public_key, sealed, made_at_ms) values ($1, $2, $3) on conflict (id) do nothing",
            public,
            sealed.as_bytes(),
            now,
        )
        .execute(platform.database.pool())
        .await?;
        let row = sqlx::query!("select public_key, sealed from audit.signing_key").fetch_one(platform.database.pool()).await?;
        let seed = platform.keyring.open(Purpose::AuditSigningKey, &Sealed::from_bytes(row.sealed)?)?;
        let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &row.public_key)
            .map_err(|_| Error::SigningKey { reason: "the public half in the table is not its own" })?;
        let key = row.public_key.as_slice().try_into().map_err(|_| Error::Malformed { field: "public_key" })?;
        Ok(Self { pair, key: PublicKey::from_bytes(key) })
    }

    /// The public half.
    pub(crate) fn key(&self) -> PublicKey {
        self.key
    }

    fn sign(&self, size: u64, root: Hash, at_ms: i64) -> Result<Signature, Error> {
        let signature = self.pair.sign(signed_text(size, root, at_ms).as_bytes());
        Signature::try_from(signature.as_ref()).map_err(|_| Error::Malformed { field: "signature" })
    }
}

/// Signs the head if something came since the last one was signed, and the trace goes on from what was signed then. Whether it did.
#[compiled_once]
pub(crate) async fn sign(database: &Database, signer: &Signer, at_ms: i64) -> Result<bool, Error> {
    let frontier = trace::grown(database).await?;
    let last = sqlx::query!("select size, root from audit.signed_head order by size desc limit 1").fetch_optional(database.pool()).await?;
    let after = last.as_ref().map_or(0, |last| last.size);
    let (size, root) = (i64::try_from(frontier.size()).map_err(|_| Error::Malformed { field: "size" })?, frontier.root());
    if let Some(last) = last {
        let not_signed = Error::NotWhatWasSigned { size: last.size.unsigned_abs() };
        if size < last.size {
            return Err(not_signed);
        }
        let grown = proofs::consistency(database, last.size.unsigned_abs(), frontier.size()).await?;
        if grown.from_root != stored(&last.root)? || grown.to_root != root || !grown.holds() {
            return Err(not_signed);
        }
    }
    if size == after {
        return Ok(false);
    }
    let signature = signer.sign(frontier.size(), root, at_ms)?;
    let signed = sqlx::query!(
        "insert into audit.signed_head (size, after, root, at_ms, public_key, signature) values ($1, $2, $3, $4, $5, $6)
         on conflict (size) do nothing",
        size,
        after,
        root.bytes(),
        at_ms,
        signer.key.bytes(),
        signature.bytes(),
    )
    .execute(database.pool())
    .await?;
    Ok(signed.rows_affected() > 0)
}

/// Which signed heads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which {
    /// After this size, the oldest first.
    After(i64),
    /// Those that stand in no folder yet, the oldest first.
    Unpublished,
}

/// Some signed heads, at most `limit`, with the hashes of the entries that each covers and the one before it does not.
#[compiled_once]
pub(crate) async fn heads(database: &Database, which: Which, limit: i64) -> Result<Vec<SignedHead>, Error> {
    let (after, unpublished) = match which {
        Which::After(size) => (size, false),
        Which::Unpublished => (0, true),
    };
    let most = i64::try_from(MOST_LEAVES).unwrap_or(i64::MAX);
    let rows = sqlx::query_as!(
        Row,
        r#"select size, after, root, at_ms, public_key, signature,
             array(select substring(s.hashes for 32) from audit.subtree s
                   where s.sequence > h.after and s.sequence <= h.size and h.size - h.after <= $4 order by s.sequence) as "leaves!"
           from audit.signed_head h where size > $1 and (not $2 or published_at_ms is null) order by size limit $3"#,
        after,
        unpublished,
        limit,
        most,
    )
    .fetch_all(database.pool())
    .await?;
    let read = |row: Row| {
        let key: [u8; 32] = row.public_key.as_slice().try_into().map_err(|_| Error::Malformed { field: "public_key" })?;
        Ok(SignedHead {
            size: row.size.unsigned_abs(),
            after: row.after.unsigned_abs(),
            root: stored(&row.root)?,
            at_ms: row.at_ms,
            public_key: PublicKey::from_bytes(key),
            signature: Signature::try_from(row.signature.as_slice()).map_err(|_| Error::Malformed { field: "signature" })?,
            leaves: row.leaves.iter().map(|leaf| stored(leaf)).collect::<Result<_, Error>>()?,
        })
    };
    rows.into_iter().map(read).collect()
}

struct Row {
    size: i64,
    after: i64,
    root: Vec<u8>,
    at_ms: i64,
    public_key: Vec<u8>,
    signature: Vec<u8>,
    leaves: Vec<Vec<u8>>,
}

fn stored(bytes: &[u8]) -> Result<Hash, Error> {
    Hash::try_from(bytes).map_err(|_| Error::Malformed { field: "hash" })
}
