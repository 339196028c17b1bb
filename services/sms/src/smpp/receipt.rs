//! Delivery receipts: `id:… sub:… dlvrd:… submit date:… done date:… stat:… err:… text:…` (SMPP 3.4 appendix B).
//!
//! The appendix is a suggestion, and centres differ: other order, other case, missing fields, states in full. What counts is
//! the id and the state; the parameters `receipted_message_id` and `message_state` (§5.3.2.12, §5.3.2.35) are believed before
//! the text.

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// On the handset.
    Delivered,
    /// Final: it will not arrive (expired, deleted, undeliverable, rejected).
    Undeliverable,
    /// Not final: on its way, accepted for delivery, or the centre does not know. Another receipt follows.
    Underway,
}

/// A receipt as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The centre's id of the message, as the receipt writes it.
    pub id: String,
    /// What became of it.
    pub delivery: Delivery,
    /// The centre's word for it and its error code, for staff: `UNDELIV 012`.
    pub detail: String,
    /// Of how many parts it speaks: of all of a message in so many, where it says that so many were submitted and so many are delivered
    /// (`sub` and `dlvrd`); else of one.
    pub covers: i16,
}

/// What the receipt's parameters said, where the centre sends them.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    /// `receipted_message_id`
    pub id: Option<String>,
    /// `message_state`, SMPP 3.4 §5.2.28
    pub state: Option<u8>,
}

/// The longest detail that is kept, in characters: it comes from outside.
const DETAIL_LIMIT: usize = 40;

impl Receipt {
    /// Reads a receipt; `None` when it names no message or no state.
    pub fn parse(text: &str, parameters: &Parameters) -> Option<Self> {
        let id = parameters.id.as_deref().or_else(|| field(text, "id")).map(str::trim).filter(|id| !id.is_empty())?;
        let word = field(text, "stat").unwrap_or_default();
        let delivery = parameters.state.and_then(of_state).or_else(|| of_word(word))?;
        let detail = format!("{word} {}", field(text, "err").unwrap_or_default());
        let detail = detail.trim().chars().take(DETAIL_LIMIT).collect();
        let covers = if delivery == Delivery::Delivered { delivered_together(text).unwrap_or(1) } else { 1 };
        Some(Self { id: id.to_owned(), delivery, detail, covers })
    }
}

/// How many parts were submitted together, if as many are delivered: some centres send one receipt for all of them.
fn delivered_together(text: &str) -> Option<i16> {
    let number = |name| field(text, name)?.parse::<u8>().ok();
    let submitted = number("sub").filter(|submitted| *submitted > 0)?;
    (number("dlvrd") == Some(submitted)).then_some(i16::from(submitted))
}

/// The value behind `name:`, up to the next blank. `submit date` and `done date` contain a blank, but nobody asks for them.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.match_indices(':').find_map(|(colon, _)| {
        let begin = text[..colon].rfind(|character: char| character.is_whitespace()).map_or(0, |blank| blank + 1);
        // A blank of several octets would make `begin` point into it.
        let found = text.get(begin..colon)?;
        if !found.eq_ignore_ascii_case(name) {
            return None;
        }
        let value = text[colon + 1..].trim_start_matches(' ');
        let end = value.find(char::is_whitespace).unwrap_or(value.len());
        // `id: stat:…`: an empty value must not swallow the next field.
        (!value[..end].contains(':')).then_some(&value[..end])
    })
}

fn of_state(state: u8) -> Option<Delivery> {
    match state {
        2 => Some(Delivery::Delivered),
        3 | 4 | 5 | 8 | 9 => Some(Delivery::Undeliverable),
        // 6, accepted: somebody took it on behalf of the subscriber, which is not the handset.
        0 | 1 | 6 | 7 => Some(Delivery::Underway),
        _ => None,
    }
}

/// Centres write the short form of the appendix or the whole word.
fn of_word(word: &str) -> Option<Delivery> {
    let word = word.to_ascii_uppercase();
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| word.starts_with(prefix));
    if begins(&["DELIVRD", "DELIVERED", "DLVRD"]) {
        Some(Delivery::Delivered)
    } else if begins(&["EXPIR", "DELETED", "UNDELIV", "REJECT", "SKIPPED", "FAILED", "NOTDELIV"]) {
        Some(Delivery::Undeliverable)
    } else if begins(&["ACCEPT", "ENROUTE", "UNKNOWN", "SCHEDUL", "BUFFER", "SUBMIT", "RETRY"]) {
        Some(Delivery::Underway)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const NONE: Parameters = Parameters { id: None, state: None };

    #[rstest]
    #[case::appendix_b(
        "id:0123456789 sub:001 dlvrd:001 submit date:2611220101 done date:2611220102 stat:DELIVRD err:000 text:hello",
        "0123456789",
        Delivery::Delivered
    )]
    #[case::other_order("stat:UNDELIV err:012 id:a-7", "a-7", Delivery::Undeliverable)]
    #[case::other_case("ID:77 Stat:expired ERR:1", "77", Delivery::Undeliverable)]
    #[case::blanks_after_the_colon("id: 9 stat: DELIVRD", "9", Delivery::Delivered)]
    #[case::accepted_is_not_on_the_handset("id:9 stat:ACCEPTD err:000", "9", Delivery::Underway)]
    #[case::accepted_in_full("id:9 stat:ACCEPTED", "9", Delivery::Underway)]
    #[case::waiting_for_the_handset("id:9 stat:BUFFERED", "9", Delivery::Underway)]
    #[case::unknown("id:9 stat:UNKNOWN", "9", Delivery::Underway)]
    #[case::whole_word("id:9 stat:DELIVERED", "9", Delivery::Delivered)]
    #[case::line_breaks("id:9\nstat:REJECTD\nerr:66", "9", Delivery::Undeliverable)]
    #[case::on_its_way("id:9 stat:ENROUTE", "9", Delivery::Underway)]
    #[case::an_id_inside_the_text_is_not_the_id("id:1 stat:DELIVRD text:id:2", "1", Delivery::Delivered)]
    fn receipts_of_many_centres_are_read(#[case] text: &str, #[case] id: &str, #[case] delivery: Delivery) {
        let receipt = Receipt::parse(text, &NONE).unwrap();
        assert_eq!((receipt.id.as_str(), receipt.delivery), (id, delivery));
    }

    #[rstest]
    #[case::empty("")]
    #[case::no_id("stat:DELIVRD err:000")]
    #[case::empty_id("id: stat:DELIVRD")]
    #[case::no_state("id:9 err:000")]
    #[case::a_state_of_no_meaning("id:9 stat:HMM")]
    #[case::somebodys_reply("收到")]
    fn what_names_no_message_or_no_state_is_no_receipt(#[case] text: &str) {
        assert_eq!(Receipt::parse(text, &NONE), None);
    }

    #[test]
    fn parameters_are_believed_before_the_text() {
        let parameters = Parameters { id: Some("tlv".into()), state: Some(5) };
        let receipt = Receipt::parse("id:text stat:DELIVRD err:001", &parameters).unwrap();
        assert_eq!(receipt, Receipt { id: "tlv".into(), delivery: Delivery::Undeliverable, detail: "DELIVRD 001".into(), covers: 1 });
        let alone = Receipt::parse("", &Parameters { id: Some("7".into()), state: Some(2) }).unwrap();
        assert_eq!(alone.delivery, Delivery::Delivered);
    }

    #[rstest]
    #[case::scheduled(0, Delivery::Underway)]
    #[case::enroute(1, Delivery::Underway)]
    #[case::delivered(2, Delivery::Delivered)]
    #[case::expired(3, Delivery::Undeliverable)]
    #[case::deleted(4, Delivery::Undeliverable)]
    #[case::undeliverable(5, Delivery::Undeliverable)]
    #[case::accepted(6, Delivery::Underway)]
    #[case::unknown(7, Delivery::Underway)]
    #[case::rejected(8, Delivery::Undeliverable)]
    #[case::skipped(9, Delivery::Undeliverable)]
    fn only_the_handset_and_the_end_are_final(#[case] state: u8, #[case] delivery: Delivery) {
        let receipt = Receipt::parse("", &Parameters { id: Some("7".into()), state: Some(state) }).unwrap();
        assert_eq!(receipt.delivery, delivery);
    }

    #[rstest]
    #[case::each_part_has_its_own("id:9 sub:001 dlvrd:001 stat:DELIVRD", 1)]
    #[case::one_for_three("id:9 sub:003 dlvrd:003 stat:DELIVRD", 3)]
    #[case::only_one_of_three_is_there("id:9 sub:003 dlvrd:001 stat:DELIVRD", 1)]
    #[case::nothing_is_delivered("id:9 sub:003 dlvrd:003 stat:UNDELIV", 1)]
    #[case::nonsense("id:9 sub:999 dlvrd:999 stat:DELIVRD", 1)]
    #[case::none("id:9 sub:000 dlvrd:000 stat:DELIVRD", 1)]
    #[case::not_said("id:9 stat:DELIVRD", 1)]
    fn a_receipt_says_of_how_many_parts_it_speaks(#[case] text: &str, #[case] covers: i16) {
        assert_eq!(Receipt::parse(text, &NONE).unwrap().covers, covers);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}", state in proptest::option::of(any::<u8>())) {
            Receipt::parse(&text, &Parameters { id: None, state });
        }

        #[test]
        fn a_written_receipt_is_read_back(id in "[0-9a-zA-Z-]{1,64}", err in "[0-9]{1,3}", blanks in " {1,3}") {
            let text = format!("id:{id}{blanks}sub:001{blanks}done date:2611220102{blanks}stat:DELIVRD{blanks}err:{err}");
            let receipt = Receipt::parse(&text, &NONE).unwrap();
            prop_assert_eq!(receipt, Receipt { id, delivery: Delivery::Delivered, detail: format!("DELIVRD {err}"), covers: 1 });
        }
    }
}
