-- How sources are doing (CQ2, CQ6), and lists that wait for a person because they are unlike their source's usual.

-- A unit with a key, or staff:<id>.
create table ingest.source (
    source text primary key,
    last_at timestamptz not null,                  -- when something last came from it
    -- what a person expects of it: learnt from its last weeks, something within so many hours, or nothing
    expected text not null default 'learnt' check (expected in ('learnt', 'within', 'nothing')),
    expected_hours int check ((expected = 'within') = (expected_hours is not null) and expected_hours > 0),
    silent_since timestamptz,                      -- its last arrival, while it is silent and that was told
    profiles jsonb not null default '[]'           -- domain::unusual_list::Profile of its last long deliveries, newest first
);

-- What came of a source, by the hour of its arrival (UTC). Added to after every chunk, outside of its transaction.
create table ingest.source_hour (
    source text not null,
    hour timestamptz not null,
    deliveries bigint not null default 0,          -- that ended
    largest bigint not null default 0,             -- rows of the largest of them
    accepted bigint not null default 0,
    repeated bigint not null default 0,
    refused bigint not null default 0,
    corrected bigint not null default 0,
    retracted bigint not null default 0,
    late bigint[] not null,                        -- accepted records by domain::source_health::LATENESS
    primary key (source, hour)
);
-- the oldest are deleted
create index source_hour_age on ingest.source_hour (hour);

create table ingest.held_load (
    load_id uuid primary key references ingest.load on delete cascade,
    source text not null,
    area text not null,                            -- whose reviewers may decide: the city, or a district
    sender jsonb not null,                         -- who delivered, and what they may deliver
    columns jsonb,                                 -- names of a list's columns with what each means
    why jsonb not null,                            -- domain::unusual_list::Unlike
    profile jsonb not null,                        -- domain::unusual_list::Profile: part of the usual once it is released
    state text not null check (state in ('waiting', 'releasing', 'released', 'discarded', 'expired')),
    held_at timestamptz not null,
    rows bigint not null default 0,                -- held back
    refused bigint not null default 0,             -- of them, those that would be refused by themselves
    blocks int not null default 0,
    decided_by uuid,
    decided_at timestamptz,
    reason text
);
-- the page of those that wait, and the metrics
create index held_load_open on ingest.held_load (held_at) where state in ('waiting', 'releasing');
-- what a person released is part of the usual
create index held_load_released on ingest.held_load (source, decided_at) where state = 'released';

-- Blocks of rows as they came, sealed: they may name people.
create table ingest.held_block (
    load_id uuid not null references ingest.held_load on delete cascade,
    block int not null,
    rows bigint not null,
    block_sealed bytea not null,
    primary key (load_id, block)
);

-- What came before is part of what is usual.
insert into ingest.source (source, last_at)
select source, max(received_at) from ingest.load where format <> 'registration' group by source;
insert into ingest.source_hour (source, hour, deliveries, largest, accepted, repeated, refused, corrected, retracted, late)
select source, date_trunc('hour', received_at at time zone 'UTC') at time zone 'UTC', count(*) filter (where ending = 'complete'),
       coalesce(max(accepted + repeated + refused + corrected + retracted) filter (where ending = 'complete'), 0),
       sum(accepted), sum(repeated), sum(refused), sum(corrected), sum(retracted), '{}'
from ingest.load where format <> 'registration' group by 1, 2;
