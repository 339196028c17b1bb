//! The GSM 7-bit default alphabet with its extension table (3GPP TS 23.038 §6.2.1), one octet per septet as SMPP carries it.

const ESCAPE: u8 = 0x1B;

const ALPHABET: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', 'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ',
    'Ξ', '\u{1B}', 'Æ', 'æ', 'ß', 'É', ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', '0', '1', '2', '3',
    '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N',
    'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i',
    'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{0C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// `None` when an octet has more than seven bits. An unknown escape shows as the plain character, as the specification asks.
pub(super) fn decode(octets: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(octets.len());
    let mut octets = octets.iter();
    while let Some(&octet) = octets.next() {
        if octet != ESCAPE {
            text.push(*ALPHABET.get(usize::from(octet))?);
            continue;
        }
        let Some(&octet) = octets.next() else { break };
        let extended = EXTENSION.iter().find(|(code, _)| *code == octet).map(|(_, character)| *character);
        text.push(extended.or_else(|| ALPHABET.get(usize::from(octet)).copied())?);
    }
    Some(text)
}

/// `None` when the alphabet lacks a character.
pub(super) fn encode(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    for character in text.chars() {
        if let Some((code, _)) = EXTENSION.iter().find(|(_, extended)| *extended == character) {
            octets.extend([ESCAPE, *code]);
        } else {
            let code = ALPHABET.iter().position(|known| *known == character).and_then(|code| u8::try_from(code).ok())?;
            octets.push((code != ESCAPE).then_some(code)?);
        }
    }
    Some(octets)
}
