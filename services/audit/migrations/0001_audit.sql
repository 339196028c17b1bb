-- The trace: appended to, never changed.
create schema if not exists audit;

create table audit.outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null,
    topic text not null,
    payload bytea not null,
    occurred_at timestamptz not null
);

-- The end of the chain. Whoever appends locks this one row, so there is one writer at a time.
create table audit.head (
    only_one boolean primary key default true check (only_one),
    sequence bigint not null,
    hash bytea not null check (octet_length(hash) = 32)
);
insert into audit.head (sequence, hash) values (0, decode(repeat('00', 32), 'hex'));

-- `body` is what the hash covers, byte for byte; everything else is read out of it by the database, so that no column can
-- say something else than the chain.
create table audit.entry (
    sequence bigint primary key check (sequence > 0),
    entry_id uuid not null unique,
    body text not null,
    hash bytea not null check (octet_length(hash) = 32),
    actor text not null generated always as (body::jsonb ->> 'actor') stored,
    action text not null generated always as (body::jsonb ->> 'action') stored,
    object_kind text not null generated always as (body::jsonb ->> 'object_kind') stored,
    object text not null generated always as (body::jsonb ->> 'object') stored,
    district integer generated always as ((body::jsonb ->> 'district')::integer) stored,
    at_ms bigint not null generated always as ((body::jsonb ->> 'at_ms')::bigint) stored
);
create index entry_by_object on audit.entry (object_kind, object, sequence desc);
create index entry_by_actor on audit.entry (actor, sequence desc);
create index entry_by_time on audit.entry (at_ms);

create function audit.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit trace is only ever appended to' using errcode = 'insufficient_privilege';
end $$;

create trigger entry_is_never_changed before update or delete on audit.entry
    for each row execute function audit.refuse_change();
create trigger entry_is_never_emptied before truncate on audit.entry
    for each statement execute function audit.refuse_change();
create trigger head_is_never_lost before delete on audit.head
    for each row execute function audit.refuse_change();
create trigger head_is_never_emptied before truncate on audit.head
    for each statement execute function audit.refuse_change();
