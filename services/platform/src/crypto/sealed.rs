//! The two things that may be stored: sealed bytes and keyed hashes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;

pub(super) const NONCE_LEN: usize = 12;
const VERSION: u8 = 1;
const KEY_ID_LEN: usize = 2;
const TAG_LEN: usize = 16;
const HEAD_LEN: usize = 1 + KEY_ID_LEN + NONCE_LEN;

/// An encrypted value: version (1 byte), key id (2, big endian), nonce (12), ciphertext with its tag (16 more than the text).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct Sealed(Vec<u8>);

/// A [`Sealed`] taken apart.
pub(super) struct Parts<'a> {
    pub(super) key_id: u16,
    pub(super) nonce: [u8; NONCE_LEN],
    pub(super) ciphertext: &'a [u8],
}

impl Sealed {
    pub(super) fn assemble(key_id: u16, nonce: &[u8; NONCE_LEN], ciphertext: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(HEAD_LEN + ciphertext.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&key_id.to_be_bytes());
        bytes.extend_from_slice(nonce);
        bytes.extend_from_slice(ciphertext);
        Self(bytes)
    }

    /// Takes stored bytes back; refuses what cannot be a sealed value.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Error> {
        match bytes.first() {
            _ if bytes.len() < HEAD_LEN + TAG_LEN => Err(Error::Sealed { reason: "it is too short" }),
            Some(&VERSION) => Ok(Self(bytes)),
            _ => Err(Error::Sealed { reason: "its version is unknown" }),
        }
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes to store.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn parts(&self) -> Parts<'_> {
        // the length was checked where the value was made
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&self.0[1 + KEY_ID_LEN..HEAD_LEN]);
        Parts { key_id: u16::from_be_bytes([self.0[1], self.0[2]]), nonce, ciphertext: &self.0[HEAD_LEN..] }
    }
}

impl TryFrom<Vec<u8>> for Sealed {
    type Error = Error;

    fn try_from(bytes: Vec<u8>) -> Result<Self, Error> {
        Self::from_bytes(bytes)
    }
}

impl From<Sealed> for Vec<u8> {
    fn from(sealed: Sealed) -> Self {
        sealed.0
    }
}

impl AsRef<[u8]> for Sealed {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// A keyed hash: HMAC-SHA-256 of a value under the installation's hash key and the value's purpose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyedHash([u8; 32]);

impl KeyedHash {
    /// A stored hash.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store and to compare.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The bytes as a query's parameter takes them.
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl TryFrom<&[u8]> for KeyedHash {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        bytes.try_into().map(Self).map_err(|_| Error::Sealed { reason: "a keyed hash has 32 bytes" })
    }
}

impl AsRef<[u8]> for KeyedHash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeyedHash {
    // it stands for one person: a log may not tell two of them apart
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedHash(…)")
    }
}
