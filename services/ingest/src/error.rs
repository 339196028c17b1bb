//! What can go wrong with a whole delivery, and what its sender is told. What is wrong with one row is in [`crate::reason`].

use domain::ids::LoadId;
use http::StatusCode;
use platform::http::{FieldFault, Problem};

use crate::columns::HeaderFault;
use crate::shape::Other;
use crate::upload_fault::UploadFault;

/// A failure of the intake.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement failed.
    #[error("the database failed on {action}")]
    Database {
        /// What was being done.
        action: &'static str,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// Database, bus or keys failed.
    #[error(transparent)]
    Platform(#[from] platform::Error),
    /// A list has no header row that can be used.
    #[error("the header row is wrong on line {} at {}: {}", .0.line, .0.field(), .0.fault.reason_en)]
    Header(Box<HeaderFault>),
    /// The meanings that were chosen for names of columns are none.
    #[error("the meanings of names are wrong: {}", .0.reason_en)]
    Names(FieldFault),
    /// The rules could not be asked.
    #[error(transparent)]
    Rules(#[from] rules::Error),
    /// The file is no list.
    #[error("the file is {}", .0.english)]
    NotAList(Other),
    /// The workbook is encrypted.
    #[error("the workbook is encrypted")]
    WorkbookLocked,
    /// The workbook, or what it holds once it is unpacked, is larger than can be read.
    #[error("the workbook is larger than {limit} bytes can hold")]
    WorkbookTooLarge {
        /// Bytes that it may have.
        limit: usize,
    },
    /// The workbook is not whole, or not what it says that it is.
    #[error("the workbook is damaged")]
    WorkbookDamaged,
    /// Several sheets of the workbook are lists.
    #[error("{} sheets of the workbook are lists", .0.len())]
    WorkbookSheets(Vec<String>),
    /// The batch is neither an array nor an object of JSON.
    #[error("the batch is not valid JSON at line {line}, column {column}")]
    NotJson {
        /// Line of the text, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A file that is one text of JSON is larger than can be read whole.
    #[error("the text of JSON is larger than {limit} bytes")]
    JsonTooLarge {
        /// Bytes that it may have.
        limit: usize,
    },
    /// The batch is too long for one answer.
    #[error("the batch has more than {limit} records")]
    TooManyRecords {
        /// How many it may have.
        limit: usize,
    },
    /// The form has no file, or cannot be read.
    #[error("the form has no file that can be read")]
    NoFile,
    /// The body is of a kind that this route does not read.
    #[error("the body is of a type that no list has")]
    MediaType,
    /// No such load, or it is somebody else's.
    #[error("there is no load {0} of this sender")]
    NoSuchLoad(LoadId),
    /// A file that is sent in pieces cannot be taken.
    #[error(transparent)]
    Upload(#[from] UploadFault),
    /// A list to fill in could not be written.
    #[error("a template could not be written")]
    Template {
        /// What failed.
        #[source]
        source: rust_xlsxwriter::XlsxError,
    },
    /// A step of the intake ended before its result was there.
    #[error("{step} ended early")]
    Interrupted {
        /// Which step.
        step: &'static str,
    },
    /// Something stored cannot be read back.
    #[error("stored {what} cannot be read")]
    Stored {
        /// What it is.
        what: &'static str,
    },
}

impl Error {
    /// For `map_err`: names what was being done.
    pub(crate) fn database(action: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::Database { action, source }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Database { .. } | Error::Platform(_) => Self::unavailable(&error),
            Error::Interrupted { .. } | Error::Stored { .. } | Error::Template { .. } => Self::internal(&error),
            Error::Header(fault) => {
                let field = fault.field();
                let HeaderFault { line, column, fault, .. } = *fault;
                let (at, at_en) = match column {
                    Some(column) => (format!("第 {line} 行第 {column} 列"), format!("line {line}, column {column}")),
                    None => (format!("第 {line} 行"), format!("line {line}")),
                };
                Self::bad_request(
                    "csv_header",
                    format!("表头有误（{at}）：{}。请更正表头后重新上传。", fault.reason),
                    format!("The header row is wrong ({at_en}, {field}): {}. Correct it and upload again.", fault.reason_en),
                )
                .fault(field, fault.reason, fault.reason_en)
            }
            Error::Names(fault) => Self::invalid(vec![fault]),
            Error::Rules(error) => error.into(),
            Error::Upload(fault) => fault.into(),
            Error::NotAList(Other { chinese, english }) => Self::bad_request(
                "file_not_a_list",
                format!("文件不是清单，而是{chinese}。请上传 CSV、xlsx、xls、JSON 或 NDJSON 文件。"),
                format!("The file is no list but {english}. Upload CSV, xlsx, xls, JSON or NDJSON."),
            ),
            Error::WorkbookLocked => Self::bad_request(
                "workbook_locked",
                "工作簿已加密，无法读取。请取消密码后重新上传。",
                "The workbook is encrypted. Take its password away and upload it again.",
            ),
            Error::WorkbookTooLarge { limit } => {
                let megabytes = limit >> 20;
                Self::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "workbook_too_large",
                    format!("工作簿过大（文件或解压后的内容超过上限 {megabytes} MB）。请另存为 CSV 后上传，或拆分后分别上传。"),
                    format!("The workbook or what it unpacks to is larger than {megabytes} MB. Save it as CSV, or split it."),
                )
            }
            Error::WorkbookDamaged => Self::bad_request(
                "workbook_damaged",
                "工作簿不完整或已损坏，无法读取。请用表格软件打开并另存为 xlsx 后重新上传。",
                "The workbook is not whole or is damaged. Open it in a spreadsheet program, save it as xlsx and upload it again.",
            ),
            Error::WorkbookSheets(sheets) => {
                let shown: Vec<&str> = sheets.iter().map(String::as_str).take(10).collect();
                Self::bad_request(
                    "workbook_sheets",
                    format!(
                        "工作簿中有 {} 个工作表都是清单（{}），无法确定上传哪一个。请只保留一个后重新上传。",
                        sheets.len(),
                        shown.join("、")
                    ),
                    format!("{} sheets of the workbook are lists ({}). Keep one of them and upload again.", sheets.len(), shown.join(", ")),
                )
            }
            Error::NotJson { line, column } => Self::bad_request(
                "json_malformed",
                format!("请求内容不是有效的 JSON（第 {line} 行第 {column} 列），请提交一条记录或记录数组。"),
                format!("The body is not valid JSON (line {line}, column {column}). Send one record or an array of records."),
            ),
            Error::JsonTooLarge { limit } => {
                let megabytes = limit >> 20;
                Self::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "json_too_large",
                    format!("JSON 文件超过 {megabytes} MB，无法整体读取。请改为每行一条记录的 NDJSON 后上传。"),
                    format!("A text of JSON has {megabytes} MB at most. Write one record a line (NDJSON) and upload it again."),
                )
            }
            Error::TooManyRecords { limit } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_many_records",
                format!("一次最多提交 {limit} 条记录，更多记录请使用 /api/v1/records/stream。"),
                format!("A batch has at most {limit} records. Send more by /api/v1/records/stream."),
            ),
            Error::NoFile => Self::bad_request(
                "file_missing",
                "表单中没有可读取的文件，请以字段 file 上传文件。",
                "The form has no file that can be read. Send the file as field \"file\".",
            ),
            Error::MediaType => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type_unsupported",
                "不支持此 Content-Type，请以 multipart/form-data、text/csv、application/octet-stream 或 xlsx、JSON 的类型上传文件。",
                "Send the file as multipart/form-data, text/csv, application/octet-stream, or with the type of xlsx or JSON.",
            ),
            Error::NoSuchLoad(_) => {
                Self::not_found("no_such_load", "没有此批次，或不是由您报送。", "There is no such load, or somebody else sent it.")
            }
        }
    }
}

impl From<HeaderFault> for Error {
    fn from(fault: HeaderFault) -> Self {
        Self::Header(Box::new(fault))
    }
}
