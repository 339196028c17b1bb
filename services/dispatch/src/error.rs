//! What can go wrong in dispatch, and what of it a caller is told.

use domain::approval_seal::{Difference, sentence};
use domain::ids::{AlertId, BatchId};
use platform::BoxError;
use platform::export::{self, Format};
use platform::http::Problem;

/// A failure of dispatch.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement failed or the database is away.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// Bus or transaction failed.
    #[error(transparent)]
    Platform(#[from] platform::Error),
    /// An audience could not be counted.
    #[error("an audience could not be counted")]
    Headcount(#[from] resident::Error),
    /// A setting makes no sense.
    #[error("setting {name} {reason}")]
    Setting {
        /// The key in the configuration file.
        name: &'static str,
        /// What is wanted.
        reason: &'static str,
    },
    /// A step panicked for one alert.
    #[error("it panicked: {0}")]
    Panicked(String),
    /// alert.approved named an alert that review does not show as approved.
    #[error("alert {0} is not among the approved alerts")]
    NotApproved(AlertId),
    /// Another holder has the batch, or it was closed: nothing was written.
    #[error("the lease of batch {} was lost", .0.get())]
    LeaseLost(BatchId),
    /// What is stored, or arrived, cannot be read.
    #[error("{what} of {of} cannot be read")]
    Damaged {
        /// Which value.
        what: &'static str,
        /// Of which alert, batch or event.
        of: String,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// What would leave is not what was approved.
    #[error("{} parts of the alert are not as they were approved", .0.len())]
    NotAsApproved(Vec<Difference>),
    /// Nothing is held that an officer could let go on.
    #[error("the alert is not held because of what was approved")]
    NothingHeld,
    /// Another number of people than the officer knew of.
    #[error("{planned} people are planned")]
    CountChanged {
        /// As it is told.
        planned: String,
    },
    /// A list has more rows than one file takes.
    #[error("more rows than one file takes")]
    ExportTooLarge(Format),
    /// No such alert, or not yet approved.
    #[error("no such alert in dispatch")]
    NoSuchAlert,
    /// No such follow-up item in the caller's area.
    #[error("no such follow-up item")]
    NoSuchFollowUp,
    /// A follow-up item has one outcome.
    #[error("the follow-up item has its outcome already")]
    FollowUpClosed,
    /// Nobody is sent to any more.
    #[error("the alert has ended, or was not released yet")]
    NotLive,
    /// Nobody is left to be sent to again.
    #[error("everybody was reached, or is being sent to")]
    EverybodyReached,
    /// Another round of sending again came first.
    #[error("the alert is being sent again already")]
    SendingAgainAlready,
    /// More people than the officer knew of.
    #[error("{people} were not reached")]
    MoreNotReached {
        /// As of now.
        people: i64,
    },
}

impl Error {
    /// Whether the same may go well a little later: the database or the bus failed, nothing is wrong with what was asked.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Database(_) | Self::Platform(_))
    }

    pub(crate) fn damaged(what: &'static str, of: impl ToString, source: impl Into<BoxError>) -> Self {
        Self::Damaged { what, of: of.to_string(), source: source.into() }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match &error {
            Error::NoSuchAlert => Problem::not_found(
                "alert_not_dispatched",
                "该弹窗不存在或尚未批准，请核对编号。",
                "There is no such alert, or it is not approved yet. Check its id.",
            ),
            Error::NoSuchFollowUp => Problem::not_found(
                "follow_up_not_found",
                "您的辖区内没有此跟进事项，请刷新列表。",
                "There is no such follow-up item in your area. Load the list again.",
            ),
            Error::FollowUpClosed => Problem::conflict(
                "follow_up_closed",
                "该跟进事项已有处理结果，请刷新列表。",
                "Somebody has already entered an outcome for this item. Load the list again.",
            ),
            Error::NotLive => Problem::conflict(
                "alert_not_live",
                "该弹窗尚未开始推送或已经结束，不能再次推送。",
                "The alert is not being sent yet, or has ended: it cannot be sent again.",
            ),
            Error::EverybodyReached => Problem::conflict(
                "everybody_reached",
                "目前没有未送达的人，无需再次推送。请刷新页面。",
                "Nobody is left who was not reached, so there is nothing to send again. Load the page again.",
            ),
            Error::SendingAgainAlready => Problem::conflict(
                "sending_again_already",
                "已有一轮再次推送，请刷新页面查看进度。",
                "It has been sent again already. Load the page again to see how far it is.",
            ),
            Error::MoreNotReached { people } => Problem::conflict(
                "more_not_reached",
                format!("未送达的人已增至 {people} 人，请核对后重新确认。"),
                format!("By now {people} people were not reached. Look at the number and confirm it anew."),
            ),
            Error::NotAsApproved(differences) => {
                let (zh, en) = sentence(differences);
                Problem::conflict("not_as_approved", zh, en)
            }
            Error::ExportTooLarge(format) => export::too_large(*format),
            Error::NothingHeld => Problem::conflict(
                "nothing_held",
                "这条弹窗没有因与批准不一致而暂停，无须放行。请刷新页面。",
                "The alert is not held because of what was approved: there is nothing to let go on. Load the page again.",
            ),
            Error::CountChanged { planned } => Problem::conflict(
                "count_changed",
                format!("现计划推送 {planned} 人，与您看到的不同，请核对后重新确认。"),
                format!("By now {planned} people are planned. Look at the number and confirm it anew."),
            ),
            Error::Database(sqlx::Error::PoolTimedOut | sqlx::Error::Io(_)) => Problem::unavailable(&error),
            _ => Problem::internal(&error),
        }
    }
}
