//! Personal data in free text (CQ14): an alert never shows an identity number, a personal phone number or a home address.
//!
//! The search is for slips of people who write quickly, not for somebody who wants to hide something: it knows full-width
//! digits and digits set apart by spaces or dashes, and prefers one finding too many to one too few. Landline numbers are
//! not findings: those that stand in alerts belong to hospitals and isolation sites.

use std::ops::Range;

use crate::digits::{ascii_digit, is_separator};
use crate::home_address;
use crate::identity_document::{IdentityDocument, IdentityKind};
use crate::identity_number::{IdentityNumber, is_birthday, is_province};
use crate::phone::PhoneNumber;

crate::words! {
    /// What kind of personal data.
    pub enum FindingKind {
        /// Eighteen digits, or fifteen of the old form. The check character is not asked: a mistyped number still tells whose it is. Also
        /// letters and digits of a permit of Hong Kong and Macao or of a foreigner's older card; of a passport nobody can tell.
        IdentityNumber => "身份证号码",
        /// A mobile number other than the alert's own contact.
        PhoneNumber => "手机号码",
        /// An address down to building, staircase or room.
        HomeAddress => "详细住址",
    }
}

/// Personal data found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// Where it stands, in bytes of the text.
    pub range: Range<usize>,
}

/// All personal data in a text, in its order. Numbers that stand in `contact` may stand in the text.
#[must_use]
pub fn find(text: &str, contact: &str) -> Vec<Finding> {
    let contact: String = contact.chars().filter_map(ascii_digit).collect();
    let mut findings = Vec::new();
    for run in runs(text) {
        let mut first = 0;
        while first < run.len() {
            let start = run[first].range.start;
            let found = behind_letters(&text[..start], &run[first]).or_else(|| abroad(&text[..start], &run[first..]));
            let found = found.or_else(|| number_from(&run[first..]));
            if let Some(found) = &found
                && !(found.kind == FindingKind::PhoneNumber && contact.contains(&found.number))
            {
                findings.push(Finding { kind: found.kind, range: start - found.letters..run[first + found.groups - 1].range.end });
            }
            first += found.map_or(1, |found| found.groups);
        }
    }
    findings.extend(home_address::find(text).into_iter().map(|range| Finding { kind: FindingKind::HomeAddress, range }));
    findings.sort_by_key(|finding| finding.range.start);
    findings
}

/// A name as staff may see it: `张*`, `欧***`.
#[must_use]
pub fn mask_name(name: &str) -> String {
    let mut signs = name.trim().chars();
    match signs.next() {
        Some(first) => std::iter::once(first).chain(signs.map(|_| '*')).collect(),
        None => String::new(),
    }
}

/// Digits without anything between them.
struct Group {
    digits: String,
    range: Range<usize>,
}

/// The groups of digits of a text, taken together where only one separator stands between them.
fn runs(text: &str) -> Vec<Vec<Group>> {
    let mut runs: Vec<Vec<Group>> = Vec::new();
    let mut signs = text.char_indices().peekable();
    // Where the next group has to begin to belong to the same run.
    let mut continued_at = None;
    while let Some((start, sign)) = signs.next() {
        let Some(digit) = ascii_digit(sign) else {
            continue;
        };
        let mut group = Group { digits: digit.to_string(), range: start..start + sign.len_utf8() };
        while let Some(&(at, sign)) = signs.peek() {
            let check_x = matches!(sign, 'x' | 'X' | 'ｘ' | 'Ｘ');
            let Some(digit) = ascii_digit(sign).or(check_x.then_some('X')) else { break };
            group.digits.push(digit);
            group.range.end = at + sign.len_utf8();
            signs.next();
            if check_x {
                break;
            }
        }
        match runs.last_mut() {
            Some(run) if continued_at == Some(start) => run.push(group),
            _ => runs.push(vec![group]),
        }
        continued_at = signs.peek().filter(|(_, sign)| is_separator(*sign)).map(|(at, sign)| at + sign.len_utf8());
    }
    runs
}

struct Number {
    kind: FindingKind,
    /// A phone number's eleven digits, for comparing with the contact.
    number: String,
    /// How many groups it is written in.
    groups: usize,
    /// How many letters directly before them belong to it.
    letters: usize,
}

/// The permit of a resident of Hong Kong or Macao, or the older card of a foreigner: letters and digits without anything between them.
fn behind_letters(before: &str, group: &Group) -> Option<Number> {
    let letters = before.bytes().rev().take_while(u8::is_ascii_alphabetic).count();
    let kind = match letters {
        1 => IdentityKind::HongKongMacaoPermit,
        3 => IdentityKind::PermanentResidentCard,
        _ => return None,
    };
    let (before, letters_of_it) = before.split_at(before.len() - letters);
    // 国药准字H and eight digits is how a medicine is licensed
    if before.ends_with("准字") {
        return None;
    }
    let number = format!("{letters_of_it}{}", group.digits);
    let found = IdentityDocument::read(&number, Some(kind), None).is_ok();
    found.then_some(Number { kind: FindingKind::IdentityNumber, number, groups: 1, letters })
}

/// A mobile number of another country or region, by its code behind + or 00.
fn abroad(before: &str, groups: &[Group]) -> Option<Number> {
    let plus = before.ends_with(['+', '＋']);
    if !plus && !groups.first()?.digits.starts_with("00") {
        return None;
    }
    let mut joined = if plus { "+".to_owned() } else { String::new() };
    for (group, groups) in groups.iter().zip(1..) {
        joined.push_str(&group.digits);
        if joined.len() > 18 {
            return None;
        }
        if let Ok(found) = joined.parse::<PhoneNumber>() {
            let number = found.e164().trim_start_matches('+').to_owned();
            let number = number.strip_prefix("86").map_or_else(|| number.clone(), str::to_owned);
            return Some(Number { kind: FindingKind::PhoneNumber, number, groups, letters: 0 });
        }
    }
    None
}

/// The personal number that begins with the first of these groups.
fn number_from(groups: &[Group]) -> Option<Number> {
    let mut joined = String::new();
    for (index, group) in groups.iter().enumerate() {
        joined.push_str(&group.digits);
        if joined.len() > 18 && index > 0 {
            break;
        }
        if let Some((kind, number)) = classify(&joined) {
            return Some(Number { kind, number: number.to_owned(), groups: index + 1, letters: 0 });
        }
    }
    // Two numbers glued together: here the check character has to be right, or every long number would be somebody.
    let long = &groups.first()?.digits;
    let hidden = (0..long.len().saturating_sub(17)).any(|start| long[start..start + 18].parse::<IdentityNumber>().is_ok());
    hidden.then(|| Number { kind: FindingKind::IdentityNumber, number: long.clone(), groups: 1, letters: 0 })
}

fn classify(digits: &str) -> Option<(FindingKind, &str)> {
    let national = match digits.len() {
        11 => Some(digits),
        13 => digits.strip_prefix("86"),
        15 => digits.strip_prefix("0086"),
        _ => None,
    };
    if let Some(national) = national.filter(|national| PhoneNumber::is_national(national)) {
        return Some((FindingKind::PhoneNumber, national));
    }
    let birthday = match digits.len() {
        18 => digits[6..14].to_owned(),
        // The old form has two digits of the year and no check character.
        15 => format!("19{}", &digits[6..12]),
        _ => return None,
    };
    // of a foreigner with permanent residence the province stands behind a 9
    let region = is_province(&digits[..2]) || digits.len() == 18 && digits.starts_with('9') && is_province(&digits[1..3]);
    (region && is_birthday(&birthday)).then_some((FindingKind::IdentityNumber, digits))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const CONTACT: &str = "区疾控中心 023-63840000，13900001111";

    fn found(text: &str) -> Vec<(FindingKind, &str)> {
        find(text, CONTACT).into_iter().map(|finding| (finding.kind, &text[finding.range])).collect()
    }

    #[rstest]
    #[case::plain("证件11010519491231002X的持有人", "11010519491231002X")]
    #[case::small_x("证件11010519491231002x。", "11010519491231002x")]
    #[case::mistyped_still_tells("110105194912310021", "110105194912310021")]
    #[case::grouped("110105 19491231 002X", "110105 19491231 002X")]
    #[case::dashed("110105-1949-1231-002X", "110105-1949-1231-002X")]
    #[case::full_width("１１０１０５１９４９１２３１００２Ｘ", "１１０１０５１９４９１２３１００２Ｘ")]
    #[case::old_form("旧证号110105491231002", "110105491231002")]
    #[case::foreigner("永居证931840198001010017。", "931840198001010017")]
    #[case::foreigner_before_2023("证件KAZ110090123105", "KAZ110090123105")]
    #[case::resident_of_hong_kong("回乡证H12345678", "H12345678")]
    #[case::resident_of_macao("回乡证m1234567801，", "m1234567801")]
    fn an_identity_number_is_found(#[case] text: &str, #[case] number: &str) {
        assert_eq!(found(text), [(FindingKind::IdentityNumber, number)]);
    }

    #[rstest]
    #[case::plain("请联系13800005678王医生", "13800005678")]
    #[case::grouped("电话138 0000 5678", "138 0000 5678")]
    #[case::dashed("电话138-0000-5678。", "138-0000-5678")]
    #[case::country_code("+86 13800005678", "86 13800005678")]
    #[case::international_access("008613800005678", "008613800005678")]
    #[case::full_width("１３８００００５６７８", "１３８００００５６７８")]
    #[case::after_a_date("2026-11-02 13800005678", "13800005678")]
    #[case::hong_kong("请致电 +852 5123 4567", "852 5123 4567")]
    #[case::taiwan("＋886-912-345-678", "886-912-345-678")]
    #[case::access_code("0085251234567", "0085251234567")]
    fn a_mobile_number_is_found(#[case] text: &str, #[case] number: &str) {
        assert_eq!(found(text), [(FindingKind::PhoneNumber, number)]);
    }

    #[rstest]
    #[case::the_contact_itself("详询13900001111或 139 0000 1111")]
    #[case::landline("详询023-63840000")]
    #[case::hotline("请拨打12320")]
    #[case::date_and_time("请于2026年11月2日13:00前到达，有效期至2026-11-05 18:00")]
    #[case::numbers("本区新增138例，累计15900例，占0.0138")]
    #[case::landline_of_hong_kong("详询+852 2123 4567")]
    #[case::licence_of_a_medicine("停用该批药品（国药准字H20123456）")]
    #[case::flight_and_seat("乘坐CA1234航班，座位A12")]
    #[case::long_reference("编号20261102138000056789012")]
    #[case::no_such_birthday("流水号110105194913310021")]
    fn ordinary_text_is_left_alone(#[case] text: &str) {
        assert_eq!(found(text), []);
    }

    #[test]
    fn everything_is_found_at_once_and_in_order() {
        let text = "王某（13800005678，11010519491231002X）住建设路88号3栋1单元501室，见11010519491231002X13800005678";
        let kinds: Vec<_> = found(text).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(
            kinds,
            [
                FindingKind::PhoneNumber,
                FindingKind::IdentityNumber,
                FindingKind::HomeAddress,
                FindingKind::IdentityNumber,
                FindingKind::PhoneNumber,
            ]
        );
    }

    #[test]
    fn an_identity_number_glued_to_another_number_is_found() {
        assert_eq!(found("44052418800101001413800005678").len(), 1);
    }

    #[rstest]
    #[case("张三", "张*")]
    #[case("欧阳娜娜", "欧***")]
    #[case(" 李四 ", "李*")]
    #[case("王", "王")]
    #[case("", "")]
    fn a_name_keeps_its_first_sign(#[case] name: &str, #[case] masked: &str) {
        assert_eq!(mask_name(name), masked);
    }

    proptest! {
        #[test]
        fn findings_are_parts_of_any_text(text in "[0-9０-９xXＸ \\-年号栋室一二A-C房单元，]{0,80}") {
            for finding in find(&text, CONTACT) {
                prop_assert!(text.get(finding.range).is_some_and(|part| !part.is_empty()));
            }
        }

        #[test]
        fn a_mobile_number_is_found_wherever_it_stands(
            before in "[\\u{4e00}-\\u{9fa5}，。]{0,10}", number in "1[3-9][0-9]{9}", after in "[\\u{4e00}-\\u{9fa5}，。]{0,10}",
        ) {
            prop_assume!(number != "13900001111");
            let text = format!("{before}{number}{after}");
            prop_assert!(found(&text).contains(&(FindingKind::PhoneNumber, number.as_str())));
        }
    }
}
