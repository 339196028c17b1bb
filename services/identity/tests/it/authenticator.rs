//! An authenticator made by hand: a key pair, and what a browser tells of it. It does what it is told, the wrong thing too.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The person was there, and was verified.
const PRESENT_AND_VERIFIED: u8 = 0x05;
const PRESENT: u8 = 0x01;
/// A key comes with it.
const WITH_KEY: u8 = 0x40;

pub struct Authenticator {
    key: SigningKey,
    id: [u8; 32],
    user: String,
    /// The page that asks, as its browser says.
    pub origin: String,
    /// For which name it signs.
    pub rp_id: String,
    /// Whether it asks for a finger.
    pub verifies: bool,
    /// How often it has signed.
    pub count: u32,
}

impl Authenticator {
    /// One that a page of this address uses.
    pub fn at(address: &str) -> Self {
        let rp_id = address.trim_start_matches("https://").to_owned();
        let key = SigningKey::from_slice(&rand::random::<[u8; 32]>()).unwrap();
        let (id, user, origin) = (rand::random(), String::new(), address.to_owned());
        Self { key, id, user, origin, rp_id, verifies: true, count: 1 }
    }

    /// Makes a passkey, as `PublicKeyCredential.toJSON()` tells of it.
    pub fn makes(&mut self, options: &Value) -> Value {
        self.user = options["user"]["id"].as_str().unwrap().to_owned();
        let point = self.key.verifying_key().to_encoded_point(false);
        let mut told = self.told(WITH_KEY);
        told.extend([0; 16]);
        told.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        told.extend(self.id);
        // a COSE key: EC2, ES256, P-256
        told.extend([0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        told.extend(point.x().unwrap());
        told.extend([0x22, 0x58, 0x20]);
        told.extend(point.y().unwrap());
        let mut attestation = vec![0xA3, 0x63];
        attestation.extend(b"fmt\x64none\x67attStmt\xA0\x68authData");
        attestation.extend([0x58, u8::try_from(told.len()).unwrap()]);
        attestation.extend(told);
        let response = json!({
            "clientDataJSON": self.client_data("webauthn.create", options), "attestationObject": encoded(&attestation), "transports": ["internal"],
        });
        self.credential(response)
    }

    /// Shows it.
    pub fn shows(&mut self, options: &Value) -> Value {
        self.count += 1;
        let (client_data, told) = (self.client_data("webauthn.get", options), self.told(0));
        let hash = Sha256::digest(URL_SAFE_NO_PAD.decode(&client_data).unwrap());
        let signature: Signature = self.key.sign(&[told.as_slice(), &hash].concat());
        let response = json!({
            "clientDataJSON": client_data, "authenticatorData": encoded(&told), "signature": encoded(signature.to_der().as_bytes()),
            "userHandle": self.user,
        });
        self.credential(response)
    }

    /// Says that it belongs to somebody else.
    pub fn claims_to_be(&mut self, other: &Self) {
        self.user.clone_from(&other.user);
    }

    fn told(&self, more: u8) -> Vec<u8> {
        let flags = more | if self.verifies { PRESENT_AND_VERIFIED } else { PRESENT };
        let mut told = Sha256::digest(&self.rp_id).to_vec();
        told.push(flags);
        told.extend(self.count.to_be_bytes());
        told
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let challenge = options["challenge"].as_str().unwrap();
        let data = format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{}","crossOrigin":false}}"#, self.origin);
        encoded(data.as_bytes())
    }

    fn credential(&self, response: Value) -> Value {
        let id = encoded(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {}, "authenticatorAttachment": "platform" })
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
