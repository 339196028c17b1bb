//! Tokens: 256 random bits behind a prefix that says what they are for. Only their hash is kept anywhere.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Prefix of a staff session.
pub const SESSION: &str = "fhs_";
/// Prefix of a known device.
pub const DEVICE: &str = "fhv_";
/// Prefix of an API key.
pub const API_KEY: &str = "fhk_";

/// A token that was just made, on its way to its owner. It never prints.
pub struct Token(String);

impl Token {
    /// A fresh token of this kind.
    pub fn generate(prefix: &str) -> Self {
        let random: [u8; 32] = rand::random();
        Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random)))
    }

    /// One that its owner presents.
    pub(crate) fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Its hash.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }

    /// The text, to be handed to its owner once.
    pub fn into_text(self) -> String {
        self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// SHA-256 of a token: it names the token and cannot be used in its place. A token is random, so it takes no salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a presented token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_differ_and_their_hash_is_stable() {
        let (one, other) = (Token::generate(SESSION), Token::generate(SESSION));
        assert_ne!(one.hash(), other.hash());
        let hash = one.hash();
        assert!(!format!("{one:?}").contains("fhs_"));
        let text = one.into_text();
        assert_eq!((text.len(), &text[..4]), (47, "fhs_"));
        assert_eq!(TokenHash::of(&text), hash);
    }
}
