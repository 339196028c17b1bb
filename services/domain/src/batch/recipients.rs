//! Who is in a batch, as a few hundred bytes.

/// Recipients in a list at most: far more than a batch, far less than what damaged bytes could make a reader allocate.
pub const MAX_RECIPIENTS: usize = 65_536;

/// The recipients of a batch by resident number: ascending, each once, at least one.
///
/// In bytes: the count, the first number, then for each further one its distance to the one before less 1; all of them LEB128 (7 bits a byte, low
/// bits first) in their shortest form. 500 residents of one township take about 600 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientList(Vec<u32>);

/// Why bytes or numbers are no recipient list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipientListError {
    /// Nobody is in it.
    #[error("a recipient list holds at least one recipient")]
    Empty,
    /// More than [`MAX_RECIPIENTS`].
    #[error("a recipient list of {0} is longer than {MAX_RECIPIENTS}")]
    TooLong(u64),
    /// The numbers do not rise from one to the next.
    #[error("recipient {position} of the list is not above the one before")]
    NotAscending {
        /// Counted from 0.
        position: usize,
    },
    /// The bytes end inside the list.
    #[error("the recipient list ends in the middle, after {0} bytes")]
    Truncated(usize),
    /// More bytes than the list needs.
    #[error("the recipient list is followed by {0} bytes that do not belong to it")]
    TrailingBytes(usize),
    /// A number that is not in its shortest form or exceeds 32 bits.
    #[error("the recipient list has a malformed number at byte {0}")]
    MalformedNumber(usize),
}

impl RecipientList {
    /// A list of numbers that rise from one to the next, as a Roaring bitmap gives them.
    pub fn from_ascending(numbers: impl IntoIterator<Item = u32>) -> Result<Self, RecipientListError> {
        let numbers: Vec<u32> = numbers.into_iter().collect();
        if numbers.is_empty() {
            return Err(RecipientListError::Empty);
        }
        if numbers.len() > MAX_RECIPIENTS {
            return Err(RecipientListError::TooLong(numbers.len() as u64));
        }
        match numbers.windows(2).position(|pair| pair[0] >= pair[1]) {
            Some(before) => Err(RecipientListError::NotAscending { position: before + 1 }),
            None => Ok(Self(numbers)),
        }
    }

    /// The numbers, ascending.
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }

    /// How many there are, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a list is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The lowest number.
    pub fn first(&self) -> u32 {
        self.0[0]
    }

    /// The highest number.
    pub fn last(&self) -> u32 {
        self.0[self.0.len() - 1]
    }

    /// Where `resident` stands in the list, and so in the batch's [`Outcomes`].
    pub fn position(&self, resident: u32) -> Option<usize> {
        self.0.binary_search(&resident).ok()
    }

    /// The bytes of the ledger.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 2 + 8);
        write_leb128(&mut bytes, self.0.len() as u32);
        write_leb128(&mut bytes, self.0[0]);
        for pair in self.0.windows(2) {
            write_leb128(&mut bytes, pair[1] - pair[0] - 1);
        }
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecipientListError> {
        let mut reader = Leb128Reader { bytes, at: 0 };
        let count = reader.read()?;
        if count == 0 {
            return Err(RecipientListError::Empty);
        }
        if count as usize > MAX_RECIPIENTS {
            return Err(RecipientListError::TooLong(u64::from(count)));
        }
        let mut numbers = Vec::with_capacity(count as usize);
        let mut last = reader.read()?;
        numbers.push(last);
        for _ in 1..count {
            let at = reader.at;
            let distance = reader.read()?;
            last = last.checked_add(distance).and_then(|n| n.checked_add(1)).ok_or(RecipientListError::MalformedNumber(at))?;
            numbers.push(last);
        }
        match bytes.len() - reader.at {
            0 => Ok(Self(numbers)),
            left => Err(RecipientListError::TrailingBytes(left)),
        }
    }
}

fn write_leb128(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

struct Leb128Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Leb128Reader<'_> {
    fn read(&mut self) -> Result<u32, RecipientListError> {
        let start = self.at;
        let mut number = 0u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = *self.bytes.get(self.at).ok_or(RecipientListError::Truncated(self.bytes.len()))?;
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let is_shortest = shift == 0 || byte != 0;
                return u32::try_from(number).ok().filter(|_| is_shortest).ok_or(RecipientListError::MalformedNumber(start));
            }
        }
        Err(RecipientListError::MalformedNumber(start))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn list(numbers: impl IntoIterator<Item = u32>) -> RecipientList {
        RecipientList::from_ascending(numbers).unwrap()
    }

    #[test]
    fn neighbours_take_a_byte_each() {
        let batch = list(1_000_000..1_000_500);
        assert_eq!(batch.encode().len(), 2 + 3 + 499);
        assert_eq!((batch.first(), batch.last(), batch.len()), (1_000_000, 1_000_499, 500));
    }

    #[test]
    fn a_recipient_is_found_by_number() {
        let batch = list([3, 70, u32::MAX]);
        assert_eq!([3, 70, u32::MAX, 4].map(|resident| batch.position(resident)), [Some(0), Some(1), Some(2), None]);
    }

    #[rstest]
    #[case::nobody(vec![], RecipientListError::Empty)]
    #[case::twice_the_same(vec![1, 1], RecipientListError::NotAscending { position: 1 })]
    #[case::falling(vec![1, 5, 4], RecipientListError::NotAscending { position: 2 })]
    #[case::far_too_many((0..=MAX_RECIPIENTS as u32).collect(), RecipientListError::TooLong(65_537))]
    fn numbers_that_are_no_list_are_refused(#[case] numbers: Vec<u32>, #[case] expected: RecipientListError) {
        assert_eq!(RecipientList::from_ascending(numbers), Err(expected));
    }

    #[rstest]
    #[case::nothing(&[], RecipientListError::Truncated(0))]
    #[case::nobody(&[0], RecipientListError::Empty)]
    #[case::one_missing(&[2, 7], RecipientListError::Truncated(2))]
    #[case::half_a_number(&[1, 0x80], RecipientListError::Truncated(2))]
    #[case::one_too_many(&[1, 7, 0], RecipientListError::TrailingBytes(1))]
    #[case::a_count_without_end(&[0xff, 0xff, 0xff, 0xff, 0x0f], RecipientListError::TooLong(u32::MAX as u64))]
    #[case::longer_than_its_shortest_form(&[1, 0x87, 0x00], RecipientListError::MalformedNumber(1))]
    #[case::more_than_32_bits(&[1, 0xff, 0xff, 0xff, 0xff, 0x1f], RecipientListError::MalformedNumber(1))]
    #[case::six_bytes(&[1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], RecipientListError::MalformedNumber(1))]
    #[case::a_sum_beyond_32_bits(&[2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0], RecipientListError::MalformedNumber(6))]
    fn bytes_that_are_no_list_are_refused(#[case] bytes: &[u8], #[case] expected: RecipientListError) {
        assert_eq!(RecipientList::decode(bytes), Err(expected));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(numbers in btree_set(any::<u32>(), 1..600)) {
            let batch = list(numbers);
            prop_assert_eq!(RecipientList::decode(&batch.encode()), Ok(batch));
        }

        #[test]
        fn any_bytes_are_a_list_in_its_one_form_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(batch) = RecipientList::decode(&bytes) {
                prop_assert_eq!(batch.encode(), bytes);
                prop_assert!(batch.as_slice().is_sorted_by(|a, b| a < b));
            }
        }

        #[test]
        fn a_list_that_lost_its_end_is_an_error(numbers in btree_set(any::<u32>(), 1..50), cut in 1usize..20) {
            let bytes = list(numbers).encode();
            let kept = bytes.len().saturating_sub(cut);
            prop_assert!(RecipientList::decode(&bytes[..kept]).is_err());
        }
    }
}
