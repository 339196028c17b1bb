//! What a push service demands of a message without being able to read it: headers (RFC 8030 §5) and the form of the body (RFC 8188 §2.1,
//! RFC 8291 §4).

use http::{HeaderMap, header::CONTENT_ENCODING};

use super::Refusal;

/// Octets of a body that every push service takes (RFC 8030 §7.2).
const LARGEST_BODY: usize = 4_096;
/// Salt, record size, length of the key id, and a point of P-256 as key id.
const HEAD: usize = 16 + 4 + 1 + 65;
/// The least that follows: an empty text with its delimiter, and the tag.
const LEAST_RECORD: usize = 1 + 16;
const URGENCIES: [&str; 4] = ["very-low", "low", "normal", "high"];

/// What can stand behind `/send/`.
pub(super) fn is_id(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(is_url_safe)
}

fn is_url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// Checks headers and body.
pub(super) fn check(headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    text("ttl").filter(|ttl| ttl.parse::<u32>().is_ok()).ok_or(Refusal::NoTtl)?;
    if text("urgency").is_some_and(|urgency| !URGENCIES.contains(&urgency)) {
        return Err(Refusal::BadUrgency);
    }
    if text("topic").is_some_and(|topic| !(1..=32).contains(&topic.len()) || !topic.bytes().all(is_url_safe)) {
        return Err(Refusal::BadTopic);
    }
    if body.len() > LARGEST_BODY {
        return Err(Refusal::TooLarge);
    }
    if text(CONTENT_ENCODING.as_str()) != Some("aes128gcm") {
        return Err(Refusal::BadEncoding);
    }
    check_body(body).ok_or(Refusal::BadBody)
}

fn check_body(body: &[u8]) -> Option<()> {
    let (head, records) = body.split_at_checked(HEAD)?;
    let record_size = u32::from_be_bytes(head[16..20].try_into().ok()?);
    // One record: the message must not be longer than it says (RFC 8291 §4).
    let fits = record_size >= 18 && records.len() <= usize::try_from(record_size).ok()?;
    (head[20] == 65 && head[21] == 4 && records.len() >= LEAST_RECORD && fits).then_some(())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    fn body(record_size: u32, text: usize) -> Vec<u8> {
        let mut body = vec![7; 16];
        body.extend(record_size.to_be_bytes());
        body.extend([65, 4]);
        body.extend(vec![7; 64 + text + LEAST_RECORD]);
        body
    }

    fn checked(change: &[(&'static str, Option<&'static str>)], body: &[u8]) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        let usual = [("ttl", Some("60")), ("urgency", Some("high")), ("topic", Some("abc-_1")), ("content-encoding", Some("aes128gcm"))];
        for (name, value) in usual.iter().chain(change) {
            match value {
                Some(value) => headers.insert(*name, HeaderValue::from_static(value)),
                None => headers.remove(*name),
            };
        }
        check(&headers, body)
    }

    #[rstest]
    #[case::as_it_should_be(&[], Ok(()))]
    #[case::only_what_must_be(&[("urgency", None), ("topic", None)], Ok(()))]
    #[case::no_ttl(&[("ttl", None)], Err(Refusal::NoTtl))]
    #[case::a_ttl_that_is_none(&[("ttl", Some("soon"))], Err(Refusal::NoTtl))]
    #[case::an_unknown_urgency(&[("urgency", Some("now"))], Err(Refusal::BadUrgency))]
    #[case::a_topic_too_long(&[("topic", Some("0123456789012345678901234567890123"))], Err(Refusal::BadTopic))]
    #[case::a_topic_with_a_dot(&[("topic", Some("a.b"))], Err(Refusal::BadTopic))]
    #[case::the_encoding_of_a_draft(&[("content-encoding", Some("aesgcm"))], Err(Refusal::BadEncoding))]
    #[case::in_the_clear(&[("content-encoding", None)], Err(Refusal::BadEncoding))]
    fn headers_are_checked(#[case] change: &[(&'static str, Option<&'static str>)], #[case] expected: Result<(), Refusal>) {
        assert_eq!(checked(change, &body(4_096, 10)), expected);
    }

    #[rstest]
    #[case::empty(vec![], Refusal::BadBody)]
    #[case::cut_off(body(4_096, 10)[..90].to_vec(), Refusal::BadBody)]
    #[case::longer_than_its_record(body(20, 10), Refusal::BadBody)]
    #[case::too_large(body(4_096, 4_000), Refusal::TooLarge)]
    fn bodies_are_checked(#[case] body: Vec<u8>, #[case] expected: Refusal) {
        assert_eq!(checked(&[], &body), Err(expected));
    }
}
