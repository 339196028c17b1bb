//! AES-256-GCM-SIV (RFC 8452).

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::sealed::NONCE_LEN;

/// One key.
pub(super) struct Cipher(LessSafeKey);

impl Cipher {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM_SIV, key).expect("32 bytes are a key");
        // The nonce-misuse-resistant mode is what makes random nonces safe here.
        Self(LessSafeKey::new(key))
    }

    /// Ciphertext and tag.
    pub(super) fn seal(&self, nonce: [u8; NONCE_LEN], aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(plain.len() + AES_256_GCM_SIV.tag_len());
        sealed.extend_from_slice(plain);
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed)
            .expect("a slice is shorter than the 64 GiB that RFC 8452 allows");
        sealed
    }

    /// What was sealed under the same nonce with the same associated data; `None` for anything else.
    pub(super) fn open(&self, nonce: [u8; NONCE_LEN], aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut opened = Zeroizing::new(sealed.to_vec());
        let length = self.0.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut opened).ok()?.len();
        opened.truncate(length);
        Some(opened)
    }
}

/// A key for it.
pub(super) fn random_key() -> Zeroizing<[u8; 32]> {
    Zeroizing::new(rand::random())
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8452, appendix C.2
    #[rstest::rstest]
    #[case::nothing("", "07f5f4169bbf55a8400cd47ea6fd400f")]
    #[case::eight_bytes("0100000000000000", "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28")]
    fn it_is_the_cipher_of_the_standard(#[case] plain: &str, #[case] sealed: &str) {
        let mut key = [0; 32];
        key[0] = 1;
        let mut nonce = [0; NONCE_LEN];
        nonce[0] = 3;
        let (cipher, plain) = (Cipher::new(&key), hex::decode(plain).unwrap());
        let made = cipher.seal(nonce, b"", &plain);
        assert_eq!(hex::encode(&made), sealed);
        assert_eq!(cipher.open(nonce, b"", &made).unwrap().as_slice(), plain);
        assert!(cipher.open(nonce, b"other", &made).is_none());
    }
}
