-- When last something about the work on an alert was another than before: what the live line tells beside the steps.
create table review.work (
    alert_id uuid not null references review.alert,
    what text not null,                    -- review: claim, comments, presence
    at timestamptz not null,
    nth bigint not null default 1,
    primary key (alert_id, what)
);
-- what changed since a page last looked, and what is forgotten
create index work_by_time on review.work (at);
