-- Files that are sent in pieces, so that one that is cut goes on where it was. Nothing of them counts before they are delivered.
create table ingest.upload (
    upload_id uuid primary key,
    source text not null,
    bytes bigint not null check (bytes > 0),
    received bigint not null default 0 check (received <= bytes),
    touched_at timestamptz not null,
    load_id uuid references ingest.load     -- the load that it became
);
-- how much of one sender is on its way; what is forgotten
create index upload_by_source on ingest.upload (source);
create index upload_by_age on ingest.upload (touched_at);

-- What has arrived, sealed, each piece at the byte where it begins.
create table ingest.upload_piece (
    upload_id uuid not null references ingest.upload on delete cascade,
    at bigint not null,
    piece_sealed bytea not null,
    primary key (upload_id, at)
);
-- what is sealed does not get smaller
alter table ingest.upload_piece alter column piece_sealed set storage external;
