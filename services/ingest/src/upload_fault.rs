//! What can be wrong with a file that is sent in pieces, and what its sender is told.

use domain::ids::{LoadId, UploadId};
use http::StatusCode;
use platform::http::Problem;

/// A piece or a file that cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UploadFault {
    /// There is none, it is somebody else's, or it was forgotten.
    #[error("there is no upload {0} of this sender")]
    Unknown(UploadId),
    /// The file that is to be delivered is not whole.
    #[error("{received} of {bytes} bytes of the upload have arrived")]
    Incomplete {
        /// How many bytes have arrived.
        received: u64,
        /// How many it has.
        bytes: u64,
    },
    /// It was delivered: its pieces are not kept any more.
    #[error("the upload was delivered as load {0}")]
    Delivered(LoadId),
    /// A piece does not begin where the file ends.
    #[error("the upload has {is} bytes, and a piece begins at {said}")]
    Offset {
        /// Where the piece begins.
        said: u64,
        /// Where the file ends.
        is: u64,
    },
    /// Two senders go on with one file at the same time.
    #[error("somebody else goes on with the upload")]
    Elsewhere,
    /// More bytes came than the file was to have.
    #[error("the upload was to have {bytes} bytes")]
    TooLong {
        /// How many it was to have.
        bytes: u64,
    },
    /// The file would be larger than files may be.
    #[error("an upload has {limit} bytes at most")]
    TooLarge {
        /// How many bytes one may have.
        limit: usize,
    },
    /// Too many files of one sender are on their way.
    #[error("too many uploads of one sender are on their way")]
    TooMany,
    /// A header of the protocol is missing or no number.
    #[error("the header {0} is missing or no number")]
    Header(&'static str),
    /// A piece has another type than pieces have.
    #[error("a piece is not of the type application/offset+octet-stream")]
    PieceType,
    /// The client speaks another version of the protocol.
    #[error("the client speaks another version of tus")]
    Version,
}

impl From<UploadFault> for Problem {
    fn from(fault: UploadFault) -> Self {
        match fault {
            UploadFault::Unknown(_) => Self::not_found(
                "no_such_upload",
                "没有此上传任务，或已过期（24 小时未续传）、不是由您开始。请重新上传。",
                "There is no such upload, it was forgotten after 24 hours, or somebody else began it. Begin again.",
            ),
            UploadFault::Incomplete { received, bytes } => Self::conflict(
                "upload_incomplete",
                format!("文件尚未传完（{received}/{bytes} 字节），请续传后再报送。"),
                format!("{received} of {bytes} bytes have arrived. Send the rest first."),
            ),
            UploadFault::Delivered(load) => Self::conflict(
                "upload_delivered",
                format!("该文件已报送（批次 {load}）。如需再次查看，请重新上传。"),
                format!("The file was delivered as load {load}. To look at it again, upload it again."),
            ),
            UploadFault::Offset { said, is } => Self::conflict(
                "upload_offset",
                format!("续传位置 {said} 与已收到的 {is} 字节不一致，请先查询进度再续传。"),
                format!("A piece begins at byte {said}, but {is} bytes have arrived. Ask how far it is and go on there."),
            ),
            UploadFault::Elsewhere => Self::conflict(
                "upload_elsewhere",
                "同一文件正在别处续传，请先查询进度再续传。",
                "The same file is being sent from elsewhere. Ask how far it is and go on there.",
            ),
            UploadFault::TooLong { bytes } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "upload_too_long",
                format!("收到的内容超过开始上传时声明的 {bytes} 字节，请重新上传。"),
                format!("More than the {bytes} bytes came that the file was to have. Begin again."),
            ),
            UploadFault::TooLarge { limit } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "upload_too_large",
                format!("文件过大，上限为 {limit} 字节。请拆分后分别上传。"),
                format!("A file has {limit} bytes at most. Split it."),
            ),
            UploadFault::TooMany => Self::conflict(
                "too_many_uploads",
                "未完成的上传过多。请先完成、报送或放弃之前的上传。",
                "Too many uploads are on their way. Finish and deliver them, or give them up first.",
            ),
            UploadFault::Header(name) => Self::bad_request(
                "upload_header",
                format!("请求头 {name} 缺失或不是有效数字。"),
                format!("The header {name} is missing or no number."),
            ),
            UploadFault::PieceType => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "upload_piece_type",
                "续传内容的类型应为 application/offset+octet-stream。",
                "A piece is of the type application/offset+octet-stream.",
            ),
            UploadFault::Version => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "upload_version",
                "不支持客户端的续传协议版本，请使用 tus 1.0.0。",
                "The client speaks another version of the protocol; speak tus 1.0.0.",
            ),
        }
    }
}
