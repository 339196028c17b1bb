-- Records that brought somebody into an alert and that their source corrected or took back since: on a list until somebody has decided.
create table review.ended_record (
    -- the alert may be heard of later
    alert_id uuid not null,
    record_no bigint not null,
    resident_no int,                  -- null: it is about a place
    area text not null,               -- domain::area::Area
    source text not null,
    how text not null check (how in ('replace', 'retract')),
    reason text not null,             -- as its source wrote it
    still_named boolean not null,     -- another record, which holds, names the same person in the alert
    still_met boolean not null,       -- the corrected record meets the rule for the same person
    ended_at timestamptz not null,
    decided_at timestamptz,
    decided_by uuid,                  -- null: there was nothing to decide
    remedy text,                      -- domain::record_life::Remedy
    note text,
    correction uuid,                  -- the alert that corrects it
    primary key (alert_id, record_no)
);
-- what nobody has decided about
create index ended_record_undecided on review.ended_record (ended_at) where decided_at is null;

-- What is still to be decided: nobody has, or the correction that was to take its place came to nothing.
create view review.ended_record_open as
select e.alert_id, e.record_no, e.resident_no, e.how, e.ended_at from review.ended_record e
 where e.decided_at is null
    or e.remedy = 'correct' and exists (select from review.alert c where c.alert_id = e.correction and c.state in ('refused', 'cancelled'));
