-- Remarks on drafts, beside the texts. They hold no personal data: the checks refuse it.
create table review.comment (
    comment_id uuid primary key,
    alert_id uuid not null references review.alert,
    reply_to uuid references review.comment,
    version int not null,                  -- that was looked at
    passage jsonb,                         -- domain::passage::Passage; null: about the whole
    words text not null,
    made_by uuid not null,                 -- staff
    made_at timestamptz not null,
    resolved_at timestamptz,               -- null: not settled; a reply never is
    resolved_by uuid,
    constraint resolved_by_somebody check ((resolved_at is null) = (resolved_by is null)),
    constraint reply_is_not_resolved check (reply_to is null or resolved_at is null)
);
-- an alert's remarks in their order
create index comment_of_alert on review.comment (alert_id, made_at, comment_id);
-- what is not settled
create index comment_open on review.comment (alert_id) where reply_to is null and resolved_at is null;
