//! Proofs about the trace that need not the whole of it (RFC 6962): that an entry is in it, and that it goes on from what it was.

use std::collections::HashMap;

use ct_merkle::array::Array;
use ct_merkle::{ConsistencyProof, RootHash, indices_for_consistency_proof, indices_for_inclusion_proof};
use platform::compiled_once;
use platform::database::Database;
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::Sha256;
use utoipa::ToSchema;

use crate::Error;
use crate::chain::Hash;
use crate::tree::{Place, fold, parts_of};

/// That an entry is in the trace.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditInclusionProof)]
pub struct Inclusion {
    /// The entry, byte for byte.
    #[schema(value_type = Object)]
    pub entry: Box<RawValue>,
    /// Its number; its leaf's index is one less.
    pub sequence: u64,
    /// The size of the tree that it is in.
    pub size: u64,
    /// The tree's hash.
    pub root: Hash,
    /// The hashes from the leaf to the root.
    pub path: Vec<Hash>,
}

/// That the trace of one size is the beginning of that of another.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditConsistencyProof)]
pub struct Consistency {
    /// The smaller size.
    pub from: u64,
    /// Its hash.
    pub from_root: Hash,
    /// The larger size.
    pub to: u64,
    /// Its hash.
    pub to_root: Hash,
    /// The hashes that prove it.
    pub path: Vec<Hash>,
}

/// Proves that the entry is in the tree of this size, if it is.
#[compiled_once]
pub(crate) async fn inclusion(database: &Database, sequence: u64, size: u64) -> Result<Option<Inclusion>, Error> {
    if sequence == 0 || sequence > size {
        return Ok(None);
    }
    let number = i64::try_from(sequence).map_err(|_| Error::Malformed { field: "sequence" })?;
    let body = sqlx::query_scalar!("select body from audit.entry where sequence = $1", number).fetch_optional(database.pool()).await?;
    let Some(body) = body else { return Ok(None) };
    let indices = indices_for_inclusion_proof(size, sequence - 1);
    let (path, roots) = nodes(database, indices.into_iter().map(|index| parts_of(index, size)).collect(), [size]).await?;
    let entry = RawValue::from_string(body).map_err(|source| Error::Stored { sequence: number, source })?;
    Ok(Some(Inclusion { entry, sequence, size, root: roots[0], path }))
}

/// Proves that the tree of size `from` is the beginning of that of size `to`; both sizes are at least 1 and within the trace.
#[compiled_once]
pub(crate) async fn consistency(database: &Database, from: u64, to: u64) -> Result<Consistency, Error> {
    let indices = indices_for_consistency_proof(from, to - from);
    let (path, roots) = nodes(database, indices.into_iter().map(|index| parts_of(index, to)).collect(), [from, to]).await?;
    Ok(Consistency { from, from_root: roots[0], to, to_root: roots[1], path })
}

impl Consistency {
    /// Whether it holds.
    pub(crate) fn holds(&self) -> bool {
        let digest = |hash: &Hash| Array::try_from(hash.bytes()).ok();
        let Some(path) = self.path.iter().map(digest).collect::<Option<Vec<_>>>() else { return false };
        let (Some(from), Some(to)) = (digest(&self.from_root), digest(&self.to_root)) else { return false };
        let (from, to) = (RootHash::<Sha256>::new(from, self.from), RootHash::new(to, self.to));
        to.verify_consistency(&from, &ConsistencyProof::from_digests(&path)).is_ok()
    }
}

/// The parts of a whole tree.
fn whole(size: u64) -> Vec<Place> {
    let root = size.next_power_of_two() - 1;
    parts_of(root, size)
}

/// The hashes of nodes, each given by its parts, and of whole trees of these sizes, by one statement.
async fn nodes<const N: usize>(database: &Database, nodes: Vec<Vec<Place>>, sizes: [u64; N]) -> Result<(Vec<Hash>, [Hash; N]), Error> {
    let trees = sizes.map(whole);
    let rows: Vec<i64> = nodes.iter().chain(&trees).flatten().map(|place| place.sequence().cast_signed()).collect();
    let rows: HashMap<u64, Vec<u8>> = sqlx::query!("select sequence, hashes from audit.subtree where sequence = any($1)", &rows)
        .fetch_all(database.pool())
        .await?
        .into_iter()
        .map(|row| (row.sequence.cast_unsigned(), row.hashes))
        .collect();
    let folded = |parts: &Vec<Place>| {
        let hashes: Option<Vec<Hash>> = parts.iter().map(|place| place.in_row(rows.get(&place.sequence())?)).collect();
        hashes.and_then(|hashes| fold(&hashes)).ok_or(Error::Malformed { field: "hashes" })
    };
    let path = nodes.iter().map(folded).collect::<Result<_, _>>()?;
    let mut roots = [Hash::from_bytes([0; 32]); N];
    for (root, parts) in roots.iter_mut().zip(&trees) {
        *root = folded(parts)?;
    }
    Ok((path, roots))
}
