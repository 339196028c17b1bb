//! Who sends (RFC 8292): `vapid t=<ES256 JWT>, k=<public key>`, for this origin, good for a day at most, with a way to reach the sender.
//!
//! A sender uses one token for many requests, so a connection remembers the last one with its verdict; only its age is looked at again.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderValue;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, get_current_timestamp};
use serde::Deserialize;

use super::Refusal;

/// A token may not be good for longer (RFC 8292 §2).
const LONGEST_S: u64 = 24 * 3_600;

#[derive(Debug, Deserialize)]
struct Claims {
    exp: u64,
    sub: String,
}

/// A token that was looked at, and what came of it.
#[derive(Debug)]
pub(super) struct Checked {
    authorization: HeaderValue,
    /// The sender's public key, and the token's end.
    verdict: Result<(String, u64), Refusal>,
}

/// Checks tokens.
#[derive(Debug)]
pub(super) struct Verifier {
    validation: Validation,
    age_checked: bool,
}

impl Verifier {
    pub(super) fn new(origin: &str, age_checked: bool) -> Self {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_required_spec_claims(&["aud", "exp", "sub"]);
        validation.set_audience(&[origin]);
        // below, from memory too
        validation.validate_exp = false;
        Self { validation, age_checked }
    }

    /// The public key of whoever sends by this `authorization` header, from memory when it is the same as before.
    pub(super) fn check<'m>(&self, authorization: &HeaderValue, memory: &'m mut Option<Checked>) -> Result<&'m str, Refusal> {
        if memory.as_ref().is_none_or(|checked| checked.authorization != authorization) {
            let verdict = self.verify(authorization).ok_or(Refusal::Unauthorized);
            *memory = Some(Checked { authorization: authorization.clone(), verdict });
        }
        let Some(Checked { verdict: Ok((key, end)), .. }) = memory else { return Err(Refusal::Unauthorized) };
        let now = get_current_timestamp();
        let in_time = *end > now && *end <= now + LONGEST_S;
        if in_time || !self.age_checked { Ok(key) } else { Err(Refusal::Unauthorized) }
    }

    fn verify(&self, authorization: &HeaderValue) -> Option<(String, u64)> {
        let (scheme, parameters) = authorization.to_str().ok()?.split_once(' ')?;
        let parameter = |name: &str| parameters.split(',').find_map(|one| one.trim().strip_prefix(name)?.strip_prefix('='));
        let (token, key) = (parameter("t")?, parameter("k")?);
        let point = URL_SAFE_NO_PAD.decode(key).ok().filter(|point| point.len() == 65 && point[0] == 4)?;
        let [x, y] = [&point[1..33], &point[33..]].map(|part| URL_SAFE_NO_PAD.encode(part));
        let claims = decode::<Claims>(token, &DecodingKey::from_ec_components(&x, &y).ok()?, &self.validation).ok()?.claims;
        let reaches = claims.sub.starts_with("mailto:") || claims.sub.starts_with("https://");
        (scheme.eq_ignore_ascii_case("vapid") && reaches).then(|| (key.to_owned(), claims.exp))
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    const ORIGIN: &str = "https://127.0.0.1:8443";

    fn key() -> KeyPair {
        KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
    }

    fn header(claims: &Value, signed_by: &KeyPair, shown: &KeyPair) -> HeaderValue {
        let signing = EncodingKey::from_ec_pem(signed_by.serialize_pem().as_bytes()).unwrap();
        let token = encode(&Header::new(Algorithm::ES256), claims, &signing).unwrap();
        let public = URL_SAFE_NO_PAD.encode(shown.public_key_raw());
        HeaderValue::try_from(format!("vapid t={token}, k={public}")).unwrap()
    }

    fn claims() -> Value {
        json!({ "aud": ORIGIN, "exp": get_current_timestamp() + 3_600, "sub": "mailto:duty@example.com" })
    }

    #[test]
    fn a_sender_is_known_by_the_key_it_signed_with() {
        let own = key();
        let mut memory = None;
        let verifier = Verifier::new(ORIGIN, true);
        let header = header(&claims(), &own, &own);
        for _ in 0..2 {
            assert_eq!(verifier.check(&header, &mut memory), Ok(URL_SAFE_NO_PAD.encode(own.public_key_raw()).as_str()));
        }
    }

    #[test]
    fn a_key_that_did_not_sign_is_refused() {
        let refused = Verifier::new(ORIGIN, true).check(&header(&claims(), &key(), &key()), &mut None).map(str::to_owned);
        assert_eq!(refused, Err(Refusal::Unauthorized));
    }

    #[rstest]
    #[case::for_another_push_service("aud", json!("https://fcm.googleapis.com"))]
    #[case::for_nobody("aud", Value::Null)]
    #[case::over("exp", json!(1_700_000_000))]
    #[case::endless("exp", json!(get_current_timestamp() + 25 * 3_600))]
    #[case::nobody_to_ask("sub", json!("us"))]
    fn a_token_that_says_something_else_is_refused(#[case] claim: &str, #[case] says: Value) {
        let (own, mut claims) = (key(), claims());
        claims[claim] = says;
        let refused = Verifier::new(ORIGIN, true).check(&header(&claims, &own, &own), &mut None).map(str::to_owned);
        assert_eq!(refused, Err(Refusal::Unauthorized));
    }
}
