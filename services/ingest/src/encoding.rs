//! In which encoding a list is written: UTF-8 or GB18030, decided by the list and not by its first bytes alone.
//!
//! A byte order mark decides, and so does a header with Chinese names, which reads as names in one of the two only. A header of English
//! names says nothing, and some pairs of GB18030 (路, 通) are signs in UTF-8 too. So rows are held back from the first one that is not ASCII
//! until [`ENOUGH`] signs were seen or the list ends. Of the signs of a Chinese text about one in seven happens to be UTF-8: that of this
//! many all are, without the text being in UTF-8, does not happen. Rows in ASCII are the same in both and are never held back alone.
//! So little is held back, however long the list, and no row is stored before its encoding is certain.
//!
//! A row that is not in the encoding of its list is refused alone. Of a list with a few such signs and no others nobody can tell what they
//! are: its rows that bear one are refused, those in ASCII are read.

use std::borrow::Cow;

use encoding_rs::{DecoderResult, GB18030};

use crate::framing::{Block, Refusal, Row};
use crate::reason;

/// So many signs outside of ASCII decide.
const ENOUGH: usize = 64;
/// More bytes than this are not held back: rows in ASCII among them go ahead.
const HELD_BYTES: usize = 16 << 20;

/// An encoding in which lists are written. UTF-16 is turned into UTF-8 as it comes ([`crate::body`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Gb18030,
    /// Whatever is not ASCII could be either.
    Unsure,
}

impl Encoding {
    /// The text of a row; none if it is not in this encoding.
    pub(crate) fn text(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Gb18030 => GB18030.decode_without_bom_handling_and_without_replacement(bytes),
            Self::Unsure => std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()).map(Cow::Borrowed),
        }
    }

    /// The block in UTF-8. Rows that are not in this encoding are refused there.
    pub(crate) fn read(self, block: Block) -> Block {
        match self {
            Self::Utf8 => block,
            Self::Gb18030 | Self::Unsure if block.bytes.is_ascii() => block,
            Self::Gb18030 | Self::Unsure => self.in_utf8(block),
        }
    }

    fn in_utf8(self, block: Block) -> Block {
        let Block { bytes, rows, mut refusals } = block;
        let fault = if self == Self::Unsure { reason::unsure_encoding() } else { reason::encoding() };
        let mut read = Block { bytes: Vec::with_capacity(bytes.len() / 2 * 3), rows: Vec::with_capacity(rows.len()), refusals: Vec::new() };
        for row in rows {
            let raw = &bytes[row.start..row.end];
            match self.text(raw) {
                Some(text) => {
                    let start = read.bytes.len();
                    read.bytes.extend_from_slice(text.as_bytes());
                    read.rows.push(Row { start, end: read.bytes.len(), line: row.line });
                }
                None => {
                    // given back as far as it can be read
                    let (text, _, _) = GB18030.decode(raw.trim_ascii_end());
                    refusals.push(Refusal::of(row.line, fault.clone(), text.into_owned().into_bytes()));
                }
            }
        }
        read.refusals = refusals;
        read
    }
}

/// How many signs outside of ASCII were in UTF-8, and how many were not.
#[derive(Clone, Copy, Debug, Default)]
struct Signs {
    sound: usize,
    unsound: usize,
    /// Of the sound ones, those that are no pair of bytes: a Chinese one in UTF-8 is three or four.
    wide: usize,
}

impl Signs {
    fn count(&mut self, bytes: &[u8]) {
        for chunk in bytes.utf8_chunks() {
            self.sound += chunk.valid().chars().filter(|sign| !sign.is_ascii()).count();
            self.wide += chunk.valid().chars().filter(|sign| sign.len_utf8() > 2).count();
            self.unsound += usize::from(!chunk.invalid().is_empty());
        }
    }

    fn total(self) -> usize {
        self.sound + self.unsound
    }
}

/// Holds the rows of a list back until its encoding is certain.
#[derive(Debug)]
pub(crate) struct Deciding {
    decided: Option<Encoding>,
    held: Vec<Block>,
    signs: Signs,
}

impl From<Encoding> for Deciding {
    fn from(known: Encoding) -> Self {
        Self::new(Some(known))
    }
}

impl Deciding {
    /// A list whose encoding is known, or not.
    pub(crate) fn new(known: Option<Encoding>) -> Self {
        Self { decided: known, held: Vec::new(), signs: Signs::default() }
    }

    /// Takes a block; returns those that can be read, in their order.
    pub(crate) fn take(&mut self, block: Block) -> Vec<(Encoding, Block)> {
        if let Some(decided) = self.decided {
            return vec![(decided, block)];
        }
        let plain = block.bytes.is_ascii();
        if plain && self.held.is_empty() {
            return vec![(Encoding::Utf8, block)];
        }
        if !plain {
            self.signs.count(&block.bytes);
        }
        self.held.push(block);
        if self.signs.total() >= ENOUGH {
            return self.decide();
        }
        if self.held.iter().map(|block| block.bytes.len()).sum::<usize>() > HELD_BYTES { self.let_plain_rows_go() } else { Vec::new() }
    }

    /// What was held back, when the list has ended.
    pub(crate) fn finish(&mut self) -> Vec<(Encoding, Block)> {
        self.decide()
    }

    fn decide(&mut self) -> Vec<(Encoding, Block)> {
        let held = std::mem::take(&mut self.held);
        let in_gb18030 = || held.iter().all(|block| Encoding::Gb18030.text(&block.bytes).is_some());
        // some of the rows of a list in UTF-8 may be torn; of one in GB18030 hardly a sign looks like a Chinese one in UTF-8
        let decided = if self.signs.unsound > 0 && self.signs.wide <= self.signs.unsound && in_gb18030() {
            Encoding::Gb18030
        } else if self.signs.unsound == 0 && self.signs.wide == 0 && (1..ENOUGH).contains(&self.signs.sound) && in_gb18030() {
            Encoding::Unsure
        } else {
            Encoding::Utf8
        };
        self.decided = Some(decided);
        held.into_iter().map(|block| (decided, block)).collect()
    }

    /// Fewer rows than [`ENOUGH`] have signs that are in question; only they have to wait.
    fn let_plain_rows_go(&mut self) -> Vec<(Encoding, Block)> {
        let mut plain = Vec::new();
        for block in &mut self.held {
            let Block { bytes, rows, refusals } = std::mem::take(block);
            let mut going = Block { refusals, ..Block::default() };
            for row in rows {
                let raw = &bytes[row.start..row.end];
                let target = if raw.is_ascii() { &mut going } else { &mut *block };
                let start = target.bytes.len();
                target.bytes.extend_from_slice(raw);
                target.rows.push(Row { start, end: target.bytes.len(), line: row.line });
            }
            plain.push((Encoding::Utf8, going));
        }
        self.held.retain(|block| !block.is_empty());
        plain
    }
}

/// Turns UTF-16 into UTF-8 as it comes. What is no sign becomes U+FFFD, by which its cell is refused.
pub(crate) struct Utf16 {
    decoder: encoding_rs::Decoder,
}

impl Utf16 {
    /// A list that begins so, if it is in UTF-16: by its byte order mark, or because every other byte of what is ASCII in it is zero.
    pub(crate) fn of(start: &[u8]) -> Option<Self> {
        const LOOKED_AT: usize = 1_024;
        let encoding = match start {
            [0xFF, 0xFE, ..] => encoding_rs::UTF_16LE,
            [0xFE, 0xFF, ..] => encoding_rs::UTF_16BE,
            _ => {
                let looked_at = &start[..start.len().min(LOOKED_AT)];
                let zeros = |first: usize| looked_at.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
                // separators and row ends alone are more than one sign in 32; one that stands in a cell by mistake is less
                let many = |zeros: usize| zeros * 64 >= looked_at.len();
                match (zeros(0), zeros(1)) {
                    (0, odd) if odd > 0 && many(odd) => encoding_rs::UTF_16LE,
                    (even, 0) if even > 0 && many(even) => encoding_rs::UTF_16BE,
                    _ => return None,
                }
            }
        };
        Some(Self { decoder: encoding.new_decoder_with_bom_removal() })
    }

    /// The next piece; the last one ends a torn sign.
    pub(crate) fn read(&mut self, mut piece: &[u8], last: bool) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.decoder.max_utf8_buffer_length(piece.len()).unwrap_or(piece.len()));
        loop {
            let start = text.len();
            text.resize(text.capacity().max(start + 16), 0);
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(piece, &mut text[start..], last);
            text.truncate(start + written);
            piece = &piece[read..];
            match result {
                DecoderResult::InputEmpty => return text,
                DecoderResult::OutputFull => text.reserve(piece.len().max(64) * 3),
                DecoderResult::Malformed(..) => text.extend_from_slice("\u{fffd}".as_bytes()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn block(line: u64, rows: &[&[u8]]) -> Block {
        let mut block = Block::default();
        for (line, row) in (line..).zip(rows) {
            block.add(line, &[row, &b"\n"[..]].concat());
        }
        block
    }

    fn gb(text: &str) -> Vec<u8> {
        GB18030.encode(text).0.into_owned()
    }

    /// The texts of rows that come in blocks of one, or why they were refused, and their lines.
    fn read(rows: &[Vec<u8>]) -> Vec<(u64, Option<String>)> {
        let mut deciding = Deciding::new(None);
        let mut blocks = Vec::new();
        for (line, row) in (1..).zip(rows) {
            blocks.extend(deciding.take(block(line, &[row])));
        }
        blocks.extend(deciding.finish());
        let mut read = Vec::new();
        for (encoding, block) in blocks {
            let block = encoding.read(block);
            read.extend(block.rows.iter().map(|row| (row.line, String::from_utf8(block.row(*row).to_vec()).ok())));
            read.extend(block.refusals.iter().map(|refusal| (refusal.line, None)));
        }
        read
    }

    fn texts(rows: &[&str]) -> Vec<(u64, Option<String>)> {
        (1..).zip(rows).map(|(line, row)| (line, Some((*row).to_owned()))).collect()
    }

    #[rstest]
    #[case::names(&["a,张三", "b,李四", "c,plain"])]
    #[case::what_is_utf8_too_comes_first(&["a,路", "plain", "b,渝州宾馆"])]
    #[case::signs_of_four_bytes(&["a,𠮷野", "b,渝州"])]
    fn a_list_is_the_same_in_both_encodings(#[case] rows: &[&str]) {
        assert_eq!(read(&rows.iter().map(|row| row.as_bytes().to_vec()).collect::<Vec<_>>()), texts(rows));
        assert_eq!(read(&rows.iter().map(|row| gb(row)).collect::<Vec<_>>()), texts(rows));
    }

    /// C2 B7 is 路 in GB18030, and a middle dot in UTF-8.
    #[test]
    fn what_could_be_both_to_the_end_is_refused_and_rows_in_ascii_are_read() {
        assert_eq!(
            read(&[b"plain".to_vec(), gb("a路"), "Ali·Khan".as_bytes().to_vec()]),
            [(1, Some("plain".into())), (2, None), (3, None)]
        );
    }

    #[test]
    fn one_sign_that_can_be_gb18030_only_decides_for_several_that_could_be_both() {
        assert_eq!(read(&["0州路", "a通0", "路a"].map(gb)), [(1, Some("0州路".into())), (2, Some("a通0".into())), (3, Some("路a".into()))]);
    }

    /// A whole file of which the first thousand rows tell nothing.
    #[test]
    fn a_sign_at_the_very_end_decides_for_what_could_be_both_at_the_beginning() {
        // C2 B7 is 路 in GB18030, and a middle dot in UTF-8
        let mut rows = vec![gb("路")];
        assert!(std::str::from_utf8(&rows[0]).is_ok(), "the row could be both");
        rows.extend((0..1_000).map(|number| format!("x-{number}").into_bytes()));
        rows.push(gb("渝州宾馆"));
        let read = read(&rows);
        assert_eq!((read[0].1.as_deref(), read.last().unwrap().1.as_deref()), (Some("路"), Some("渝州宾馆")));
    }

    #[test]
    fn one_torn_sign_in_a_list_in_utf8_refuses_its_row_alone() {
        let mut rows: Vec<Vec<u8>> = ["渝州宾馆", "两江酒店"].map(|row| row.as_bytes().to_vec()).into();
        rows.insert(1, "隔离点".as_bytes()[..7].to_vec());
        assert_eq!(read(&rows), [(1, Some("渝州宾馆".into())), (2, None), (3, Some("两江酒店".into()))]);
    }

    #[test]
    fn a_row_in_utf8_within_a_list_in_gb18030_is_refused_or_read_but_never_makes_the_others_unreadable() {
        let mut rows: Vec<Vec<u8>> = (0..40).map(|_| gb("渝州宾馆")).collect();
        rows.push("中".as_bytes().to_vec());
        let read = read(&rows);
        assert!(read[..40].iter().all(|(_, text)| text.as_deref() == Some("渝州宾馆")));
        assert_eq!(read[40], (41, None));
    }

    #[test]
    fn little_is_held_back_and_rows_in_ascii_go_ahead() {
        let mut deciding = Deciding::new(None);
        assert_eq!(deciding.take(block(1, &[b"plain"])).len(), 1);
        assert!(deciding.take(block(2, &[&gb("路")])).is_empty());
        let row = vec![b'x'; 200_000];
        let (mut went, mut most) = (0, 0);
        for line in 3..300 {
            went += deciding.take(block(line, &[&row])).iter().map(|(_, block)| block.rows.len()).sum::<usize>();
            most = most.max(deciding.held.iter().map(|block| block.bytes.len()).sum::<usize>());
        }
        assert!(went > 200 && most <= HELD_BYTES + row.len() + 10, "{went} went ahead, {most} bytes were held");
        assert_eq!(deciding.finish().iter().map(|(_, block)| block.rows.len()).sum::<usize>(), 297 + 1 - went);
    }

    fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
        let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    proptest! {
        #[test]
        fn utf16_is_read_however_it_arrives(text in "[a-z,;]{2,20}\n[渝a-z𠮷,\n]{0,40}", big: bool, mark: bool, piece in 1..20_usize) {
            let bytes = utf16(&text, big, mark);
            let mut decoder = Utf16::of(&bytes).expect("it is UTF-16");
            let mut read = Vec::new();
            for piece in bytes.chunks(piece) {
                read.extend(decoder.read(piece, false));
            }
            read.extend(decoder.read(&[], true));
            prop_assert_eq!(String::from_utf8(read).unwrap(), text);
        }

        #[test]
        fn no_rows_are_lost_whatever_they_are(rows in prop::collection::vec(prop::collection::vec(any::<u8>().prop_filter("no end of a row", |byte| !matches!(byte, b'\n' | b'\r')), 1..20), 0..60)) {
            prop_assert_eq!(read(&rows).len(), rows.len());
        }
    }

    #[test]
    fn a_zero_in_a_cell_makes_no_utf16() {
        assert!(
            Utf16::of(b"source_id,kind,occurred_at,phone,level,district\nt-1,case,2026-03-02 08:30,19000000001,high\0,500103\n").is_none()
        );
    }

    #[test]
    fn half_a_sign_at_the_end_is_marked() {
        let mut decoder = Utf16::of(&[0xFF, 0xFE]).unwrap();
        let mut read = decoder.read(&[0xFF, 0xFE, b'a', 0, b'b'], false);
        read.extend(decoder.read(&[], true));
        assert_eq!(String::from_utf8(read).unwrap(), "a\u{fffd}");
    }
}
