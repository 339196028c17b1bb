//! Messages that only one browser can read (RFC 8291): a fresh key of ours and the browser's make a secret, and with it the message
//! is encrypted as one record of `aes128gcm` (RFC 8188).

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use domain::web_push::Subscription;

/// What the record could hold at most, told to the browser.
const RECORD: u32 = 4_096;
/// After the text of the last record (RFC 8188 §2).
const LAST_RECORD: u8 = 2;

/// The message could not be encrypted: the browser's key is none, or there is no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message cannot be sealed for this browser")]
pub(super) struct Unsealable;

impl From<Unspecified> for Unsealable {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

/// A request's body: the text for this browser.
pub(super) fn sealed(text: &[u8], to: &Subscription) -> Result<Vec<u8>, Unsealable> {
    sealed_with(text, to, &PrivateKey::generate(&ECDH_P256)?, rand::random())
}

fn sealed_with(text: &[u8], to: &Subscription, own: &PrivateKey, salt: [u8; 16]) -> Result<Vec<u8>, Unsealable> {
    let own_public = own.compute_public_key()?;
    let shared = agree(own, UnparsedPublicKey::new(&ECDH_P256, to.p256dh()), Unsealable, |secret| {
        let combined = Salt::new(HKDF_SHA256, to.auth()).extract(secret);
        expanded::<32>(&combined, &[b"WebPush: info\0", to.p256dh(), own_public.as_ref()])
    })?;
    let secret = Salt::new(HKDF_SHA256, &salt).extract(&shared);
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &expanded::<16>(&secret, &[b"Content-Encoding: aes128gcm\0"])?)?);
    let nonce = Nonce::assume_unique_for_key(expanded::<12>(&secret, &[b"Content-Encoding: nonce\0"])?);

    let own_public = own_public.as_ref();
    let id_length = u8::try_from(own_public.len()).map_err(|_| Unsealable)?;
    let mut body = Vec::with_capacity(salt.len() + 4 + 1 + own_public.len() + text.len() + 1 + AES_128_GCM.tag_len());
    body.extend_from_slice(&salt);
    body.extend_from_slice(&RECORD.to_be_bytes());
    body.push(id_length);
    body.extend_from_slice(own_public);
    let head = body.len();
    body.extend_from_slice(text);
    body.push(LAST_RECORD);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::empty(), &mut body[head..])?;
    body.extend_from_slice(tag.as_ref());
    Ok(body)
}

/// So many octets.
struct Octets(usize);

impl KeyType for Octets {
    fn len(&self) -> usize {
        self.0
    }
}

fn expanded<const N: usize>(secret: &Prk, info: &[&[u8]]) -> Result<[u8; N], Unsealable> {
    let mut octets = [0; N];
    secret.expand(info, Octets(N))?.fill(&mut octets)?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use domain::web_push::PushServices;

    use super::*;

    fn octets<const N: usize>(text: &str) -> [u8; N] {
        URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
    }

    fn browser() -> Subscription {
        let p256dh = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
        Subscription::parse("https://fcm.googleapis.com/x", p256dh, "BTBZMqHH6r4Tts7J_aSIgg", &PushServices::default()).unwrap()
    }

    #[test]
    fn the_example_of_rfc_8291_appendix_a_comes_out_to_the_byte() {
        let own = PrivateKey::from_private_key(&ECDH_P256, &octets::<32>("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).unwrap();
        let text = b"When I grow up, I want to be a watermelon";
        let body = sealed_with(text, &browser(), &own, octets("DGv6ra1nlYgDCS1FRnbzlw")).unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn no_two_messages_share_a_key_or_a_salt() {
        let [one, other] = [(); 2].map(|()| sealed(b"text", &browser()).unwrap());
        assert_ne!(one[..16], other[..16]);
        assert_ne!(one[21..86], other[21..86]);
    }

    #[test]
    fn the_longest_message_is_one_that_every_push_service_takes() {
        assert!(sealed(&[b'x'; 3_800], &browser()).unwrap().len() <= 4_096);
    }
}
