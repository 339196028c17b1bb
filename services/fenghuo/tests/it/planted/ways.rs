//! The ways in which a value may stand somewhere: as it is, and as stores, logs and protocols write it.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Every way of writing this value that a search should find.
pub fn of(value: &str) -> Vec<Vec<u8>> {
    let bytes = value.as_bytes();
    let mut ways = vec![
        bytes.to_vec(),
        hex::encode(bytes).into_bytes(),
        escaped(bytes, |octet| !octet.is_ascii_graphic(), "\\x"),
        escaped(bytes, |octet| !octet.is_ascii_alphanumeric(), "%"),
        in_json(value),
    ];
    // base64 of something that holds the value: at each of three places, without the signs that its neighbours have a part in
    for before in 0..3 {
        let mut shifted = vec![0; before];
        shifted.extend_from_slice(bytes);
        let text = STANDARD_NO_PAD.encode(&shifted);
        let from = [0, 2, 3][before];
        let until = text.len() - usize::from(!shifted.len().is_multiple_of(3));
        ways.push(text.as_bytes()[from..until].to_vec());
    }
    let url_safe: Vec<Vec<u8>> = ways[5..].iter().map(|way| url_safe(way)).collect();
    ways.extend(url_safe);
    ways.sort();
    ways.dedup();
    ways
}

fn escaped(bytes: &[u8], is: impl Fn(u8) -> bool, with: &str) -> Vec<u8> {
    let mut text = String::new();
    for &octet in bytes {
        if is(octet) {
            let _ = write!(text, "{with}{octet:02x}");
        } else {
            text.push(char::from(octet));
        }
    }
    if with == "%" { text.to_uppercase().into_bytes() } else { text.into_bytes() }
}

fn in_json(value: &str) -> Vec<u8> {
    let mut text = String::new();
    let mut units = [0; 2];
    for sign in value.chars() {
        if sign.is_ascii() {
            text.push(sign);
        } else {
            sign.encode_utf16(&mut units).iter().for_each(|unit| {
                let _ = write!(text, "\\u{unit:04x}");
            });
        }
    }
    text.into_bytes()
}

fn url_safe(way: &[u8]) -> Vec<u8> {
    way.iter()
        .map(|octet| match octet {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        })
        .collect()
}

#[test]
fn a_value_is_found_however_it_is_written() {
    let value = "张探针+86190";
    let around = |bytes: &[u8]| [b"ab".as_slice(), bytes, b"xyz"].concat();
    let written: Vec<Vec<u8>> = [
        around(value.as_bytes()),
        hex::encode(around(value.as_bytes())).into_bytes(),
        STANDARD_NO_PAD.encode(around(value.as_bytes())).into_bytes(),
        STANDARD_NO_PAD.encode([b"a".as_slice(), value.as_bytes()].concat()).into_bytes(),
        STANDARD_NO_PAD.encode([value.as_bytes(), b"a"].concat()).into_bytes(),
        br"\xe5\xbc\xa0\xe6\x8e\xa2\xe9\x92\x88+86190".to_vec(),
        br"\u5f20\u63a2\u9488+86190".to_vec(),
        b"%E5%BC%A0%E6%8E%A2%E9%92%88%2B86190".to_vec(),
    ]
    .into();
    for text in written {
        let found = of(value).iter().any(|way| text.windows(way.len()).any(|window| window == way));
        assert!(found, "{}", String::from_utf8_lossy(&text));
    }
    assert!(of(value).iter().all(|way| way.len() > 10), "nothing that is found by chance");
}
