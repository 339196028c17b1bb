//! What a file is, by its first bytes: a list in one of the forms that are read, or something else that somebody chose by mistake.

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Cells and rows as text.
    Table,
    /// One text of JSON.
    Json,
    /// Lines of JSON.
    Lines,
    /// An archive, as .xlsx files are.
    Archive,
    /// A compound file, as .xls files and encrypted .xlsx files are.
    Compound,
    /// No list.
    Other(Other),
}

/// What a file is that is no list, as it is called in Chinese and English.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Other {
    /// In Chinese.
    pub chinese: &'static str,
    /// In English.
    pub english: &'static str,
}

const fn other(chinese: &'static str, english: &'static str) -> Other {
    Other { chinese, english }
}

pub(crate) const UNKNOWN: Other = other("二进制文件", "a binary file");
pub(crate) const ZIP: Other = other("压缩包", "an archive");
pub(crate) const DOCUMENT: Other = other("文档", "a document");
pub(crate) const SLIDES: Other = other("演示文稿", "a presentation");
pub(crate) const OTHER_WORKBOOK: Other = other("ods 或 xlsb 表格，请另存为 xlsx", "a workbook in ods or xlsb; save it as xlsx");
const PICTURE: Other = other("图片", "a picture");
const PDF: Other = other("PDF 文件", "a PDF file");
const MARKUP: Other = other(
    "网页或 XML 文件（有些系统导出的 .xls 其实是网页），请用表格软件打开后另存为 xlsx",
    "a web page or XML (some systems export one named .xls); open it in a spreadsheet program and save it as xlsx",
);

const BEGINNINGS: [(&[u8], Shape); 16] = [
    (b"PK\x03\x04", Shape::Archive),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Shape::Compound),
    (b"PK\x05\x06", Shape::Other(ZIP)),
    (b"\x1F\x8B", Shape::Other(ZIP)),
    (b"Rar!\x1A", Shape::Other(ZIP)),
    (b"7z\xBC\xAF\x27\x1C", Shape::Other(ZIP)),
    (b"%PDF-", Shape::Other(PDF)),
    (b"\x89PNG\r\n", Shape::Other(PICTURE)),
    (b"\xFF\xD8\xFF", Shape::Other(PICTURE)),
    (b"GIF8", Shape::Other(PICTURE)),
    (b"BM\x36", Shape::Other(PICTURE)),
    (b"II*\0", Shape::Other(PICTURE)),
    (b"MM\0*", Shape::Other(PICTURE)),
    (b"{\\rtf", Shape::Other(DOCUMENT)),
    (b"RIFF", Shape::Other(UNKNOWN)),
    (b"\x7FELF", Shape::Other(UNKNOWN)),
];

impl Shape {
    /// The form of a file that is no text, if its first bytes say so.
    pub(crate) fn of_bytes(start: &[u8]) -> Option<Self> {
        BEGINNINGS.iter().find(|(beginning, _)| start.starts_with(beginning)).map(|(_, shape)| *shape)
    }

    /// The form of any other file. UTF-16 was turned into UTF-8 before.
    pub(crate) fn of_text(start: &[u8]) -> Self {
        // a zero further on is a fault of its row
        let first_row = start.iter().take_while(|byte| !matches!(byte, b'\n' | b'\r'));
        if first_row.copied().any(|byte| byte == 0) {
            return Self::Other(UNKNOWN);
        }
        match start.trim_ascii_start() {
            // one record, written over several lines
            [b'{', rest @ ..]
                if rest.iter().find(|byte| !matches!(byte, b' ' | b'\t')).is_some_and(|byte| matches!(byte, b'\n' | b'\r')) =>
            {
                Self::Json
            }
            [b'{', ..] => Self::Lines,
            [b'[', ..] => Self::Json,
            [b'<', ..] => Self::Other(MARKUP),
            _ => Self::Table,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(b"source_id,kind\n", Shape::Table)]
    #[case("来源编号;类别".as_bytes(), Shape::Table)]
    #[case(b"", Shape::Table)]
    #[case(b" {\"source_id\":1}", Shape::Lines)]
    #[case(b"\n[{}]", Shape::Json)]
    #[case(b"{ \r\n  \"source_id\": 1\r\n}", Shape::Json)]
    #[case(b"PK\x03\x04\x14\x00", Shape::Archive)]
    #[case(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\x00", Shape::Compound)]
    #[case(b"\xFF\xD8\xFF\xE0\x00\x10JFIF", Shape::Other(PICTURE))]
    #[case(b"%PDF-1.7\n", Shape::Other(PDF))]
    #[case(b"<html><table>", Shape::Other(MARKUP))]
    #[case(b"MZ\x90\x00\x03", Shape::Other(UNKNOWN))]
    #[case(b"source_id,kind\na\0,case\n", Shape::Table)]
    fn a_file_is_known_by_its_first_bytes(#[case] start: &[u8], #[case] shape: Shape) {
        assert_eq!(Shape::of_bytes(start).unwrap_or_else(|| Shape::of_text(start)), shape);
    }
}
