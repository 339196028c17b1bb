//! A signed head: how large the trace was, its hash, when, signed with a key of its own (Ed25519, RFC 8032). No I/O.
//!
//! Whoever keeps one can show later that everything up to it is as it was; the signature shows that it is ours. Beside the head stand the hashes
//! of the entries since the one before it, so that it can also be said *which* entry is not what it was.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::chain::Hash;
use crate::tree::Frontier;

/// More hashes of entries are not written beside one head.
pub(crate) const MOST_LEAVES: u64 = 50_000;

/// The public half of the key that signs heads. As text: 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String)]
pub struct PublicKey(Hash);

impl PublicKey {
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Hash::from_bytes(bytes))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// What people compare: the first 16 bytes of its SHA-256, in groups of four digits.
    pub fn fingerprint(&self) -> String {
        let digits = hex::encode(&Sha256::digest(self.bytes())[..16]);
        digits.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join(" ")
    }
}

impl std::str::FromStr for PublicKey {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim().parse().map(Self)
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A signature. As text: 128 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String)]
pub struct Signature([u8; 64]);

impl Signature {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl Serialize for Signature {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut bytes = [0; 64];
        hex::decode_to_slice(String::deserialize(deserializer)?, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// A head of the trace with its signature: what is kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AuditSignedHead)]
pub struct SignedHead {
    /// How many entries the trace had.
    pub size: u64,
    /// Its hash then: of the Merkle tree (RFC 6962) over the bodies of the entries.
    pub root: Hash,
    /// When it was signed, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The key that signed it.
    pub public_key: PublicKey,
    /// The signature of the text `fenghuo audit head`, size, root and time, each followed by a line feed.
    pub signature: Signature,
    /// The size of the signed head before it.
    pub after: u64,
    /// The hashes of the entries since then, as leaves; none where there are too many.
    #[serde(default)]
    pub leaves: Vec<Hash>,
}

/// What is signed.
pub(crate) fn signed_text(size: u64, root: Hash, at_ms: i64) -> String {
    format!("fenghuo audit head\n{size}\n{root}\n{at_ms}\n")
}

impl SignedHead {
    /// Whether its key has signed it.
    pub fn is_signed(&self) -> bool {
        let text = signed_text(self.size, self.root, self.at_ms);
        UnparsedPublicKey::new(&ED25519, self.public_key.bytes()).verify(text.as_bytes(), &self.signature.0).is_ok()
    }

    /// Whether the hashes beside it, after the tree of the head before it, make up its root.
    pub(crate) fn leaves_fit(&self, before: &Frontier) -> bool {
        if before.size() != self.after || self.leaves.len() as u64 != self.size.saturating_sub(self.after) {
            return false;
        }
        let mut frontier = before.clone();
        self.leaves.iter().for_each(|leaf| drop(frontier.push(*leaf)));
        frontier.root() == self.root
    }
}
