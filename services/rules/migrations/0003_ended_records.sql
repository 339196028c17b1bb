-- Records that their source corrected or took back: they are gathered by nobody any more, and whoever they brought into an alert is looked at.
create table rules.ended_record (
    record_id bigint primary key,
    how text not null check (how in ('replace', 'retract')),
    reason text not null,             -- as its source wrote it
    ended_at timestamptz not null
);
alter table rules.match
    add column ended_at timestamptz;  -- its record holds no longer; the draft was closed by then
-- which matches a record that ended has
create index match_by_record on rules.match (record_id);
