//! What kind of message an alert is (CAP *msgType*): first information, unless it was written as a correction of one certain alert.
//!
//! The kind follows from how an alert came about and never from what somebody wrote into it: a *cancel* or *update* written by hand would look like
//! the end of another alert and end nothing. Ending one that people have is a retraction, which two people say; correcting one has a route of its own.

use domain::alert::AlertContent;
use domain::cap::{MsgType, Status};
use domain::ids::AlertId;
use platform::http::FieldFault;

use crate::Error;

/// Refuses content that claims to be another kind of message than it is; `corrects` is the alert that it was written to correct.
pub(crate) fn check(content: &AlertContent, corrects: Option<AlertId>) -> Result<(), Error> {
    let fault = match (content.msg_type, content.references, corrects) {
        (MsgType::Cancel, ..) => FieldFault::new(
            "content.msg_type",
            "撤销、解除不能当作新弹窗来写：请打开要终止的弹窗，已有人收到的用“撤回或解除”（retraction），还没有人收到的用“撤销”决定（cancel）",
            "an end is not written as an alert: open the alert that is to end; where people have it, ask for its retraction or all-clear, else take the decision cancel",
        ),
        (MsgType::Update, _, None) => FieldFault::new(
            "content.msg_type",
            "更正不能当作新弹窗来写：请打开要更正的弹窗，使用“更正”（correction）",
            "a correction is not written as a new alert: open the alert that is wrong and write its correction",
        ),
        (MsgType::Alert, Some(_), None) => FieldFault::new(
            "content.references",
            "新弹窗不能引用其他弹窗：撤回、解除请用“撤回或解除”（retraction），更正请用“更正”（correction）",
            "a new alert references no other: to end one ask for its retraction, to correct one write its correction",
        ),
        (_, Some(referenced), Some(corrected)) if referenced != corrected => FieldFault::new(
            "content.references",
            "更正所引用的弹窗不是被更正的弹窗，请删去此项",
            "references another alert than the one that is corrected; leave it out",
        ),
        _ => return Ok(()),
    };
    Err(Error::Invalid(vec![fault]))
}

/// Refuses to make a real alert of the correction of an exercise, or an exercise of a real one's: it goes to whom the old one went to.
pub(crate) fn check_status(content: &AlertContent, status: Status) -> Result<(), Error> {
    if content.status == status {
        return Ok(());
    }
    let fault = FieldFault::new(
        "content.status",
        "更正与被更正的弹窗同为实际或同为演练，不能更改",
        "a correction is real or an exercise as the alert that it corrects",
    );
    Err(Error::Invalid(vec![fault]))
}

/// The content as the kind of message it is.
pub(crate) fn of(content: AlertContent, corrects: Option<AlertId>) -> AlertContent {
    let msg_type = if corrects.is_some() { MsgType::Update } else { MsgType::Alert };
    AlertContent { msg_type, references: corrects, ..content }
}
