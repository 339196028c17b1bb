-- What residents say about an alert, and what they are told (CQ12). Their words are theirs: sealed, and gone with them.
create table resident.feedback (
    feedback_id bigint generated always as identity primary key,
    resident_no int not null references resident.resident on delete cascade,
    alert_id uuid not null,
    kind text not null check (kind in ('unclear', 'wrong', 'question')),
    text_sealed bytea not null,
    district int not null,
    community bigint not null,
    at timestamptz not null,
    answer_sealed bytea,
    answered_at timestamptz,
    answered_by uuid,            -- staff
    check ((answer_sealed is null) = (answered_at is null) and (answered_at is null) = (answered_by is null))
);
-- what waits for an answer in a district or community
create index feedback_open on resident.feedback (district, community, feedback_id) where answered_at is null;
-- one's own
create index feedback_by_resident on resident.feedback (resident_no, feedback_id);
-- what is said about an alert
create index feedback_by_alert on resident.feedback (alert_id, kind);
