-- For whom an approved alert was withdrawn while it stands for everybody else.
create table review.withdrawal (
    alert_id uuid not null references review.alert,
    resident_no int not null,
    withdrawn_at timestamptz not null,
    withdrawn_by uuid not null,
    primary key (alert_id, resident_no)
);
-- an inbox asks about its owner
create index withdrawal_by_resident on review.withdrawal (resident_no) include (alert_id);

-- Published for dispatch, which sends them nothing more and tells those who heard of it, and for resident, whose inboxes say so.
create view review.withdrawn_for as select alert_id, resident_no, withdrawn_at as at from review.withdrawal;
