//! Signs the head of the trace once a minute, if something came, with a key of its own that is stored sealed.
//!
//! What is there is only signed if it goes on from what was signed: the last head in the table, the last one that this process has signed, and the
//! newest in the folder in which they are published. Who rewrites the trace and deletes the heads that show it gets no new one. Neither is a key
//! made where heads were signed with another.

use std::path::PathBuf;
use std::sync::Arc;

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use platform::Platform;
use platform::compiled_once;
use platform::crypto::{Purpose, Sealed};
use platform::database::Database;
use tokio::sync::{Mutex, OnceCell};

use crate::Error;
use crate::chain::Hash;
use crate::head::{MOST_LEAVES, PublicKey, Signature, SignedHead, signed_text};
use crate::{proofs, publishing, trace};

/// Why there is no key, where there was one.
const GONE: Error = Error::SigningKey { reason: "it is gone, though heads were signed with it; none is made in its place" };

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

/// The key as soon as it can be opened, where heads are published, and which was the last.
#[derive(Debug, Default)]
pub(crate) struct Signing {
    signer: OnceCell<Signer>,
    folder: Option<Arc<PathBuf>>,
    last: Mutex<Last>,
}

/// The last head that was signed, as far as is known outside the database.
#[derive(Debug, Default)]
struct Last {
    /// Whether it was looked for in the folder.
    looked: bool,
    head: Option<(u64, Hash)>,
}

impl Signing {
    pub(crate) fn publishing_to(folder: Option<PathBuf>) -> Self {
        Self { folder: folder.map(Arc::new), ..Self::default() }
    }

    pub(crate) fn folder(&self) -> Option<&Arc<PathBuf>> {
        self.folder.as_ref()
    }

    /// Opens the key the first time, and again after it could not be.
    pub(crate) async fn signer(&self, platform: &Platform) -> Result<&Signer, Error> {
        self.signer.get_or_try_init(|| Signer::load(platform, self.folder.as_ref())).await
    }

    /// The last head that was signed, as far as is known outside the database.
    async fn known(&self, key: PublicKey) -> Option<(u64, Hash)> {
        let mut last = self.last.lock().await;
        if !last.looked {
            match &self.folder {
                None => last.looked = true,
                // while the folder is away nothing is published either, which rings
                Some(folder) => {
                    if let Ok(newest) = publishing::newest(folder, key).await {
                        last.looked = true;
                        last.head = last.head.max_by_size(newest.map(|head| (head.size, head.root)));
                    }
                }
            }
        }
        last.head
    }
}

/// Of two heads the one over more entries.
trait MaxBySize {
    fn max_by_size(self, other: Self) -> Self;
}

impl MaxBySize for Option<(u64, Hash)> {
    fn max_by_size(self, other: Self) -> Self {
        [self, other].into_iter().flatten().max_by_key(|(size, _)| *size)
    }
}

impl Signer {
    /// Opens the key, which is made when there is none and nothing was ever signed. Processes that start together agree on one.
    #[compiled_once]
    async fn load(platform: &Platform, folder: Option<&Arc<PathBuf>>) -> Result<Self, Error> {
        let pool = platform.database.pool();
        let there = sqlx::query_scalar!(r#"select exists (select from audit.signing_key) as "there!""#).fetch_one(pool).await?;
        if !there {
            if let Some(folder) = folder
                && !publishing::is_empty(folder).await?
            {
                return Err(GONE);
            }
            Self::make(platform).await?;
        }
        let row = sqlx::query!("select public_key, sealed from audit.signing_key").fetch_optional(pool).await?.ok_or(GONE)?;
        let seed = platform.keyring.open(Purpose::AuditSigningKey, &Sealed::from_bytes(row.sealed)?)?;
        let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &row.public_key)
            .map_err(|_| Error::SigningKey { reason: "the public half in the table is not its own" })?;
        let key = row.public_key.as_slice().try_into().map_err(|_| Error::Malformed { field: "public_key" })?;
        Ok(Self { pair, key: PublicKey::from_bytes(key) })
    }

    async fn make(platform: &Platform) -> Result<(), Error> {
        let fresh = Ed25519KeyPair::generate().map_err(|_| Error::SigningKey { reason: "none could be made" })?;
        let seed = fresh.seed().and_then(|seed| seed.as_be_bytes()).map_err(|_| Error::SigningKey { reason: "none could be made" })?;
        let sealed = platform.keyring.seal(Purpose::AuditSigningKey, seed.as_ref());
        let (public, now) = (fresh.public_key().as_ref(), platform.clock.now().timestamp_millis());
        let made = sqlx::query!(
            "insert into audit.signing_key (public_key, sealed, made_at_ms)
             select $1, $2, $3 where not exists (select from audit.signed_head) on conflict (id) do nothing",
            public,
            sealed.as_bytes(),
            now,
        )
        .execute(platform.database.pool())
        .await?;
        if made.rows_affected() > 0 {
            tracing::warn!(
                public_key = hex::encode(public),
                "a key was made that signs heads of the audit trace: let the auditor write it down"
            );
        }
        Ok(())
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
pub(crate) async fn sign(platform: &Platform, signing: &Signing, at_ms: i64) -> Result<bool, Error> {
    let (database, signer) = (&platform.database, signing.signer(platform).await?);
    let frontier = trace::grown(database).await?;
    let (size, root) = (frontier.size(), frontier.root());
    let last = last_signed(database).await?;
    let known = signing.known(signer.key).await;
    if let Some((known, _)) = known
        && last.is_none_or(|(last, _)| last < known)
    {
        return Err(Error::HeadsAreGone { size: known });
    }
    for (signed, signed_root) in [known, last].into_iter().flatten() {
        goes_on(database, signed, signed_root, size, root).await?;
    }
    let after = last.map_or(0, |(size, _)| size);
    if size == after {
        return Ok(false);
    }
    let signature = signer.sign(size, root, at_ms)?;
    let signed = sqlx::query!(
        "insert into audit.signed_head (size, after, root, at_ms, public_key, signature) values ($1, $2, $3, $4, $5, $6)
         on conflict (size) do nothing",
        size.cast_signed(),
        after.cast_signed(),
        root.bytes(),
        at_ms,
        signer.key.bytes(),
        signature.bytes(),
    )
    .execute(database.pool())
    .await?;
    signing.last.lock().await.head = Some((size, root));
    Ok(signed.rows_affected() > 0)
}

/// The newest head in the table; a failure where those before it are not all there.
async fn last_signed(database: &Database) -> Result<Option<(u64, Hash)>, Error> {
    let hole = sqlx::query_scalar!(
        r#"select h.after from (select after from audit.signed_head order by size desc limit $1) h
           where h.after > 0 and not exists (select from audit.signed_head before where before.size = h.after) order by 1 desc limit 1"#,
        LOOKED_BACK,
    )
    .fetch_optional(database.pool())
    .await?;
    if let Some(size) = hole {
        return Err(Error::HeadsAreGone { size: size.unsigned_abs() });
    }
    let last = sqlx::query!("select size, root from audit.signed_head order by size desc limit 1").fetch_optional(database.pool()).await?;
    last.map(|last| Ok((last.size.unsigned_abs(), stored(&last.root)?))).transpose()
}

/// Fails unless the trace of `size` entries goes on from the one that was signed.
async fn goes_on(database: &Database, signed: u64, signed_root: Hash, size: u64, root: Hash) -> Result<(), Error> {
    let not_signed = Error::NotWhatWasSigned { size: signed };
    if size < signed {
        return Err(not_signed);
    }
    let grown = proofs::consistency(database, signed, size).await?;
    let holds = grown.from_root == signed_root && grown.to_root == root && grown.holds();
    if holds { Ok(()) } else { Err(not_signed) }
}

/// So many heads are looked at for one that is missing before them: a day's.
const LOOKED_BACK: i64 = 1_440;

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
