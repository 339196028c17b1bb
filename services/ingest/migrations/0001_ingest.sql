-- Risk records (CQ6), the loads in which they came, and the rows that were refused.
create schema if not exists ingest;

create table ingest.outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null,
    topic text not null,
    payload bytea not null,
    occurred_at timestamptz not null
);

-- One delivery: a batch, a stream or a file. Its counts grow with every chunk.
create table ingest.load (
    load_id uuid primary key,
    source text not null,           -- the unit that sent it, or staff:<id>
    format text not null check (format in ('json', 'ndjson', 'csv', 'registration')),
    -- the header row of a CSV file as one JSON array, and what separates its cells: refused rows are given back in its form
    header text,
    delimiter text check (length(delimiter) = 1),
    received_at timestamptz not null,
    finished_at timestamptz,
    ending text check (ending in ('complete', 'broken_off', 'too_large')),
    accepted bigint not null default 0,
    repeated bigint not null default 0, -- the same record again: kept once
    refused bigint not null default 0
);
create index load_by_source on ingest.load (source, load_id desc);

-- The part of a load that was stored in one transaction and told of in one event.
create table ingest.chunk (
    chunk_id uuid primary key,
    load_id uuid not null references ingest.load,
    records int not null
);

create table ingest.record (
    record_id bigint generated always as identity,
    source text not null,
    source_id text not null,
    chunk_id uuid not null,
    -- sha-256 over what the source said: the same id with another content is refused, the first is kept
    content_hash bytea not null,
    kind text not null,
    origin text not null,
    level text not null,
    district int not null,
    township int,
    community bigint,
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    resident_no int,          -- the subject, once known
    subject_hash bytea,       -- keyed hash of the phone or identity number, while unknown
    subject_kind text not null check (subject_kind in ('resident', 'phone', 'identity', 'place')),
    attributes jsonb not null,
    primary key (source, source_id)
);
-- rules reads a chunk
create index record_by_chunk on ingest.record (chunk_id);
-- a newly registered person's records are found by hash
create index record_unmatched on ingest.record (subject_hash) where resident_no is null and subject_hash is not null;

-- Rows that were refused: fetched, mended, sent again. The raw row is sealed, it may name a person.
create table ingest.refused_row (
    load_id uuid not null references ingest.load on delete cascade,
    line bigint not null,
    field text not null,
    reason text not null,
    reason_en text not null,
    row_sealed bytea not null,
    primary key (load_id, line)
);

-- A record kept for an unknown person and matched when they registered joins a second chunk.
create table ingest.matched (
    chunk_id uuid not null,
    source text not null,
    source_id text not null,
    primary key (chunk_id, source, source_id)
);

-- Published for rules: `load_id` is the one of the event RecordsStored ------------------------------
create view ingest.record_feed as
select chunk_id as load_id, record_id, source, source_id, kind, origin, level, district, township, community, occurred_at, received_at,
       resident_no as subject_resident, subject_kind, attributes
from ingest.record
union all
select matched.chunk_id, record_id, record.source, record.source_id, kind, origin, level, district, township, community, occurred_at,
       received_at, resident_no, subject_kind, attributes
from ingest.matched join ingest.record using (source, source_id);
