//! What could not be read, said in sentences of ours and in the reader's language.
//!
//! serde and the parsers of numbers, times and ids say in English, and in the words of a programmer, what they wanted. Here that is
//! taken apart and said anew; none of it repeats the value, which may name a person. What nobody foresaw becomes a sentence that is
//! true of anything.

use std::borrow::Cow;

use super::problem::FieldFault;

/// Why something could not be read, in Chinese and in English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) zh: Cow<'static, str>,
    pub(super) en: Cow<'static, str>,
}

impl Reason {
    const fn new(zh: &'static str, en: &'static str) -> Self {
        Self { zh: Cow::Borrowed(zh), en: Cow::Borrowed(en) }
    }

    /// As the fault of a field.
    pub(super) fn at(self, field: impl Into<String>) -> FieldFault {
        FieldFault::new(field, self.zh, self.en)
    }

    /// Of what a parser said.
    pub(super) fn of(said: &str) -> Self {
        let said = without_place(said);
        if said.starts_with("unknown field") {
            return Self::new("没有此字段，请核对名称", "is no field here; check its name");
        }
        if said.starts_with("duplicate field") {
            return Self::new("重复出现", "is given twice");
        }
        if said.starts_with("unknown variant") {
            return word(said);
        }
        if let Some((_, wanted)) = said.split_once(", expected ").filter(|_| said.starts_with("invalid ")) {
            return wanted_was(wanted);
        }
        let known = SAID.iter().find(|(beginning, _, _)| said.starts_with(beginning));
        known.map_or(Self::new("内容无效，请核对格式", "is not valid; check its form"), |(_, zh, en)| Self::new(zh, en))
    }

    /// Of the Rust type that was wanted.
    pub(super) fn of_type(name: &str) -> Self {
        wanted_was(name.rsplit("::").next().unwrap_or(name))
    }
}

/// Where a JSON text stops being one, if the parser says so: line and column, both from 1.
pub(super) fn place(said: &str) -> Option<(usize, usize)> {
    let (_, place) = said.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

fn without_place(said: &str) -> &str {
    match said.rsplit_once(" at line ") {
        Some((before, _)) if place(said).is_some() => before,
        _ => said,
    }
}

/// ``unknown variant `x`, expected one of `a`, `b` ``: the words of a list are codes, the same in every language.
fn word(said: &str) -> Reason {
    let (_, known) = said.split_once(", expected ").unwrap_or_default();
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    if known.is_empty() {
        return Reason::new("不是可用的取值", "is not a word that is known here");
    }
    let known = known.join(", ");
    Reason { zh: format!("不是可用的取值，可用：{known}").into(), en: format!("is none of: {known}").into() }
}

/// Numbers are told with the range of their type, where anybody could reach its end.
const NUMBERS: [(&str, i64, i64); 8] = [
    ("u8", 0, u8::MAX as i64),
    ("u16", 0, u16::MAX as i64),
    ("u32", 0, u32::MAX as i64),
    ("i16", i16::MIN as i64, i16::MAX as i64),
    ("i32", i32::MIN as i64, i32::MAX as i64),
    ("a nonzero u8", 1, u8::MAX as i64),
    ("a nonzero u16", 1, u16::MAX as i64),
    ("a nonzero u32", 1, u32::MAX as i64),
];

fn wanted_was(wanted: &str) -> Reason {
    if let Some((_, least, most)) = NUMBERS.iter().find(|(name, _, _)| *name == wanted) {
        return Reason {
            zh: format!("应为 {least} 至 {most} 之间的整数").into(),
            en: format!("must be a whole number from {least} to {most}").into(),
        };
    }
    let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| wanted.starts_with(beginning));
    if begins(&["u64", "u128", "usize"]) {
        Reason::new("应为不小于 0 的整数", "must be a whole number, not below 0")
    } else if begins(&["i64", "i128", "isize"]) {
        Reason::new("应为整数", "must be a whole number")
    } else if begins(&["f32", "f64"]) {
        Reason::new("应为数值", "must be a number")
    } else if begins(&["a boolean", "bool"]) {
        Reason::new("应为 true 或 false", "must be true or false")
    } else if wanted.contains("date and time") {
        Reason::new(TIME.0, TIME.1)
    } else if wanted.to_ascii_lowercase().contains("uuid") {
        Reason::new(ID.0, ID.1)
    } else if begins(&["a string", "a borrowed string", "a text", "a character", "string", "String"]) {
        Reason::new("应为文本", "must be a text")
    } else if begins(&["a sequence", "an array", "sequence", "tuple", "a tuple"]) {
        Reason::new("应为列表", "must be a list")
    } else if begins(&["map with a single key", "enum", "variant"]) {
        Reason::new("应恰好填写可用内容之一", "must be exactly one of what is possible here")
    } else if begins(&["struct", "map", "a map", "an object", "internally tagged", "adjacently tagged"]) {
        Reason::new("应为 JSON 对象", "must be a JSON object")
    } else {
        Reason::new("内容无效，请核对格式", "is not valid; check its form")
    }
}

const TIME: (&str, &str) =
    ("应为带时区的时间，如 2026-11-02T08:30:00+08:00", "must be a time with its offset, such as 2026-11-02T08:30:00+08:00");
const ID: (&str, &str) =
    ("应为编号，如 0190b5a0-6f2e-7c3a-9d1e-2b4c6d8e0f12", "must be an id such as 0190b5a0-6f2e-7c3a-9d1e-2b4c6d8e0f12");
const WHOLE: (&str, &str) = ("应为整数", "must be a whole number");

/// How other parsers begin what they say: the standard library's, uuid's, chrono's, and those of the domain.
const SAID: [(&str, &str, &str); 26] = [
    ("invalid digit found", WHOLE.0, WHOLE.1),
    ("cannot parse integer", WHOLE.0, WHOLE.1),
    ("number too large", "数字过大", "is too large a number"),
    ("number too small", "数字过小", "is too small a number"),
    ("provided string was not", "应为 true 或 false", "must be true or false"),
    ("UUID parsing failed", ID.0, ID.1),
    ("an id of a", ID.0, ID.1),
    ("input contains invalid", TIME.0, TIME.1),
    ("input is out of range", TIME.0, TIME.1),
    ("input is not enough", TIME.0, TIME.1),
    ("premature end of input", TIME.0, TIME.1),
    ("trailing input", TIME.0, TIME.1),
    ("no possible date and time", TIME.0, TIME.1),
    ("a time lies between", "时间应在 2000 年至 2199 年之间", "must lie between the years 2000 and 2199"),
    ("an acknowledgement window", "应为 0 至 2592000 秒（30 天）", "must be 0 to 2592000 seconds (30 days)"),
    ("a district code", "应为 6 位区县代码", "must be a district's code of 6 digits"),
    ("a township code", "应为 9 位街道（乡镇）代码", "must be a township's code of 9 digits"),
    ("a community code", "应为 12 位社区（村）代码", "must be a community's code of 12 digits"),
    ("an area is", "应为 city 或 6、9、12 位区划代码", "must be city, or a code of 6, 9 or 12 digits"),
    (
        "a scope is",
        "应为 city，或 district、industry、community 加冒号和代码",
        "must be city, or district, industry or community with a colon and its code",
    ),
    ("a resident number", "应为居民编号", "must be the number of a resident"),
    ("a short code", "应为 4 位短码", "must be a short code of four characters"),
    ("a hash is written", "应为 64 位十六进制数字", "must be 64 hexadecimal digits"),
    ("data did not match any variant", "应为文本、数字或 true/false", "must be a text, a number, or true or false"),
    ("a mobile number", "应为 11 位大陆手机号码", "must be a mainland mobile number of 11 digits"),
    ("is not UTF-8", "不是 UTF-8 编码", "is not UTF-8"),
];

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use domain::area::{Area, CommunityCode, DistrictCode, TownshipCode};
    use domain::audience::Audience;
    use domain::ids::{AlertId, ResidentNo, ShortCode};
    use domain::risk_record::{AttributeValue, RecordKind, SubjectHash};
    use domain::staff::Scope;
    use rstest::rstest;
    use serde::de::DeserializeOwned;

    use super::*;

    fn zh<T: DeserializeOwned>(json: &str) -> String {
        let error = serde_json::from_str::<T>(json).err().expect("it cannot be read");
        Reason::of(&error.to_string()).zh.into_owned()
    }

    /// What is told of any type that comes in is a sentence made for it.
    #[rstest]
    #[case(zh::<u16>("70000"), "应为 0 至 65535 之间的整数")]
    #[case(zh::<u16>("-1"), "应为 0 至 65535 之间的整数")]
    #[case(zh::<u64>("-1"), "应为不小于 0 的整数")]
    #[case(zh::<i64>("1.5"), "应为整数")]
    #[case(zh::<f64>("\"x\""), "应为数值")]
    #[case(zh::<bool>("1"), "应为 true 或 false")]
    #[case(zh::<String>("1"), "应为文本")]
    #[case(zh::<Vec<u8>>("{}"), "应为列表")]
    #[case(zh::<DateTime<Utc>>("\"tomorrow\""), TIME.0)]
    #[case(zh::<DateTime<Utc>>("5"), TIME.0)]
    #[case(zh::<AlertId>("\"7\""), ID.0)]
    #[case(zh::<RecordKind>("\"rumour\"").split('：').next().unwrap().to_owned(), "不是可用的取值，可用")]
    #[case(zh::<DistrictCode>("\"x\""), "应为 6 位区县代码")]
    #[case(zh::<TownshipCode>("1"), "应为 9 位街道（乡镇）代码")]
    #[case(zh::<CommunityCode>("\"\""), "应为 12 位社区（村）代码")]
    #[case(zh::<Area>("\"town\""), "应为 city 或 6、9、12 位区划代码")]
    #[case(zh::<Scope>("\"village\""), "应为 city，或 district、industry、community 加冒号和代码")]
    #[case(zh::<ResidentNo>("\"x\""), "应为 0 至 4294967295 之间的整数")]
    #[case(zh::<ShortCode>("\"x\""), "应为 4 位短码")]
    #[case(zh::<SubjectHash>("\"x\""), "应为 64 位十六进制数字")]
    #[case(zh::<AttributeValue>("[]"), "应为文本、数字或 true/false")]
    #[case(zh::<Audience>("{\"nobody\":1}"), "不是可用的取值，可用：residents, query")]
    #[case(zh::<Audience>("{\"query\":{\"include\":[{\"areas\":[],\"wards\":1}]}}"), "没有此字段，请核对名称")]
    #[case(Reason::of("something new of a library").zh.into_owned(), "内容无效，请核对格式")]
    fn what_cannot_be_read_is_said_in_chinese(#[case] told: String, #[case] expected: &str) {
        assert_eq!(told, expected);
    }

    #[test]
    fn a_place_is_found_and_left_out_of_the_reason() {
        assert_eq!(place("expected value at line 3 column 17"), Some((3, 17)));
        assert_eq!(place("expected value"), None);
        assert_eq!(Reason::of("a district code has 6 digits at line 1 column 9").zh, "应为 6 位区县代码");
    }
}
