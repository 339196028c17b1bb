//! What a caller is told of the work on an alert that is written and reviewed.

use domain::{checklist, claim, comment, many_decisions};
use http::StatusCode;
use platform::http::{FieldFault, Problem};

pub(super) fn of_checklist(refusal: checklist::Refusal) -> Problem {
    match refusal {
        checklist::Refusal::Faults(faults) => Problem::invalid(
            faults
                .into_iter()
                .map(|(item, fault)| FieldFault::new(format!("answers.{item}"), fault.to_string(), fault.english()))
                .collect(),
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
    match refusal {
        No::CommentsClosed(_) => {
            Problem::conflict("comments_closed", said, "The alert is written and reviewed no more: comments are closed.")
        }
        No::TooManyComments => Problem::conflict(
            "too_many_comments",
            said,
            "The alert has as many comments as it can hold. Talk it over, or have it returned.",
        ),
        No::ReplyHasNoEnd => Problem::conflict("reply_has_no_end", said, "A reply is settled with the comment that it replies to."),
        No::OutsideScope => {
            Problem::forbidden("outside_scope", said, "The alert lies outside your area, or you have no part in making it.")
        }
        No::NotYoursToResolve => {
            Problem::forbidden("not_yours_to_resolve", said, "Only whoever made the comment or wrote the alert may settle it.")
        }
    }
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
    match refusal {
        No::NotWaiting(_) => Problem::conflict("not_waiting", format!("{refusal}。"), "The alert waits for no review now. Reload it."),
        No::NotYoursToDecide => {
            Problem::forbidden("not_yours_to_decide", format!("{refusal}。"), "The review that is due is not yours to do.")
        }
        No::ClaimedByOther => Problem::conflict(
            "claimed_by_other",
            format!("{refusal}。请先与其联系；如确需由您处理，请确认接手或勾选“知道”后再提交。"),
            "A colleague is reviewing this alert. Speak with them first; where you have to act yourself, take it over, or mark that you know.",
        ),
    }
}

pub(super) fn of_many(refusal: many_decisions::Refusal) -> Problem {
    use many_decisions::Refusal as No;
    let said = format!("{refusal}。");
    match refusal {
        No::NotInBulk(_) => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "not_in_bulk",
            said,
            "This is not decided among others: open the alert and do it there.",
        ),
        No::NotLookedAt => Problem::conflict(
            "not_looked_at",
            said,
            "You have not had this version of the alert before you. Open it, read it whole, then decide.",
        ),
        No::Twice => Problem::conflict("twice", said, "The alert stands twice among these decisions: the first one counts."),
    }
}
