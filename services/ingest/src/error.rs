//! What can go wrong with a whole delivery, and what its sender is told. What is wrong with one row is in [`crate::reason`].

use domain::ids::LoadId;
use http::StatusCode;
use platform::http::{FieldFault, Problem};

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
    /// The header row of a CSV file cannot be used.
    #[error("the header row is wrong at {}: {}", .0.field, .0.reason_en)]
    Header(FieldFault),
    /// The file is in UTF-16.
    #[error("the file is not in UTF-8")]
    NotUtf8,
    /// The batch is neither an array nor an object of JSON.
    #[error("the batch is not valid JSON at line {line}, column {column}")]
    NotJson {
        /// Line of the text, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
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
    #[error("the body is neither text/csv nor a form")]
    MediaType,
    /// No such load, or it is somebody else's.
    #[error("there is no load {0} of this sender")]
    NoSuchLoad(LoadId),
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
            Error::Interrupted { .. } | Error::Stored { .. } => Self::internal(&error),
            Error::Header(fault) => Self::bad_request(
                "csv_header",
                format!("表头有误（{}）：{}。请更正首行后重新上传。", fault.field, fault.reason),
                format!("The header row is wrong ({}): {}. Correct the first row and upload again.", fault.field, fault.reason_en),
            )
            .fault(fault.field, fault.reason, fault.reason_en),
            Error::NotUtf8 => Self::bad_request(
                "not_utf8",
                "文件不是 UTF-8 编码，请在 Excel 中另存为“CSV UTF-8（逗号分隔）”后重新上传。",
                "The file is not in UTF-8. Save it as \"CSV UTF-8\" and upload again.",
            ),
            Error::NotJson { line, column } => Self::bad_request(
                "json_malformed",
                format!("请求内容不是有效的 JSON（第 {line} 行第 {column} 列），请提交一条记录或记录数组。"),
                format!("The body is not valid JSON (line {line}, column {column}). Send one record or an array of records."),
            ),
            Error::TooManyRecords { limit } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_many_records",
                format!("一次最多提交 {limit} 条记录，更多记录请使用 /api/v1/records/stream。"),
                format!("A batch has at most {limit} records. Send more by /api/v1/records/stream."),
            ),
            Error::NoFile => Self::bad_request(
                "file_missing",
                "表单中没有可读取的文件，请以字段 file 上传 CSV 文件。",
                "The form has no file that can be read. Send the CSV file as field \"file\".",
            ),
            Error::MediaType => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media_type_unsupported",
                "请以 text/csv 或 multipart/form-data 上传 CSV 文件。",
                "Send the CSV file as text/csv or multipart/form-data.",
            ),
            Error::NoSuchLoad(_) => {
                Self::not_found("no_such_load", "没有此批次，或不是由您报送。", "There is no such load, or somebody else sent it.")
            }
        }
    }
}
