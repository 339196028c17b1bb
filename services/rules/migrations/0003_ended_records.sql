-- Records that their source corrected or took back: they are gathered by nobody any more, and whoever they brought into an alert is looked at.
create table rules.ended_record (
    record_id bigint primary key,
    how text not null check (how in ('replace', 'retract')),
    reason text not null,             -- as its source wrote it
    ended_at timestamptz not null
);
alter table rules.match
    add column ended_at timestamptz;  -- its record holds no longer; the draft was closed by then
-- Matches that were left out because their rule had told the person not long ago. They are gathered when what had told them turns out wrong.
create table rules.cooled (
    rule_id uuid not null,
    record_id bigint not null,
    resident_no int not null,
    district int not null,
    area text not null,
    source text not null,
    occurred_at timestamptz not null,
    attributes jsonb not null,
    cooled_at timestamptz not null,
    primary key (rule_id, record_id)
);
-- whose matches were left out
create index cooled_by_person on rules.cooled (resident_no, rule_id);
-- which matches a record that ended has
create index match_by_record on rules.match (record_id);
