//! What a caller is told of the work on an alert that is written and reviewed.

use domain::{checklist, claim, comment, many_decisions};
use http::StatusCode;
use platform::http::{FieldFault, Problem};

pub(super) fn of_checklist(refusal: checklist::Refusal) -> Problem {
    match refusal {
        checklist::Refusal::Faults(faults) => Problem::invalid(
            faults.into_iter().map(|(item, fault)| FieldFault::new(format!("answers.{item}"), fault.to_string(), fault.english())).collect(),
        ),
        checklist::Refusal::SaysNo => Problem::conflict(
            "checklist_says_no",
            "核对项中有“否”，不能往下走。请退回或驳回，并写明要改什么。",
            "An item of the checklist is answered with no, so the alert cannot go on. Return or refuse it, and say what has to change.",
        ),
    }
}

pub(super) fn of_open_comments(open: i64) -> Problem {
    Problem::conflict(
        "open_comments",
        format!("还有 {open} 条批注没有处理。请先看过；如仍要继续，请勾选“知道”后再提交。"),
        format!("{open} comments are not settled yet. Read them first; to go on all the same, mark that you know."),
    )
}

pub(super) fn of_comment(refusal: comment::Refusal) -> Problem {
    use comment::Refusal as No;
    let said = format!("{refusal}。");
    let (status, english) = match refusal {
        No::CommentsClosed(_) => (StatusCode::CONFLICT, "The alert is written and reviewed no more: comments are closed."),
        No::TooManyComments => (StatusCode::CONFLICT, "The alert has as many comments as it can hold. Talk it over, or have it returned."),
        No::ReplyHasNoEnd => (StatusCode::CONFLICT, "A reply is settled with the comment that it replies to."),
        No::OutsideScope => (StatusCode::FORBIDDEN, "The alert lies outside your area, or you have no part in making it."),
        No::NotYoursToResolve => (StatusCode::FORBIDDEN, "Only whoever made the comment or wrote the alert may settle it."),
    };
    Problem::new(status, refusal.as_ref(), said, english)
}

pub(super) fn of_words(fault: comment::Fault) -> Problem {
    let english = match fault {
        comment::Fault::Missing => "is missing: say what you mean".to_owned(),
        comment::Fault::TooLong(length) => format!("has {length} characters; write at most {}", comment::LONGEST),
        comment::Fault::PersonalData => "has personal data in it (a number or an address): take it out".to_owned(),
    };
    Problem::invalid(vec![FieldFault::new("text", fault.to_string(), english)])
}

pub(super) fn of_claim(refusal: claim::Refusal) -> Problem {
    use claim::Refusal as No;
    let code = refusal.as_ref();
    match refusal {
        No::NotWaiting(_) => Problem::conflict(code, format!("{refusal}。"), "The alert waits for no review now. Reload it."),
        No::NotYoursToDecide => Problem::forbidden(code, format!("{refusal}。"), "The review that is due is not yours to do."),
        No::ClaimedByOther => Problem::conflict(
            code,
            format!("{refusal}。请先与其联系；如确需由您处理，请确认接手或勾选“知道”后再提交。"),
            "A colleague is reviewing this alert. Speak with them first; where you have to act yourself, take it over, or mark that you know.",
        ),
    }
}

pub(super) fn of_many(refusal: many_decisions::Refusal) -> Problem {
    use many_decisions::Refusal as No;
    let (status, english) = match refusal {
        No::NotInBulk(_) => (StatusCode::UNPROCESSABLE_ENTITY, "This is not decided among others: open the alert and do it there."),
        No::NotLookedAt => {
            (StatusCode::CONFLICT, "You have not had this version of the alert before you. Open it, read it whole, then decide.")
        }
        No::Twice => (StatusCode::CONFLICT, "The alert stands twice among these decisions: the first one counts."),
    };
    Problem::new(status, refusal.as_ref(), format!("{refusal}。"), english)
}
