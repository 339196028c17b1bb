//! Why a row is refused: the field, and the reason in Chinese and English. A reason never repeats a value, because a value may
//! name a person.

use domain::country::CountryError;
use domain::identity_document::IdentityError;
use domain::list::{RecordField, Spoilt};
use domain::phone::PhoneNumberError;
use domain::place_name::PlaceNameError;
use domain::record_life::REASON_LIMIT;
use domain::risk_record::{RecordFault, is_attribute_name};
use domain::written_time::WrittenTimeError;
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

/// A cell of a list that is neither a code nor the name of one area.
pub(crate) fn not_code_or_name(field: &str, digits: u8, error: PlaceNameError) -> FieldFault {
    match error {
        PlaceNameError::Unknown => FieldFault::new(
            field,
            format!("不是本市的区划名称，也不是 {digits} 位区划代码"),
            format!("is neither the name of an area of the city nor a code of {digits} digits"),
        ),
        PlaceNameError::Several => FieldFault::new(
            field,
            format!("本市有多个同名区划，请填写上级区划或 {digits} 位区划代码"),
            format!("is the name of several areas of the city; name the area it lies in too, or its code of {digits} digits"),
        ),
    }
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

/// A time of a list that cannot be read, or in two ways.
pub(crate) fn written_time(error: WrittenTimeError) -> FieldFault {
    const WANTED: &str = "请写成 2026-11-02 08:30";
    const WANTED_EN: &str = "write 2026-11-02 08:30";
    let (reason, reason_en) = match error {
        WrittenTimeError::TwoDigitYear => {
            ("年份只有两位，无法确定年月日", "has a year of two digits, so year, month and day are not certain")
        }
        WrittenTimeError::YearLast => {
            ("年份在后，无法确定日和月的先后", "has its year last, so nobody knows whether the day or the month stands first")
        }
        WrittenTimeError::Serial => {
            ("是表格软件的日期序号，请将单元格设为日期格式", "is a spreadsheet's number of a day; give the cell a date format")
        }
        WrittenTimeError::NoSuchTime => ("没有这一天或这一时刻", "is no day or hour that there is"),
        WrittenTimeError::Form => ("不是可识别的时间", "is not in the form of a time"),
    };
    FieldFault::new("occurred_at", format!("{reason}；{WANTED}"), format!("{reason_en}; {WANTED_EN}"))
}

/// An event so long ago that its year is more likely wrong.
pub(crate) fn too_old(days: u32) -> FieldFault {
    FieldFault::new(
        "occurred_at",
        format!("早于 {days} 天之前，请核对年份（应为四位）"),
        format!("lies more than {days} days back; check the year, which has four digits"),
    )
}

pub(crate) fn no_such_time() -> FieldFault {
    FieldFault::new("occurred_at", "当地没有此时刻（夏令时调整）", "does not exist in local time (clocks were put forward)")
}

pub(crate) fn phone(error: PhoneNumberError) -> FieldFault {
    FieldFault::new("subject.phone", error.chinese(), error.to_string())
}

/// What is said of a number names no country, and the number needs one.
pub(crate) fn country(error: CountryError) -> FieldFault {
    FieldFault::new("subject.number_country", error.chinese(), error.to_string())
}

/// A number whose last digits a spreadsheet has taken away.
pub(crate) fn rounded(field: &str) -> FieldFault {
    FieldFault::new(
        field,
        "被表格软件改成了科学计数法，末几位已丢失；请将该列设为文本格式后重新填写",
        "was rounded by a spreadsheet, and its last digits are lost; give the column the format text and fill it in again",
    )
}

/// A cell in which no value is left.
pub(crate) fn spoilt(field: &str, spoilt: Spoilt) -> FieldFault {
    let word = spoilt.word();
    match spoilt {
        Spoilt::Error(_) => FieldFault::new(
            field,
            format!("单元格是表格软件的错误值 {word}，请更正公式或填写内容"),
            format!("holds the spreadsheet's error value {word}; correct the formula or write a value"),
        ),
        Spoilt::Missing(_) => FieldFault::new(
            field,
            format!("内容是导出程序写出的“{word}”，表示没有值；请填写内容或留空"),
            format!("holds {word:?}, by which the exporting program says that there is no value; write one or leave it empty"),
        ),
        Spoilt::Unreadable => FieldFault::new(
            field,
            "含有无法识别的字符（�），原文在转换编码时已损坏",
            "has signs that cannot be read; they were lost when the text was turned into another encoding",
        ),
    }
}

pub(crate) fn spoilt_attribute(name: &str, what: Spoilt) -> FieldFault {
    spoilt(&attribute(name), what)
}

pub(crate) fn born_too_early() -> FieldFault {
    FieldFault::new("subject.identity_number", "出生年份早于 1900 年", "names a year of birth before 1900")
}

/// What lacks of the kind or the country of a number is said of their fields.
pub(crate) fn identity(error: IdentityError) -> FieldFault {
    let field = match error {
        IdentityError::KindNeeded | IdentityError::OtherKind(_) => "subject.identity_kind",
        IdentityError::CountryNeeded => "subject.number_country",
        _ => "subject.identity_number",
    };
    FieldFault::new(field, error.chinese(), error.to_string())
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

/// A row of a list that is neither in UTF-8 nor in the encoding of its list.
pub(crate) fn encoding() -> FieldFault {
    FieldFault::new(
        ROW,
        "编码无法识别（与文件其余部分不同，或既不是 UTF-8 也不是 GB18030）",
        "is in an encoding that is not known: another one than the rest of the file, or neither UTF-8 nor GB18030",
    )
}

pub(crate) fn unsure_encoding() -> FieldFault {
    FieldFault::new(
        ROW,
        "编码无法判断（可能是 UTF-8，也可能是 GB18030），请另存为“CSV UTF-8”后重新上传",
        "may be in UTF-8 or in GB18030, and nothing tells which: save the list as \"CSV UTF-8\" and upload it again",
    )
}

pub(crate) fn damaged() -> FieldFault {
    FieldFault::new(ROW, "文件从此行起已损坏，无法继续读取", "the file is damaged from this row on and cannot be read any further")
}

pub(crate) fn no_header() -> FieldFault {
    FieldFault::new(
        ROW,
        "没有表头：其中没有任何一列是字段名，应有 来源编号、类别、发生时间、手机号、风险等级 等列",
        "is no header: none of its cells is the name of a field, such as source_id, kind, occurred_at, phone, level",
    )
}

/// A column that means nothing. Its name is shown unless it may be somebody's number.
/// Whether a text has so many digits that they may be somebody's number.
pub(crate) fn may_name_somebody(text: &str) -> bool {
    text.chars().filter(|sign| sign.is_numeric()).count() >= 6
}

/// The name of a column as it is shown, unless it may be somebody's number.
pub(crate) fn shown_name(name: &str) -> String {
    if may_name_somebody(name) { "…".to_owned() } else { name.to_owned() }
}

pub(crate) fn unknown_column(name: &str) -> FieldFault {
    let shown: String = name.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).take(40).collect();
    let (quoted, quoted_en) =
        if may_name_somebody(name) { ("列名".to_owned(), String::new()) } else { (format!("“{shown}”"), format!("{shown:?} ")) };
    FieldFault::new(
        "column",
        format!("{quoted}不是字段名，也不是小写字母、数字和下划线组成的属性名"),
        format!("{quoted_en}is neither the name of a field nor an attribute of a-z, 0-9 and _"),
    )
}

pub(crate) fn column_twice(name: &str) -> FieldFault {
    let shown: String = name.chars().filter(|sign| !sign.is_control()).take(40).collect();
    FieldFault::new("column", format!("“{shown}”与前面的列含义相同"), format!("{shown:?} means the same as a column before it"))
}

pub(crate) fn missing_column(field: RecordField) -> FieldFault {
    let chinese = match field {
        RecordField::SourceId => "来源编号",
        RecordField::Kind => "类别",
        RecordField::OccurredAt => "发生时间",
        _ => "风险等级",
    };
    FieldFault::new(field.as_ref(), format!("缺少“{chinese}”（{field}）列"), "has no column")
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

/// A record that was delivered again as it was before its correction.
pub(crate) fn corrected_since() -> FieldFault {
    FieldFault::new(
        "source_id",
        "此记录其后已更正，保留更正后的内容；确需改回请按“更正”报送",
        "was corrected since, and the correction stands; to change it again, send it as a correction",
    )
}

/// A record that was delivered again after it was taken back.
pub(crate) fn retracted() -> FieldFault {
    FieldFault::new(
        "source_id",
        "此记录已撤回；确需恢复请按“更正”报送并写明原因",
        "was taken back; to bring it back, send it as a correction and say why",
    )
}

/// A correction of nothing.
pub(crate) fn no_such_record() -> FieldFault {
    FieldFault::new(
        "source_id",
        "您没有报送过此编号的记录，请核对编号；若记录尚在途中，请在其入库后重新报送更正",
        "is no record that you delivered; check the id, or send the correction again once the record has arrived",
    )
}

/// A correction with another one of the same record below it.
pub(crate) fn corrected_below() -> FieldFault {
    FieldFault::new("source_id", "同一记录在其后还有一条更正，以其后为准", "is corrected again further down; the last correction holds")
}

/// A reason that is no text, too long, or has signs that nobody can read.
pub(crate) fn correction_reason() -> FieldFault {
    FieldFault::new(
        "correction_reason",
        format!("应为 1 至 {REASON_LIMIT} 字的说明，不含控制字符"),
        format!("must be a text of 1 to {REASON_LIMIT} characters without control characters"),
    )
}

/// A reason with so many digits that they may be somebody's number. It is read by others, and kept in clear.
pub(crate) fn correction_reason_names_somebody() -> FieldFault {
    FieldFault::new(
        "correction_reason",
        "可能含有电话或证件号码；审核人员会看到原因，请只写事由",
        "may contain somebody's number; others read the reason, so name nobody in it",
    )
}

/// A reason with nothing that it is for.
pub(crate) fn reason_of_nothing() -> FieldFault {
    FieldFault::new(
        "correction",
        "写了更正原因，请同时写明“更正”（replace）或“撤回”（retract）",
        "is missing beside a reason for it: replace or retract",
    )
}

pub(crate) fn district_unknown() -> FieldFault {
    FieldFault::new("district", "对象尚未登记，必须填写区县", "is missing, and cannot be taken from a person who is not registered")
}

pub(crate) fn district_needed() -> FieldFault {
    FieldFault::new("district", "区县级报送须填写区县", "is missing: who delivers for one district has to name it")
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
