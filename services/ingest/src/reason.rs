//! Why a row is refused: the field, and the reason in Chinese and English. A reason never repeats a value, because a value may
//! name a person.

use domain::risk_record::{RecordFault, is_attribute_name};
use platform::http::FieldFault;

/// The field that stands for the row as a whole.
pub(crate) const ROW: &str = "row";

/// Longest row, in bytes: a record has no more than 32 attributes of 500 characters.
pub(crate) const ROW_LIMIT: usize = 256 * 1024;

pub(crate) fn missing(field: &str) -> FieldFault {
    FieldFault::new(field, "缺少此字段", "is missing")
}

pub(crate) fn twice(field: &str) -> FieldFault {
    FieldFault::new(field, "重复出现", "is given twice")
}

pub(crate) fn not_text(field: &str) -> FieldFault {
    FieldFault::new(field, "应为文本", "must be a text")
}

/// A field that nobody knows. Its name is repeated only if it looks like one.
pub(crate) fn unknown_field(name: &str) -> FieldFault {
    let field = if is_attribute_name(name) { name } else { ROW };
    FieldFault::new(field, "没有此字段，其他内容请放入 attributes", "is no field of a record; put what else there is into attributes")
}

pub(crate) fn unknown_word(field: &str, known: &str) -> FieldFault {
    FieldFault::new(field, format!("不是可用的取值，可用：{known}"), format!("is none of: {known}"))
}

pub(crate) fn not_code(field: &str, digits: u8) -> FieldFault {
    FieldFault::new(field, format!("应为 {digits} 位区划代码"), format!("must be a code of {digits} digits"))
}

pub(crate) fn unknown_area(field: &str) -> FieldFault {
    FieldFault::new(field, "不是本市的区划代码", "is no area of the city")
}

pub(crate) fn elsewhere(field: &str) -> FieldFault {
    FieldFault::new(field, "与记录所在的区域不一致", "lies outside the area that the record names")
}

pub(crate) fn not_area(field: &str) -> FieldFault {
    FieldFault::new(field, "应为 city 或 6、9、12 位区划代码", "must be city, or a code of 6, 9 or 12 digits")
}

pub(crate) fn time_with_offset() -> FieldFault {
    FieldFault::new(
        "occurred_at",
        "应为带时区的时间，如 2026-11-02T08:30:00+08:00",
        "must be a time with its offset (RFC 3339), such as 2026-11-02T08:30:00+08:00",
    )
}

pub(crate) fn local_time() -> FieldFault {
    FieldFault::new(
        "occurred_at",
        "应为时间，如 2026-11-02 08:30 或 2026-11-02T08:30:00+08:00",
        "must be a time such as 2026-11-02 08:30 or 2026-11-02T08:30:00+08:00",
    )
}

pub(crate) fn no_such_time() -> FieldFault {
    FieldFault::new("occurred_at", "当地没有此时刻（夏令时调整）", "does not exist in local time (clocks were put forward)")
}

pub(crate) fn phone() -> FieldFault {
    FieldFault::new(
        "subject.phone",
        "不是 11 位大陆手机号码（Excel 可能改成了科学计数法）",
        "is no mainland mobile number of 11 digits (a spreadsheet may have rounded it)",
    )
}

pub(crate) fn identity_number() -> FieldFault {
    FieldFault::new(
        "subject.identity_number",
        "不是有效的 18 位身份证号码（Excel 可能改变了末几位）",
        "is no valid identity number of 18 characters (a spreadsheet may have rounded it)",
    )
}

pub(crate) fn resident_no() -> FieldFault {
    FieldFault::new("subject.resident_no", "没有此居民", "is no resident's number")
}

pub(crate) fn one_subject() -> FieldFault {
    FieldFault::new(
        "subject",
        "应恰好填写 phone、identity_number、resident_no、place 之一",
        "must have exactly one of phone, identity_number, resident_no, place",
    )
}

pub(crate) fn not_object(field: &str) -> FieldFault {
    FieldFault::new(field, "应为 JSON 对象", "must be a JSON object")
}

pub(crate) fn attribute_value(name: &str) -> FieldFault {
    FieldFault::new(attribute(name), "应为文本、数字或 true/false", "must be a text, a number, or true or false")
}

pub(crate) fn attribute_twice(name: &str) -> FieldFault {
    twice(&attribute(name))
}

fn attribute(name: &str) -> String {
    if is_attribute_name(name) { format!("attributes.{name}") } else { "attributes".to_owned() }
}

pub(crate) fn not_json(column: usize) -> FieldFault {
    FieldFault::new(ROW, format!("第 {column} 列处不是有效的 JSON"), format!("is not valid JSON at column {column}"))
}

pub(crate) fn cut_short() -> FieldFault {
    FieldFault::new(ROW, "内容不完整，行在中途结束", "ends in the middle")
}

pub(crate) fn not_utf8() -> FieldFault {
    FieldFault::new(ROW, "不是 UTF-8 编码（可能是 GBK），请另存为 UTF-8", "is not UTF-8 (perhaps GBK); save the file as UTF-8")
}

pub(crate) fn too_long() -> FieldFault {
    FieldFault::new(
        ROW,
        "超过 256 KB，可能缺少换行或引号未闭合",
        "is longer than 256 KB; perhaps a line break or a closing quote is missing",
    )
}

pub(crate) fn broken_off() -> FieldFault {
    FieldFault::new(ROW, "传输在此行中断", "the transfer broke off in this row")
}

pub(crate) fn cells(expected: usize) -> FieldFault {
    FieldFault::new(ROW, format!("单元格数与表头（{expected} 列）不一致"), format!("does not have the {expected} cells of the header row"))
}

pub(crate) fn other_content() -> FieldFault {
    FieldFault::new(
        "source_id",
        "此编号已有内容不同的记录，保留先到的一条",
        "there is a record with this id and another content; the first one is kept",
    )
}

pub(crate) fn district_unknown() -> FieldFault {
    FieldFault::new("district", "对象尚未登记，必须填写区县", "is missing, and cannot be taken from a person who is not registered")
}

pub(crate) fn kind_not_allowed() -> FieldFault {
    FieldFault::new("kind", "您不能报送此类记录", "is a kind that this sender may not deliver")
}

pub(crate) fn origin_not_allowed() -> FieldFault {
    FieldFault::new("origin", "与报送单位的来源类别不一致", "is not the origin that this sender delivers")
}

pub(crate) fn area_not_allowed(field: &str) -> FieldFault {
    FieldFault::new(field, "不在您的管辖范围内", "lies outside the area of this sender")
}

/// What the domain says about a record, with its Chinese.
pub(crate) fn of_domain(fault: RecordFault) -> FieldFault {
    let chinese = fault.chinese();
    FieldFault::new(fault.field, chinese, fault.reason)
}
