//! Texts of cases: read within their bounds, sealed at rest.

use platform::crypto::{Keyring, Purpose, Sealed};
use platform::http::FieldFault;
use serde::{Deserialize, Serialize};

use crate::Error;

/// What was said at the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// What happened.
    pub(crate) text: String,
    /// What outcome is wanted.
    #[serde(default)]
    pub(crate) request: Option<String>,
    /// The body complained of, or who or what is reported.
    #[serde(default)]
    pub(crate) against: Option<String>,
    /// Where, in words.
    #[serde(default)]
    pub(crate) place: Option<String>,
}

impl Facts {
    /// Its beginning, for a line of a list.
    pub(crate) fn summary(&self) -> String {
        let mut summary: String = self.text.chars().take(40).collect();
        if self.text.chars().nth(40).is_some() {
            summary.push('…');
        }
        summary
    }

    pub(crate) fn seal(&self, keyring: &Keyring) -> Result<Vec<u8>, Error> {
        let json = serde_json::to_vec(self).map_err(Error::stored("facts"))?;
        Ok(keyring.seal(Purpose::CaseText, &json).into_bytes())
    }

    pub(crate) fn open(keyring: &Keyring, sealed: Vec<u8>) -> Result<Self, Error> {
        let plain = keyring.open(Purpose::CaseText, &Sealed::from_bytes(sealed)?)?;
        serde_json::from_slice(&plain).map_err(Error::stored("facts"))
    }
}

/// Seals a text of a case.
pub(crate) fn seal(keyring: &Keyring, text: &str) -> Vec<u8> {
    keyring.seal(Purpose::CaseText, text.as_bytes()).into_bytes()
}

/// Opens a text that was sealed for this purpose.
pub(crate) fn open(keyring: &Keyring, purpose: Purpose, sealed: Vec<u8>) -> Result<String, Error> {
    let plain = keyring.open(purpose, &Sealed::from_bytes(sealed)?)?;
    String::from_utf8(plain.to_vec()).map_err(Error::stored("text"))
}

/// The same for a text that may be missing.
pub(crate) fn open_some(keyring: &Keyring, purpose: Purpose, sealed: Option<Vec<u8>>) -> Result<Option<String>, Error> {
    sealed.map(|sealed| open(keyring, purpose, sealed)).transpose()
}

/// Reads a text that has to be there, without blanks around it.
pub(crate) fn needed(field: &str, text: &str, most: usize, faults: &mut Vec<FieldFault>) -> String {
    let text = text.trim();
    if text.is_empty() {
        faults.push(FieldFault::new(field, "请填写", "is missing"));
    }
    bounded(field, text, most, faults)
}

/// Reads a text that may be missing; blanks are none.
pub(crate) fn optional(field: &str, text: Option<&str>, most: usize, faults: &mut Vec<FieldFault>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(|text| bounded(field, text, most, faults))
}

fn bounded(field: &str, text: &str, most: usize, faults: &mut Vec<FieldFault>) -> String {
    if text.chars().nth(most).is_some() {
        faults.push(FieldFault::new(field, format!("最多 {most} 个字"), format!("has at most {most} characters")));
    }
    text.to_owned()
}
