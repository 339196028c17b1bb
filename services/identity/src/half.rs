//! Secrets in two halves: one for the administrator who proposes an account or key, one for the one who confirms it. Whoever is to have
//! the secret gets a half from each, so neither of them can use it alone.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use platform::Platform;
use platform::crypto::{Purpose, Sealed};

use crate::Error;
use crate::token::{API_KEY, TokenHash};

/// Characters of codes that people type: none that is taken for another.
const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// Half a secret on its way to an administrator. It never prints.
pub(crate) struct Half(String);

impl Half {
    /// Half a code with which somebody sets their own password: three groups of five characters, 74 bits.
    pub(crate) fn of_code() -> Self {
        let letter = || char::from(LETTERS[rand::random_range(..LETTERS.len())]);
        let groups: [String; 3] = std::array::from_fn(|_| (0..5).map(|_| letter()).collect());
        Self(groups.join("-"))
    }

    /// The first half of a source's key, with the prefix that says what it is: 128 bits.
    pub(crate) fn first_of_key() -> Self {
        Self(format!("{API_KEY}{}", Self::second_of_key().0))
    }

    /// Its second half: another 128 bits.
    pub(crate) fn second_of_key() -> Self {
        let random: [u8; 16] = rand::random();
        Self(URL_SAFE_NO_PAD.encode(random))
    }

    /// The first half as it waits in the table for the second.
    pub(crate) fn sealed(&self, platform: &Platform) -> Vec<u8> {
        platform.keyring.seal(Purpose::SecretHalf, self.0.as_bytes()).into_bytes()
    }

    /// What waited in the table.
    pub(crate) fn opened(platform: &Platform, sealed: Vec<u8>) -> Result<Self, Error> {
        let plain = platform.keyring.open(Purpose::SecretHalf, &Sealed::from_bytes(sealed)?)?;
        let text = std::str::from_utf8(&plain).map_err(|_| Error::Stored { what: "proposal.secret_half" })?;
        Ok(Self(text.to_owned()))
    }

    /// The hash of the key that the two make.
    pub(crate) fn key_with(&self, second: &Self) -> TokenHash {
        TokenHash::of(&format!("{}{}", self.0, second.0))
    }

    /// The hash of the code that the two make.
    pub(crate) fn code_with(&self, second: &Self) -> TokenHash {
        code(&self.0, &second.0)
    }

    /// The text, to be shown once.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

impl fmt::Debug for Half {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Half(…)")
    }
}

/// The hash of a code whose halves somebody typed, whatever the case and the spaces around them.
pub(crate) fn code(first: &str, second: &str) -> TokenHash {
    let plain = |half: &str| half.trim().to_ascii_lowercase();
    TokenHash::of(&format!("{}+{}", plain(first), plain(second)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_takes_both_halves_and_prints_neither() {
        let (first, second) = (Half::of_code(), Half::of_code());
        assert_ne!(first.0, second.0);
        assert_eq!(first.0.len(), 17);
        assert!(!format!("{first:?}").contains(&first.0));
        assert_eq!(first.code_with(&second), code(&format!(" {} ", first.0.to_uppercase()), &second.0));
        assert_ne!(first.code_with(&second), second.code_with(&first));

        let (first, second) = (Half::first_of_key(), Half::second_of_key());
        assert_eq!(first.key_with(&second), TokenHash::of(&format!("{}{}", first.into_text(), second.into_text())));
    }
}
