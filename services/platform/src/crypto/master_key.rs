//! The master key: 32 bytes from a file or the environment that encrypt the other keys.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::cipher::{Cipher, random_key};
use super::sealed::NONCE_LEN;
use crate::error::Error;

/// The section `keys` of the configuration. One of the two, the value before the file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeySettings {
    /// 32 bytes as 64 hexadecimal digits or as base64. Wins over the file.
    ///
    /// Wraps the keys in the database that seal personal data: without it the platform does not start, and losing it loses all that is
    /// sealed.
    ///
    /// Example: "…"
    #[serde(skip_serializing)]
    pub master_key: SecretString,
    /// A file that holds it so.
    ///
    /// Every process has to have the same. Made by: `openssl rand -hex 32`.
    ///
    /// Example: "master.key"
    pub master_key_file: Option<PathBuf>,
    /// Make the file, readable by this user only, when it is missing.
    ///
    /// Off, so that a process that looks in the wrong place says so, rather than making a second key.
    pub create: bool,
}

impl KeySettings {
    /// Whether there is a master key of the right form. It is not made where it is missing.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn check(&self) -> Result<(), Error> {
        MasterKey::load(&Self { create: false, ..self.clone() }).map(drop)
    }
}

/// Wraps and unwraps keys.
pub(super) struct MasterKey(Cipher);

impl MasterKey {
    /// Reads it from where the settings say.
    pub(super) fn load(settings: &KeySettings) -> Result<Self, Error> {
        let key = match (&settings.master_key, &settings.master_key_file) {
            (value, _) if !value.expose_secret().is_empty() => decode(value.expose_secret())?,
            (_, Some(file)) => from_file(file, settings.create)?,
            _ => return Err(unusable("set keys.master_key or keys.master_key_file")),
        };
        Ok(Self(Cipher::new(&key)))
    }

    /// Encrypts a key; its use and id are bound in, so rows cannot be exchanged.
    pub(super) fn wrap(&self, usage: &str, id: i16, key: &[u8; 32]) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let aad = binding(usage, id);
        let wrapped = self.0.seal(nonce, aad.as_bytes(), key);
        [nonce.as_slice(), &wrapped].concat()
    }

    /// Decrypts a wrapped key.
    pub(super) fn unwrap(&self, usage: &str, id: i16, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, Error> {
        let foreign = || unusable("it is not the one that the keys in this database were made with");
        let (nonce, ciphertext) = wrapped.split_first_chunk::<NONCE_LEN>().ok_or_else(foreign)?;
        let aad = binding(usage, id);
        self.0.open(*nonce, aad.as_bytes(), ciphertext).and_then(exactly_32).ok_or_else(foreign)
    }
}

fn binding(usage: &str, id: i16) -> String {
    format!("fenghuo wrapped key {usage} {id}")
}

fn unusable(reason: &str) -> Error {
    Error::MasterKey { reason: reason.to_owned() }
}

fn decode(text: &str) -> Result<Zeroizing<[u8; 32]>, Error> {
    let text = text.trim();
    let bytes = match text.len() {
        64 => hex::decode(text).ok(),
        _ => BASE64_STANDARD.decode(text).ok(),
    };
    bytes.map(Zeroizing::new).and_then(exactly_32).ok_or_else(|| unusable("it must be 32 bytes, as 64 hexadecimal digits or as base64"))
}

fn exactly_32(bytes: Zeroizing<Vec<u8>>) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    if bytes.len() != key.len() {
        return None;
    }
    key.copy_from_slice(&bytes);
    Some(key)
}

fn from_file(path: &Path, create: bool) -> Result<Zeroizing<[u8; 32]>, Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    match std::fs::read_to_string(path) {
        Ok(text) => decode(&Zeroizing::new(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && create => {
            write_new(path).map_err(failed)?;
            // read back: another process may have been first
            decode(&Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Writes a random key under a passing name and links it into place, so that nobody ever reads half a key.
fn write_new(path: &Path) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut text = hex::encode(*random_key());
    text.push('\n');
    let passing = path.with_extension(format!("new-{}", uuid::Uuid::new_v4().simple()));
    let written = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&passing).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    text.zeroize();
    let linked = written.and_then(|()| std::fs::hard_link(&passing, path));
    std::fs::remove_file(&passing)?;
    match linked {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}
