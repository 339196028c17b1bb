-- Records have a life: their source corrects or takes them back by their id. Every version stays.
alter table ingest.record
    add column version int not null default 1,
    add column retracted_at timestamptz;      -- taken back: it is in no load any more

-- Versions that hold no longer, as they were.
create table ingest.record_version (
    source text not null,
    source_id text not null,
    version int not null,
    record_id bigint not null,
    chunk_id uuid not null,
    content_hash bytea not null,
    kind text not null,
    origin text not null,
    level text not null,
    district int not null,
    township int,
    community bigint,
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    resident_no int,
    subject_hash bytea,
    subject_kind text not null,
    attributes jsonb not null,
    how text not null check (how in ('replace', 'retract')),
    reason text not null,                     -- as its source wrote it
    ended_at timestamptz not null,
    ended_in uuid not null,                   -- the chunk that ended it
    primary key (source, source_id, version)
);
-- rules reads what a chunk ended
create index record_version_by_end on ingest.record_version (ended_in);

alter table ingest.load
    add column corrected bigint not null default 0,
    add column retracted bigint not null default 0;

-- What was taken back is in no load.
create or replace view ingest.record_feed as
select chunk_id as load_id, record_id, source, source_id, kind, origin, level, district, township, community, occurred_at, received_at,
       resident_no as subject_resident, subject_kind, attributes
from ingest.record where retracted_at is null
union all
select matched.chunk_id, record_id, record.source, record.source_id, kind, origin, level, district, township, community, occurred_at,
       received_at, resident_no, subject_kind, attributes
from ingest.matched join ingest.record using (source, source_id) where retracted_at is null;

-- Published for rules: which versions a chunk ended, and what took their place ------------------------------
create view ingest.ended_feed as
select ended.ended_in as load_id, ended.record_id, ended.source, ended.source_id, ended.how, ended.reason, ended.ended_at,
       case when now.retracted_at is null then now.record_id end as replaced_by,
       case when now.retracted_at is null then now.chunk_id end as replaced_in
from ingest.record_version ended join ingest.record now using (source, source_id);
