//! Home addresses in free text: two numbered parts of an address that belong together and lead to a door.
//!
//! "建设路88号" is where a hospital is; "建设路88号3栋501室" is where somebody lives. So a house, a building or a staircase
//! followed closely by a smaller part is a finding, and either of them alone is not.

use std::ops::Range;

use crate::digits::ascii_digit;

/// The parts of an address that are numbered, the longer words first where one begins with another.
const PARTS: [(&str, Part); 12] = [
    ("号楼", Part::Building),
    ("号院", Part::House),
    ("号", Part::House),
    ("弄", Part::Lane),
    ("栋", Part::Building),
    ("幢", Part::Building),
    ("座", Part::Tower),
    ("单元", Part::Staircase),
    ("室", Part::Room),
    ("户", Part::Room),
    ("房", Part::Room),
    ("层", Part::Floor),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Lane,
    House,
    Tower,
    Building,
    Staircase,
    Floor,
    Room,
}

impl Part {
    /// Whether the two, close together, lead to a door. A tower or a floor of a numbered house is an office as often.
    fn leads_on_to(self, smaller: Self) -> bool {
        self < smaller && !matches!(smaller, Self::Tower | Self::Floor)
    }
}

/// How many signs may stand between two parts of one address: a courtyard's name fits, a sentence does not.
const LONGEST_GAP: usize = 8;
/// What is counted is no room: "3栋120人".
const COUNTED: &str = "人名例份个元年月日时点分米次台间号层楼栋户天家岁%％";

struct Numbered {
    part: Part,
    range: Range<usize>,
}

/// Where home addresses stand in a text, in bytes; they do not overlap.
pub(crate) fn find(text: &str) -> Vec<Range<usize>> {
    let parts = numbered_parts(text);
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut add = |range: Range<usize>| match found.last_mut() {
        Some(last) if range.start < last.end => last.end = last.end.max(range.end),
        _ => found.push(range),
    };
    for (index, larger) in parts.iter().enumerate() {
        match parts.get(index + 1) {
            Some(smaller) if larger.part.leads_on_to(smaller.part) && belong_together(&text[larger.range.end..smaller.range.start]) => {
                add(larger.range.start..smaller.range.end);
            }
            _ => {
                if let Some(end) = bare_room(text, larger) {
                    add(larger.range.start..end);
                }
            }
        }
    }
    found.extend(english(text));
    found.sort_by_key(|range| range.start);
    found
}

fn belong_together(gap: &str) -> bool {
    gap.chars().count() <= LONGEST_GAP && !gap.contains(['，', '。', '；', '！', '？', '、', ',', ';', '!', '?', '\n'])
}

/// A building or staircase with a room's number behind it and no word for "room": 3栋2-501.
fn bare_room(text: &str, building: &Numbered) -> Option<usize> {
    if !matches!(building.part, Part::Building | Part::Staircase | Part::Tower) {
        return None;
    }
    let rest = &text[building.range.end..];
    let number = rest.trim_start_matches([' ', '-', '－']);
    let end = number.find(|sign| ascii_digit(sign).is_none() && sign != '-' && sign != '－').unwrap_or(number.len());
    let digits = number[..end].chars().filter_map(ascii_digit).count();
    let counted = number[end..].chars().next().is_some_and(|sign| COUNTED.contains(sign));
    ((3..=6).contains(&digits) && !counted).then(|| building.range.end + (rest.len() - number.len()) + end)
}

/// Every number with the word for a part of an address behind it.
fn numbered_parts(text: &str) -> Vec<Numbered> {
    let mut parts = Vec::new();
    let mut number_start = None;
    let mut previous = None;
    let mut before_number = None;
    for (at, sign) in text.char_indices() {
        if is_numeral(sign) {
            if number_start.is_none() {
                number_start = Some(at);
                before_number = previous;
            }
        } else if let Some(start) = number_start
            && sign != '-'
            && sign != ' '
        {
            number_start = None;
            let word = PARTS.iter().find(|(word, _)| text[at..].starts_with(word));
            if let Some((word, part)) = word
                // "11月3号" is a day.
                && !(*word == "号" && before_number == Some('月'))
            {
                parts.push(Numbered { part: *part, range: start..at + word.len() });
            }
        }
        previous = Some(sign);
    }
    parts
}

fn is_numeral(sign: char) -> bool {
    ascii_digit(sign).is_some() || sign.is_ascii_uppercase() || "〇零一二三四五六七八九十百甲乙丙丁".contains(sign)
}

/// How many words may stand between the room and the building of an English address.
const LONGEST_ENGLISH_GAP: usize = 4;

/// "Room 501, Building 3", in either order.
fn english(text: &str) -> Vec<Range<usize>> {
    const ROOMS: [&str; 7] = ["room", "rm", "apt", "apartment", "flat", "unit", "suite"];
    const BUILDINGS: [&str; 6] = ["building", "bldg", "block", "tower", "no", "house"];
    let words = words(text);
    let numbered = |names: &[&str]| -> Vec<usize> {
        (0..words.len().saturating_sub(1))
            .filter(|&index| {
                names.contains(&words[index].1.to_ascii_lowercase().as_str())
                    && words[index + 1].1.contains(|sign: char| sign.is_ascii_digit())
            })
            .collect()
    };
    let buildings = numbered(&BUILDINGS);
    let end_of = |index: usize| words[index].0 + words[index].1.len();
    numbered(&ROOMS)
        .into_iter()
        .filter_map(|room| {
            let building = buildings.iter().find(|building| room.abs_diff(**building) <= LONGEST_ENGLISH_GAP + 1)?;
            Some(words[room.min(*building)].0..end_of(room.max(*building) + 1))
        })
        .collect()
}

/// The English words and numbers of a text, with their places in bytes.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, sign) in text.char_indices().chain([(text.len(), ' ')]) {
        match (sign.is_ascii_alphanumeric(), start) {
            (true, None) => start = Some(at),
            (false, Some(begun)) => {
                words.push((begun, &text[begun..at]));
                start = None;
            }
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::down_to_the_room("住建设路88号3栋1单元501室的居民", "88号3栋1单元501室")]
    #[case::courtyard_between("中山一路12号幸福小区3栋2单元", "12号幸福小区3栋2单元")]
    #[case::house_and_room("人民路5号501室", "5号501室")]
    #[case::lane("南京路88弄6号302室", "88弄6号302室")]
    #[case::building_and_staircase("幸福小区3栋2单元", "3栋2单元")]
    #[case::chinese_numerals("幸福里三栋二单元", "三栋二单元")]
    #[case::lettered("阳光城A栋1203室", "A栋1203室")]
    #[case::numbered_building("康居园8号楼1203室", "8号楼1203室")]
    #[case::room_without_its_word("幸福小区3栋2-501。", "3栋2-501")]
    #[case::room_number_at_the_end("康居园8号楼1203", "8号楼1203")]
    #[case::english("Room 501, Building 3, Sunshine City", "Room 501, Building 3")]
    #[case::english_other_order("at Building 3, Unit 2", "Building 3, Unit 2")]
    fn a_door_is_found(#[case] text: &str, #[case] address: &str) {
        let found: Vec<_> = find(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, [address]);
    }

    #[rstest]
    #[case::public_address("市急救中心，健康路1号")]
    #[case::floor_of_a_hospital("健康路1号门诊楼3层发热门诊")]
    #[case::tower("民权路28号英利大厦A座")]
    #[case::building_alone("请到3号楼1层采样")]
    #[case::room_alone("隔离酒店1203室")]
    #[case::day_then_room("请于11月3号到2室领取")]
    #[case::metro("乘3号线，从2号口出站")]
    #[case::people_counted("康居园3栋120人已采样")]
    #[case::another_sentence("请到88号。3单元居民先采样")]
    #[case::english_public_address("Yuzhong Emergency Centre, 1 Jiankang Road")]
    fn a_public_place_is_not(#[case] text: &str) {
        let found: Vec<_> = find(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, [""; 0]);
    }
}
