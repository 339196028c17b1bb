//! The Merkle tree over the trace (RFC 6962). No I/O.
//!
//! Leaf *n* is the body of entry *n + 1*, byte for byte. Of the tree only **complete subtrees** are kept, which no later entry changes: entry *s*
//! completes the subtrees of 1, 2, 4, … leaves that end with it, so they stand in its row one behind the other, and each has a place that can be
//! told from the tree's size alone ([`Place`]). The few that make up the whole tree of a size are its [`Frontier`]: appending takes it and
//! nothing else. What a proof consists of and how it is checked is the crate `ct-merkle`'s; what it wants that is no complete subtree is folded
//! from those that are ([`parts_of`]).

use sha2::{Digest as _, Sha256};

use crate::chain::Hash;

/// The hash of an entry's body as a leaf.
pub fn leaf(body: &str) -> Hash {
    Hash::from_bytes(Sha256::new().chain_update([0]).chain_update(body.as_bytes()).finalize().into())
}

fn parent(left: Hash, right: Hash) -> Hash {
    Hash::from_bytes(Sha256::new().chain_update([1]).chain_update(left.bytes()).chain_update(right.bytes()).finalize().into())
}

/// The complete subtrees that make up a tree, the largest first: as many as its size has ones in binary.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// As it is stored.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let peaks: Vec<Hash> = bytes.chunks(32).map(|hash| Hash::try_from(hash).ok()).collect::<Option<_>>()?;
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// To be stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.iter().flat_map(|peak| peak.bytes().iter().copied()).collect()
    }

    /// Leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes one more leaf, and tells the complete subtrees that end with it, the smallest, the leaf itself, first.
    pub fn push(&mut self, leaf: Hash) -> Vec<Hash> {
        let mut completed = vec![leaf];
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            // as many peaks as ones: there is one for each
            let Some(left) = self.peaks.pop() else { break };
            hash = parent(left, hash);
            completed.push(hash);
        }
        self.peaks.push(hash);
        self.size += 1;
        completed
    }

    /// The hash of the whole tree.
    pub fn root(&self) -> Hash {
        fold(&self.peaks).unwrap_or_else(|| Hash::from_bytes(Sha256::digest(b"").into()))
    }
}

/// The hash of adjacent complete subtrees that stand under one node, the largest first.
pub(crate) fn fold(subtrees: &[Hash]) -> Option<Hash> {
    let (last, others) = subtrees.split_last()?;
    Some(others.iter().rev().fold(*last, |right, left| parent(*left, right)))
}

/// A complete subtree: which, of those of its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    /// It has 2 to the power of this many leaves.
    level: u32,
    /// So many of its size stand before it.
    position: u64,
}

impl Place {
    /// The entry that completes it, in whose row it stands.
    pub(crate) fn sequence(self) -> u64 {
        (self.position + 1) << self.level
    }

    /// It, out of that row.
    pub(crate) fn in_row(self, row: &[u8]) -> Option<Hash> {
        let begin = self.level as usize * 32;
        Hash::try_from(row.get(begin..begin + 32)?).ok()
    }
}

/// The complete subtrees, the largest first, that make up the node with this index (as `ct-merkle` numbers them) in a tree of `size` leaves.
pub(crate) fn parts_of(index: u64, size: u64) -> Vec<Place> {
    let level = index.trailing_ones();
    let position = index >> (level + 1);
    let begin = position << level;
    let end = begin + (1 << level);
    if end <= size {
        return vec![Place { level, position }];
    }
    let mut parts = Vec::new();
    let mut at = begin;
    while at < size {
        let level = (size - at).ilog2();
        parts.push(Place { level, position: at >> level });
        at += 1 << level;
    }
    parts
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use ct_merkle::{ConsistencyProof, InclusionProof, indices_for_consistency_proof, indices_for_inclusion_proof};
    use proptest::prelude::*;

    use super::*;

    fn bodies(size: usize) -> Vec<String> {
        (0..size).map(|number| format!("{{\"sequence\":{}}}", number + 1)).collect()
    }

    /// The rows as they are stored, and the frontier after them.
    fn grown(size: usize) -> (Vec<Vec<u8>>, Frontier) {
        let mut frontier = Frontier::default();
        let row = |completed: Vec<Hash>| completed.iter().flat_map(|hash| hash.bytes().to_vec()).collect();
        let rows = bodies(size).iter().map(|body| row(frontier.push(leaf(body)))).collect();
        (rows, frontier)
    }

    fn theirs(size: usize) -> MemoryBackedTree<Sha256, String> {
        let mut tree = MemoryBackedTree::new();
        bodies(size).into_iter().for_each(|body| tree.push(body));
        tree
    }

    fn node(rows: &[Vec<u8>], index: u64, size: u64) -> Hash {
        let parts: Vec<Hash> =
            parts_of(index, size).into_iter().map(|place| place.in_row(&rows[place.sequence() as usize - 1]).unwrap()).collect();
        fold(&parts).unwrap()
    }

    #[test]
    fn the_tree_of_nothing_is_the_one_of_the_standard() {
        assert_eq!(Frontier::default().root().to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    proptest! {
        #[test]
        fn its_hash_is_the_one_of_a_tree_held_whole(size in 0_usize..300) {
            let (_, frontier) = grown(size);
            prop_assert_eq!(frontier.root(), Hash::try_from(theirs(size).root().as_bytes().as_slice()).unwrap());
            prop_assert_eq!(Frontier::from_bytes(size as u64, &frontier.to_bytes()), Some(frontier));
        }

        #[test]
        fn every_entry_is_proved_to_be_in_it_and_every_tree_to_go_on_from_every_earlier_one(size in 1_usize..200, seed in 0_usize..1_000) {
            let (rows, _) = grown(size);
            let (old, index, tree) = (seed % size + 1, seed % size, theirs(size));
            let wide = size as u64;
            let nodes = |indices: Vec<u64>| indices.into_iter().flat_map(|at| node(&rows, at, wide).bytes().to_vec()).collect::<Vec<_>>();
            let inclusion = InclusionProof::try_from_bytes(nodes(indices_for_inclusion_proof(wide, index as u64))).unwrap();
            prop_assert!(tree.root().verify_inclusion(&bodies(size)[index], index as u64, &inclusion).is_ok());
            let consistency = nodes(indices_for_consistency_proof(old as u64, (size - old) as u64));
            let consistency = ConsistencyProof::try_from_bytes(consistency).unwrap();
            prop_assert!(tree.root().verify_consistency(&theirs(old).root(), &consistency).is_ok());
        }
    }
}
